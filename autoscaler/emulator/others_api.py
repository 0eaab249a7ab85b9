"""`/_emulator`: Machines behind the API's back, and everybody else who acts on them.

`GET machines` shows all of them in full, destroyed ones included. `POST machines` seeds more: `app
group regions count state release config age_s` (`config` is laid over a deployed one, null
removes). `POST machines/{id}` changes one: `exit` ({"code", "oom"}), `state` (at once, without an
event), `stuck` (true or false), `checks` (passing, warning, critical or ""), `cordoned`,
`host_status` (of its whole host), `lease` ({"ttl", "owner"}; taken by somebody else).

`POST deploys` begins a deploy: `app group release strategy release_command`; with `every_s` it steps
by itself, otherwise `POST deploys/{id}/step` does one phase. `GET deploys/{id}` shows it.
`POST proxy` lets Fly Proxy look once: `app`, `concurrency` per region.
"""

from collections.abc import Mapping
from typing import Any

from starlette.routing import Route

from autoscaler.emulator import errors, leasing, lifecycle, proxy
from autoscaler.emulator.control import Command, check_regions, control_route
from autoscaler.emulator.deploys import DEPLOYER, Deploy
from autoscaler.emulator.gateway import Gateway
from autoscaler.emulator.json_shapes import Shape
from autoscaler.emulator.record import Json, Machine
from autoscaler.emulator.seeding import seed
from autoscaler.emulator.view import lease_json, machine_json

CHECKS = frozenset({"", "passing", "warning", "critical"})
MOST = 10_000
OLDEST_S = 10 * 365 * 86_400
SEED: Mapping[str, Shape] = {
    "app": "string",
    "group": "string",
    "regions": ["string"],
    "count": "int",
    "state": "string",
    "release": "int",
    "config": "object",
    "age_s": "number",
}
CHANGED: Mapping[str, Shape] = {
    "exit": {"code": "int", "oom": "bool"},
    "state": "string",
    "stuck": "bool",
    "checks": "string",
    "cordoned": "bool",
    "host_status": "string",
    "lease": {"ttl": "number", "owner": "string"},
}
DEPLOY: Mapping[str, Shape] = {
    "app": "string",
    "group": "string",
    "release": "int",
    "strategy": "string",
    "release_command": "bool",
    "every_s": "number",
}
STRATEGIES = frozenset({"rolling", "bluegreen"})


def routes(gateway: Gateway) -> list[Route]:
    """All of them."""
    table = (
        ("GET", "/machines", show_machines),
        ("POST", "/machines", seed_machines),
        ("POST", "/machines/{machine}", change_machine),
        ("POST", "/deploys", begin_deploy),
        ("GET", "/deploys/{deploy:int}", show_deploy),
        ("POST", "/deploys/{deploy:int}/step", step_deploy),
        ("POST", "/proxy", look),
    )
    return [control_route(gateway, method, path, handler) for method, path, handler in table]


def show_machines(command: Command) -> list[Json]:
    """With app, host and lease."""
    return [_in_full(command, machine) for machine in command.world.machines.values()]


def seed_machines(command: Command) -> list[Json]:
    """As an earlier deploy left them."""
    command.only(SEED)
    config = command.world.config
    told = {"app": config.app, "group": config.group, "count": 1, "regions": config.regions, **command.fields}
    if not told["regions"]:
        raise errors.invalid("regions must not be empty")
    check_regions(told["regions"])
    if not 0 <= told["count"] <= MOST:
        raise errors.invalid(f"count must be at most {MOST}")
    if not 0 <= told.get("age_s", 0) <= OLDEST_S:
        raise errors.invalid(f"age_s must be at most {OLDEST_S}, ten years")
    made = seed(command.world, **{**told, "regions": tuple(told["regions"])})
    return [_in_full(command, machine) for machine in made]


def change_machine(command: Command) -> Json:
    """Every field that is given, in the order of the list above."""
    command.only(CHANGED)
    for name, change in CHANGES.items():
        if name in command.fields:
            change(command, command.machine, command.fields[name])
    return _in_full(command, command.machine)


