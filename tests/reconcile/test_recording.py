"""What a tick did is remembered: arrivals, refusals with their back-off, and our own changes."""

from dataclasses import replace

import pytest

from autoscaler.domain.fleet import MachineState
from autoscaler.domain.names import InstanceId, MachineId, VolumeId
from autoscaler.domain.outcome import (
    AlreadySo,
    Applied,
    Failed,
    NotSent,
    Outcome,
    Refusal,
    Refused,
    Result,
    Uncertain,
)
from autoscaler.domain.plan import CreateVolume, Destroy, DestroyVolume, Mark
from autoscaler.domain.reason import ReasonCode, reason
from autoscaler.reconcile import backoff
from autoscaler.reconcile.ledger import EMPTY, Ledger, OnTheWay, Seen
from autoscaler.reconcile.recording import record
from tests.reconcile.samples import AMS, FRA, ORD, SURPLUS, a_pool, at, create, done, refused, so, start, stop

HOUR_S = 3600.0
DESTROY = Destroy(machine=MachineId("a"), region=ORD, reason=SURPLUS)
NOTHING_HAPPENED = [Refused(refusal=Refusal.LEASED), Failed(), NotSent()]


def recorded(*outcomes: Outcome, ledger: Ledger = EMPTY, mono: float = 0.0) -> Ledger:
    return record(ledger, a_pool(), outcomes, homes={MachineId("guest"): AMS}, now=at(mono))


def mark(value: str | None, code: ReasonCode = ReasonCode.SURPLUS) -> Mark:
    metadata = {"autoscaler_draining": value}
    return Mark(machine=MachineId("a"), region=ORD, reason=reason(code), metadata=metadata)


@pytest.mark.parametrize("result", [Applied(), AlreadySo()])
def test_an_answered_start_is_on_its_way(result: Result):
    ledger = recorded(so(start("a"), result), mono=5.0)
    assert ledger.on_the_way == (
        OnTheWay(machine=MachineId("a"), name=None, region=ORD, home=ORD, since=5.0),
    )


def test_a_started_machine_counts_for_the_region_it_stands_in_for():
    (entry,) = recorded(done(start("guest", ORD))).on_the_way
    assert (entry.region, entry.home) == (ORD, AMS)


def test_a_machine_started_for_another_region_than_before_counts_for_that_one():
    ledger = recorded(done(replace(start("guest", ORD), home=FRA)))
    assert [(entry.region, entry.home) for entry in ledger.on_the_way] == [(ORD, FRA)]
    assert [(change.region, change.machines) for change in ledger.changes] == [(FRA, 1)]


def test_an_answered_create_is_on_its_way_by_name_and_id():
    action = create(1, ORD, home=FRA)
    (entry,) = recorded(done(action)).on_the_way
    assert (entry.machine, entry.name) == ("id-of-as-0-ord-1", action.name)
    assert (entry.region, entry.home, entry.stopped) == (ORD, FRA, False)


def test_a_machine_created_stopped_is_on_its_way_as_such():
    (entry,) = recorded(done(create(1, stopped=True))).on_the_way
    assert entry.stopped


def test_what_is_awaited_already_is_not_awaited_twice_or_longer():
    first = recorded(done(start("a")), done(create(1)), mono=1.0)
    assert recorded(done(start("a")), done(create(1)), ledger=first, mono=9.0).on_the_way == first.on_the_way


def test_a_machine_whose_id_becomes_known_later_is_awaited_once():
    first = recorded(so(create(1), Applied()))
    again = recorded(so(create(1), AlreadySo(machine=MachineId("x"))), ledger=first)
    assert [entry.name for entry in again.on_the_way] == [create(1).name]


@pytest.mark.parametrize("result", NOTHING_HAPPENED)
def test_nothing_is_on_its_way_after_an_action_that_was_not_carried_out(result: Result):
    ledger = recorded(so(start("a"), result), so(create(1), result))
    assert ledger.on_the_way == ()
    assert ledger.uncertain == ()
    assert ledger.changes == ()


def test_an_uncertain_start_or_create_is_not_on_its_way_but_kept_to_be_looked_for():
    ledger = recorded(so(start("a"), Uncertain()), so(create(1), Uncertain()), so(stop("b"), Uncertain()))
    assert ledger.on_the_way == ()
    assert ledger.uncertain == (start("a"), create(1))


