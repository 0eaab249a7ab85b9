"""Machines that were told to leave and stay."""

from dataclasses import replace

import pytest

from autoscaler.domain.fleet import MachineState
from autoscaler.domain.names import InstanceId, MachineId
from autoscaler.domain.outcome import Applied, Failed, NotSent, Outcome, Refusal, Refused, Result, Uncertain
from autoscaler.domain.plan import Mark, Suspend
from autoscaler.domain.pool import Leave
from autoscaler.reconcile import staying
from autoscaler.reconcile.bookkeeping import Sight, observe
from autoscaler.reconcile.ledger import EMPTY, Ledger, Stay
from autoscaler.reconcile.recording import record
from tests.reconcile.fleets import NOW, brief, member, planned, viewed, warned
from tests.reconcile.samples import ORD, SURPLUS, WALL, a_pool, at, done, refused, so, stop

A = MachineId("a")
SUSPEND = Suspend(machine=A, region=ORD, reason=SURPLUS)


def told(times: int, *, ago: float = 0.0, runs: bool = False) -> Ledger:
    """Machine `a` has been told so many times to leave, the last time so long ago."""
    return replace(EMPTY, stays={A: Stay(times=times, last=NOW.mono - ago, runs=runs)})


def after(ledger: Ledger, *outcomes: Outcome, mono: float = 0.0) -> Ledger:
    return record(ledger, a_pool(), outcomes, homes={}, now=at(mono))


def seen(ledger: Ledger, *machines, mono: float = NOW.mono) -> Ledger:
    survey = viewed(a_pool(), machines).survey
    return observe(ledger, a_pool(), Sight(survey=survey, members=machines), at(mono)).ledger


@pytest.mark.parametrize(
    "result", [Refused(refusal=Refusal.CONFLICT), Refused(refusal=Refusal.NOT_FOUND), Failed(), Uncertain()]
)
def test_attempts_in_a_row_are_counted_and_end_when_one_succeeds(result: Result):
    once = after(EMPTY, so(stop("a"), result), mono=5.0)
    twice = after(once, so(SUSPEND, result), mono=20.0)
    assert (once.stays, twice.stays) == ({A: Stay(times=1, last=5.0)}, {A: Stay(times=2, last=20.0)})
    assert after(twice, done(stop("a"))).stays == {}


def test_a_suspend_and_the_stop_that_follows_it_are_one_attempt():
    no = refused(SUSPEND, Refusal.WRONG_STATE)
    assert after(EMPTY, no, so(stop("a"), Failed())).stays[A].times == 1
    assert after(EMPTY, no, so(stop("a"), Applied())).stays == {}


@pytest.mark.parametrize(
    "result",
    [
        Refused(refusal=Refusal.LEASED),
        Refused(refusal=Refusal.RATE_LIMITED),
        Refused(refusal=Refusal.UNAUTHORIZED),
        NotSent(),
    ],
)
def test_what_says_nothing_of_the_machine_is_no_attempt(result: Result):
    assert after(EMPTY, so(stop("a"), result)).stays == {}
    assert after(told(2), so(stop("a"), result)).stays == told(2).stays


def test_attempts_are_remembered_while_the_same_version_of_the_machine_runs():
    ledger = seen(told(2), member("a"))
    assert set(ledger.stays) == {A}
    assert seen(ledger, member("a", MachineState.STOPPING)).stays == {}
    assert seen(ledger, member("a", instance_id=InstanceId("v2"))).stays == {}
    assert set(seen(ledger, member("a"), mono=NOW.mono + 599.0).stays) == {A}
    assert seen(ledger, member("a"), mono=NOW.mono + 600.0).stays == {}


def test_what_could_not_be_suspended_twice_is_stopped():
    pool = a_pool(leave=Leave.SUSPEND)
    assert brief(planned(pool, [member("a")], {}, ledger=told(1))) == ["suspend a"]
    assert brief(planned(pool, [member("a")], {}, ledger=told(2))) == ["stop a"]


def test_what_was_told_three_times_is_left_alone_and_keeps_its_place_until_it_runs_for_sure():
    fleet = [member("a", created_at=WALL), member("b"), member("c")]
    assert brief(planned(a_pool(), fleet, {ORD: 2}, ledger=told(2))) == ["stop a"]
    plan = planned(a_pool(), fleet, {ORD: 2}, ledger=told(3, ago=299.0))
    assert (brief(plan), warned(plan)) == ([], ["stays"])
    assert brief(planned(a_pool(), fleet, {ORD: 2}, ledger=told(3, ago=120.0, runs=True))) == ["stop b"]
    assert brief(planned(a_pool(), fleet, {ORD: 2}, ledger=told(3, ago=300.0, runs=True))) == ["stop a"]


def test_the_platform_is_asked_for_a_machine_that_stays_once_its_last_stop_has_had_time():
    assert staying.doubtful(told(3, ago=119.0), NOW.mono) == []
    assert staying.doubtful(told(3, ago=120.0), NOW.mono) == [A]
    assert staying.doubtful(told(3, ago=120.0, runs=True), NOW.mono) == []
    assert staying.doubtful(told(2, ago=120.0), NOW.mono) == []


def test_what_runs_when_asked_for_serves_and_what_does_not_has_left():
    ledger = seen(told(3, ago=120.0), member("a"))
    runs = staying.looked_at(ledger, {A: member("a")}, NOW.mono)
    assert runs.stays[A].runs
    for found in (None, member("a", MachineState.STOPPED), member("a", MachineState.STOPPING)):
        left = staying.looked_at(ledger, {A: found}, NOW.mono)
        assert (left.stays, left.departures[A].since) == ({}, NOW.mono)
        assert left.departures[A].started_at == member("a").started_at
    assert staying.looked_at(ledger, {}, NOW.mono) == ledger


def test_what_cannot_even_be_marked_to_leave_is_an_attempt_like_a_stop():
    doom = Mark(machine=A, region=ORD, reason=SURPLUS, metadata={"autoscaler_doomed": "1"})
    undoom = replace(doom, metadata={"autoscaler_doomed": None})
    assert after(EMPTY, so(doom, Failed()), so(stop("a"), NotSent())).stays[A].times == 1
    assert after(told(2), so(doom, Applied()), so(stop("a"), NotSent())) == told(2)
    assert after(EMPTY, so(undoom, Failed())).stays == {}


@pytest.mark.parametrize(
    ("times", "rest_s"), [(3, 300.0), (4, 600.0), (5, 1200.0), (6, 1800.0), (999, 1800.0)]
)
def test_a_rest_lasts_twice_as_long_each_time_up_to_half_an_hour(times: int, rest_s: float):
    machine = member("a")
    assert staying.rests(told(times, ago=rest_s - 1.0), machine, NOW.mono)
    assert not staying.rests(told(times, ago=rest_s), machine, NOW.mono)


def test_a_drained_machine_that_does_not_stop_serves_again_and_another_one_leaves():
    mark = {"autoscaler_draining": f"{NOW.wall - 400.0:.0f}"}
    fleet = [member("a", meta=mark, cordoned=True, has_services=True), member("b")]
    early = planned(a_pool(), fleet, {ORD: 1}, ledger=told(3, ago=130.0))
    assert brief(early) == []
    plan = planned(a_pool(), fleet, {ORD: 1}, ledger=told(3, ago=130.0, runs=True))
    assert brief(plan) == ["uncordon a", "mark a", "stop b"]
