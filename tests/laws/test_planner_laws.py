"""What holds for every plan, whatever the fleet, the wishes, the gate and the memory."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from hypothesis import event, given
from hypothesis import strategies as st

from autoscaler.domain.desired import Gate
from autoscaler.domain.fleet import HostStatus, Machine, MachineState
from autoscaler.domain.names import GroupName, MachineId, MachineName, Region
from autoscaler.domain.plan import Cordon, Create, Destroy, Mark, Plan, Start, Stop, Suspend, Uncordon
from autoscaler.domain.pool import Spill
from autoscaler.domain.reading import Absent, Measured, Split, Why
from autoscaler.domain.reason import ReasonCode, reason
from autoscaler.reconcile import busy as business
from autoscaler.reconcile import marks
from autoscaler.reconcile.budget import budget
from autoscaler.reconcile.counting import AT_REST, count, muster
from autoscaler.reconcile.ledger import EMPTY, Backoff
from tests.laws.fleets import HERE, NOW, OWN, POOL, Case, cases, machines
from tests.laws.worlds import after

IN = Stop | Suspend | Destroy | Cordon
FULL = Backoff(until=NOW.mono + 60, delay_s=300, reason=reason(ReasonCode.REGION_FULL))


def goes_in(plan: Plan) -> list[MachineId]:
    """The Machines a plan stops, suspends, destroys, takes out of routing or marks to leave."""
    return [
        action.machine
        for action in plan.actions
        if isinstance(action, IN)
        or (isinstance(action, Mark) and {action.metadata.get(key) for key in marks.NO_LEAVING} - {None})
    ]


def creates(plan: Plan) -> list[Create]:
    return [action for action in plan.actions if isinstance(action, Create)]


def present(case: Case, fleet: Iterable[Machine], ledger=None) -> dict[Region, int]:
    """How many Machines serve, or will, in each region they are physically in."""
    seen = replace(case, machines=tuple(fleet))
    rosters = muster(seen.view, case.ledger if ledger is None else ledger, NOW)
    return {region: roster.present for region, roster in rosters.items()}


@given(cases())
def test_a_plan_is_the_same_for_the_same_facts_in_any_order(case):
    shuffled = replace(case, machines=tuple(reversed(case.machines)))
    assert case.plan() == case.plan() == shuffled.plan()


@given(cases())
def test_a_list_that_repeats_itself_changes_nothing(case):
    assert replace(case, machines=case.machines * 2).plan() == case.plan()


@given(cases(proxy=False))
def test_7_a_fleet_as_it_should_be_needs_nothing(case):
    fleet = tuple(
        replace(
            one, metadata={key: value for key, value in one.metadata.items() if key not in marks.NO_LEAVING}
        )
        for one in case.machines
        if not one.cordoned and one.state not in {MachineState.CREATED, MachineState.CREATING}
    )
    plain = replace(case, machines=fleet)
    capacity = {region: roster.capacity for region, roster in muster(plain.view, plain.ledger, NOW).items()}
    regions = {
        region: replace(entry, desired=capacity[region]) for region, entry in case.decision.regions.items()
    }
    assert replace(plain, decision=replace(case.decision, regions=regions)).plan().actions == ()


@given(cases())
def test_17_each_machine_gets_one_step_of_a_kind_and_never_opposite_ones(case):
    plan = case.plan()
    kinds = Counter((action.subject, action.kind) for action in plan.actions)
    assert all(times == 1 for times in kinds.values())
    by_subject: dict[str, set[str]] = {}
    for action in plan.actions:
        by_subject.setdefault(action.subject, set()).add(action.kind)
    for found in by_subject.values():
        assert len(found & {"start", "stop", "suspend", "destroy", "create"}) <= 1
        assert not {"cordon", "uncordon"} <= found
        assert not ("start" in found and "cordon" in found)


@given(cases())
def test_17_what_is_marked_and_cordoned_is_so_in_the_order_that_survives_an_interruption(case):
    steps = [(action.subject, action.kind) for action in case.plan().actions]
    for subject, kind in steps:
        kinds = [other for name, other in steps if name == subject]
        if kind == "cordon":
            marked = marks.marked_draining(case.by_id[MachineId(subject)])
            assert marked or kinds.index("mark") < kinds.index("cordon")
        if kind == "uncordon":
            assert "mark" not in kinds or kinds.index("uncordon") < kinds.index("mark")


@given(cases())
def test_18_and_30_plans_lead_somewhere_and_then_end(case):
    """Carried out by a platform that obeys, plan after plan, nothing is left to do after a few ticks."""
    settled = replace(case.ledger, on_the_way=(), uncertain=(), seen={})
    current = replace(case, ledger=settled, created=0)
    for _ in range(8):
        plan = current.plan()
        if not plan.actions:
            break
        current = replace(current, machines=after(current.machines, plan.actions))
    assert current.plan().actions == ()


@given(cases())
def test_18_carrying_a_plan_out_twice_changes_nothing_more(case):
    plan = case.plan()
    once = after(case.machines, plan.actions)
    assert after(once, plan.actions) == once


@given(cases(proxy=False))
def test_20_starts_and_creates_stay_within_every_max_even_if_the_uncertain_ones_succeed(case):
    plan = case.plan()
    out = [action for action in plan.actions if isinstance(action, Start | Create | Mark)]
    unsure = [action for action in case.ledger.uncertain if case.pool.regions.get(action.region)]
    before = present(case, case.machines)
    at_worst = present(case, after(case.machines, [*out, *unsure]))
    alone = present(case, after(case.machines, unsure))
    for region, entry in case.decision.regions.items():
        assert at_worst[region] <= max(entry.bounds.max, before[region], alone[region])
    total = max(case.decision.total.max, sum(before.values()), sum(alone.values()))
    assert sum(at_worst.values()) <= total


@given(cases(proxy=True))
def test_20_existing_machines_of_a_proxied_pool_stay_within_every_max(case):
    plan = case.plan()
    for region, entry in case.decision.regions.items():
        listed = sum(member.machine.region == region for member in case.view.members)
        made = sum(create.region == region for create in creates(plan))
        assert made == 0 or listed + made <= entry.bounds.max
    assert not [one for one in plan.actions if isinstance(one, Stop | Suspend)]


@given(cases())
def test_21_creates_stay_within_the_budget(case):
    limit = 0 if case.created is None else max(0, budget(case.pool).count - case.created)
    assert len(creates(case.plan())) <= limit


@given(cases())
def test_21_names_are_ours_unique_and_free(case):
    live = {machine.name for machine in case.machines if machine.state is not MachineState.DESTROYED}
    awaited = {entry.name for entry in case.ledger.on_the_way}
    names = [create.name for create in creates(case.plan())]
    assert len(names) == len(set(names))
    assert not set(names) & (live | awaited)


@given(cases(proxy=False), st.sampled_from(HERE))
def test_22_a_full_region_never_lowers_another(case, full):
    alone = replace(case, pool=replace(case.pool, spill=Spill.OFF))
    parked = {region: entry for region, entry in case.ledger.parked.items() if region != full}
    open_plan = replace(alone, ledger=replace(case.ledger, parked=parked)).plan()
    full_plan = replace(alone, ledger=replace(case.ledger, parked={**parked, full: FULL})).plan()
    for region in set(HERE) - {full}:
        assert len(additions(full_plan, region)) >= len(additions(open_plan, region))
    assert goes_in(full_plan) == goes_in(open_plan)


def additions(plan: Plan, region: Region) -> list[Start | Create]:
    return [one for one in plan.actions if isinstance(one, Start | Create) and one.region == region]


@given(cases())
def test_23_what_is_not_ours_to_touch_is_never_touched(case):
    for action in case.plan().actions:
        if action.machine is None:
            continue
        machine = case.by_id[action.machine]
        assert machine.id != OWN
        assert machine.group == case.pool.group
        assert machine.region in case.pool.regions
        assert not marks.protected(machine)
        assert machine.lease is None
        assert machine.host is HostStatus.OK
        assert (machine.standby, machine.scheduled, machine.auto_destroy) == (False, False, False)
        assert not machine.cordoned or marks.marked_draining(machine)
        assert machine.state not in {MachineState.UPDATING, MachineState.REPLACING}


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
