"""What a new Machine is copied from, what it inherits, and what it is called."""

import hashlib
from dataclasses import replace
from itertools import islice
from typing import Any

import pytest

from autoscaler.domain.desired import Bounds
from autoscaler.domain.fleet import Exit, HostStatus, Lease, Machine, MachineState
from autoscaler.domain.names import MachineName, PoolName, VolumeId
from autoscaler.domain.pool import Budget, RegionSpec, Schedule
from autoscaler.reconcile.budget import budget, created_recently
from autoscaler.reconcile.naming import free_names, prefix
from autoscaler.reconcile.template import choose, inherit, mount
from tests.reconcile.fleets import CONFIG, NOW, STOPPED, member, viewed
from tests.reconcile.samples import AMS, ORD, POOL, a_pool

CRASH = Exit(at=NOW.wall - 60, code=1)


def chosen(*machines: Machine) -> str | None:
    source = choose(viewed(a_pool(), machines), ORD)
    return None if source is None else source.id


UNFIT = {
    "critical beside a better one": {"critical": True},
    "on a lost host": {"host": HostStatus.UNKNOWN},
    "without its configuration": {"config": None},
    "draining": {"meta": {"autoscaler_draining": "1", "autoscaler_draining_version": "v1"}},
    "doomed": {"meta": {"autoscaler_doomed": "1"}},
    "protected": {"meta": {"autoscaler_protect": "1"}},
    "cordoned": {"cordoned": True},
    "of a bluegreen deploy's past": {"meta": {"fly_bluegreen_deployment_tag": "safe_to_destroy"}},
    "of an old release": {"meta": {"fly_release_version": "6"}},
    "a standby": {"standby": True},
    "stopped beside a ready one": {"state": STOPPED},
}


@pytest.mark.parametrize("changes", UNFIT.values(), ids=UNFIT)
def test_the_template_is_a_ready_machine_of_the_newest_release(changes):
    assert chosen(member("a", **changes), member("z", region=AMS)) == "z"


def test_the_template_is_of_the_same_region_if_possible():
    assert chosen(member("a", region=AMS), member("z")) == "z"


def test_a_leased_machine_may_be_copied():
    assert chosen(member("a", lease=Lease(owner="flyctl", expires_at=NOW.wall + 9))) == "a"


@pytest.mark.parametrize("state", [STOPPED, MachineState.SUSPENDED])
def test_without_a_ready_machine_one_at_rest_will_do_unless_it_crashed(state):
    assert chosen(member("a", state, last_exit=CRASH), member("z", state)) == "z"
    assert chosen(member("a", state, last_exit=CRASH)) is None
    assert chosen(member("a", state, last_exit=replace(CRASH, requested=True))) == "a"


@pytest.mark.parametrize("state", [MachineState.STARTING, MachineState.FAILED, MachineState.CREATED])
def test_machines_in_other_states_are_not_copied(state):
    assert chosen(member("a", state)) is None


def test_the_newest_release_must_be_ready_or_well_at_rest():
    broken = member("b", STOPPED, meta={"fly_release_version": "8"}, last_exit=CRASH)
    assert chosen(member("a"), broken) is None


def test_configurations_are_copied_with_every_field_and_without_old_ties():
    source = member(
        "a",
        config={
            "image": "registry.fly.io/shop:1",
            "env": {"MODE": "worker", "FLY_STANDBY_FOR": "x"},
            "standbys": ["x"],
            "schedule": "hourly",
            "mounts": [{"volume": "vol_a", "name": "data", "path": "/data", "new_field": 1}],
            "field_of_the_future": {"deep": [1, 2]},
            "metadata": {
                "fly_process_group": "app",
                "fly_release_version": "7",
                "fly_bluegreen_deployment_tag": "1700000000",
                "fly_flyctl_bluegreen_launch_id": "l",
                "fly_previous_alloc": "p",
                "autoscaler": "other",
                "autoscaler_home": "lhr",
                "autoscaler_busy_until": "9",
                "role": "worker",
            },
        },
    )
    assert inherit(source, pool=POOL, home=AMS, volume=VolumeId("vol_b")) == {
        "image": "registry.fly.io/shop:1@sha256:aa",
        "env": {"MODE": "worker"},
        "mounts": [{"volume": "vol_b", "name": "data", "path": "/data", "new_field": 1}],
        "field_of_the_future": {"deep": [1, 2]},
        "metadata": {
            "fly_process_group": "app",
            "fly_release_version": "7",
            "fly_bluegreen_deployment_tag": "1700000000",
            "role": "worker",
            "autoscaler": "web",
            "autoscaler_home": "ams",
        },
    }
    assert source.config is not None
    assert source.config["mounts"][0]["volume"] == "vol_a"


