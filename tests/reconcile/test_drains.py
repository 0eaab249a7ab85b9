"""Busy Machines leave in two steps, and only when they are idle or their time is up."""

from dataclasses import replace

import pytest

from autoscaler.domain.desired import Gate
from autoscaler.domain.fleet import Lease
from autoscaler.domain.names import InstanceId, MachineId
from autoscaler.domain.pool import Leave
from autoscaler.domain.reading import Absent, Measured, Query, Split, Why
from autoscaler.domain.reason import ReasonCode, reason
from autoscaler.reconcile import busy as business
from autoscaler.reconcile import drains
from autoscaler.reconcile.ledger import EMPTY
from tests.reconcile.fleets import NOW, STOPPED, brief, jobs, member, planned, viewed, warned, written
from tests.reconcile.samples import AMS, ORD, a_pool

POOL = a_pool(busy=Query(name="busy", promql="jobs", label="instance"))
TIMED = replace(POOL, drain_s=600.0)


def draining(label="a", *, ago=60.0, **changes):
    meta = {"autoscaler_draining": f"{NOW.wall - ago:.0f}", "autoscaler_draining_version": "v1"}
    return member(label, meta={**meta, **changes.pop("meta", {})}, **changes)


def idle(times, label="a"):
    return replace(EMPTY, idle={MachineId(label): times})


def test_an_idle_machine_is_stopped_at_once():
    assert brief(planned(POOL, [member("a")], {}, busy=jobs(a=0))) == ["stop a"]


UNKNOWN = {
    "working": jobs(a=2),
    "not reported": jobs(b=0),
    "absent": Split(by_label={"a": Absent(why=Why.STALE)}),
    "idle as far as a partial answer tells": Split(by_label={"a": Measured(value=0.0, partial=True)}),
    "unanswered": None,
    "unreachable": Absent(why=Why.UNREACHABLE),
    "answered for the whole pool": Measured(value=0.0),
}


@pytest.mark.parametrize("answer", UNKNOWN.values(), ids=UNKNOWN)
def test_a_machine_not_known_to_be_idle_is_marked_and_not_stopped(answer):
    plan = planned(POOL, [member("a")], {}, busy=answer)
    assert brief(plan) == ["mark a"]
    marks = {"": f"{NOW.wall:.0f}", "_version": "v1", "_machine": "a"}
    assert written(plan) == {"a": {f"autoscaler_draining{key}": value for key, value in marks.items()}}


def test_a_machine_with_services_leaves_routing_after_its_mark():
    assert brief(planned(POOL, [member("a", has_services=True)], {}, busy=jobs(a=1))) == [
        "mark a",
        "cordon a",
    ]
    assert brief(planned(POOL, [draining(has_services=True)], {}, busy=jobs(a=1))) == ["cordon a"]


@pytest.mark.parametrize(
    ("until", "steps"), [(NOW.wall + 1, ["mark a"]), (NOW.wall - 1, ["stop a"]), ("x", ["mark a"])]
)
def test_a_worker_may_say_itself_until_when_it_is_busy(until, steps):
    machine = member("a", meta={"autoscaler_busy_until": str(until)})
    assert brief(planned(a_pool(), [machine], {})) == steps


def test_a_draining_machine_is_stopped_after_two_idle_readings_running():
    for readings, steps in ((0, []), (1, []), (2, ["stop a"]), (3, ["stop a"])):
        assert brief(planned(POOL, [draining()], {}, busy=jobs(a=0), ledger=idle(readings))) == steps
    assert brief(planned(POOL, [draining()], {}, busy=jobs(a=1), ledger=idle(2))) == []


def test_idle_readings_are_those_of_draining_machines():
    view = viewed(POOL, [draining("a"), draining("b"), member("c")])
    assert business.idle(view, jobs(a=0, b=1, c=0), NOW) == {"a"}


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_a_machine_that_people_protect_drains_no_longer(version):
    protected = draining(cordoned=True, instance_id=InstanceId(version), meta={"autoscaler_protect": "true"})
    assert brief(planned(POOL, [protected], {}, busy=jobs(a=1))) == ["uncordon a", "mark a"]
    leased = replace(protected, lease=Lease(owner="flyctl", expires_at=NOW.wall + 9))
    assert brief(planned(POOL, [leased], {}, busy=jobs(a=1))) == []


def test_a_drain_with_a_limit_ends_by_a_stop():
    plan = planned(TIMED, [draining(ago=601)], {}, busy=jobs(a=5))
    assert brief(plan) == ["stop a"]
    assert plan.actions[0].reason.code is ReasonCode.DRAIN_EXPIRED
    assert brief(planned(TIMED, [draining(ago=599)], {}, busy=jobs(a=5))) == []


def test_a_jump_of_the_wall_clock_ends_no_drain():
    remembered = replace(EMPTY, drains={MachineId("a"): NOW.mono - 60})
    assert brief(planned(TIMED, [draining(ago=7200)], {}, busy=jobs(a=5), ledger=remembered)) == []


