"""How Machines start, stop, sleep, end and come back, along the platform's documented transitions."""

from dataclasses import replace

from autoscaler.emulator import errors
from autoscaler.emulator.capacity import reserve
from autoscaler.emulator.faults import Kind
from autoscaler.emulator.leasing import fence
from autoscaler.emulator.record import Event, Json, Machine
from autoscaler.emulator.timestamps import rfc3339_ms
from autoscaler.emulator.world import World, reach

RETRY_WINDOW_S = 300.0
SUSPEND_MEMORY_MB = 2048
FATAL = {"SIGABRT": 6, "SIGFPE": 8, "SIGILL": 4, "SIGKILL": 9, "SIGQUIT": 3, "SIGSEGV": 11}
POLITE = frozenset({"SIGINT", "SIGTERM"})
SIGNALS = frozenset({*FATAL, *POLITE, "SIGALRM", "SIGHUP", "SIGPIPE", "SIGTRAP", "SIGUSR1", "SIGUSR2"})


def start(world: World, machine: Machine, *, nonce: str | None = None, source: str = "user") -> Json:
    """Start a stopped, suspended, suspending or failed Machine; a started one stays as it is.

    ApiError 412 in any other state, 409 without room or under somebody's lease.
    """
    before = machine.state
    if machine.live:
        reach(machine)
    fence(world, machine, nonce)
    if before != "started":
        _check_startable(world, machine)
        reserve(world, machine, "start")
        asleep = before in {"suspended", "suspending"}
        begin(world, machine, source, world.config.resume_s if asleep else world.config.boot_s)
    return {"previous_state": before, "migrated": False, "new_host": ""}


def begin(world: World, machine: Machine, source: str, delay_s: float) -> None:
    """starting, and started after the delay."""
    event = world.event("start", "starting", source)
    moved = world.move(machine, "starting", event, checks="")
    world.plan(moved, delay_s, started)


def started(world: World, machine: Machine) -> None:
    """The Machine runs; what is set to crash is given its time."""
    event = world.event("start", "started", "flyd")
    moved = world.move(machine, "started", event, started_at=world.now, checks="")
    if world.config.checks_s > 0:
        world.plan(moved, world.config.checks_s, _checked)
    else:
        _checked(world, moved)
    crash = world.faults.hit(Kind.CRASH, world.facts(moved), world.now)
    if crash:
        fault = crash.fault
        world.plan(
            moved, fault.delay_s, lambda world, machine: end(world, machine, fault.exit_code, oom=fault.oom)
        )


def stop(world: World, machine: Machine, *, nonce: str | None = None, source: str = "user") -> Json:
    """Stop a Machine; a suspended one loses its snapshot, a stopped one stays as it is.

    ApiError 412 from created, failed and the states of replacing; LeaseHeldError under somebody's lease.
    """
    reach(machine)
    fence(world, machine, nonce)
    if machine.state in {"started", "starting", "restarting", "suspending"}:
        event = world.event("stop", "stopping", source, {"reason": ""})
        moved = world.move(machine, "stopping", event, checks="")
        world.plan(moved, world.config.stop_s, _stopped)
    elif machine.state == "suspended":
        world.move(machine, "stopped", world.event("stop", "stopped", source), stopped_at=world.now)
    elif machine.state not in {"stopped", "stopping"}:
        raise errors.precondition(f"unable to stop machine from current state: '{machine.state}'")
    return {"ok": True}


def suspend(world: World, machine: Machine, *, nonce: str | None = None, source: str = "user") -> Json:
    """Freeze a started Machine. ApiError 412 in another state or when its configuration forbids it."""
    reach(machine)
    fence(world, machine, nonce)
    if machine.state in {"suspended", "suspending"}:
        return {"ok": True}
    if machine.state != "started":
        raise errors.precondition(f"unable to suspend machine from current state: '{machine.state}'")
    _check_suspendable(machine.config)
    moved = world.move(machine, "suspending", world.event("suspend", "suspending", source), checks="")
    world.plan(
        moved,
        world.config.suspend_s,
        lambda world, machine: _rest(world, machine, "suspended", "suspend"),
    )
    return {"ok": True}


def restart(world: World, machine: Machine, *, nonce: str | None = None) -> Json:
    """Stop and start again; a stopped Machine is only started. ApiError 412 in another state."""
    reach(machine)
    fence(world, machine, nonce)
    if machine.state == "stopped":
        start(world, machine, nonce=nonce)
    elif machine.state == "started":
        moved = world.move(machine, "restarting", world.event("restart", "restarting", "user"), checks="")
        world.plan(moved, world.config.stop_s + world.config.boot_s, started)
    else:
        raise errors.precondition(f"unable to restart machine from current state: '{machine.state}'")
    return {"ok": True}


def signal(world: World, machine: Machine, name: str) -> Json:
    """Send a signal to the main process: a deadly one ends it, a polite one lets it end with 0.

    ApiError 400 for no signal, 412 unless started. Leases do not fence it.
    """
    reach(machine)
    if name not in SIGNALS:
        raise errors.invalid(f"unknown signal {name!r}")
    if machine.state != "started":
        raise errors.precondition(f"unable to signal machine from current state: '{machine.state}'")
    if name in FATAL:
        end(world, machine, 128 + FATAL[name])
    elif name in POLITE:
        end(world, machine, 0)
    return {"ok": True}


