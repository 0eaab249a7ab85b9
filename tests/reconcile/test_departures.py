"""What we stopped does not count as running because a list is behind."""

from dataclasses import replace

import pytest

from autoscaler.domain.fleet import Machine, MachineState, Survey
from autoscaler.domain.names import MachineId
from autoscaler.domain.outcome import AlreadySo, Applied, Failed, Refusal, Refused, Result, Uncertain
from autoscaler.reconcile.bookkeeping import Sight, observe
from autoscaler.reconcile.departures import corrected, denied
from autoscaler.reconcile.ledger import EMPTY, Departure, Ledger
from autoscaler.reconcile.recording import record
from tests.reconcile.samples import APP, WALL, a_machine, a_pool, at, done, so, start, stop

RUNNING = a_machine("a", started_at=WALL - 500.0)


def survey(*machines: Machine) -> Survey:
    return Survey(app=APP, at=WALL, machines=machines)


def stopped(result: Result, mono: float = 0.0, machine: Machine = RUNNING) -> Ledger:
    seen = observe(EMPTY, a_pool(), Sight(survey=survey(machine), members=(machine,)), at(mono)).ledger
    return record(seen, a_pool(), (so(stop("a"), result),), homes={}, now=at(mono))


def shown(ledger: Ledger, machine: Machine = RUNNING, mono: float = 15.0) -> MachineState:
    return corrected(survey(machine), ledger, mono).machines[0].state


@pytest.mark.parametrize("result", [Applied(), AlreadySo()])
def test_a_machine_that_we_stopped_is_taken_for_stopping(result: Result):
    assert shown(stopped(result)) is MachineState.STOPPING


@pytest.mark.parametrize("result", [Failed(), Refused(refusal=Refusal.LEASED), Uncertain()])
def test_a_machine_that_we_may_not_have_stopped_runs(result: Result):
    assert shown(stopped(result)) is MachineState.STARTED


def test_a_machine_that_was_started_again_runs():
    assert shown(stopped(Applied()), replace(RUNNING, started_at=WALL + 5.0)) is MachineState.STARTED


def test_a_machine_that_is_being_started_again_is_believed_though_it_names_its_former_start():
    again = replace(RUNNING, state=MachineState.STARTING)
    assert shown(stopped(Applied()), again) is MachineState.STARTING


def test_a_machine_that_we_stopped_while_it_came_up_is_taken_for_stopping_also_once_it_is_listed_as_up():
    ledger = stopped(Applied(), machine=replace(RUNNING, state=MachineState.STARTING))
    assert shown(ledger, replace(RUNNING, state=MachineState.STARTING)) is MachineState.STOPPING
    up = replace(RUNNING, started_at=WALL - 1.0)
    assert shown(ledger, up) is MachineState.STOPPING
    assert shown(ledger, up, mono=120.0) is MachineState.STARTED
    assert denied(survey(up), ledger) == 0


def test_a_machine_that_we_start_again_is_no_departure():
    ledger = record(stopped(Applied()), a_pool(), (done(start("a")),), homes={}, now=at(15.0))
    assert shown(ledger) is MachineState.STARTED


@pytest.mark.parametrize("state", [MachineState.STOPPED, MachineState.DESTROYED, MachineState.REPLACING])
def test_any_other_state_is_believed(state: MachineState):
    assert shown(stopped(Applied()), replace(RUNNING, state=state)) is state


def test_a_list_is_behind_for_two_minutes_at_most():
    ledger = stopped(Applied())
    assert shown(ledger, mono=119.0) is MachineState.STOPPING
    assert shown(ledger, mono=120.0) is MachineState.STARTED


def test_a_list_that_shows_what_ended_long_ago_is_an_old_one():
    ledger = stopped(Applied())
    assert denied(survey(RUNNING), ledger) == 1
    assert denied(corrected(survey(RUNNING), ledger, 119.0), ledger) == 0
    assert denied(survey(replace(RUNNING, started_at=WALL + 5.0)), ledger) == 0
    assert denied(survey(replace(RUNNING, state=MachineState.STOPPED)), ledger) == 0


def test_a_departure_is_forgotten_after_half_an_hour():
    kept = observe(stopped(Applied()), a_pool(), Sight(survey=survey(), members=()), at(1799.0)).ledger
    assert kept.departures == {MachineId("a"): Departure(since=0.0, started_at=RUNNING.started_at)}
    assert observe(kept, a_pool(), Sight(survey=survey(), members=()), at(1800.0)).ledger.departures == {}


def test_without_departures_the_survey_stays_the_same_value():
    found = survey(RUNNING)
    assert corrected(found, EMPTY, 0.0) is found
