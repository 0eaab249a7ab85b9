"""A survey corrects what is remembered: arrivals, losses, crashes, drains and a list that lies."""

from dataclasses import replace
from typing import Any

import pytest

from autoscaler.domain.fleet import Change, Exit, HostStatus, Machine, MachineState, Survey, Volume
from autoscaler.domain.names import InstanceId, MachineId, VolumeId
from autoscaler.domain.outcome import Refusal, Uncertain
from autoscaler.domain.pool import Damping, Step
from autoscaler.domain.reason import ReasonCode
from autoscaler.reconcile.bookkeeping import Sight, accept_loss, observe
from autoscaler.reconcile.ledger import EMPTY, Ledger
from autoscaler.reconcile.recording import record
from tests.reconcile.samples import (
    APP,
    ORD,
    POOL,
    a_machine,
    a_pool,
    at,
    create,
    done,
    refused,
    so,
    start,
)

OURS = {"autoscaler": str(POOL)}
STOPPED = MachineState.STOPPED
CREATED = MachineState.CREATED


def sight(*machines: Machine, **changes: Any) -> Sight:
    survey = Survey(app=APP, at=at(0.0).wall, machines=machines)
    return replace(Sight(survey=survey, members=machines), **changes)


def seen(*machines: Machine, ledger: Ledger = EMPTY, mono: float = 15.0) -> Ledger:
    return observe(ledger, a_pool(), sight(*machines), at(mono)).ledger


def after(*outcomes, ledger: Ledger = EMPTY, mono: float = 0.0) -> Ledger:
    return record(ledger, a_pool(), outcomes, homes={}, now=at(mono))


def test_a_started_machine_has_arrived_when_a_survey_shows_it_move():
    sent = after(done(start("a")))
    assert seen(a_machine("a", MachineState.STARTING), ledger=sent).on_the_way == ()


@pytest.mark.parametrize("state", [STOPPED, MachineState.SUSPENDED])
def test_a_started_machine_that_still_looks_at_rest_is_on_its_way(state: MachineState):
    sent = after(done(start("a")))
    assert seen(a_machine("a", state), ledger=sent).on_the_way == sent.on_the_way


def test_a_started_machine_that_ended_again_has_arrived():
    sent = after(done(start("a")), mono=0.0)
    ended = a_machine("a", STOPPED, last_exit=Exit(at=at(3.0).wall, code=0))
    assert seen(ended, ledger=sent).on_the_way == ()


def test_a_created_machine_arrives_by_its_name_even_if_nobody_knows_its_id():
    sent = after(done(create(1)))
    unnamed = replace(sent, on_the_way=tuple(replace(entry, machine=None) for entry in sent.on_the_way))
    assert seen(a_machine("x", CREATED, name=create(1).name), ledger=unnamed).on_the_way == ()
    assert seen(a_machine("x", CREATED, name=create(2).name), ledger=unnamed).on_the_way != ()


def test_a_machine_created_stopped_arrives_as_a_stopped_one():
    sent = after(done(create(1, stopped=True)))
    assert seen(a_machine("x", STOPPED, name=create(1).name), ledger=sent).on_the_way == ()


def test_what_does_not_arrive_within_two_minutes_is_lost_and_reported():
    sent = after(done(start("a")))
    waiting = observe(sent, a_pool(), sight(a_machine("a", STOPPED)), at(119.0))
    assert (len(waiting.ledger.on_the_way), waiting.warnings) == (1, ())
    lost = observe(sent, a_pool(), sight(a_machine("a", STOPPED)), at(120.0))
    assert lost.ledger.on_the_way == ()
    assert [warning.code for warning in lost.warnings] == [ReasonCode.LOST_ON_THE_WAY]


def test_an_uncertain_create_is_settled_once_its_name_is_seen_in_our_hands():
    sent = after(so(create(1), Uncertain()))
    assert seen(ledger=sent).uncertain == (create(1),)
    somebody_elses = a_machine("x", CREATED, name=create(1).name)
    assert seen(somebody_elses, ledger=sent).uncertain == (create(1),)
    assert seen(replace(somebody_elses, metadata=OURS), ledger=sent).uncertain == ()


def test_an_uncertain_create_is_not_settled_by_a_machine_that_was_destroyed():
    sent = after(so(create(1), Uncertain()))
    dead = a_machine("x", MachineState.DESTROYED, name=create(1).name, metadata=OURS)
    assert seen(dead, ledger=sent).uncertain == (create(1),)


def test_an_uncertain_start_is_settled_once_the_machine_moves_or_is_gone():
    sent = after(so(start("a"), Uncertain()))
    assert seen(a_machine("a", STOPPED), ledger=sent).uncertain == (start("a"),)
    assert seen(a_machine("a", MachineState.STARTED), ledger=sent).uncertain == ()
    assert seen(a_machine("b"), ledger=sent).uncertain == ()


