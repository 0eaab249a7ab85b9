"""What no plan does, whatever the fleet, the wishes, the gate and the memory; and that plans add up."""

from collections import Counter
from dataclasses import replace

from hypothesis import event, given

from autoscaler.domain.desired import OPEN_GATE, Gate
from autoscaler.domain.fleet import HostStatus, MachineState
from autoscaler.domain.names import GroupName, MachineName, Region
from autoscaler.domain.plan import Action, Create, Destroy, Mark, Start, Stop, Suspend, Uncordon
from autoscaler.domain.pool import Leave
from autoscaler.domain.reading import Absent, Measured, Split, Why
from autoscaler.domain.reason import ReasonCode, reason
from autoscaler.reconcile import busy as business
from autoscaler.reconcile import marks
from autoscaler.reconcile.counting import AT_REST, count, muster
from autoscaler.reconcile.ledger import EMPTY
from autoscaler.reconcile.leftovers import lasting
from tests.laws.fleets import cases, machines
from tests.laws.setting import HERE, NOW, OWN, POOL
from tests.laws.worlds import after, creates, goes_in


@given(cases())
def test_23_what_is_not_ours_to_touch_is_never_touched(case):
    for action in case.plan().actions:
        if action.machine is None:
            continue
        machine = case.by_id[action.machine]
        assert machine.id != OWN
        assert machine.group == case.pool.group
        assert machine.region in case.pool.regions
        assert not marks.protected(machine) or gives_back(action)
        assert machine.lease is None
        assert machine.host is HostStatus.OK
        assert (machine.standby, machine.scheduled, machine.auto_destroy) == (False, False, False)
        assert not machine.cordoned or marks.marked_draining(machine)
        assert machine.state not in {MachineState.UPDATING, MachineState.REPLACING}


def gives_back(action: Action) -> bool:
    """Whether an action only undoes what we did when we wanted a Machine to leave."""
    if isinstance(action, Mark):
        return action.metadata.keys() <= marks.NO_LEAVING.keys() and not any(action.metadata.values())
    return isinstance(action, Uncordon)


@given(cases(proxy=False))
def test_23_busy_machines_are_stopped_only_when_a_drain_has_run_out(case):
    known = business.answered(case.pool, case.busy)
    for action in case.plan().actions:
        if isinstance(action, Stop | Suspend) and business.load(case.by_id[action.machine], known, NOW) > 0:
            since = marks.draining_since(case.by_id[action.machine])
            assert case.pool.drain_s is not None
            assert since is not None
            assert NOW.wall - since >= case.pool.drain_s


@given(cases())
def test_nothing_is_destroyed_that_runs_or_that_we_have_not_doomed_nor_the_last_of_its_group(case):
    plan = case.plan()
    destroyed = {action.machine for action in plan.actions if isinstance(action, Destroy)}
    for machine in map(case.by_id.__getitem__, destroyed):
        stuck = machine.state is MachineState.CREATED and marks.made_by(machine, POOL)
        assert marks.doomed(machine) or stuck
        assert stuck or machine.state in AT_REST
    assert not any(action.force for action in plan.actions if isinstance(action, Destroy))
    if destroyed:
        assert {member.machine.id for member in case.view.members} - destroyed


@given(cases())
def test_a_group_never_loses_the_last_machine_that_could_be_copied(case):
    pool = replace(case.pool, leave=Leave.DESTROY, reserve=0, create=False)
    nobody = {region: entry._replace(desired=0) for region, entry in case.decision.regions.items()}
    current = replace(case, pool=pool, decision=case.decision._replace(regions=nobody), gate=OPEN_GATE)
    sound = lasting(current.view)
    for _ in range(4):
        current = replace(current, machines=after(current.machines, current.plan().actions))
        assert lasting(current.view) or not sound


@given(cases())
def test_no_in_means_no_in(case):
    closed = replace(case, gate=replace(case.gate, no_in=(reason(ReasonCode.COLLAPSE),)))
    assert goes_in(closed.plan()) == []