def test_uncertainty_ends_with_the_tick_that_could_have_repeated_the_action():
    ledger = recorded(so(start("a"), Uncertain()))
    assert recorded(ledger=ledger, mono=15.0).uncertain == ()


def test_a_full_region_is_parked_for_five_minutes_doubling_to_thirty():
    ledger, delays = EMPTY, []
    for tick in range(5):
        ledger = recorded(refused(create(1), Refusal.REGION_FULL), ledger=ledger, mono=tick * 1800.0)
        delays.append(ledger.parked[ORD].until - tick * 1800.0)
    assert delays == [300.0, 600.0, 1200.0, 1800.0, 1800.0]
    assert set(ledger.parked) == {ORD}


MAKE = CreateVolume(region=ORD, name="disk", reason=SURPLUS)


@pytest.mark.parametrize(
    "refusal", [Refusal.REGION_FULL, Refusal.HOST_FULL, Refusal.ORG_LIMIT, Refusal.INVALID, Refusal.IMAGE]
)
def test_a_volume_that_is_refused_parks_what_a_machine_would_park(refusal: Refusal):
    assert recorded(refused(MAKE, refusal)).parked == recorded(refused(create(1), refusal)).parked


def test_where_the_platform_finds_no_place_for_a_volume_the_region_is_full():
    ledger = recorded(refused(MAKE, Refusal.VOLUME))
    assert {region: entry.reason.code for region, entry in ledger.parked.items()} == {
        ORD: ReasonCode.REGION_FULL
    }


def test_many_refusals_in_one_tick_wait_once():
    ledger = recorded(*(refused(create(number), Refusal.REGION_FULL) for number in range(8)))
    assert ledger.parked[ORD].delay_s == 300.0


def test_a_parking_says_why_in_the_words_of_the_platform():
    ledger = recorded(refused(create(1), Refusal.REGION_FULL))
    assert ledger.parked[ORD].reason == reason(ReasonCode.REGION_FULL, detail="no")


@pytest.mark.parametrize(
    ("refusal", "code"),
    [(Refusal.ORG_LIMIT, ReasonCode.ORG_LIMIT), (Refusal.INVALID, ReasonCode.INVALID_CONFIG)],
)
def test_what_would_be_refused_everywhere_parks_every_region(refusal: Refusal, code: ReasonCode):
    parked = recorded(refused(create(1), refusal)).parked
    assert {region: entry.reason.code for region, entry in parked.items()} == {
        ORD: code,
        AMS: code,
        FRA: code,
    }


@pytest.mark.parametrize(
    "refusal",
    [
        Refusal.LEASED,
        Refusal.CONFLICT,
        Refusal.WRONG_STATE,
        Refusal.RATE_LIMITED,
        Refusal.NAME_TAKEN,
        Refusal.IMAGE,
        Refusal.NOT_FOUND,
    ],
)
def test_a_refusal_of_the_moment_keeps_region_and_machine_in_their_places(refusal: Refusal):
    ledger = recorded(refused(create(1), refusal), refused(start("a"), refusal))
    assert replace(ledger, doubts={}) == EMPTY


def test_a_machine_whose_host_is_full_is_passed_over():
    ledger = recorded(refused(start("a"), Refusal.HOST_FULL))
    assert ledger.passed_over[MachineId("a")].reason.code is ReasonCode.HOST_FULL
    assert ledger.parked == {}


def test_a_machine_that_stayed_created_is_tried_once():
    seen = Seen(state=MachineState.CREATED, since=0.0, instance_id=InstanceId("v1"), region=ORD)
    ledger = recorded(
        refused(start("a"), Refusal.WRONG_STATE), ledger=Ledger(seen={MachineId("a"): seen}), mono=150.0
    )
    assert ledger.passed_over[MachineId("a")].reason.code is ReasonCode.STUCK


def test_a_volume_without_room_is_passed_over_and_its_region_is_not_parked():
    ledger = recorded(refused(create(1, volume=VolumeId("vol_1")), Refusal.VOLUME))
    assert set(ledger.passed_volumes) == {"vol_1"}
    assert ledger.parked == {}


