"""What was there before the first request."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from autoscaler.emulator.capacity import hosts
from autoscaler.emulator.config import EmulatorConfig
from autoscaler.emulator.launching import enrol
from autoscaler.emulator.machine_config import accepted, deployed
from autoscaler.emulator.record import Json, Machine
from autoscaler.emulator.world import World


def new_world(config: EmulatorConfig, now: float) -> World:
    """A world with the configured app and its Machines."""
    world = World(config, now)
    world.add_app(config.app)
    seed(
        world,
        app=config.app,
        group=config.group,
        regions=config.regions,
        count=config.machines,
        state=config.state,
    )
    return world


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
        machine = enrol(world, app, dict(kept), name=None, region=region, host=host, cordoned=False)
        made.append(_aged(world, machine, state, age_s))
    return made


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
