"""Pools whose Machines Fly Proxy starts and stops."""

from dataclasses import replace

import pytest

from autoscaler.domain.desired import Bounds, Gate
from autoscaler.domain.fleet import MachineState
from autoscaler.domain.names import MachineId, MachineName
from autoscaler.domain.plan import Create
from autoscaler.domain.reason import ReasonCode, reason
from autoscaler.reconcile.ledger import EMPTY, Backoff, OnTheWay, Seen
from autoscaler.reconcile.naming import prefix
from tests.reconcile.fleets import NOW, STOPPED, brief, lacks, member, planned, warned
from tests.reconcile.samples import AMS, FRA, ORD, POOL, WALL, a_pool

PROXY = a_pool(proxy=True, reserve=1, regions={ORD: a_pool().regions[ORD]})
NAME = prefix(POOL, ORD)
DOOMED = {"autoscaler_doomed": str(WALL)}


def test_nothing_is_started_or_stopped():
    fleet = [member("a", proxied=True), member("b", STOPPED, proxied=True)]
    plan = planned(PROXY, fleet, {ORD: 1})
    assert (plan.actions, warned(plan)) == ((), [])


def test_enough_machines_exist_for_demand_and_reserve():
    plan = planned(PROXY, [member("a")], {ORD: 3})
    assert brief(plan) == [f"create {NAME}1", f"create {NAME}2", f"create {NAME}3"]
    for create in plan.actions:
        assert isinstance(create, Create)
        assert create.stopped
        assert create.config["metadata"]["autoscaler_asleep"] == "true"


def test_what_the_proxy_has_started_counts_like_demand():
    fleet = [member("a"), member("b"), member("c", MachineState.STARTING)]
    assert brief(planned(PROXY, fleet, {ORD: 1})) == [f"create {NAME}1"]


def test_existing_machines_stay_within_the_bounds():
    pool = replace(PROXY, regions={ORD: replace(PROXY.regions[ORD], bounds=Bounds(min=0, max=3))})
    assert brief(planned(pool, [member("a")], {ORD: 3})) == [f"create {NAME}1", f"create {NAME}2"]


def test_existing_machines_stay_within_the_pools_total():
    pool = replace(PROXY, total=Bounds(min=0, max=2))
    plan = planned(pool, [member("a"), member("b", STOPPED)], {ORD: 2})
    assert plan.actions == ()
    assert lacks(plan) == {("ord", "total_max"): 1}


def test_what_is_created_and_not_yet_listed_exists():
    entry = OnTheWay(
        machine=None, name=MachineName(f"{NAME}1"), region=ORD, home=ORD, since=NOW.mono, stopped=True
    )
    plan = planned(PROXY, [member("a")], {ORD: 1}, ledger=replace(EMPTY, on_the_way=(entry,)))
    assert plan.actions == ()


def test_surplus_at_rest_is_marked_and_destroyed_at_the_next_look():
    fleet = [member("a"), member("b", STOPPED), member("c", STOPPED, created_at=WALL)]
    assert brief(planned(PROXY, fleet, {ORD: 1})) == ["mark c"]
    marked = [*fleet[:2], member("c", STOPPED, meta=DOOMED)]
    assert brief(planned(PROXY, marked, {ORD: 1})) == ["destroy c"]


def test_a_doomed_machine_that_the_proxy_has_started_lives():
    fleet = [member("a"), member("b", STOPPED), member("c", meta=DOOMED)]
    assert brief(planned(PROXY, fleet, {ORD: 1})) == ["mark c"]


def test_a_doomed_machine_that_is_wanted_again_lives():
    fleet = [member("a"), member("b", STOPPED), member("c", STOPPED, meta=DOOMED)]
    assert brief(planned(PROXY, fleet, {ORD: 2})) == ["mark c"]


def test_running_machines_are_never_destroyed():
    fleet = [member("a"), member("b"), member("c")]
    pool = replace(PROXY, reserve=0, regions={ORD: replace(PROXY.regions[ORD], bounds=Bounds(min=0, max=1))})
    assert planned(pool, fleet, {}).actions == ()


def test_the_last_machine_of_the_group_stays():
    pool = replace(PROXY, reserve=0)
    assert brief(planned(pool, [member("a", STOPPED, meta=DOOMED)], {})) == ["mark a"]
    assert planned(pool, [member("a", STOPPED)], {}).actions == ()


def test_the_gate_keeps_what_is_too_much():
    fleet = [member("a"), member("b", STOPPED), member("c", STOPPED, meta=DOOMED)]
    gate = Gate(no_in=(reason(ReasonCode.DEPLOY),))
    assert planned(PROXY, fleet, {ORD: 1}, gate=gate).actions == ()