def end(world: World, machine: Machine, code: int, *, oom: bool = False) -> None:
    """The main process ends by itself; the restart policy says what follows. Nothing unless it runs."""
    if machine.state != "started":
        return
    recent = tuple(at for at in machine.restarts if at > world.now - RETRY_WINDOW_S)
    again = _restarts(machine.config.get("restart") or {}, code, oom, len(recent))
    event = _exit_event(world, code, oom=oom, requested=False, restarting=again, count=len(recent) + again)
    if again:
        moved = world.move(machine, "restarting", event, restarts=(*recent, world.now), checks="")
        world.plan(moved, world.config.boot_s, started)
    else:
        _halt(world, machine, event)


def destroy(
    world: World, machine: Machine, *, force: bool = False, nonce: str | None = None, source: str = "user"
) -> Json:
    """Destroy a Machine that does not run, or any with force. ApiError 412 otherwise; LeaseHeldError."""
    reach(machine)
    fence(world, machine, nonce)
    if machine.state == "destroying":
        return {"ok": True}
    if not force and machine.state not in {"stopped", "suspended", "failed", "created", "launch_failed"}:
        raise errors.precondition(
            "unable to destroy machine, not currently stopped, suspended, failed or created"
        )
    _destroying(world, machine, source)
    return {"ok": True}


def destroyed(world: World, machine: Machine) -> None:
    """The Machine is gone; its lease with it, its volumes are let go."""
    moved = world.move(machine, "destroyed", world.event("destroy", "destroyed", "flyd"))
    world.leases.pop(moved.id, None)
    for volume in [volume for volume in world.volumes.values() if volume.machine == moved.id]:
        world.volumes[volume.id] = replace(volume, released_at=world.now)


def halted(world: World, machine: Machine, kind: str = "update") -> None:
    """The Machine rests in `stopped` without having run."""
    _rest(world, machine, "stopped", kind)


def _checked(world: World, machine: Machine) -> None:
    world.change(machine, checks=machine.checks or "passing", checked_at=world.now)


def _stopped(world: World, machine: Machine) -> None:
    _halt(world, machine, _exit_event(world, 0, oom=False, requested=True, restarting=False, count=0))


def _halt(world: World, machine: Machine, event: Event) -> None:
    moved = world.move(machine, "stopped", event, stopped_at=world.now, checks="", restarts=())
    if moved.config.get("auto_destroy"):
        _destroying(world, moved, "flyd")


def _rest(world: World, machine: Machine, state: str, kind: str) -> None:
    world.move(machine, state, world.event(kind, state, "flyd"), checks="")


def _destroying(world: World, machine: Machine, source: str) -> None:
    moved = world.move(machine, "destroying", world.event("destroy", "destroying", source), checks="")
    world.plan(moved, world.config.destroy_s, destroyed)


def _check_startable(world: World, machine: Machine) -> None:
    if machine.state in {"replacing", "updating"}:
        raise errors.precondition("machine getting replaced, refusing to start")
    fresh = machine.stopped_at is not None and world.now < machine.stopped_at + world.config.settle_s
    if machine.state == "stopping" or (machine.state == "stopped" and fresh):
        raise errors.precondition("machine still active, refusing to start")
    if machine.state == "starting":
        raise errors.precondition("machine still attempting to start")
    if machine.state not in {"stopped", "suspended", "suspending", "failed"}:
        raise errors.precondition(f"unable to start machine from current state: '{machine.state}'")


def _check_suspendable(config: Json) -> None:
    guest = config.get("guest") or {}
    obstacles = {
        "machines with more than 2 GB of memory": guest.get("memory_mb", 0) > SUSPEND_MEMORY_MB,
        "machines with swap": bool((config.get("init") or {}).get("swap_size_mb")),
        "scheduled machines": bool(config.get("schedule")),
        "machines with GPUs": bool(guest.get("gpu_kind") or guest.get("gpus")),
    }
    for what, found in obstacles.items():
        if found:
            raise errors.precondition(f"unable to suspend machine: {what} cannot be suspended")


def _restarts(restart: Json, code: int, oom: bool, recent: int) -> bool:
    policy = restart.get("policy") or "on-failure"
    if policy == "on-failure":
        return (code != 0 or oom) and recent < int(restart.get("max_retries") or 10)
    return bool(policy == "always")


def _exit_event(
    world: World, code: int, *, oom: bool, requested: bool, restarting: bool, count: int
) -> Event:
    exit_event = {
        "requested_stop": requested,
        "restarting": restarting,
        "guest_exit_code": 0 if oom else code,
        "guest_signal": -1,
        "guest_error": "",
        "exit_code": 137 if oom else code,
        "signal": -1,
        "error": "",
        "oom_killed": oom,
        "exited_at": rfc3339_ms(world.now),
    }
    status = "restarting" if restarting else "stopped"
    return world.event("exit", status, "flyd", {"exit_event": exit_event, "restart_count": count})