def test_a_mount_loses_its_volume_where_none_is_given():
    source = member("a", config={**CONFIG, "mounts": [{"volume": "vol_a", "name": "data"}]})
    assert inherit(source, pool=POOL)["mounts"] == [{"name": "data"}]


@pytest.mark.parametrize("mounts", [None, [], {"a": 1}, [None], ["x"], "data", 1])
def test_a_mount_that_is_none_is_left_as_it_is(mounts: object):
    source = member("a", config={**CONFIG, "mounts": mounts})
    assert mount(source) is None
    assert inherit(source, pool=POOL, volume=VolumeId("vol_b"))["mounts"] == mounts


@pytest.mark.parametrize(
    "config",
    [
        {"image": "x"},
        {"image": "x", "env": None, "metadata": None, "mounts": None},
        {"image": "x", "env": ["A"], "metadata": ["b"], "mounts": "c"},
    ],
)
def test_sparse_configurations_are_copied_too(config):
    copied = inherit(member("a", config=config, image=""), pool=POOL)
    assert (copied["image"], copied["metadata"]) == ("x", {"autoscaler": "web"})


def test_names_tell_pool_and_region_and_fill_the_lowest_gap():
    digest = hashlib.sha256(b"web").hexdigest()[:8]
    taken = {f"as-{digest}-ord-1", f"as-{digest}-ord-3", "something-else"}
    names = list(islice(free_names(PoolName("web"), ORD, taken), 3))
    assert names == [f"as-{digest}-ord-{number}" for number in (2, 4, 5)]


def test_creations_are_counted_from_what_the_platform_lists():
    name = MachineName(f"{prefix(POOL, ORD)}1")
    ours: dict[str, Any] = {"meta": {"autoscaler": POOL}, "name": name}
    machines = (
        member("a", created_at=NOW.wall - 10, **ours),
        member("b", MachineState.DESTROYED, created_at=NOW.wall - 599, **ours),
        member("b", MachineState.DESTROYED, created_at=NOW.wall - 599, **ours),
        member("c", created_at=None, **ours),
        member("d", created_at=NOW.wall - 601, **ours),
        member("e", created_at=NOW.wall - 10, name=name),
        member("f", created_at=NOW.wall - 10, name=name, meta={"autoscaler": "other"}),
        member("somebody's copy", created_at=NOW.wall - 10, meta={"autoscaler": POOL}),
    )
    assert created_recently(a_pool(), machines, NOW) == {"a", "b", "c"}


def test_the_operator_may_set_the_budget():
    assert budget(a_pool(budget=Budget(count=2, window_s=60.0))) == Budget(count=2, window_s=60.0)
    assert budget(a_pool()) == Budget(count=30, window_s=600.0)


def test_what_schedules_may_raise_counts_in_the_budget_also_while_they_do_not():
    regions = {ORD: RegionSpec(bounds=Bounds(min=0, max=8)), AMS: RegionSpec(bounds=Bounds(min=0, max=8))}
    hours = {"start": "0 8 * * *", "end": "0 18 * * *"}
    raised = Schedule(**hours, regions=(ORD,), max=40)
    pool = a_pool(regions=regions, total=None, schedules=(raised,))
    assert (pool.bounds.max, budget(pool).count) == (16, 48)
    assert budget(replace(pool, total=Bounds(min=0, max=20))).count == 20
    both = (raised, Schedule(**hours, max=30))
    assert budget(replace(pool, total=Bounds(min=0, max=20), schedules=both)).count == 30