UP_TO_TWO = replace(PROXY, regions={ORD: replace(PROXY.regions[ORD], bounds=Bounds(min=0, max=2))})


@pytest.mark.parametrize("why", [ReasonCode.UNKNOWN, ReasonCode.RESTART_HOLD, ReasonCode.PAUSE_IN])
def test_a_hold_lets_existing_machines_go_down_to_the_bounds(why):
    held = Gate(hold_in={ORD: (reason(why),)})
    fleet = [member("a"), *(member(label, STOPPED) for label in "bcde")]
    assert brief(planned(UP_TO_TWO, fleet, {ORD: 1}, gate=held)) == ["mark b", "mark c", "mark d"]
    of_the_pool = replace(PROXY, total=Bounds(min=0, max=4))
    assert brief(planned(of_the_pool, fleet, {ORD: 1}, gate=held)) == ["mark b"]
    assert planned(PROXY, fleet, {ORD: 1}, gate=held).actions == ()
    closed = Gate(no_in=(reason(ReasonCode.DEPLOY),))
    assert planned(UP_TO_TWO, fleet, {ORD: 1}, gate=closed).actions == ()


def test_only_a_restart_lets_those_go_that_were_leaving_before_it():
    fleet = [member("a"), member("b", STOPPED), member("c", STOPPED, meta=DOOMED), member("d", STOPPED)]
    restarted = Gate(hold_in={ORD: (reason(ReasonCode.RESTART_HOLD),)})
    assert brief(planned(PROXY, fleet, {ORD: 1}, gate=restarted)) == ["destroy c"]
    blind = Gate(hold_in={ORD: (reason(ReasonCode.RESTART_HOLD), reason(ReasonCode.UNKNOWN))})
    assert planned(PROXY, fleet, {ORD: 1}, gate=blind).actions == ()


def test_a_machine_that_stays_in_created_is_woken_for_the_proxy():
    asleep = {"autoscaler_asleep": "true", "autoscaler": POOL}
    fresh = member("b", MachineState.CREATED, created_at=NOW.wall - 10, meta=asleep)
    assert planned(PROXY, [member("a"), fresh], {ORD: 1}).actions == ()
    old = replace(fresh, created_at=NOW.wall - 130)
    assert brief(planned(PROXY, [member("a"), old], {ORD: 1})) == ["start b"]


def test_a_spare_that_never_launched_is_not_counted_and_destroyed_where_it_is_ours():
    asleep = {"autoscaler_asleep": "true", "autoscaler": POOL}
    dud = member(
        "b", MachineState.CREATED, name=MachineName(f"{NAME}9"), created_at=NOW.wall - 300, meta=asleep
    )
    refused = Backoff(until=NOW.mono - 5, delay_s=300, reason=reason(ReasonCode.STUCK, state=dud.state))
    tried = replace(EMPTY, passed_over={MachineId("b"): refused})
    assert brief(planned(PROXY, [member("a"), dud], {ORD: 1}, ledger=tried)) == [
        f"create {NAME}1",
        "destroy b",
    ]
    gate = Gate(no_in=(reason(ReasonCode.DEPLOY),))
    held = planned(PROXY, [member("a"), dud], {ORD: 1}, ledger=tried, gate=gate)
    assert brief(held) == [f"create {NAME}1"]
    theirs = planned(PROXY, [member("a"), replace(dud, metadata={})], {ORD: 1}, ledger=tried)
    assert (brief(theirs), warned(theirs)) == ([f"create {NAME}1"], ["stuck"])


def test_what_hangs_between_two_states_is_no_spare():
    hanging = member("b", MachineState.STOPPING)
    seen = Seen(state=hanging.state, since=NOW.mono - 310, instance_id=hanging.instance_id, region=ORD)
    plan = planned(PROXY, [member("a"), hanging], {ORD: 1}, ledger=replace(EMPTY, seen={hanging.id: seen}))
    assert (brief(plan), warned(plan)) == ([f"create {NAME}1"], ["stuck"])


def test_what_has_failed_is_no_spare_and_is_started_before_anything_is_created():
    fleet = [member("a"), member("b", MachineState.FAILED), member("c", MachineState.FAILED)]
    assert brief(planned(PROXY, fleet, {ORD: 1})) == ["start b"]
    assert brief(planned(PROXY, fleet[:2], {ORD: 2})) == ["start b", f"create {NAME}1"]
    assert planned(PROXY, [*fleet, member("d", STOPPED)], {ORD: 1}).actions == ()


def test_every_region_keeps_its_reserve():
    pool = a_pool(proxy=True, reserve=1)
    assert [one.region for one in planned(pool, [member("a")], {ORD: 1}).actions] == [AMS, FRA, ORD]