def test_a_state_is_dated_from_when_it_was_first_seen():
    first = seen(a_machine("a", CREATED), mono=15.0)
    second = seen(a_machine("a", CREATED), ledger=first, mono=30.0)
    third = seen(a_machine("a"), ledger=second, mono=45.0)
    assert [ledger.seen[MachineId("a")].since for ledger in (first, second, third)] == [15.0, 15.0, 45.0]


def test_a_machine_that_is_replaced_counts_as_serving_if_it_served_before():
    replacing = a_machine("a", MachineState.REPLACING)
    assert seen(replacing).seen[MachineId("a")].served
    assert seen(replacing, ledger=seen(a_machine("a"))).seen[MachineId("a")].served
    assert not seen(replacing, ledger=seen(a_machine("a", STOPPED))).seen[MachineId("a")].served


def test_a_lost_host_is_dated_until_it_is_well_again():
    lost = a_machine("a", host=HostStatus.UNREACHABLE)
    first = seen(lost, mono=0.0)
    second = seen(lost, ledger=first, mono=15.0)
    assert second.seen[MachineId("a")].host_lost_since == 0.0
    assert seen(a_machine("a"), ledger=second).seen[MachineId("a")].host_lost_since is None


def fleet(count: int) -> tuple[Machine, ...]:
    return tuple(a_machine(f"m{number}") for number in range(count))


@pytest.mark.parametrize(
    ("known", "listed", "collapsed"), [(10, 5, False), (10, 4, True), (1, 0, True), (0, 0, False)]
)
def test_more_than_half_of_the_machines_missing_is_a_collapse(known: int, listed: int, collapsed: bool):
    ledger = seen(*fleet(listed), ledger=seen(*fleet(known)))
    assert len(ledger.vanished) == (known - listed if collapsed else 0)


def test_a_collapse_lasts_until_half_of_the_missing_are_listed_again():
    ledger = seen(ledger=seen(*fleet(10)))
    for listed in (0, 4):
        ledger = seen(*fleet(listed), ledger=ledger)
        assert (len(ledger.vanished), len(ledger.seen)) == (10, 10)
    ledger = seen(*fleet(5), ledger=ledger)
    assert (len(ledger.vanished), len(ledger.seen)) == (0, 5)


def test_a_collapse_ends_when_the_loss_is_confirmed():
    collapsed = seen(*fleet(4), ledger=seen(ledger=seen(*fleet(10))))
    assert len(collapsed.vanished) == 10
    ledger = accept_loss(collapsed, collapsed.vanished - {machine.id for machine in fleet(4)})
    assert (ledger.vanished, set(ledger.seen)) == (frozenset(), {"m0", "m1", "m2", "m3"})


def test_machines_we_destroyed_are_no_collapse():
    known = replace(seen(*fleet(3)), expected_gone=frozenset({MachineId("m1"), MachineId("m2")}))
    ledger = seen(*fleet(1), ledger=known)
    assert ledger.vanished == frozenset()
    assert seen(*fleet(1), ledger=ledger).expected_gone == frozenset()


def test_machines_listed_as_destroyed_have_not_vanished():
    gone = tuple(replace(machine, state=MachineState.DESTROYED) for machine in fleet(3))
    ledger = seen(*gone, ledger=seen(*fleet(3)))
    assert (ledger.vanished, ledger.seen) == (frozenset(), {})


def crash(seconds: float, **changes: Any) -> Machine:
    return a_machine("a", STOPPED, last_exit=Exit(at=at(seconds).wall, code=1), **changes)


def test_a_bad_end_soon_after_our_start_is_a_crash_and_passes_the_machine_over():
    ledger = seen(crash(5.0), ledger=after(done(start("a"))))
    assert ledger.crashes == {"a": 1}
    assert ledger.passed_over[MachineId("a")].reason.code is ReasonCode.CRASH_LOOP


def test_one_crash_is_counted_once():
    ledger = seen(crash(5.0), ledger=after(done(start("a"))))
    assert seen(crash(5.0), ledger=ledger, mono=30.0).crashes == {"a": 1}


def test_crashes_add_up_and_wait_longer():
    ledger = seen(crash(5.0), ledger=after(done(start("a"))))
    ledger = seen(crash(405.0), ledger=after(done(start("a")), ledger=ledger, mono=400.0), mono=415.0)
    assert ledger.crashes == {"a": 2}
    assert ledger.passed_over[MachineId("a")].delay_s == 600.0


@pytest.mark.parametrize(
    "machine",
    [
        crash(61.0),
        crash(-1.0),
        a_machine("a", STOPPED, last_exit=Exit(at=at(5.0).wall, code=0)),
        a_machine("a", STOPPED, last_exit=Exit(at=at(5.0).wall, code=1, requested=True)),
    ],
    ids=["later", "before our start", "clean", "asked for"],
)
def test_other_ends_are_no_crash(machine: Machine):
    ledger = seen(machine, ledger=after(done(start("a"))))
    assert (ledger.crashes, ledger.passed_over) == ({}, {})


