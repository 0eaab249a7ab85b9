"""Which Machine a new one is copied from, and what of its configuration is not inherited."""

import copy
from collections.abc import Iterable, Mapping
from typing import Any

from autoscaler.domain.fleet import HostStatus, Machine
from autoscaler.domain.names import PoolName, Region, VolumeId
from autoscaler.reconcile import marks
from autoscaler.reconcile.counting import HALTED, Member, PoolView
from autoscaler.reconcile.deploys import BLUEGREEN_TAG, newest_release, release

NOT_INHERITED = ("standbys", "schedule")
NOT_INHERITED_ENV = "FLY_STANDBY_FOR"
NOT_INHERITED_METADATA = frozenset({"fly_flyctl_bluegreen_launch_id", "fly_previous_alloc"})


def choose(view: PoolView, region: Region) -> Machine | None:
    """The Machine to copy for `region`: of the newest release, ready if any is, of the region if any is.

    Else a stopped or suspended one that did not crash; None where the group has nothing fit to be copied.
    """
    newest = newest_release(view.group)
    fit = [member.machine for member in view.members if _fit(member, newest)]
    ready = [machine for machine in fit if machine.ready]
    resting = [machine for machine in fit if _rests_well(machine)]
    return min(ready or resting, key=lambda machine: (machine.region != region, machine.id), default=None)


def _fit(member: Member, newest: int) -> bool:
    machine = member.machine
    return (
        machine.host is HostStatus.OK
        and bool(machine.config)
        and not machine.cordoned
        and not marks.leaving(machine)
        and not marks.protected(machine)
        and machine.metadata.get(BLUEGREEN_TAG) != "safe_to_destroy"
        and release(machine) == newest
    )


def _rests_well(machine: Machine) -> bool:
    return machine.state in HALTED and not machine.crashed


def mount(machine: Machine) -> Mapping[str, Any] | None:
    """The volume mount of a Machine, None without any. The platform allows one."""
    return next(iter(_mounts(machine.config or {})), None)


def mounted(machines: Iterable[Machine]) -> frozenset[VolumeId]:
    """The volumes that Machines mount."""
    mounts = map(mount, machines)
    return frozenset(VolumeId(str(found.get("volume"))) for found in mounts if found is not None)


def inherit(
    machine: Machine,
    *,
    pool: PoolName,
    home: Region | None = None,
    asleep: bool = False,
    volume: VolumeId | None = None,
) -> dict[str, Any]:
    """The configuration of a new Machine: the other one's, field by field, known to us or not.

    Not inherited is what ties it to another Machine or to a deploy of the past. `home` is named where it
    is not the region it runs in; `volume` is the one to mount.
    """
    config = copy.deepcopy(dict(machine.config or {}))
    for key in NOT_INHERITED:
        config.pop(key, None)
    if isinstance(config.get("env"), dict):
        config["env"].pop(NOT_INHERITED_ENV, None)
    for entry in _mounts(config):
        entry.pop("volume", None)
        if volume is not None:
            entry["volume"] = volume
    config["metadata"] = _metadata(config.get("metadata"), pool=pool, home=home, asleep=asleep)
    if machine.image:
        config["image"] = machine.image
    return config


def _mounts(config: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The mounts in a configuration, as far as they are any."""
    mounts = config.get("mounts")
    return [entry for entry in mounts if isinstance(entry, dict)] if isinstance(mounts, list) else []


def _metadata(inherited: object, *, pool: PoolName, home: Region | None, asleep: bool) -> dict[str, str]:
    kept = {
        key: value
        for key, value in (inherited.items() if isinstance(inherited, dict) else ())
        if key not in NOT_INHERITED_METADATA and not key.startswith(marks.PREFIX)
    }
    return (
        kept
        | {marks.POOL: pool}
        | ({marks.HOME: home} if home is not None else {})
        | ({marks.ASLEEP: "true"} if asleep else {})
    )
