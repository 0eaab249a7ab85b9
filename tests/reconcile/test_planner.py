"""Plans for the plain ways out and in."""

from dataclasses import replace

import pytest

from autoscaler.domain.desired import Bounds, Gate
from autoscaler.domain.fleet import Exit, HostStatus, Lease, MachineState
from autoscaler.domain.names import GroupName, MachineId
from autoscaler.domain.plan import Destroy
from autoscaler.domain.pool import Budget, Leave
from autoscaler.domain.reason import ReasonCode, reason
from autoscaler.reconcile.ledger import EMPTY, Backoff, Seen
from autoscaler.reconcile.naming import prefix
from tests.reconcile.fleets import NOW, STARTED, STOPPED, brief, lacks, member, planned, warned, written
from tests.reconcile.samples import AMS, ORD, POOL, WALL, a_pool

SUSPENDED = MachineState.SUSPENDED
NAME = prefix(POOL, ORD)


def passed(machine, code=ReasonCode.HOST_FULL):
    entry = Backoff(until=NOW.mono + 60, delay_s=300, reason=reason(code))
    return replace(EMPTY, passed_over={MachineId(machine): entry})


def test_nothing_to_do_is_an_empty_plan():
    plan = planned(a_pool(), [member("a"), member("b", STOPPED)], {ORD: 1})
    assert (plan.actions, plan.shortfall, plan.warnings) == ((), (), ())


def test_a_pause_writes_nothing_whatever_is_wanted():
    gate = Gate(paused=reason(ReasonCode.PAUSED))
    assert planned(a_pool(), [member("a", STOPPED)], {ORD: 5}, gate=gate).actions == ()


def test_out_goes_by_suspended_then_stopped_then_created():
    fleet = [member("a", STOPPED), member("b", SUSPENDED), member("c", STOPPED), member("d")]
    plan = planned(a_pool(), fleet, {ORD: 5})
    assert brief(plan) == ["start b", "start a", "start c", f"create {NAME}1"]


def test_a_pool_that_may_not_create_reports_what_is_missing():
    plan = planned(a_pool(create=False), [member("a", STOPPED)], {ORD: 3})
    assert brief(plan) == ["start a"]
    assert lacks(plan) == {("ord", "create_off"): 2}


def test_a_machine_that_refused_is_passed_over_and_the_next_one_tried():
    fleet = [member("a", STOPPED), member("b", STOPPED)]
    assert brief(planned(a_pool(), fleet, {ORD: 1}, ledger=passed("a"))) == ["start b"]
    plan = planned(a_pool(create=False), fleet, {ORD: 2}, ledger=passed("a"))
    assert lacks(plan) == {("ord", "passed_over"): 1}


def test_what_is_leased_keeps_its_place_and_nothing_is_created_in_it():
    leased = member("a", STOPPED, lease=Lease(owner="flyctl", expires_at=NOW.wall + 9))
    plan = planned(a_pool(), [leased, member("b")], {ORD: 2})
    assert plan.actions == ()
    assert lacks(plan) == {("ord", "leased"): 1}


def test_a_machine_that_is_just_stopping_is_awaited():
    plan = planned(a_pool(), [member("a", MachineState.STOPPING), member("b")], {ORD: 2})
    assert plan.actions == ()
    assert lacks(plan) == {("ord", "stopping"): 1}


def test_protected_machines_at_rest_are_neither_started_nor_awaited():
    protected = member("a", STOPPED, meta={"autoscaler_protect": "1"})
    assert brief(planned(a_pool(), [protected, member("b")], {ORD: 2})) == [f"create {NAME}1"]


def test_regions_are_served_each_by_its_own_machines():
    fleet = [member("a", STOPPED), member("b", STOPPED, region=AMS)]
    assert brief(planned(a_pool(), fleet, {AMS: 1})) == ["start b"]


def test_an_empty_group_stays_empty_and_says_so():
    plan = planned(a_pool(), [member("x", group=GroupName("web"))], {ORD: 2})
    assert plan.actions == ()
    assert lacks(plan) == {("ord", "no_template"): 2}
    assert warned(plan) == ["no_template"]


def test_the_budget_bounds_creations_and_says_so():
    pool = a_pool(budget=Budget(count=4))
    plan = planned(pool, [member("a")], {ORD: 6}, created=1)
    assert len(plan.actions) == 3
    assert lacks(plan) == {("ord", "budget"): 2}


