"""What is refused to everybody alike is tried once per tick, and everything else goes on."""

from dataclasses import replace

import pytest

from autoscaler.domain.names import MachineId
from autoscaler.domain.outcome import Applied, Refusal, Uncertain
from autoscaler.domain.plan import Create, CreateVolume, Start
from autoscaler.domain.pool import Leave, Volumes
from autoscaler.reconcile.ledger import EMPTY, Ledger
from autoscaler.reconcile.probing import doubted
from autoscaler.reconcile.recording import record
from tests.reconcile.fleets import CONFIG, STOPPED, brief, lacks, member, planned
from tests.reconcile.samples import AMS, ORD, WANTED, a_pool, at, create, done, refused, so, start, stop


def after(*outcomes) -> Ledger:
    return record(EMPTY, a_pool(), outcomes, homes={}, now=at(0.0))


NO_TOKEN = after(refused(create(1), Refusal.UNAUTHORIZED), refused(start("b"), Refusal.UNAUTHORIZED))


def test_creates_that_the_token_may_not_are_tried_with_one_and_the_rest_is_a_shortfall():
    plan = planned(a_pool(), [member("a")], {ORD: 4, AMS: 3}, ledger=NO_TOKEN)
    assert [action.kind for action in plan.actions] == ["create"]
    assert sum(lacks(plan).values()) == 5
    assert {code for _, code in lacks(plan)} == {"refused"}


def test_volumes_that_the_token_may_not_make_are_tried_in_one_region_and_said_to_be_refused():
    make = CreateVolume(region=ORD, name="data", reason=WANTED)
    ledger = after(refused(make, Refusal.UNAUTHORIZED))
    mounts = [{"name": "data", "path": "/data"}]
    source = member("a", has_mounts=True, config={**CONFIG, "mounts": mounts})
    plan = planned(a_pool(volumes=Volumes.NEW), [source], {ORD: 3, AMS: 2}, ledger=ledger, volumes=[])
    assert brief(plan) == ["create_volume volume in ams"] * 2
    assert lacks(plan) == {("ams", "refused"): 2, ("ord", "refused"): 2}


def test_starts_that_the_token_may_not_are_tried_with_one_and_replaced_by_no_create():
    fleet = [member("a", STOPPED), member("b", STOPPED), member("c", STOPPED)]
    plan = planned(a_pool(), fleet, {ORD: 3}, ledger=NO_TOKEN)
    assert brief(plan) == ["start a"]
    assert lacks(plan) == {("ord", "refused"): 2}


def test_what_belongs_to_one_machine_stays_together():
    guests = [member(label, STOPPED, AMS, meta={"autoscaler_home": "ord"}) for label in ("a", "b")]
    plan = planned(a_pool(), guests, {AMS: 2}, ledger=NO_TOKEN)
    assert brief(plan) == ["mark a", "start a"]
    assert lacks(plan) == {("ams", "refused"): 1}


def test_a_surplus_that_the_token_may_not_stop_is_tried_with_one():
    ledger = after(refused(stop("z"), Refusal.UNAUTHORIZED))
    plan = planned(a_pool(), [member("a"), member("b"), member("c")], {ORD: 0}, ledger=ledger)
    assert (len(plan.actions), plan.shortfall) == (1, ())


def test_other_kinds_of_action_go_on():
    ledger = after(refused(stop("z"), Refusal.UNAUTHORIZED))
    plan = planned(a_pool(), [member("a", STOPPED), member("b", STOPPED)], {ORD: 2}, ledger=ledger)
    assert brief(plan) == ["start a", "start b"]


def test_one_that_is_accepted_ends_the_doubt():
    assert doubted([refused(create(1), Refusal.UNAUTHORIZED), done(create(2))]) == {}
    assert after(done(create(1))).doubts == {}


def test_an_image_that_is_gone_concerns_all_copies_but_no_machine_with_an_image_of_its_own():
    outcomes = [refused(create(1), Refusal.IMAGE), refused(start("a"), Refusal.IMAGE)]
    assert list(doubted(outcomes)) == [Create.kind]


@pytest.mark.parametrize("result", [Applied(), Uncertain()])
def test_a_doubt_does_not_outlive_the_tick_after_it(result):
    ledger = record(NO_TOKEN, a_pool(), [so(start("a"), result)], homes={}, now=at(15.0))
    assert Start.kind not in ledger.doubts


@pytest.mark.parametrize("refusal", [Refusal.RATE_LIMITED, Refusal.LEASED, Refusal.WRONG_STATE])
def test_a_refusal_that_concerns_one_or_passes_casts_no_doubt(refusal):
    assert doubted([refused(start("a"), refusal)]) == {}


def test_leaving_by_destruction_is_tried_with_one_as_well():
    doomed = [
        member(label, STOPPED, meta={"autoscaler": "web", "autoscaler_doomed": "1"})
        for label in ("a", "b", "c")
    ]
    (before, *_) = planned(a_pool(leave=Leave.DESTROY), [*doomed, member("d")], {ORD: 1}).actions
    ledger = after(refused(replace(before, machine=MachineId("z")), Refusal.UNAUTHORIZED))
    plan = planned(a_pool(leave=Leave.DESTROY), [*doomed, member("d")], {ORD: 1}, ledger=ledger)
    assert [action.kind for action in plan.actions] == ["destroy"]
