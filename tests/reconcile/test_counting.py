"""Which Machines are a pool's, and how many of them count."""

from dataclasses import replace

import pytest

from autoscaler.domain.fleet import Change, HostStatus, Lease, MachineState, RegionCount
from autoscaler.domain.names import GroupName, MachineId, MachineName
from autoscaler.reconcile.ledger import EMPTY, OnTheWay, Seen
from tests.reconcile.fleets import NOW, STOPPED, counted, member, viewed
from tests.reconcile.samples import AMS, FRA, ORD, WALL, a_pool


def seen(state: MachineState, *, ago: float, **changes):
    known = Seen(state=state, since=NOW.mono - ago, instance_id="v1", region=ORD)
    return replace(EMPTY, seen={MachineId("a"): replace(known, **changes)})


FOREIGN = {
    "another group": {"group": GroupName("web")},
    "no group": {"group": GroupName("")},
    "a release command": {"group": GroupName("fly_app_release_command")},
    "a standby": {"standby": True},
    "a scheduled Machine": {"scheduled": True},
    "one that destroys itself": {"auto_destroy": True},
    "a builder": {"meta": {"fly_builder_id": "1"}},
    "cordoned by somebody else": {"cordoned": True},
    "being destroyed": {"state": MachineState.DESTROYING},
    "destroyed": {"state": MachineState.DESTROYED},
}


@pytest.mark.parametrize("changes", FOREIGN.values(), ids=FOREIGN)
def test_what_is_not_the_pools_counts_nowhere(changes):
    view = viewed(a_pool(), [member("a", **changes)])
    assert view.members == ()
    assert counted(a_pool(), [member("a", **changes)]).by_region[ORD] == RegionCount()


def test_the_machine_this_process_runs_on_counts_nowhere():
    assert viewed(a_pool(), [member("a"), member("me")], own="me").members[0].machine.id == "a"


UNTOUCHABLE = {
    "protected": {"meta": {"autoscaler_protect": "yes"}},
    "leased": {"lease": Lease(owner="flyctl", expires_at=NOW.wall + 5)},
    "updating": {"state": MachineState.UPDATING},
    "replacing": {"state": MachineState.REPLACING},
}


@pytest.mark.parametrize("changes", UNTOUCHABLE.values(), ids=UNTOUCHABLE)
def test_untouchable_machines_of_the_group_count(changes):
    machine = member("a", **changes)
    assert not viewed(a_pool(), [machine]).members[0].touchable
    assert counted(a_pool(), [machine]).by_region[ORD].capacity == 1


@pytest.mark.parametrize("value", ["false", "False", " false "])
def test_protection_that_says_false_protects_nothing(value):
    assert viewed(a_pool(), [member("a", meta={"autoscaler_protect": value})]).members[0].touchable


def test_a_lease_that_has_ended_binds_nobody():
    lease = Lease(owner="flyctl", expires_at=NOW.wall - 1)
    assert viewed(a_pool(), [member("a", lease=lease)]).members[0].touchable


def test_machines_in_regions_that_are_not_named_are_only_told_apart():
    pool = a_pool()
    view = viewed(replace(pool, regions={ORD: pool.regions[ORD]}), [member("a"), member("b", region=AMS)])
    assert [one.machine.id for one in view.members] == ["a"]
    assert [machine.id for machine in view.outside] == ["b"]


def test_a_pool_by_metadata_knows_its_machines_whatever_their_group():
    pool = a_pool(match={"role": "room"})
    room = member("a", group=GroupName("other"), meta={"role": "room"})
    assert [one.machine.id for one in viewed(pool, [room, member("b")]).members] == ["a"]


def test_a_machine_listed_twice_counts_once_by_its_younger_picture():
    old = member("a", STOPPED, updated_at=WALL)
    new = member("a", updated_at=WALL + 60)
    for machines in ([old, new], [new, old]):
        fleet = counted(a_pool(), machines)
        assert fleet.by_region[ORD] == RegionCount(running=1, ready=1, capacity=1)


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        (MachineState.STARTED, RegionCount(running=1, ready=1, capacity=1)),
        (MachineState.STARTING, RegionCount(arriving=1, capacity=1)),
        (MachineState.RESTARTING, RegionCount(arriving=1, capacity=1)),
        (MachineState.REPLACING, RegionCount(arriving=1, capacity=1)),
        (MachineState.UPDATING, RegionCount(arriving=1, capacity=1)),
        (MachineState.STOPPED, RegionCount(stopped=1)),
        (MachineState.SUSPENDED, RegionCount(suspended=1)),
        (MachineState.STOPPING, RegionCount()),
        (MachineState.SUSPENDING, RegionCount()),
        (MachineState.FAILED, RegionCount()),
        (MachineState.CREATED, RegionCount()),
        (MachineState.UNKNOWN, RegionCount()),
    ],
)
def test_states_count_as_the_rules_say(state, expected):
    assert counted(a_pool(), [member("a", state)]).by_region[ORD] == expected