def test_the_usual_budget_is_the_pools_max_but_at_least_ten():
    wide = a_pool(total=Bounds(min=0, max=30))
    assert len(planned(wide, [member("a")], {ORD: 10, AMS: 10}, created=28).actions) == 2
    small = a_pool(total=Bounds(min=0, max=5))
    assert len(planned(small, [member("a")], {ORD: 5}, created=8).actions) == 2


def test_a_budget_that_cannot_be_read_is_spent():
    plan = planned(a_pool(), [member("a"), member("b", STOPPED)], {ORD: 3}, created=None)
    assert brief(plan) == ["start b"]
    assert lacks(plan) == {("ord", "budget_unreadable"): 1}


def test_no_creates_while_the_gate_forbids_them():
    gate = Gate(no_create=(reason(ReasonCode.COLLAPSE),))
    plan = planned(a_pool(), [member("a"), member("b", STOPPED)], {ORD: 3}, gate=gate)
    assert brief(plan) == ["start b"]
    assert lacks(plan) == {("ord", "collapse"): 1}


def test_surplus_stops_the_youngest_first():
    fleet = [member("a", created_at=WALL - 50), member("b", created_at=WALL - 10), member("c")]
    assert brief(planned(a_pool(), fleet, {ORD: 1})) == ["stop b", "stop a"]


def test_surplus_is_suspended_where_that_is_wanted():
    assert brief(planned(a_pool(leave=Leave.SUSPEND), [member("a")], {})) == ["suspend a"]


def test_destroying_takes_a_mark_and_a_stop_first():
    pool = a_pool(leave=Leave.DESTROY)
    keep = member("k")
    assert brief(planned(pool, [keep, member("z", created_at=WALL)], {ORD: 1})) == ["mark z", "stop z"]
    stopped = member("z", STOPPED, meta={"autoscaler_doomed": str(WALL)})
    plan = planned(pool, [keep, stopped], {ORD: 1})
    assert brief(plan) == ["destroy z"]
    assert [action.force for action in plan.actions if isinstance(action, Destroy)] == [False]


def test_stopped_machines_without_our_mark_are_never_destroyed():
    pool = a_pool(leave=Leave.DESTROY)
    assert planned(pool, [member("k"), member("z", STOPPED)], {ORD: 1}).actions == ()


def test_a_doomed_machine_of_others_that_has_not_launched_is_forgiven_and_not_destroyed():
    doomed = {"autoscaler_doomed": str(WALL)}
    created = member("z", MachineState.CREATED, created_at=WALL - 600, meta=doomed)
    plan = planned(a_pool(leave=Leave.DESTROY), [member("k"), created], {ORD: 1})
    assert written(plan) == {"z": {"autoscaler_doomed": None}}
    assert brief(plan) == ["mark z"]


def test_the_last_machine_of_a_group_is_stopped_and_not_destroyed():
    pool = a_pool(leave=Leave.DESTROY)
    assert brief(planned(pool, [member("a")], {})) == ["stop a"]
    doomed = member("a", STOPPED, meta={"autoscaler_doomed": str(WALL)})
    plan = planned(pool, [doomed], {})
    assert brief(plan) == ["mark a"]
    assert written(plan) == {"a": {"autoscaler_doomed": None}}


@pytest.mark.parametrize(
    "other",
    [
        {"state": MachineState.CREATED},
        {"state": MachineState.FAILED},
        {"state": STOPPED, "last_exit": Exit(at=WALL, code=1)},
        {"meta": {"autoscaler_protect": "1"}},
        {"host": HostStatus.UNREACHABLE},
        {"config": None},
    ],
)
def test_the_last_machine_is_the_last_that_could_be_copied(other):
    fleet = [member("a"), member("z", **other)]
    touched = brief(planned(a_pool(leave=Leave.DESTROY), fleet, {}))
    assert "stop a" in touched
    assert "mark a" not in touched


def test_force_destroys_what_is_doomed_and_does_not_manage_to_stop():
    doomed = member("z", MachineState.STOPPING, meta={"autoscaler_doomed": str(WALL)}, stop_timeout_s=10.0)
    seen = Seen(state="stopping", since=NOW.mono - 311, instance_id=doomed.instance_id, region=ORD)
    ledger = replace(EMPTY, seen={doomed.id: seen})
    gentle = a_pool(leave=Leave.DESTROY)
    assert planned(gentle, [member("k"), doomed], {ORD: 1}, ledger=ledger).actions == ()
    forced = replace(gentle, force=True)
    plan = planned(forced, [member("k"), doomed], {ORD: 1}, ledger=ledger)
    assert [action.force for action in plan.actions if isinstance(action, Destroy)] == [True]
    younger = replace(ledger, seen={doomed.id: replace(seen, since=NOW.mono - 309)})
    assert planned(forced, [member("k"), doomed], {ORD: 1}, ledger=younger).actions == ()
    gate = Gate(no_in=(reason(ReasonCode.DEPLOY),))
    assert planned(forced, [member("k"), doomed], {ORD: 1}, ledger=ledger, gate=gate).actions == ()