def begin_deploy(command: Command) -> Json:
    """Returns its id."""
    command.only(DEPLOY)
    told, config = command.fields, command.world.config
    strategy = told.get("strategy", "rolling")
    if strategy not in STRATEGIES:
        raise errors.invalid(f"strategy must be one of {', '.join(sorted(STRATEGIES))}")
    every_s = told.get("every_s")
    if every_s is not None and every_s <= 0:
        raise errors.invalid("every_s must be positive; leave it out to step by hand")
    deploy = Deploy(
        world=command.world,
        app=command.app,
        group=told.get("group", config.group),
        release=told.get("release", config.release + 1),
        strategy=strategy,
        release_command=told.get("release_command", False),
    )
    command.gateway.deploys.append(deploy)
    if every_s is not None:
        deploy.run(every_s)
    return _deploy_json(command, deploy)


def show_deploy(command: Command) -> Json:
    """Its phase and those before."""
    return _deploy_json(command, _deploy(command))


def step_deploy(command: Command) -> Json:
    """One phase further, `waiting` when it cannot go on yet."""
    deploy = _deploy(command)
    deploy.step()
    return _deploy_json(command, deploy)


def look(command: Command) -> Json:
    """What the proxy did."""
    command.only({"app": "string", "concurrency": {"*": "number"}})
    concurrency = command.fields.get("concurrency", {})
    check_regions(concurrency)
    acted = proxy.look(command.world, command.app, concurrency)
    return {"actions": [{"action": verb, "machine": machine_id} for verb, machine_id in acted]}


def _in_full(command: Command, machine: Machine) -> Json:
    held = leasing.lease_of(command.world, machine.id)
    lease = lease_json(held) if held else None
    more = {"app": machine.app, "host": machine.host, "stuck": machine.stuck, "lease": lease}
    return machine_json(machine) | {"config": machine.config} | more


def _deploy(command: Command) -> Deploy:
    number = int(command.request.path_params["deploy"])
    if not 1 <= number <= len(command.gateway.deploys):
        raise errors.refusal(404, "deploy not found")
    return command.gateway.deploys[number - 1]


def _deploy_json(command: Command, deploy: Deploy) -> Json:
    number = command.gateway.deploys.index(deploy) + 1
    return {"id": number, "phase": deploy.phase, "phases": deploy.phases}


def _exit(command: Command, machine: Machine, told: Json) -> None:
    lifecycle.end(command.world, machine, int(told.get("code", 0)), oom=bool(told.get("oom")))


def _state(command: Command, machine: Machine, state: str) -> None:
    command.world.move(machine, str(state))


def _stuck(command: Command, machine: Machine, stuck: bool) -> None:
    if stuck:
        command.world.change(machine, stuck=True)
    else:
        command.world.free(machine.id)


def _checks(command: Command, machine: Machine, status: str) -> None:
    if status not in CHECKS:
        raise errors.invalid("checks must be passing, warning, critical or empty")
    command.world.change(machine, checks=status, checked_at=command.world.now)


def _cordoned(command: Command, machine: Machine, cordoned: bool) -> None:
    command.world.change(machine, cordoned=bool(cordoned))


def _host_status(command: Command, machine: Machine, status: str) -> None:
    if status not in {"ok", "unknown", "unreachable"}:
        raise errors.invalid("host_status must be ok, unknown or unreachable")
    command.world.set_hosts({machine.host}, status)


def _lease(command: Command, machine: Machine, told: Json) -> None:
    leasing.acquire(
        command.world,
        machine,
        owner=str(told.get("owner", DEPLOYER)),
        ttl_s=float(told.get("ttl", 30)),
        description="somebody else",
    )


CHANGES: dict[str, Any] = {
    "exit": _exit,
    "state": _state,
    "stuck": _stuck,
    "checks": _checks,
    "cordoned": _cordoned,
    "host_status": _host_status,
    "lease": _lease,
}