def test_a_new_machine_counts_for_two_minutes():
    young = member("a", MachineState.CREATED, created_at=NOW.wall - 119)
    old = member("a", MachineState.CREATED, created_at=NOW.wall - 121)
    assert counted(a_pool(), [young]).by_region[ORD].capacity == 1
    assert counted(a_pool(), [old]).by_region[ORD].capacity == 0


def test_a_machine_that_a_deploy_made_anew_counts_like_a_new_one():
    young = member("a", MachineState.CREATED, updated_at=NOW.wall - 119)
    assert counted(a_pool(), [young]).by_region[ORD].capacity == 1


def test_a_new_machine_that_we_did_not_launch_does_not_count():
    asleep = member("a", MachineState.CREATED, created_at=NOW.wall, meta={"autoscaler_asleep": "true"})
    assert counted(a_pool(), [asleep]).by_region[ORD].capacity == 0


def test_a_transient_state_counts_for_five_minutes_and_the_stop_timeout():
    starting = member("a", MachineState.STARTING, stop_timeout_s=10.0)
    assert counted(a_pool(), [starting], seen(MachineState.STARTING, ago=309)).by_region[ORD].capacity == 1
    assert counted(a_pool(), [starting], seen(MachineState.STARTING, ago=311)).by_region[ORD].capacity == 0


def test_a_machine_under_deploy_counts_only_if_it_served_before():
    updating = member("a", MachineState.UPDATING)
    stopped_before = seen(MachineState.UPDATING, ago=5, served=False)
    assert counted(a_pool(), [updating], stopped_before).by_region[ORD].capacity == 0


def test_a_machine_on_a_lost_host_counts_for_five_minutes():
    lost = member("a", host=HostStatus.UNREACHABLE)
    for ago, capacity in ((299, 1), (301, 0)):
        ledger = seen(MachineState.STARTED, ago=900, host_lost_since=NOW.mono - ago)
        assert counted(a_pool(), [lost], ledger).by_region[ORD] == RegionCount(
            running=capacity, capacity=capacity
        )


def on_the_way(**changes):
    known = OnTheWay(machine=None, name=MachineName("new"), region=ORD, home=ORD, since=NOW.mono - 5)
    return replace(EMPTY, on_the_way=(replace(known, **changes),))


def test_what_is_on_its_way_counts_once_listed_or_not():
    start = on_the_way(machine=MachineId("a"), name=None)
    assert counted(a_pool(), [member("a", STOPPED)], start).by_region[ORD] == RegionCount(
        arriving=1, capacity=1
    )
    create = on_the_way()
    assert counted(a_pool(), [], create).by_region[ORD] == RegionCount(arriving=1, capacity=1)
    listed = member("a", MachineState.CREATED, name=MachineName("new"), created_at=NOW.wall)
    assert counted(a_pool(), [listed], create).by_region[ORD].capacity == 1


def test_a_machine_started_for_another_region_counts_there_before_a_survey_shows_it():
    ledger = on_the_way(machine=MachineId("a"), name=None, home=FRA)
    counts = counted(a_pool(), [member("a", STOPPED)], ledger).by_region
    assert (counts[FRA].capacity, counts[ORD].capacity, counts[ORD].stopped) == (1, 0, 0)


def test_a_spilled_machine_counts_at_home_and_rests_where_it_lies():
    guest = member("a", region=AMS, meta={"autoscaler_home": "fra"})
    fleet = counted(a_pool(), [guest, replace(guest, id=MachineId("b"), state=STOPPED)])
    assert fleet.by_region[FRA] == RegionCount(running=1, ready=1, capacity=1)
    assert fleet.by_region[AMS] == RegionCount(stopped=1)


def test_a_home_that_the_pool_does_not_name_is_forgotten():
    assert counted(a_pool(), [member("a", meta={"autoscaler_home": "lhr"})]).by_region[ORD].capacity == 1


def test_machines_marked_to_leave_are_part_of_the_capacity():
    draining = member("a", cordoned=True, meta={"autoscaler_draining": str(WALL)})
    doomed = member("b", meta={"autoscaler_doomed": str(WALL)})
    renewed = member("c", meta={"autoscaler_draining": str(WALL), "autoscaler_draining_version": "v0"})
    assert counted(a_pool(), [draining, doomed, renewed]).by_region[ORD] == RegionCount(
        running=3, ready=3, capacity=3, draining=2
    )


def test_critical_machines_run_without_being_ready():
    assert counted(a_pool(), [member("a", critical=True)]).by_region[ORD] == RegionCount(
        running=1, capacity=1
    )


def test_recent_changes_are_handed_to_the_policy():
    change = Change(region=ORD, mono=NOW.mono, machines=2)
    assert counted(a_pool(), [], replace(EMPTY, changes=(change,))).changes == (change,)
