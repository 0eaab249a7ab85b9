"""How Machines come to be, and how an update makes new versions of them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from autoscaler.emulator import errors, lifecycle, volumes
from autoscaler.emulator.capacity import hosts, place, reserve
from autoscaler.emulator.faults import Kind
from autoscaler.emulator.leasing import fence
from autoscaler.emulator.machine_config import accepted, deployed, image_ref
from autoscaler.emulator.record import Json, Machine
from autoscaler.emulator.world import World

VERSIONS_KEPT = 20


def create(
    world: World,
    app: str,
    *,
    config: object,
    name: str | None = None,
    region: str | None = None,
    skip_launch: bool = False,
    cordoned: bool = False,
) -> Machine:
    """A new Machine, in state created and on its way to started (or stopped, with skip_launch).

    ApiError 400 for a configuration that cannot run, 409 for a name in use or a full host, 412 for a
    volume that cannot be attached, 422 when every region asked for is full.
    """
    world.app(app)
    kept = accepted(config)
    taken = world.named(app, name) if name else None
    if taken is not None:
        raise errors.name_taken(taken.id, taken.name)
    volume = volumes.claimable(world, app, kept, region)
    where, host = (volume.region, volume.host) if volume else place(world, app, region)
    machine = _new(world, app, kept, name=name, region=where, host=host, cordoned=cordoned)
    if volume:
        volumes.attach(world, volume, machine)
    if skip_launch or kept.get("standbys"):
        world.plan(machine, world.config.image_prep_s, _prepared)
    else:
        world.plan(machine, world.config.create_s, _launched)
    return world.machines[machine.id]


def update(
    world: World,
    machine: Machine,
    *,
    config: object,
    name: str | None = None,
    region: str | None = None,
    skip_launch: bool = False,
    current_version: str | None = None,
    nonce: str | None = None,
) -> Machine:
    """Replace the whole configuration: a new instance_id, and started afterwards unless skip_launch.

    ApiError 400 for a change of name, region or volume, 409 during another update, on a full host or
    under somebody's lease, 412 when `current_version` is no longer the current one.
    """
    lifecycle.reach(machine)
    fence(world, machine, nonce)
    if machine.state in {"replacing", "updating"}:
        raise errors.refusal(409, "aborted: machine update failed due to concurrent update")
    if machine.state not in {"created", "started", "stopped", "suspended", "failed"}:
        raise errors.precondition(f"unable to update machine from current state: '{machine.state}'")
    if current_version and current_version != machine.instance_id:
        raise errors.precondition("machine version does not match the current version")
    kept = accepted(config)
    _check_immutable(machine, kept, name, region)
    if not skip_launch:
        reserve(world, machine, "update")
    version = world.ids.ulid()
    moved = world.move(
        machine,
        "replacing",
        world.event("update", "replacing", "user"),
        config=kept,
        image_ref=image_ref(kept["image"]),
        instance_id=version,
        versions=((version, kept), *machine.versions)[:VERSIONS_KEPT],
        checks="",
    )
    world.plan(moved, world.config.update_s, lifecycle.halted if skip_launch else _relaunched)
    return moved


def seed(
    world: World,
    *,
    app: str,
    group: str,
    regions: tuple[str, ...],
    count: int,
    state: str = "stopped",
    release: int | None = None,
    config: Mapping[str, Any] | None = None,
    age_s: float = 3600.0,
) -> list[Machine]:
    """Machines as an earlier deploy left them, dealt to the regions in turn, already in `state`."""
    if app not in world.apps:
        world.add_app(app)
    base = deployed(
        app=app,
        group=group,
        release=world.config.release if release is None else release,
        guest=dict(world.config.guest),
        primary_region=regions[0],
        services=world.config.services,
    )
    kept = accepted(_overlay(base, {**world.config.machine_config, **(config or {})}))
    made = []
    for number in range(count):
        region = regions[number % len(regions)]
        rack = hosts(world, region)
        host = rack[number // len(regions) % len(rack)]
        machine = _new(world, app, dict(kept), name=None, region=region, host=host, cordoned=False)
        made.append(_aged(world, machine, state, age_s))
    return made


def _new(
    world: World, app: str, config: Json, *, name: str | None, region: str, host: str, cordoned: bool
) -> Machine:
    version = world.ids.ulid()
    machine = Machine(
        id=world.ids.machine(),
        app=app,
        name=name or world.ids.name(),
        region=region,
        host=host,
        state="created",
        config=config,
        image_ref=image_ref(config["image"]),
        instance_id=version,
        private_ip=world.ids.address(),
        created_at=world.now,
        updated_at=world.now,
        cordoned=cordoned,
        versions=((version, config),),
        events=(world.event("launch", "created", "user"), world.event("launch", "pending", "flyd")),
    )
    stuck = world.faults.hit(Kind.STUCK, world.facts(machine, "create"), world.now)
    return world.put(replace(machine, stuck=True) if stuck else machine)


def _aged(world: World, machine: Machine, state: str, age_s: float) -> Machine:
    begun = world.now - age_s
    running = state == "started"
    story = {"started": ("start", "started"), "stopped": ("exit", "stopped"), "suspended": ("suspend",) * 2}
    kind, status = story.get(state, ("launch", "created"))
    last = replace(world.event(kind, status if state != "suspended" else "suspended", "flyd"), at=begun)
    events = tuple(replace(event, at=begun) for event in machine.events)
    return world.put(
        replace(
            machine,
            state=state,
            created_at=begun,
            updated_at=begun,
            events=events if state == "created" else (last, *events),
            generation=1,
            started_at=begun if running else None,
            stopped_at=None if running else begun,
            checks="passing" if running else "",
            checked_at=begun,
        )
    )


def _launched(world: World, machine: Machine) -> None:
    if world.faults.hit(Kind.LAUNCH_FAILED, world.facts(machine), world.now):
        failed = world.move(machine, "launch_failed", world.event("launch", "launch_failed", "flyd"))
        world.plan(failed, world.config.destroy_s, lifecycle.destroyed)
    else:
        lifecycle.begin(world, machine, "flyd", world.config.boot_s)


def _prepared(world: World, machine: Machine) -> None:
    lifecycle.halted(world, machine, "launch")


def _relaunched(world: World, machine: Machine) -> None:
    lifecycle.begin(world, machine, "flyd", world.config.boot_s)


def _check_immutable(machine: Machine, config: Json, name: str | None, region: str | None) -> None:
    if name and name != machine.name:
        raise errors.invalid("the name of a machine cannot be changed")
    if region and region != machine.region:
        raise errors.invalid("the region of a machine cannot be changed")
    if volumes.mounted(config) != volumes.mounted(machine.config):
        raise errors.invalid("the volume of a machine cannot be changed")


def _overlay(base: Json, over: Mapping[str, Any]) -> Json:
    """Maps are merged, everything else is replaced; None removes."""
    merged = dict(base)
    for key, value in over.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, Mapping) and isinstance(merged.get(key), dict):
            merged[key] = _overlay(merged[key], value)
        else:
            merged[key] = value
    return merged
