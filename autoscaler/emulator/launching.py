"""How Machines come to be, and how an update makes new versions of them."""

from dataclasses import replace

from autoscaler.emulator import errors, lifecycle, volumes
from autoscaler.emulator.capacity import place, reserve
from autoscaler.emulator.faults import Kind
from autoscaler.emulator.leasing import fence
from autoscaler.emulator.machine_config import accepted, image_ref
from autoscaler.emulator.record import Json, Machine
from autoscaler.emulator.world import World, reach

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
    machine = enrol(world, app, kept, name=name, region=where, host=host, cordoned=cordoned)
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
    reach(machine)
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


def enrol(
    world: World, app: str, config: Json, *, name: str | None, region: str, host: str, cordoned: bool
) -> Machine:
    """A Machine in state created, with nothing planned for it."""
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