def test_where_a_volume_that_we_made_has_no_room_the_region_is_as_good_as_full():
    made = Ledger(made_volumes=frozenset({VolumeId("vol_1")}))
    ledger = recorded(refused(create(1, volume=VolumeId("vol_1")), Refusal.VOLUME), ledger=made)
    assert set(ledger.passed_volumes) == {"vol_1"}
    assert {region: entry.reason for region, entry in ledger.parked.items()} == {
        ORD: reason(ReasonCode.REGION_FULL, detail="no")
    }
    assert ledger.made_volumes == {"vol_1"}


def test_volumes_we_made_are_remembered_until_we_destroy_them():
    made = recorded(so(MAKE, Applied(volume=VolumeId("vol_1"))))
    assert made.made_volumes == {"vol_1"}
    drop = DestroyVolume(region=ORD, volume=VolumeId("vol_1"), reason=SURPLUS)
    assert recorded(done(drop), ledger=made).made_volumes == frozenset()
    assert recorded(so(drop, Failed()), ledger=made).made_volumes == {"vol_1"}


def test_a_volume_that_has_its_machine_is_not_half_made_whatever_a_list_that_is_behind_says():
    made = Ledger(made_volumes=frozenset({VolumeId("vol_1"), VolumeId("vol_2")}))
    ledger = recorded(done(create(1, volume=VolumeId("vol_1"))), ledger=made)
    assert ledger.made_volumes == {"vol_2"}
    assert recorded(so(create(1, volume=VolumeId("vol_1")), AlreadySo()), ledger=made).made_volumes == {
        "vol_1",
        "vol_2",
    }


def test_volumes_that_may_have_been_made_are_remembered_as_such():
    ledger = recorded(so(MAKE, Uncertain()))
    assert (ledger.uncertain_volumes, ledger.made_volumes) == ((MAKE,), frozenset())
    assert recorded(so(MAKE, Failed())).uncertain_volumes == ()


@pytest.mark.parametrize("result", [Applied(), AlreadySo(), Uncertain()])
def test_a_machine_we_destroyed_is_expected_to_be_gone(result: Result):
    assert recorded(so(DESTROY, result)).expected_gone == {"a"}


def test_a_machine_we_could_not_destroy_is_expected_to_stay():
    assert recorded(refused(DESTROY, Refusal.LEASED)).expected_gone == frozenset()


def test_our_starts_are_dated_on_the_platforms_clock():
    ledger = recorded(done(start("a")), done(create(1)), mono=7.0)
    assert ledger.our_starts == {"a": at(7.0).wall, "id-of-as-0-ord-1": at(7.0).wall}


@pytest.mark.parametrize(
    ("outcomes", "difference"),
    [
        ((done(start("a")), done(create(1))), 2),
        ((done(create(1, stopped=True)),), 0),
        ((done(stop("a")),), -1),
        ((so(stop("a"), Uncertain()),), -1),
        ((done(mark("1800000000")),), -1),
        ((done(mark(None, ReasonCode.RESUME_DRAINING)),), 1),
        ((done(mark(None, ReasonCode.DRAINED)),), 0),
        ((done(mark("1800000000")), done(stop("a"))), -1),
        ((done(stop("a", ReasonCode.DRAINED)),), 0),
        ((done(DESTROY),), 0),
    ],
)
def test_the_change_of_capacity_by_our_hand_is_counted_once(outcomes: tuple[Outcome, ...], difference: int):
    assert sum(change.machines for change in recorded(*outcomes).changes) == difference


def test_changes_count_for_the_home_region():
    changes = recorded(done(start("guest", ORD)), done(create(1, ORD, home=FRA))).changes
    assert [(change.region, change.machines) for change in changes] == [(AMS, 1), (FRA, 1)]


def test_a_refusal_three_hours_old_is_forgotten():
    ledger = recorded(refused(create(1), Refusal.REGION_FULL))
    assert set(backoff.remembered(ledger.parked, 3 * HOUR_S - 1)) == {ORD}
    assert backoff.remembered(ledger.parked, 3 * HOUR_S) == {}


def test_what_is_left_alone_gets_its_chance_when_its_time_is_over():
    ledger = recorded(refused(create(1), Refusal.REGION_FULL))
    assert backoff.waiting(ledger.parked, 299.0) == (ORD,)
    assert backoff.waiting(ledger.parked, 300.0) == ()
