"""Fly Proxy: starts Machines that have services when there is traffic, and stops them one by one when not."""

from collections.abc import Mapping

from autoscaler.emulator import lifecycle
from autoscaler.emulator.errors import ApiError
from autoscaler.emulator.record import Json, Machine
from autoscaler.emulator.world import World

SOFT_LIMIT = 20
VERBS = {"start": lifecycle.start, "stop": lifecycle.stop, "suspend": lifecycle.suspend}


def look(world: World, app: str, concurrency: Mapping[str, float]) -> list[tuple[str, str]]:
    """One look at an app: the verbs and Machine ids of what the proxy did.

    `concurrency` is each region's requests under way, spread evenly over what runs. Per region one
    Machine starts when all running ones are above their soft limit, or one superfluous stops.
    Leases are respected: a held Machine is left alone.
    """
    acted = []
    for region in sorted({machine.region for machine in world.of_app(app)}):
        choice = _choice(world, app, region, concurrency.get(region, 0.0))
        if choice is None:
            continue
        verb, machine = choice
        try:
            VERBS[verb](world, machine, source="proxy")
        except ApiError:
            continue
        acted.append((verb, machine.id))
    return acted


def _choice(world: World, app: str, region: str, load: float) -> tuple[str, Machine] | None:
    served = [m for m in world.of_app(app) if m.region == region and _service(m) and not m.cordoned]
    running = [machine for machine in served if machine.state == "started"]
    asleep = [machine for machine in served if machine.state in {"stopped", "suspended"}]
    soft = _soft_limit(served[0]) if served else SOFT_LIMIT
    crowded = load > 0 and load > soft * len(running)
    if crowded:
        ready = [machine for machine in asleep if _service(machine).get("autostart")]
        return ("start", ready[0]) if ready else None
    superfluous = len(running) - 1 if load > 0 else len(running)
    if superfluous < 1 or len(running) <= _least(running[-1], region):
        return None
    autostop = _service(running[-1]).get("autostop")
    return ("suspend" if autostop == "suspend" else "stop", running[-1]) if autostop else None


def _least(machine: Machine, region: str) -> int:
    """`min_machines_running` counts in the primary region only."""
    primary = (machine.config.get("env") or {}).get("PRIMARY_REGION")
    return int(_service(machine).get("min_machines_running") or 0) if region == primary else 0


def _soft_limit(machine: Machine) -> int:
    return int((_service(machine).get("concurrency") or {}).get("soft_limit") or SOFT_LIMIT)


def _service(machine: Machine) -> Json:
    services = machine.config.get("services") or [{}]
    first: Json = services[0]
    return first