@given(cases(proxy=False))
def test_a_region_on_hold_goes_in_only_toward_its_bounds(case):
    held = replace(case, gate=Gate(hold_in=dict.fromkeys(HERE, (reason(ReasonCode.ARRIVING),))))
    rosters = muster(case.view, case.ledger, NOW)
    over_total = sum(one.capacity for one in rosters.values()) - case.decision.total.max
    stopped = set(goes_in(held.plan()))
    for region, roster in rosters.items():
        leaving = [member for member in roster.serving if member.machine.id in stopped]
        allowed = max(0, roster.capacity - case.decision.regions[region].bounds.max, over_total)
        assert len(leaving) <= allowed


@given(cases())
def test_no_create_means_no_create(case):
    closed = replace(case, gate=replace(case.gate, no_create=(reason(ReasonCode.COLLAPSE),)))
    assert creates(closed.plan()) == []
    assert creates(replace(case, pool=replace(case.pool, create=False)).plan()) == []


@given(cases())
def test_19_a_pause_writes_nothing(case):
    assert replace(case, gate=replace(case.gate, paused=reason(ReasonCode.PAUSED))).plan().actions == ()


@given(cases(proxy=False))
def test_26_a_drain_delays_nobody_else(case):
    """Whether the draining Machines are busy or idle changes nothing for all the others."""
    pool = replace(case.pool, drain_s=None, busy=None)
    draining = {one.id for one in case.machines if marks.draining_since(one) is not None}
    idle = Split(by_label={one.id: Measured(value=0.0) for one in case.machines})
    busy = Split(by_label={**idle.by_label, **dict.fromkeys(draining, Absent(why=Why.STALE))})
    plans = [replace(case, pool=pool, busy=answer).plan() for answer in (idle, busy)]
    others = [[one for one in plan.actions if one.subject not in draining] for plan in plans]
    assert [one for one in others[0] if isinstance(one, Start | Create | Uncordon)] == [
        one for one in others[1] if isinstance(one, Start | Create | Uncordon)
    ]


@given(cases())
def test_28_an_empty_list_causes_no_action_at_all(case):
    assert replace(case, machines=(), ledger=EMPTY).plan().actions == ()


@given(cases(proxy=False))
def test_every_machine_wanted_is_planned_on_its_way_or_accounted_for(case):
    plan = case.plan()
    rosters = muster(case.view, case.ledger, NOW)
    missing = Counter[Region]()
    for entry in plan.shortfall:
        missing[entry.region] += entry.missing
    retagged = {
        one.machine: one.metadata[marks.HOME]
        for one in plan.actions
        if isinstance(one, Mark) and marks.HOME in one.metadata
    }
    homes = {member.machine.id: member.home for member in case.view.members}
    for one in plan.actions:
        if isinstance(one, Create):
            missing[one.home] += 1
        elif isinstance(one, Start):
            tag = retagged.get(one.machine, homes[one.machine])
            missing[Region(tag or one.region)] += 1
    for region, roster in rosters.items():
        event(f"lacking {min(3, max(0, case.decision.desired[region] - roster.capacity))}")
        assert missing[region] == max(0, case.decision.desired[region] - roster.capacity)


@given(cases(proxy=False))
def test_enough_ready_machines_remain(case):
    plan = case.plan()
    stopped = {action.machine for action in plan.actions if isinstance(action, Stop | Suspend)}
    for region, roster in muster(case.view, case.ledger, NOW).items():
        ready = {member.machine.id for member in roster.serving if member.machine.ready}
        desired = case.decision.desired[region]
        assert not ready & stopped or len(ready - stopped) >= desired


@given(cases())
def test_every_action_and_every_shortfall_has_a_reason(case):
    plan = case.plan()
    assert all(isinstance(action.reason.code, ReasonCode) for action in plan.actions)
    assert all(entry.missing > 0 for entry in plan.shortfall)


@given(cases())
def test_counts_add_up(case):
    fleet = count(case.view, case.ledger, NOW)
    for region in HERE:
        counts = fleet.by_region[region]
        assert counts.capacity == counts.running + counts.arriving
        assert counts.ready <= counts.running
        assert counts.draining <= counts.capacity
    listed = {member.machine.id for member in case.view.members}
    assert sum(one.capacity for one in fleet.by_region.values()) <= len(listed) + len(case.ledger.on_the_way)


@given(cases(), machines("stranger"))
def test_a_foreign_machine_changes_no_plan(case, machine):
    stranger = replace(machine, group=GroupName("somebody-elses"), name=MachineName("stranger"))
    assert replace(case, machines=(*case.machines, stranger)).plan() == case.plan()
