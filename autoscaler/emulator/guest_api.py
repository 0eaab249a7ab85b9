"""Endpoints that look inside a Machine: processes, commands, memory."""

import re

from starlette.routing import Route

from autoscaler.emulator import errors
from autoscaler.emulator.gateway import Call, Gateway
from autoscaler.emulator.machines_api import MACHINE
from autoscaler.emulator.record import Json, Machine
from autoscaler.emulator.world import reach

MEMORY = MACHINE + "/memory"
USED_SHARE = 0.4
EXIT = re.compile(r"\bexit (\d+)")


def routes(gateway: Gateway) -> list[Route]:
    """All of them."""
    route = gateway.route
    return [
        route("GET", MACHINE + "/ps", "ps", processes),
        route("POST", MACHINE + "/exec", "exec", execute),
        route("GET", MEMORY, "memory_get", memory),
        route("PUT", MEMORY, "memory_set", set_memory),
        route("POST", MEMORY + "/reclaim", "memory_reclaim", reclaim),
    ]


def processes(call: Call) -> list[Json]:
    """The init and the main process of a started Machine."""
    machine = _started(call)
    main = " ".join((machine.config.get("init") or {}).get("cmd") or ["/bin/app"])
    return [
        {"pid": pid, "command": command, "directory": "/", "cpu": 0, "rss": rss, "rtime": 1, "stime": 1}
        | {"listen_sockets": []}
        for pid, command, rss in ((1, "/fly/init", 4096), (300, main, 65536))
    ]


def execute(call: Call) -> Json:
    """Understands echo, true, false and `exit N`; everything else succeeds silently."""
    _started(call)
    words = call.fields.get("command") or str(call.fields.get("cmd", "")).split()
    if not words:
        raise errors.invalid("command is required")
    line = " ".join(words)
    code, stdout = 0, ""
    asked = EXIT.search(line)
    if asked:
        code = int(asked.group(1))
    elif words[0] == "false":
        code = 1
    elif words[0] == "echo":
        stdout = " ".join(words[1:]) + "\n"
    return {"exit_code": code, "exit_signal": 0, "stdout": stdout, "stderr": ""}


def memory(call: Call) -> Json:
    """Limit and what is free of it."""
    return _memory(_started(call))


def set_memory(call: Call) -> Json:
    """Another limit, up to the guest's size. ApiError 400 beyond."""
    machine, limit = _started(call), call.fields.get("limit_mb")
    if not isinstance(limit, int) or not 1 <= limit <= _size(machine):
        raise errors.invalid("limit_mb must be positive and at most the size of the guest")
    return _memory(call.world.change(machine, memory_limit_mb=limit))


def reclaim(call: Call) -> Json:
    """At most what is free."""
    asked = call.fields.get("amount_mb")
    if not isinstance(asked, int) or asked < 0:
        raise errors.invalid("amount_mb must not be negative")
    return {"actual_mb": min(asked, _memory(_started(call))["available_mb"])}


def _started(call: Call) -> Machine:
    machine = call.machine
    reach(machine)
    if machine.state != "started":
        raise errors.precondition(f"machine not running, currently {machine.state}")
    return machine


def _size(machine: Machine) -> int:
    return int((machine.config.get("guest") or {}).get("memory_mb", 256))


def _memory(machine: Machine) -> Json:
    limit = machine.memory_limit_mb or _size(machine)
    return {"limit_mb": limit, "available_mb": max(0, limit - int(_size(machine) * USED_SHARE))}