def test_when_a_drain_began_is_remembered_across_ticks_and_learnt_by_a_new_process():
    view = viewed(POOL, [draining(ago=100), draining("b", ago=-50)])
    first = drains.begun(view, EMPTY, NOW)
    assert first == {"a": pytest.approx(NOW.mono - 100), "b": NOW.mono}
    assert drains.begun(view, replace(EMPTY, drains={MachineId("a"): 5.0}), NOW)[MachineId("a")] == 5.0


def test_an_endless_drain_is_reported_after_a_quarter_of_an_hour():
    assert warned(planned(POOL, [draining(ago=901)], {}, busy=jobs(a=1))) == ["long_drain"]
    assert warned(planned(POOL, [draining(ago=899)], {}, busy=jobs(a=1))) == []
    assert warned(planned(TIMED, [draining(ago=901)], {ORD: 1}, busy=jobs(a=1))) == []


def test_draining_machines_come_back_first_when_demand_returns():
    fleet = [draining(cordoned=True), member("b", STOPPED)]
    plan = planned(POOL, fleet, {ORD: 1}, busy=jobs(a=1))
    assert brief(plan) == ["uncordon a", "mark a"]
    assert written(plan) == {"a": {"autoscaler_draining": None, "autoscaler_draining_version": None}}
    assert brief(planned(POOL, fleet, {ORD: 2}, busy=jobs(a=1))) == ["uncordon a", "mark a", "start b"]


def test_draining_machines_are_the_first_to_go():
    fleet = [member("a"), draining("z")]
    assert brief(planned(POOL, fleet, {ORD: 1}, busy=jobs(a=0, z=1))) == []


def test_a_deploy_ends_a_drain():
    renewed = draining(cordoned=True, instance_id="v2")
    assert brief(planned(POOL, [renewed], {ORD: 1}, busy=jobs(a=1))) == ["uncordon a", "mark a"]
    assert business.idle(viewed(POOL, [renewed]), jobs(a=0), NOW) == frozenset()
    marked_again = written(planned(POOL, [renewed], {}, busy=jobs(a=1)))
    assert marked_again["a"]["autoscaler_draining_version"] == "v2"


def copied(**changes):
    """What a deploy or a person makes of a draining Machine: another one that inherits its marks."""
    return draining(meta={"autoscaler_draining_machine": "z"}, **changes)


def test_a_copy_of_a_draining_machine_does_not_drain_and_its_cordon_is_not_ours():
    assert brief(planned(POOL, [copied()], {ORD: 1}, busy=jobs(a=1))) == ["mark a"]
    assert viewed(POOL, [copied(cordoned=True)]).members == ()


def test_nothing_comes_back_into_routing_while_a_deploy_moves_the_traffic():
    green = member("g", meta={"fly_bluegreen_deployment_tag": "1"})
    fleet = [draining(cordoned=True), draining("b"), green]
    assert brief(planned(POOL, fleet, {ORD: 3}, busy=jobs(a=1, b=1, g=1))) == ["mark b"]
    lapsed = replace(EMPTY, signals={"bluegreen": NOW.mono - 3600.0})
    assert brief(planned(POOL, fleet, {ORD: 3}, busy=jobs(a=1, b=1, g=1), ledger=lapsed)) == [
        "uncordon a",
        "mark a",
        "mark b",
    ]


def test_a_drained_machine_at_rest_is_cleaned_of_its_marks():
    assert brief(planned(POOL, [draining(state=STOPPED, cordoned=True)], {})) == ["uncordon a", "mark a"]


def test_a_drained_machine_is_destroyed_like_any_other():
    pool = replace(POOL, leave=Leave.DESTROY)
    fleet = [draining(), member("k")]
    assert brief(planned(pool, fleet, {ORD: 1}, busy=jobs(a=0, k=1), ledger=idle(2))) == ["mark a", "stop a"]


def test_a_drain_goes_no_further_while_the_gate_forbids_it():
    gate = Gate(no_in=(reason(ReasonCode.DEPLOY),))
    assert brief(planned(POOL, [draining()], {}, busy=jobs(a=0), ledger=idle(5), gate=gate)) == []
    assert brief(planned(POOL, [member("b")], {}, busy=jobs(b=3), gate=gate)) == []


@pytest.mark.parametrize(("hold", "steps"), [(ReasonCode.RESTART_HOLD, ["stop a"]), (ReasonCode.UNKNOWN, [])])
def test_a_restart_alone_does_not_hold_a_drain_that_had_begun(hold, steps):
    gate = Gate(hold_in={ORD: (reason(hold),)})
    fleet = [draining(), member("b"), member("c")]
    assert brief(planned(POOL, fleet, {}, busy=jobs(a=0, b=0, c=0), ledger=idle(2), gate=gate)) == steps


def test_a_leased_draining_machine_keeps_its_place_among_the_leaving():
    leased = draining("z", lease=Lease(owner="flyctl", expires_at=NOW.wall + 9))
    assert (
        brief(planned(POOL, [member("a"), leased], {ORD: 1}, busy=jobs(a=0, z=0), ledger=idle(2, "z"))) == []
    )


def test_a_drain_in_one_region_delays_no_other():
    fleet = [draining(), member("b", region=AMS), member("c", STOPPED, region=AMS)]
    plan = planned(POOL, fleet, {AMS: 2}, busy=jobs(a=1, b=1))
    assert brief(plan) == ["start c"]