def test_an_exit_for_lack_of_memory_is_a_crash_whatever_its_code():
    killed = a_machine("a", STOPPED, last_exit=Exit(at=at(5.0).wall, code=0, oom=True))
    assert seen(killed, ledger=after(done(start("a")))).crashes == {"a": 1}


def test_a_machine_that_runs_for_a_minute_after_our_start_is_forgiven():
    ledger = replace(after(done(start("a"))), crashes={MachineId("a"): 2})
    assert seen(a_machine("a"), ledger=ledger, mono=60.0).crashes == {"a": 2}
    assert seen(a_machine("a"), ledger=ledger, mono=61.0).crashes == {}


def test_a_machine_that_the_platform_started_again_and_that_runs_since_is_forgiven():
    ledger = seen(crash(5.0), ledger=after(done(start("a"))))
    again = a_machine("a", started_at=at(10.0).wall, last_exit=Exit(at=at(5.0).wall, code=1))
    assert seen(again, ledger=ledger, mono=70.0).crashes == {"a": 1}
    assert seen(again, ledger=ledger, mono=71.0).crashes == {}


def test_another_version_of_a_machine_has_a_clean_slate():
    known = seen(crash(5.0), ledger=after(done(start("a"))))
    ledger = seen(crash(5.0, instance_id=InstanceId("v2")), ledger=known)
    assert (ledger.crashes, ledger.passed_over) == ({}, {})


def test_idle_readings_are_counted_in_a_row():
    machines = (a_machine("a"), a_machine("b"))
    both = frozenset({MachineId("a"), MachineId("b")})
    ledger = observe(EMPTY, a_pool(), sight(*machines, idle=both), at(0.0)).ledger
    ledger = observe(ledger, a_pool(), sight(*machines, idle=both - {"b"}), at(15.0)).ledger
    assert ledger.idle == {"a": 2}


def test_another_version_of_a_machine_is_idle_anew():
    idle = frozenset({MachineId("a")})
    ledger = observe(EMPTY, a_pool(), sight(a_machine("a"), idle=idle), at(0.0)).ledger
    updated = sight(a_machine("a", instance_id=InstanceId("v2")), idle=idle)
    assert observe(ledger, a_pool(), updated, at(15.0)).ledger.idle == {"a": 1}


def test_a_signal_is_dated_from_when_it_was_first_seen_until_it_is_absent_once():
    ledger = observe(EMPTY, a_pool(), sight(signals=frozenset({"replacing"})), at(0.0)).ledger
    ledger = observe(ledger, a_pool(), sight(signals=frozenset({"replacing"})), at(15.0)).ledger
    assert ledger.signals == {"replacing": 0.0}
    ledger = observe(ledger, a_pool(), sight(), at(30.0)).ledger
    ledger = observe(ledger, a_pool(), sight(signals=frozenset({"replacing"})), at(45.0)).ledger
    assert ledger.signals == {"replacing": 45.0}


@pytest.mark.parametrize(
    "newer", [(a_machine("a", instance_id=InstanceId("v2")),), (a_machine("a"), a_machine("b"))]
)
def test_a_refused_configuration_gets_a_new_chance_when_the_group_changes(newer: tuple[Machine, ...]):
    known = seen(a_machine("a"))
    invalid = after(refused(create(1), Refusal.INVALID), ledger=known, mono=15.0)
    assert seen(a_machine("a"), ledger=invalid, mono=30.0).parked == invalid.parked
    assert seen(*newer, ledger=invalid, mono=30.0).parked == {}


def test_a_full_region_stays_parked_when_the_group_changes():
    full = after(refused(create(1), Refusal.REGION_FULL), ledger=seen(a_machine("a")), mono=15.0)
    assert set(seen(a_machine("a"), a_machine("b"), ledger=full, mono=30.0).parked) == {ORD}


def test_a_volume_is_no_longer_ours_to_remove_once_a_machine_holds_it():
    ledger = Ledger(made_volumes=frozenset({VolumeId("vol_1")}))
    free = Volume(
        id=VolumeId("vol_1"), name="disk", region=ORD, state="created", attached_to=None, host=HostStatus.OK
    )
    kept = observe(ledger, a_pool(), sight(volumes=(free,)), at(0.0)).ledger
    assert kept.made_volumes == {"vol_1"}
    held = replace(free, attached_to=MachineId("a"))
    assert observe(ledger, a_pool(), sight(volumes=(held,)), at(0.0)).ledger.made_volumes == frozenset()


def test_changes_are_kept_for_ten_minutes_or_the_longest_step():
    ledger = Ledger(changes=(Change(region=ORD, mono=0.0, machines=1),))
    assert seen(ledger=ledger, mono=600.0).changes == ledger.changes
    assert seen(ledger=ledger, mono=601.0).changes == ()
    hourly = a_pool(scale_in=Damping(window_s=300.0, step=Step(period_s=3600.0, count=1)))
    assert observe(ledger, hourly, sight(), at(3600.0)).ledger.changes == ledger.changes
