"""Machines with volumes: one is found or made first, and nothing half-made stays behind."""

from dataclasses import replace

import pytest

from autoscaler.domain.fleet import HostStatus, Survey, Volume
from autoscaler.domain.names import MachineId, VolumeId
from autoscaler.domain.plan import Create, CreateVolume
from autoscaler.domain.pool import Volumes
from autoscaler.domain.reason import ReasonCode, reason
from autoscaler.reconcile.bookkeeping import Sight, observe
from autoscaler.reconcile.ledger import EMPTY, Backoff
from autoscaler.reconcile.naming import prefix
from tests.reconcile.fleets import CONFIG, NOW, brief, lacks, member, planned, warned
from tests.reconcile.samples import AMS, APP, ORD, POOL, a_pool

MOUNT = {"volume": "vol_a", "name": "data", "path": "/data", "extend_threshold_percent": 80}
SOURCE = member("a", has_mounts=True, config={**CONFIG, "mounts": [MOUNT]})
NAME = prefix(POOL, ORD)


def volume(label, **changes):
    known = Volume(
        id=VolumeId(label),
        name="data",
        region=ORD,
        state="created",
        attached_to=None,
        host=HostStatus.OK,
        created_at=NOW.wall - 3600,
        size_gb=5,
        encrypted=True,
    )
    return replace(known, **changes)


HELD = volume("vol_a", attached_to=MachineId("a"))
REUSE, NEW = a_pool(volumes=Volumes.REUSE), a_pool(volumes=Volumes.NEW)


def test_without_permission_nothing_with_a_mount_is_created():
    plan = planned(a_pool(), [SOURCE], {ORD: 2}, volumes=[HELD, volume("vol_b")])
    assert plan.actions == ()
    assert lacks(plan) == {("ord", "volumes"): 1}


def test_volumes_that_were_not_read_are_asked_for():
    assert lacks(planned(REUSE, [SOURCE], {ORD: 2})) == {("ord", "volumes_unreadable"): 1}


def test_an_unused_volume_is_mounted_and_the_mounts_other_fields_survive():
    plan = planned(REUSE, [SOURCE], {ORD: 2}, volumes=[HELD, volume("vol_b")])
    (create,) = plan.actions
    assert isinstance(create, Create)
    assert create.volume == "vol_b"
    assert create.config["mounts"] == [{**MOUNT, "volume": "vol_b"}]


UNUSABLE = {
    "another name": {"name": "logs"},
    "another region": {"region": AMS},
    "attached": {"attached_to": MachineId("z")},
    "on its way out": {"state": "pending_destroy"},
    "on a lost host": {"host": HostStatus.UNREACHABLE},
    "made a minute ago by somebody": {"created_at": NOW.wall - 60},
    "of unknown age": {"created_at": None},
}


@pytest.mark.parametrize("changes", UNUSABLE.values(), ids=UNUSABLE)
def test_where_no_volume_fits_one_is_made_first(changes):
    plan = planned(REUSE, [SOURCE], {ORD: 2}, volumes=[HELD, volume("vol_b", **changes)])
    (create,) = plan.actions
    assert isinstance(create, CreateVolume)
    assert (create.name, create.region, create.size_gb, create.encrypted) == ("data", ORD, 5, True)
    assert create.compute == CONFIG["guest"]
    assert lacks(plan) == {("ord", "volumes"): 1}


def test_new_means_that_other_volumes_are_left_alone():
    plan = planned(NEW, [SOURCE], {ORD: 2}, volumes=[HELD, volume("vol_b")])
    assert [action.kind for action in plan.actions] == ["create_volume"]


HALF_MADE = volume("vol_n", created_at=NOW.wall - 120)


def test_what_a_process_had_made_before_it_died_gets_its_machine():
    plan = planned(NEW, [SOURCE], {ORD: 2}, volumes=[HELD, HALF_MADE], mounted=frozenset({HELD.id}))
    assert [one.volume for one in plan.actions if isinstance(one, Create)] == ["vol_n"]


