"""Full regions: their Machines go to the nearest region with room, and go first when there are too many."""

from dataclasses import replace

import pytest

from autoscaler.domain.desired import Bounds, Gate
from autoscaler.domain.fleet import MachineState
from autoscaler.domain.names import MachineId, MachineName
from autoscaler.domain.plan import Create, Start
from autoscaler.domain.pool import Budget, Spill
from autoscaler.domain.reason import ReasonCode, reason
from autoscaler.reconcile.ledger import EMPTY, Backoff, OnTheWay
from autoscaler.reconcile.naming import prefix
from tests.reconcile.fleets import NOW, STOPPED, brief, lacks, member, planned, written
from tests.reconcile.samples import AMS, FRA, ORD, POOL, WANTED, a_pool


def name(region, number):
    return f"{prefix(POOL, region)}{number}"


def parking(*regions, code=ReasonCode.REGION_FULL, until=60.0):
    entry = Backoff(until=NOW.mono + until, delay_s=300, reason=reason(code))
    return replace(EMPTY, parked=dict.fromkeys(regions, entry))


def refusing(**codes):
    entries = {
        MachineId(label): Backoff(until=NOW.mono + 60.0, delay_s=300, reason=reason(code))
        for label, code in codes.items()
    }
    return replace(EMPTY, passed_over=entries)


def bounded(**most):
    regions = {
        region: replace(spec, bounds=Bounds(min=0, max=most.get(region, 10)))
        for region, spec in a_pool().regions.items()
    }
    return a_pool(regions=regions)


FLEET = [member("a", region=AMS)]


@pytest.mark.parametrize("code", [ReasonCode.REGION_FULL, ReasonCode.HOST_FULL])
def test_a_full_regions_machines_are_created_in_the_nearest_one(code):
    plan = planned(a_pool(), FLEET, {AMS: 3}, ledger=parking(AMS, code=code))
    assert brief(plan) == [f"create {name(FRA, 1)}", f"create {name(FRA, 2)}"]
    assert plan.shortfall == ()
    for create in plan.actions:
        assert isinstance(create, Create)
        assert (create.region, create.home) == (FRA, AMS)
        assert create.config["metadata"]["autoscaler_home"] == "ams"


def test_what_rests_in_the_next_region_is_started_and_tagged():
    plan = planned(a_pool(), [*FLEET, member("f", STOPPED, region=FRA)], {AMS: 2}, ledger=parking(AMS))
    assert brief(plan) == ["mark f", "start f"]
    assert written(plan) == {"f": {"autoscaler_home": "ams"}}
    assert [one.home for one in plan.actions if isinstance(one, Start)] == [AMS]


def test_what_was_spilled_before_needs_no_new_tag():
    guest = member("f", STOPPED, region=FRA, meta={"autoscaler_home": "ams"})
    assert brief(planned(a_pool(), [*FLEET, guest], {AMS: 2}, ledger=parking(AMS))) == ["start f"]


def test_a_region_takes_back_its_own_machine_that_served_another():
    guest = member("f", STOPPED, region=FRA, meta={"autoscaler_home": "ams"})
    plan = planned(a_pool(), [*FLEET, guest], {AMS: 1, FRA: 1})
    assert brief(plan) == ["mark f", "start f"]
    assert written(plan) == {"f": {"autoscaler_home": None}}


def test_spilling_never_exceeds_a_regions_max_and_says_what_is_left():
    plan = planned(bounded(fra=1, ord=1), FLEET, {AMS: 5}, ledger=parking(AMS))
    assert brief(plan) == [f"create {name(FRA, 1)}", f"create {name(ORD, 1)}"]
    assert lacks(plan) == {("ams", "parked"): 2}


def test_spilling_starts_nothing_above_a_regions_max():
    fleet = [*FLEET, member("f", region=FRA), member("g", STOPPED, region=FRA)]
    plan = planned(bounded(fra=1, ord=0), fleet, {AMS: 2, FRA: 1}, ledger=parking(AMS))
    assert plan.actions == ()
    assert lacks(plan) == {("ams", "parked"): 1}


def test_a_regions_own_demand_comes_before_its_guests():
    plan = planned(bounded(fra=2, ord=0), FLEET, {AMS: 3, FRA: 2}, ledger=parking(AMS))
    assert {(one.region, one.home) for one in plan.actions if isinstance(one, Create)} == {(FRA, FRA)}
    assert lacks(plan) == {("ams", "parked"): 2}


