"""What lists show: filtered, possibly behind the truth, and lying where a fault says so."""

import base64
import binascii
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from autoscaler.emulator import errors
from autoscaler.emulator.faults import Injected, Kind
from autoscaler.emulator.record import Machine
from autoscaler.emulator.timestamps import rfc3339_ms
from autoscaler.emulator.world import World

PAGE = 1000
LIES = (Kind.EMPTY_LIST, Kind.PARTIAL_LIST, Kind.STALE_LIST, Kind.DUPLICATE_LIST)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Which Machines are asked for; empty means any. `metadata` pairs must all match."""

    region: str = ""
    states: frozenset[str] = frozenset()
    metadata: tuple[tuple[str, str], ...] = ()
    include_deleted: bool = False

    def admits(self, machine: Machine) -> bool:
        """Whether the Machine is one of those."""
        return (
            self.region in ("", machine.region)
            and (not self.states or machine.state in self.states)
            and (machine.live or self.include_deleted or "destroyed" in self.states)
            and all(machine.metadata.get(key) == value for key, value in self.metadata)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page of the organization's list, with where to go on from; `error_regions` are missing from it."""

    machines: list[Machine]
    next_cursor: str = ""
    error_regions: list[str] = field(default_factory=list)


def machines_of(world: World, app: str, chosen: Filter) -> list[Machine]:
    """The app's Machines as a list call sees them now."""
    lies = _lies(world, app)
    at = world.now - world.config.list_lag_s
    shown: list[Machine] = []
    for machine_id in world.app_machines.get(app, ()):
        shown.extend(_shown(world, machine_id, at, lies))
    return [machine for machine in shown if chosen.admits(machine)]


def org_page(
    world: World, org: str, chosen: Filter, *, updated_after: float | None, cursor: str, limit: int
) -> Page:
    """The organization's Machines, oldest change first. ApiError 400 for a cursor of somebody else."""
    failed = {
        injected.fault.region
        for injected in world.faults
        if injected.fault.kind is Kind.ERROR_REGION and world.faults.strike(injected, world.now)
    }
    at = world.now - world.config.list_lag_s
    after = _decode(cursor) if cursor else ("" if updated_after is None else rfc3339_ms(updated_after))
    rows = {
        f"{rfc3339_ms(machine.updated_at)} {machine.id}": machine
        for machine in _known(world, org, at)
        if machine.region not in failed and chosen.admits(machine)
    }
    rest = [(key, rows[key]) for key in sorted(rows) if key > after]
    page, more = rest[:limit], len(rest) > limit
    return Page(
        machines=[machine for _, machine in page],
        next_cursor=_encode(page[-1][0]) if more else "",
        error_regions=sorted(failed),
    )


def _known(world: World, org: str, at: float) -> Iterator[Machine]:
    for app in world.apps.values():
        if app.org == org:
            for machine_id in world.app_machines[app.name]:
                seen = world.seen_at(machine_id, at)
                if seen is not None:
                    yield seen


def _lies(world: World, app: str) -> list[Injected]:
    """Every lie told about this list, each used up once for the whole call."""
    return [
        injected
        for injected in world.faults
        if injected.fault.kind in LIES
        and injected.fault.operation in ("", "list")
        and injected.fault.app in ("", app)
        and world.faults.strike(injected, world.now)
    ]


def _shown(world: World, machine_id: str, at: float, lies: Iterable[Injected]) -> list[Machine]:
    """The Machine none, one or several times."""
    seen = world.seen_at(machine_id, at)
    copies = 1
    for injected in lies:
        fault = injected.fault
        if not fault.concerns(world.facts(seen or world.machines[machine_id], fault.operation)):
            continue
        if fault.kind is Kind.STALE_LIST:
            seen = world.seen_at(machine_id, world.now - fault.delay_s if fault.delay_s else injected.since)
        elif fault.kind is Kind.DUPLICATE_LIST:
            copies = 2
        elif fault.kind is Kind.EMPTY_LIST or world.faults.random.random() >= fault.share:
            return []
    return [] if seen is None else [seen] * copies


def _encode(key: str) -> str:
    return base64.urlsafe_b64encode(key.encode()).decode()


def _decode(cursor: str) -> str:
    try:
        return base64.b64decode(cursor.encode(), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise errors.invalid("cursor is not one of ours") from error