@pytest.mark.parametrize(
    ("mounted", "created_at"),
    [
        (None, NOW.wall - 120),
        (frozenset({HALF_MADE.id}), NOW.wall - 120),
        (frozenset(), NOW.wall - 119),
        (frozenset(), NOW.wall - 600),
        (frozenset(), None),
    ],
    ids=["unknown past", "held before", "just made", "old", "unknown age"],
)
def test_what_may_be_somebodys_is_not_taken_for_half_made(mounted, created_at):
    there = replace(HALF_MADE, created_at=created_at)
    plan = planned(NEW, [SOURCE], {ORD: 2}, volumes=[HELD, there], mounted=mounted)
    assert [action.kind for action in plan.actions] == ["create_volume"]


def test_the_volume_made_in_the_tick_before_gets_its_machine():
    ledger = replace(EMPTY, made_volumes=frozenset({VolumeId("vol_n")}))
    fresh = volume("vol_n", created_at=NOW.wall - 15)
    plan = planned(NEW, [SOURCE], {ORD: 2}, volumes=[HELD, fresh], ledger=ledger)
    assert brief(plan) == [f"create {NAME}1"]


def test_a_volume_made_for_a_machine_that_is_not_wanted_any_more_is_destroyed():
    ledger = replace(EMPTY, made_volumes=frozenset({VolumeId("vol_n")}))
    fresh = volume("vol_n", created_at=NOW.wall - 15)
    plan = planned(NEW, [SOURCE], {ORD: 1}, volumes=[HELD, fresh], ledger=ledger)
    assert brief(plan) == ["destroy_volume vol_n"]


@pytest.mark.parametrize(("regional", "kept"), [(False, True), (True, False)])
def test_a_volume_made_for_a_full_region_is_kept_while_its_machine_is_lacking(regional, kept):
    full = Backoff(until=NOW.mono + 60, delay_s=300, reason=reason(ReasonCode.REGION_FULL))
    ledger = replace(EMPTY, made_volumes=frozenset({VolumeId("vol_n")}), parked={ORD: full})
    stock = [HELD, volume("vol_n", region=AMS)]
    plan = planned(NEW, [SOURCE], {ORD: 2}, volumes=stock, ledger=ledger, created=None, regional=regional)
    assert brief(plan) == ([] if kept else ["destroy_volume vol_n"])
    assert lacks(plan) == {("ord", "parked"): 1}


def test_volumes_that_others_made_are_never_destroyed_but_counted():
    plan = planned(NEW, [SOURCE], {ORD: 1}, volumes=[HELD, volume("vol_b")])
    assert plan.actions == ()
    assert warned(plan) == ["orphan_volumes"]


def test_a_volume_on_a_full_host_is_passed_over():
    entry = Backoff(until=NOW.mono + 60, delay_s=300, reason=reason(ReasonCode.VOLUMES))
    ledger = replace(EMPTY, passed_volumes={VolumeId("vol_b"): entry})
    plan = planned(REUSE, [SOURCE], {ORD: 2}, volumes=[HELD, volume("vol_b"), volume("vol_c")], ledger=ledger)
    (create,) = plan.actions
    assert isinstance(create, Create)
    assert create.volume == "vol_c"


@pytest.mark.parametrize(("delay_s", "kept"), [(300.0, True), (600.0, False)])
def test_a_made_volume_on_a_full_host_is_tried_once_more_before_another_is_made(delay_s, kept):
    why = reason(ReasonCode.REGION_FULL)
    entry = Backoff(until=NOW.mono + 60, delay_s=delay_s, reason=why)
    made = VolumeId("vol_n")
    ledger = replace(EMPTY, made_volumes=frozenset({made}), passed_volumes={made: entry}, parked={ORD: entry})
    stock = [HELD, volume("vol_n")]
    plan = planned(NEW, [SOURCE], {ORD: 2}, volumes=stock, ledger=ledger, regional=True)
    assert brief(plan) == ([] if kept else ["destroy_volume vol_n"])
    assert lacks(plan) == {("ord", "parked"): 1}