@pytest.mark.parametrize(
    ("spill", "regional", "spills"),
    [
        (None, False, True),
        (None, True, False),
        (Spill.NEAREST, True, True),
        (Spill.OFF, False, False),
    ],
)
def test_demand_read_per_region_stays_at_home_unless_told_otherwise(spill, regional, spills):
    plan = planned(a_pool(spill=spill), FLEET, {AMS: 2}, ledger=parking(AMS), regional=regional)
    assert bool(plan.actions) is spills
    assert bool(plan.shortfall) is not spills


@pytest.mark.parametrize("code", [ReasonCode.REGION_FULL, ReasonCode.HOST_FULL])
def test_where_nothing_may_be_created_what_rests_elsewhere_stands_in_for_what_found_no_room(code):
    fleet = [*FLEET, *(member(label, STOPPED, region=AMS) for label in ("b", "c"))]
    spare = [member(label, STOPPED, region=FRA) for label in ("f", "g", "h")]
    ledger = refusing(b=code, c=ReasonCode.CRASH_LOOP)
    plan = planned(a_pool(create=False), [*fleet, *spare], {AMS: 4}, ledger=ledger)
    assert brief(plan) == ["mark f", "start f"]
    assert lacks(plan) == {("ams", "passed_over"): 1, ("ams", "create_off"): 1}
    alone = planned(a_pool(create=False), fleet, {AMS: 4}, ledger=ledger)
    assert alone.actions == ()
    assert lacks(alone) == {("ams", "passed_over"): 2, ("ams", "create_off"): 1}


def test_where_nothing_may_be_created_what_is_beyond_a_regions_max_stands_elsewhere_as_well():
    fleet = [*FLEET, member("b", STOPPED, region=AMS), *(member(one, STOPPED, region=FRA) for one in "fgh")]
    ledger = refusing(b=ReasonCode.REGION_FULL)
    plan = planned(replace(bounded(ams=2), create=False), fleet, {AMS: 3}, ledger=ledger)
    assert brief(plan) == ["mark f", "start f", "mark g", "start g"]
    assert plan.shortfall == ()


def test_only_want_of_room_spills():
    plan = planned(a_pool(), FLEET, {AMS: 2}, ledger=parking(AMS, code=ReasonCode.ORG_LIMIT))
    assert plan.actions == ()
    assert lacks(plan) == {("ams", "parked"): 1}


def test_a_region_is_tried_again_when_its_time_is_up():
    plan = planned(a_pool(), FLEET, {AMS: 3}, ledger=parking(AMS, until=-1))
    assert [one.region for one in plan.actions] == [AMS, AMS]


def test_an_invalid_configuration_is_probed_with_one_machine():
    ledger = parking(AMS, code=ReasonCode.INVALID_CONFIG, until=-1)
    plan = planned(a_pool(), FLEET, {AMS: 4}, ledger=ledger)
    assert len(plan.actions) == 1
    assert lacks(plan) == {("ams", "invalid_config"): 2}


def test_a_full_region_takes_nothing_from_another():
    plan = planned(a_pool(spill=Spill.OFF), FLEET, {AMS: 3, ORD: 2}, ledger=parking(AMS))
    assert brief(plan) == [f"create {name(ORD, 1)}", f"create {name(ORD, 2)}"]


def test_no_create_anywhere_means_none_next_door():
    gate = Gate(no_create=(reason(ReasonCode.COLLAPSE),))
    assert planned(a_pool(), FLEET, {AMS: 3}, ledger=parking(AMS), gate=gate).actions == ()


def test_guests_leave_first_when_their_home_shrinks():
    guest = member("f", region=FRA, meta={"autoscaler_home": "ams"}, created_at=0.0)
    assert brief(planned(a_pool(), [*FLEET, guest], {AMS: 1})) == ["stop f"]


def test_where_guests_fill_a_region_its_own_machines_go_elsewhere():
    guest = member("f", region=FRA, meta={"autoscaler_home": "ams"})
    plan = planned(bounded(fra=1), [guest], {AMS: 1, FRA: 1})
    assert [(one.region, one.home) for one in plan.actions if isinstance(one, Create)] == [(AMS, FRA)]


