"""Who goes first."""

import math

import pytest

from autoscaler.domain.fleet import HostStatus, Lease, MachineState
from autoscaler.reconcile.victims import choose
from tests.reconcile.fleets import NOW, member, viewed
from tests.reconcile.samples import AMS, WALL, a_pool

LEASE = Lease(owner="flyctl", expires_at=NOW.wall + 9)


def chosen(*machines, surplus=1, desired=0, loads=None, staying=()):
    known = loads or {}
    members = viewed(a_pool(), machines).members
    found = choose(
        members,
        surplus=surplus,
        desired=desired,
        load=lambda one: known.get(one.id, 0.0),
        stays=lambda one: one.id in staying,
    )
    return [one.machine.id for one in found]


DRAINING = member("draining", meta={"autoscaler_draining": str(WALL)})
CRITICAL = member("critical", critical=True)
STARTING = member("starting", MachineState.STARTING)
IDLE = member("idle")
GUEST = member("guest", region=AMS, meta={"autoscaler_home": "ord"})
OLD = member("old", meta={"fly_release_version": "6"})
YOUNG = member("young", created_at=WALL)
AGED = member("aged", created_at=WALL - 1e6)
LOADS = {"guest": 1.0, "old": 1.0, "young": 1.0, "aged": 1.0}


def test_the_order_is_the_one_that_hurts_least():
    machines = [AGED, YOUNG, OLD, GUEST, IDLE, STARTING, CRITICAL, DRAINING]
    order = ["draining", "critical", "starting", "idle", "guest", "old", "young", "aged"]
    assert chosen(*machines, surplus=8, loads=LOADS) == order
    assert chosen(*reversed(machines), surplus=3, loads=LOADS) == order[:3]


def test_unknown_load_is_the_highest():
    assert chosen(member("a"), member("b"), loads={"a": math.inf, "b": 99.0}) == ["b"]


@pytest.mark.parametrize("surplus", [0, -2])
def test_no_surplus_no_victim(surplus):
    assert chosen(member("a"), surplus=surplus) == []


def test_never_so_many_ready_ones_that_too_few_remain():
    assert chosen(member("a"), member("b"), STARTING, surplus=2, desired=1) == ["starting", "a"]
    assert chosen(member("a"), member("b"), CRITICAL, surplus=2, desired=2) == ["critical"]


def test_nobody_leaves_for_a_machine_on_a_lost_host():
    lost = member("lost", host=HostStatus.UNREACHABLE)
    assert chosen(lost, STARTING, surplus=1, desired=1) == []
    assert chosen(lost, STARTING, CRITICAL, surplus=2, desired=1) == ["critical"]
    assert chosen(lost, member("a"), STARTING, surplus=2, desired=1) == ["starting"]


def test_untouchable_machines_are_spared_unless_they_leave_already():
    assert chosen(member("a", lease=LEASE)) == []
    leaving = member("a", lease=LEASE, meta={"autoscaler_doomed": "1"})
    assert chosen(leaving, member("b")) == ["a"]
    protected = member("a", meta={"autoscaler_doomed": "1", "autoscaler_protect": "true"})
    assert chosen(protected, member("b")) == ["b"]


@pytest.mark.parametrize("state", [MachineState.CREATED, MachineState.UPDATING])
def test_machines_that_cannot_be_stopped_are_no_victims(state):
    assert chosen(member("a", state, created_at=NOW.wall)) == []


def test_another_one_goes_in_the_place_of_a_machine_that_stays():
    assert chosen(DRAINING, IDLE, AGED, surplus=2, staying=["draining"]) == ["idle", "aged"]
    assert chosen(IDLE, surplus=1, staying=["idle"]) == []
