"""Disks: pinned to a host, held by at most one Machine, kept when it goes."""

from dataclasses import replace

from autoscaler.domain.names import Region
from autoscaler.emulator import errors
from autoscaler.emulator.capacity import host_has_room, hosts, regions_asked
from autoscaler.emulator.ids import digest
from autoscaler.emulator.record import Json, Machine, Volume
from autoscaler.emulator.timestamps import rfc3339_ms
from autoscaler.emulator.world import World

KEPT_SETTINGS = ("encrypted", "fstype", "snapshot_retention", "auto_backup_enabled")
CONFIGURABLE = ("snapshot_retention", "auto_backup_enabled")
DEFAULTS: Json = {"encrypted": True, "fstype": "ext4", "snapshot_retention": 5, "auto_backup_enabled": True}


def mounted(config: Json) -> str | None:
    """The id of the volume a configuration mounts."""
    mounts = config.get("mounts") or []
    return mounts[0].get("volume") if mounts else None


def holder(world: World, volume: Volume) -> str | None:
    """The Machine that holds it; one that was destroyed still does for a while."""
    if volume.released_at is not None and world.now >= volume.released_at + world.config.detach_s:
        return None
    return volume.machine


def volume_of(world: World, app: str, volume_id: str) -> Volume:
    """The volume of this id. ApiError 404 otherwise."""
    found = world.volumes.get(volume_id)
    if found is None or found.app != app:
        raise errors.refusal(404, "volume not found")
    return found


def claimable(world: World, app: str, config: Json, region: str | None) -> Volume | None:
    """The volume a new Machine wants, if any. ApiError 400, 404 or 412 when it cannot have it."""
    mounts = config.get("mounts") or []
    if not mounts:
        return None
    if len(mounts) > 1 or not mounts[0].get("volume"):
        raise errors.invalid("config.mounts must name exactly one volume")
    volume = volume_of(world, app, mounts[0]["volume"])
    if region and volume.region not in regions_asked(world, region):
        raise errors.invalid(f"volume {volume.id} is in region {volume.region}")
    taken = holder(world, volume)
    if taken is not None:
        raise errors.precondition(f"volume already claimed by machine {taken}")
    if not host_has_room(world, volume.host):
        raise errors.volume_host_full(volume.id)
    return volume


def attach(world: World, volume: Volume, machine: Machine) -> None:
    """Give the volume to the Machine."""
    world.volumes[volume.id] = replace(volume, machine=machine.id, released_at=None)


def create(world: World, app: str, body: Json) -> Volume:
    """A new volume. ApiError 400 without a name or for an unknown region."""
    world.app(app)
    name = body.get("name")
    if not isinstance(name, str) or not name:
        raise errors.invalid("volume name is required")
    region = regions_asked(world, body.get("region"))[0]
    volume = Volume(
        id=world.ids.volume(),
        app=app,
        name=name,
        region=region,
        host=_host_for(world, app, name, region, unique=body.get("require_unique_zone", True)),
        size_gb=_size(body.get("size_gb", 3)),
        created_at=world.now,
        settings={key: body.get(key, DEFAULTS[key]) for key in KEPT_SETTINGS},
    )
    world.volumes[volume.id] = volume
    return volume


def extend(world: World, volume: Volume, size_gb: object) -> Volume:
    """Make it larger. ApiError 400 for a size that is not."""
    larger = _size(size_gb)
    if larger <= volume.size_gb:
        raise errors.invalid("size_gb must be greater than the current size")
    world.volumes[volume.id] = replace(volume, size_gb=larger)
    return world.volumes[volume.id]


def destroy(world: World, volume: Volume) -> Volume:
    """Schedule its end. ApiError 412 while a Machine holds it."""
    taken = holder(world, volume)
    if taken is not None:
        raise errors.precondition(f"volume is currently bound to machine {taken}")
    world.volumes[volume.id] = replace(volume, state="scheduling_destroy")
    return world.volumes[volume.id]


def configure(world: World, volume: Volume, settings: Json) -> Volume:
    """Change how often it is saved and for how long."""
    wanted: Json = {key: settings[key] for key in CONFIGURABLE if key in settings}
    world.volumes[volume.id] = replace(volume, settings={**volume.settings, **wanted})
    return world.volumes[volume.id]


def snapshot(world: World, volume: Volume) -> None:
    """Save it."""
    name = f"vs_{world.ids.app()}"
    saved = {
        "id": name,
        "created_at": rfc3339_ms(world.now),
        "digest": digest(name),
        "size": 4096,
        "volume_size": volume.size_gb * 1024**3,
        "status": "created",
        "retention_days": volume.settings.get("snapshot_retention", 5),
    }
    world.volumes[volume.id] = replace(volume, snapshots=(*volume.snapshots, saved))


def of_app(world: World, app: str) -> list[Volume]:
    """The app's volumes, oldest first."""
    return [volume for volume in world.volumes.values() if volume.app == app]


def _size(size_gb: object) -> int:
    if not isinstance(size_gb, int) or not 1 <= size_gb <= 500:
        raise errors.invalid("size_gb must be between 1 and 500")
    return size_gb


def _host_for(world: World, app: str, name: str, region: Region, *, unique: bool) -> str:
    """The host with the fewest volumes of this name; without `unique` the first one will do."""
    used = [volume.host for volume in of_app(world, app) if volume.name == name]
    rack = hosts(world, region)
    return min(rack, key=lambda host: (used.count(host), host)) if unique else rack[0]