def test_uncertain_creates_are_repeated_first_under_their_names():
    former = Create(region=ORD, name=MachineName(name(ORD, 4)), config={}, reason=WANTED, home=ORD)
    plan = planned(a_pool(), [member("a")], {ORD: 3}, ledger=replace(EMPTY, uncertain=(former,)))
    assert brief(plan) == [f"create {name(ORD, 4)}", f"create {name(ORD, 1)}"]
    assert plan.actions[0].reason.code is ReasonCode.REPEAT


def test_uncertain_starts_are_repeated_first_with_the_same_machine():
    former = Start(machine=MachineId("z"), region=ORD, reason=WANTED)
    fleet = [member("a", STOPPED), member("z", STOPPED)]
    plan = planned(a_pool(), fleet, {ORD: 1}, ledger=replace(EMPTY, uncertain=(former,)))
    assert brief(plan) == ["start z"]


def test_what_is_uncertain_and_not_wanted_any_more_is_left():
    former = Create(region=ORD, name=MachineName(name(ORD, 1)), config={}, reason=WANTED, home=ORD)
    assert (
        planned(a_pool(), [member("a")], {ORD: 1}, ledger=replace(EMPTY, uncertain=(former,))).actions == ()
    )


def test_what_may_have_been_created_keeps_its_room_and_its_share_of_the_budget():
    former = Create(region=ORD, name=MachineName(name(ORD, 1)), config={}, reason=WANTED, home=ORD)
    pool = a_pool(total=Bounds(min=0, max=3))
    ledger = replace(parking(ORD), uncertain=(former,))
    plan = planned(pool, [member("a")], {ORD: 1, AMS: 2}, ledger=ledger)
    assert len([one for one in plan.actions if isinstance(one, Create)]) == 1
    assert lacks(plan) == {("ams", "total_max"): 1}


def test_what_may_have_been_created_for_another_region_keeps_its_room():
    former = Create(region=ORD, name=MachineName(name(ORD, 1)), config={}, reason=WANTED, home=AMS)
    ledger = replace(EMPTY, uncertain=(former,))
    plan = planned(bounded(ord=2), [member("a")], {ORD: 2}, ledger=ledger)
    assert {(one.region, one.home) for one in plan.actions if isinstance(one, Create)} == {(AMS, ORD)}


@pytest.mark.parametrize(("created", "names"), [(0, [1]), (1, [])])
def test_repeated_creates_are_part_of_the_budget(created, names):
    former = Create(region=ORD, name=MachineName(name(ORD, 1)), config={}, reason=WANTED, home=ORD)
    ledger = replace(EMPTY, uncertain=(former,))
    pool = a_pool(budget=Budget(count=1))
    plan = planned(pool, [member("a")], {ORD: 4}, ledger=ledger, created=created)
    assert brief(plan) == [f"create {name(ORD, number)}" for number in names]


def test_names_answered_and_not_yet_listed_are_not_given_again():
    entry = OnTheWay(machine=None, name=MachineName(name(ORD, 1)), region=ORD, home=ORD, since=NOW.mono)
    plan = planned(a_pool(), [member("a")], {ORD: 3}, ledger=replace(EMPTY, on_the_way=(entry,)))
    assert brief(plan) == [f"create {name(ORD, 2)}"]


def test_a_machine_that_never_launched_is_tried_once_then_replaced():
    stuck = member(
        "a",
        MachineState.CREATED,
        created_at=NOW.wall - 300,
        name=MachineName(name(ORD, 1)),
        meta={"autoscaler": POOL},
    )
    fleet = [stuck, member("k")]
    assert brief(planned(a_pool(), fleet, {ORD: 2})) == ["start a"]
    refused = Backoff(until=NOW.mono - 5, delay_s=300, reason=reason(ReasonCode.STUCK))
    tried = replace(EMPTY, passed_over={MachineId("a"): refused})
    assert brief(planned(a_pool(), fleet, {ORD: 2}, ledger=tried)) == [f"create {name(ORD, 2)}", "destroy a"]
    unmarked, copied = replace(stuck, metadata=fleet[1].metadata), replace(stuck, name=MachineName("pine-1"))
    for another in (unmarked, copied):
        theirs = planned(a_pool(), [another, fleet[1]], {ORD: 1}, ledger=tried)
        assert theirs.actions == ()
        assert [str(why.code) for why in theirs.warnings] == ["stuck"]