def test_a_reserve_of_stopped_machines_is_kept_in_each_region():
    pool = a_pool(leave=Leave.DESTROY, reserve=1)
    fleet = [member("a", created_at=WALL - 1), member("b", created_at=WALL - 2), member("c")]
    assert brief(planned(pool, fleet, {ORD: 1})) == ["stop a", "mark b", "stop b"]


@pytest.mark.parametrize(
    "changes", [{"state": MachineState.FAILED}, {"state": STOPPED, "meta": {"autoscaler_protect": "1"}}]
)
def test_what_cannot_be_started_is_no_reserve(changes):
    fleet = [member("a", created_at=WALL - 1), member("c"), member("x", **changes)]
    assert brief(planned(a_pool(leave=Leave.DESTROY, reserve=1), fleet, {ORD: 1})) == ["stop a"]


def test_a_doomed_machine_fills_up_the_reserve():
    fleet = [member("c"), member("x", STOPPED, meta={"autoscaler_doomed": str(WALL)})]
    plan = planned(a_pool(leave=Leave.DESTROY, reserve=1), fleet, {ORD: 1})
    assert written(plan) == {"x": {"autoscaler_doomed": None}}


def test_doomed_machines_that_are_wanted_again_are_started_and_forgiven():
    doomed = member("z", STOPPED, meta={"autoscaler_doomed": str(WALL)})
    pool = a_pool(leave=Leave.DESTROY)
    assert brief(planned(pool, [member("k"), doomed], {ORD: 2})) == ["start z", "mark z"]
    running = replace(doomed, state=STARTED)
    assert brief(planned(pool, [member("k"), running], {ORD: 2})) == ["mark z"]


@pytest.mark.parametrize(
    "changes",
    [
        {"meta": {"autoscaler_protect": "1"}},
        {"lease": Lease(owner="proxy", expires_at=NOW.wall + 9)},
        {"state": MachineState.UPDATING},
        {"host": HostStatus.UNKNOWN},
        {"cordoned": True},
        {"standby": True},
    ],
)
def test_what_is_not_ours_to_touch_is_no_victim(changes):
    fleet = [member("a", **changes), member("b")]
    touched = {action.machine for action in planned(a_pool(), fleet, {}).actions}
    assert "a" not in touched


def test_ready_machines_stay_while_their_replacements_are_not_ready():
    fleet = [member("a"), member("b"), *(member(f"s{n}", MachineState.STARTING) for n in range(2))]
    leased = [replace(one, lease=Lease(owner="x", expires_at=NOW.wall + 9)) for one in fleet[2:]]
    assert planned(a_pool(), [*fleet[:2], *leased], {ORD: 2}).actions == ()


def test_nobody_goes_in_while_the_gate_forbids_it():
    gate = Gate(no_in=(reason(ReasonCode.DEPLOY),))
    doomed = member("z", STOPPED, meta={"autoscaler_doomed": str(WALL)})
    pool = a_pool(leave=Leave.DESTROY)
    assert planned(pool, [member("a"), member("b"), doomed], {}, gate=gate).actions == ()


def test_a_region_on_hold_goes_in_no_further_than_its_bound():
    pool = a_pool()
    regions = {**pool.regions, ORD: replace(pool.regions[ORD], bounds=Bounds(min=0, max=2))}
    gate = Gate(hold_in={ORD: (reason(ReasonCode.ARRIVING),)})
    fleet = [member(name) for name in "abcd"]
    assert brief(planned(replace(pool, regions=regions), fleet, {ORD: 1}, gate=gate)) == ["stop a", "stop b"]


def test_starts_and_creates_stay_within_the_pools_total():
    pool = a_pool(total=Bounds(min=0, max=3))
    fleet = [member("a"), member("b"), member("c", STOPPED, region=AMS)]
    plan = planned(pool, fleet, {ORD: 0, AMS: 3})
    assert brief(plan) == ["start c", "stop a", "stop b"]
    assert lacks(plan) == {("ams", "total_max"): 2}


def test_warnings_name_two_masters_and_machines_elsewhere():
    pool = a_pool(regions={ORD: a_pool().regions[ORD]})
    plan = planned(pool, [member("a", proxied=True), member("b", region=AMS)], {ORD: 1})
    assert warned(plan) == ["outside_regions", "two_masters"]
