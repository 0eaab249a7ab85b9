"""What every plan does, whatever the fleet, the wishes, the gate and the memory."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from autoscaler.domain.fleet import HostStatus, Machine, MachineState
from autoscaler.domain.names import MachineId, Region
from autoscaler.domain.plan import Create, Mark, Plan, Start, Stop, Suspend
from autoscaler.domain.pool import Spill
from autoscaler.domain.reason import ReasonCode, reason
from autoscaler.reconcile import marks
from autoscaler.reconcile.budget import budget
from autoscaler.reconcile.counting import muster, stuck
from autoscaler.reconcile.ledger import Backoff
from tests.laws.fleets import Case, cases
from tests.laws.setting import HERE, NOW
from tests.laws.worlds import after, creates, goes_in

FULL = Backoff(until=NOW.mono + 60, delay_s=300, reason=reason(ReasonCode.REGION_FULL))


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
        region: entry._replace(desired=capacity[region]) for region, entry in case.decision.regions.items()
    }
    assert replace(plain, decision=case.decision._replace(regions=regions)).plan().actions == ()


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
    for _ in range(20):  # an invalid configuration is probed with one Machine per tick
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
    """But for those that are given up: on lost hosts, hanging, or never launched."""
    plan = case.plan()
    for region, entry in case.decision.regions.items():
        here = [one.machine for one in case.view.members if one.machine.region == region]
        listed = [one for one in here if one.host is HostStatus.OK and not _given_up(case, one)]
        made = sum(create.region == region for create in creates(plan))
        assert made == 0 or len(listed) + made <= entry.bounds.max
    assert not [one for one in plan.actions if isinstance(one, Stop | Suspend)]


def _given_up(case: Case, machine: Machine) -> bool:
    refused = case.ledger.passed_over.get(machine.id)
    tried = refused is not None and refused.reason.code is ReasonCode.STUCK
    never_launched = tried and machine.state in {MachineState.CREATED, MachineState.CREATING}
    return never_launched or stuck(machine, case.ledger, NOW)


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
    assert departures(full_plan, case, but=full) == departures(open_plan, case, but=full)


def departures(plan: Plan, case: Case, *, but: Region) -> list[MachineId]:
    return [machine for machine in goes_in(plan) if case.by_id[machine].region != but]


def additions(plan: Plan, region: Region) -> list[Start | Create]:
    return [one for one in plan.actions if isinstance(one, Start | Create) and one.region == region]
