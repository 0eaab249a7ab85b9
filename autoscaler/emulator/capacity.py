"""Where a Machine finds room: regions asked for, hosts in them, and the limits of both."""

from autoscaler.domain.geography import ALIASES, by_distance, is_known
from autoscaler.domain.names import Region
from autoscaler.emulator import errors
from autoscaler.emulator.faults import Facts, Kind
from autoscaler.emulator.record import Machine
from autoscaler.emulator.world import World


def regions_asked(world: World, expression: str | None) -> tuple[Region, ...]:
    """Codes and aliases separated by commas, in order of preference; an alias means near to far.

    Nothing asked means the region nearest to the caller. ApiError 400 for an unknown code.
    """
    wanted: dict[Region, None] = {}
    for part in (expression or world.config.nearest).split(","):
        code = part.strip()
        if code in ALIASES:
            wanted |= dict.fromkeys(by_distance(world.config.nearest, ALIASES[code]))
        elif is_known(code):
            wanted[Region(code)] = None
        else:
            raise errors.invalid(f"region {code} is not available")
    return tuple(wanted)


def place(world: World, app: str, expression: str | None) -> tuple[Region, str]:
    """The region and host for a new Machine. ApiError 422 if every region is full, 409 for a full host."""
    for region in regions_asked(world, expression):
        facts = Facts(operation="create", app=app, region=region)
        if world.faults.hit(Kind.REGION_FULL, facts, world.now) or not region_has_room(world, region):
            continue
        host = _emptiest_host(world, region)
        if host is None:
            continue
        if world.faults.hit(Kind.HOST_FULL, facts, world.now):
            raise errors.host_full_on_create()
        return region, host
    raise errors.region_full()


def reserve(world: World, machine: Machine, operation: str) -> None:
    """Make sure that a Machine that holds no place can have one. ApiError 409 otherwise."""
    full = world.faults.hit(Kind.HOST_FULL, world.facts(machine, operation), world.now)
    if full or (not machine.reserves and not _has_room(world, machine.region, machine.host)):
        raise errors.host_full()


def region_has_room(world: World, region: str) -> bool:
    """Whether the region can hold one more Machine that is not stopped."""
    return room_in(world, region) > 0


def room_in(world: World, region: str) -> float:
    """How many more Machines the region can hold; may be infinite."""
    limit = world.config.region_capacity.get(Region(region))
    in_region = float("inf") if limit is None else limit - world.reserved.get(region, 0)
    if world.config.host_capacity is None:
        return in_region
    on_hosts = sum(
        max(0, world.config.host_capacity - world.reserved.get(host, 0)) for host in hosts(world, region)
    )
    return min(in_region, on_hosts)


def host_has_room(world: World, host: str) -> bool:
    """Whether the host can hold one more Machine that is not stopped."""
    limit = world.config.host_capacity
    return limit is None or world.reserved.get(host, 0) < limit


def hosts(world: World, region: str) -> list[str]:
    """The hosts of a region."""
    return [f"{region}-{number:02x}" for number in range(world.config.hosts_per_region)]


def _emptiest_host(world: World, region: str) -> str | None:
    open_hosts = [host for host in hosts(world, region) if host_has_room(world, host)]
    return min(open_hosts, key=lambda host: (world.reserved.get(host, 0), host), default=None)


def _has_room(world: World, region: str, host: str) -> bool:
    return region_has_room(world, region) and host_has_room(world, host)