def test_each_volume_is_mounted_once():
    plan = planned(REUSE, [SOURCE], {ORD: 4}, volumes=[HELD, volume("vol_b"), volume("vol_c")])
    assert [action.kind for action in plan.actions] == ["create", "create", "create_volume"]
    assert len({one.volume for one in plan.actions if isinstance(one, Create)}) == 2


def test_a_mount_without_a_name_takes_that_of_the_volume_it_holds():
    mount = {"volume": "vol_a", "path": "/data"}
    source = replace(SOURCE, config={**CONFIG, "mounts": [mount]})
    plan = planned(REUSE, [source], {ORD: 2}, volumes=[HELD, volume("vol_b")])
    assert brief(plan) == [f"create {NAME}1"]


MAKE = CreateVolume(
    region=ORD, name="data", reason=reason(ReasonCode.VOLUMES), size_gb=5, known=frozenset({HELD.id})
)
UNANSWERED = replace(EMPTY, uncertain_volumes=(MAKE,))


def read(ledger, *volumes):
    survey = Survey(app=APP, at=NOW.wall, machines=())
    sight = Sight(survey=survey, members=(), volumes=volumes or None)
    return observe(ledger, NEW, sight, NOW).ledger


def test_a_volume_that_a_lost_answer_made_is_ours():
    ledger = read(UNANSWERED, HELD, volume("vol_n", created_at=NOW.wall))
    assert (ledger.made_volumes, ledger.uncertain_volumes) == ({"vol_n"}, ())


def test_each_lost_answer_made_one_volume_at_most():
    found = [volume(label, created_at=NOW.wall) for label in ("vol_n", "vol_o", "vol_p")]
    assert read(replace(UNANSWERED, uncertain_volumes=(MAKE, MAKE)), *found).made_volumes == {
        "vol_n",
        "vol_o",
    }
    counted = replace(UNANSWERED, made_volumes=frozenset({VolumeId("vol_n")}))
    assert read(counted, *found[:1]).made_volumes == {"vol_n"}


@pytest.mark.parametrize(
    "changes",
    [{"name": "logs"}, {"region": AMS}, {"size_gb": 1}, {"attached_to": MachineId("z")}, {"id": HELD.id}],
)
def test_what_no_lost_answer_of_ours_can_have_made_is_not_ours(changes):
    assert read(UNANSWERED, replace(volume("vol_n"), **changes)).made_volumes == frozenset()


def test_until_the_volumes_are_read_a_lost_answer_is_remembered():
    assert read(UNANSWERED).uncertain_volumes == (MAKE,)


def listed(ledger, volumes, *, after_s):
    sight = Sight(survey=Survey(app=APP, at=NOW.wall, machines=()), members=(), volumes=volumes)
    return observe(ledger, NEW, sight, replace(NOW, mono=NOW.mono + after_s)).ledger


def test_a_volume_that_lists_leave_out_for_two_minutes_is_gone_and_forgotten():
    ledger = replace(EMPTY, made_volumes=frozenset({VolumeId("vol_n")}))
    awaited = listed(listed(ledger, (HELD,), after_s=0), (HELD,), after_s=119)
    assert awaited.made_volumes == {"vol_n"}
    assert listed(awaited, None, after_s=200).made_volumes == {"vol_n"}
    gone = listed(awaited, (HELD,), after_s=120)
    assert gone.made_volumes == frozenset()
    assert gone.missing_volumes == {}


def test_a_volume_that_is_listed_again_is_awaited_anew():
    ledger = replace(EMPTY, made_volumes=frozenset({VolumeId("vol_n")}))
    ledger = listed(ledger, (HELD,), after_s=0)
    ledger = listed(ledger, (HELD, volume("vol_n")), after_s=60)
    assert ledger.missing_volumes == {}
    assert listed(ledger, (HELD,), after_s=120).made_volumes == {"vol_n"}


def test_a_volume_is_made_knowing_those_that_are_there():
    (make,) = planned(NEW, [SOURCE], {ORD: 2}, volumes=[HELD, volume("vol_b")]).actions
    assert isinstance(make, CreateVolume)
    assert make.known == {"vol_a", "vol_b"}
