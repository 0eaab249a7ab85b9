"""Endpoints of Machines: list, create, get, update, the verbs, events and versions."""

import re

from starlette.responses import Response
from starlette.routing import Route

from autoscaler.emulator import errors, launching, leasing, lifecycle, listing
from autoscaler.emulator.gateway import Call, Gateway
from autoscaler.emulator.record import Json, Machine
from autoscaler.emulator.view import event_json, machine_json
from autoscaler.emulator.world import reach

MACHINES = "/v1/apps/{app}/machines"
MACHINE = MACHINES + "/{machine}"
SIGNAL_NUMBERS = {
    1: "SIGHUP",
    2: "SIGINT",
    3: "SIGQUIT",
    6: "SIGABRT",
    9: "SIGKILL",
    10: "SIGUSR1",
    12: "SIGUSR2",
    15: "SIGTERM",
}
STOP_SIGNALS = frozenset({"SIGHUP", "SIGINT", "SIGQUIT", "SIGKILL", "SIGUSR1", "SIGUSR2", "SIGTERM"})
DURATION = re.compile(r"(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+")
EVENTS_DEFAULT, EVENTS_MOST = 20, 50


def routes(gateway: Gateway) -> list[Route]:
    """All of them."""
    route = gateway.route
    return [
        route("GET", MACHINES, "list", list_machines),
        route("POST", MACHINES, "create", create),
        route("GET", MACHINE, "get", get),
        route("POST", MACHINE, "update", update),
        route("DELETE", MACHINE, "destroy", destroy),
        route("POST", MACHINE + "/start", "start", start),
        route("POST", MACHINE + "/stop", "stop", stop),
        route("POST", MACHINE + "/suspend", "suspend", suspend),
        route("POST", MACHINE + "/restart", "restart", restart),
        route("POST", MACHINE + "/signal", "signal", send_signal),
        route("POST", MACHINE + "/cordon", "cordon", cordon),
        route("POST", MACHINE + "/uncordon", "uncordon", uncordon),
        route("GET", MACHINE + "/events", "events", events),
        route("GET", MACHINE + "/versions", "versions", versions),
    ]


def list_machines(call: Call) -> Response:
    """A bare array, filtered as asked."""
    pairs = tuple(
        (key.removeprefix("metadata."), value)
        for key, value in call.request.query_params.multi_items()
        if key.startswith("metadata.")
    )
    chosen = asked_filter(call, pairs)
    summary, leases = call.flag("summary"), call.flag("include_leases")
    write = call.gateway.writer.write
    shown = listing.machines_of(call.world, call.app, chosen)
    bodies = [write(machine, summary=summary, lease=leases) for machine in shown]
    return Response(b"[" + b",".join(bodies) + b"]", media_type="application/json")


def asked_filter(call: Call, pairs: tuple[tuple[str, str], ...] = ()) -> listing.Filter:
    """The filter in the query."""
    return listing.Filter(
        region=call.param("region"),
        states=frozenset(filter(None, call.param("state").split(","))),
        metadata=pairs,
        include_deleted=call.flag("include_deleted"),
    )


def create(call: Call) -> Json:
    """A new Machine; with `lease_ttl` its nonce comes along."""
    fields, ttl_s = call.fields, _lease_ttl(call)
    machine = launching.create(
        call.world,
        call.app,
        config=fields.get("config"),
        name=fields.get("name") or None,
        region=fields.get("region") or None,
        skip_launch=bool(fields.get("skip_launch")),
        cordoned=bool(fields.get("skip_service_registration")),
    )
    call.concern(machine)
    return _leased(call, machine, ttl_s)


def get(call: Call) -> Json:
    """One Machine, late for callers who do not send back the affinity cookie."""
    machine = call.machine
    if "fly_flaps_affinity" not in call.request.cookies:
        seen = call.world.seen_at(machine.id, call.world.now - call.world.config.get_lag_s)
        if seen is None:
            raise errors.machine_not_found()
        machine = seen
    if not machine.live and call.world.now > machine.updated_at + call.world.config.linger_s:
        raise errors.machine_not_found()
    return machine_json(machine)


def update(call: Call) -> Json:
    """A new version of a Machine."""
    fields, ttl_s = call.fields, _lease_ttl(call)
    machine = launching.update(
        call.world,
        call.machine,
        config=fields.get("config"),
        name=fields.get("name"),
        region=fields.get("region"),
        skip_launch=bool(fields.get("skip_launch")),
        current_version=fields.get("current_version"),
        nonce=call.nonce,
    )
    return _leased(call, machine, ttl_s)


def destroy(call: Call) -> Json:
    """`force` and `kill` mean the same."""
    force = call.flag("force") or call.flag("kill")
    return lifecycle.destroy(call.world, call.machine, force=force, nonce=call.nonce)


def start(call: Call) -> Json:
    """Tells the state before."""
    return lifecycle.start(call.world, call.machine, nonce=call.nonce)


def stop(call: Call) -> Json:
    """Accepts a signal and a timeout in Go's notation, or nanoseconds."""
    fields = call.fields
    if fields.get("signal") not in (None, "", *STOP_SIGNALS):
        raise errors.invalid(f"unknown signal {fields['signal']!r}")
    _check_duration(fields.get("timeout"))
    return lifecycle.stop(call.world, call.machine, nonce=call.nonce)


def suspend(call: Call) -> Json:
    """Freezes the Machine."""
    return lifecycle.suspend(call.world, call.machine, nonce=call.nonce)


def restart(call: Call) -> Json:
    """Stops and starts."""
    _check_duration(call.param("timeout") or None)
    return lifecycle.restart(call.world, call.machine, nonce=call.nonce)


def send_signal(call: Call) -> Json:
    """Takes the name of a signal, or its number."""
    asked = call.fields.get("signal")
    name = SIGNAL_NUMBERS.get(asked, "") if isinstance(asked, int) else str(asked)
    return lifecycle.signal(call.world, call.machine, name)


def cordon(call: Call) -> Json:
    """Out of routing."""
    return _set_cordoned(call, True)


def uncordon(call: Call) -> Json:
    """Back into routing."""
    return _set_cordoned(call, False)


def events(call: Call) -> list[Json]:
    """Newest first."""
    text = call.param("limit", str(EVENTS_DEFAULT))
    limit = int(text) if text.isdecimal() else 0
    if not 1 <= limit <= EVENTS_MOST:
        raise errors.invalid(f"limit must be between 1 and {EVENTS_MOST}")
    return [event_json(event) for event in call.machine.events[:limit]]


def versions(call: Call) -> list[Json]:
    """Newest first."""
    return [{"version": version, "user_config": config} for version, config in call.machine.versions]


def _set_cordoned(call: Call, cordoned: bool) -> Json:
    machine = call.machine
    reach(machine)
    leasing.fence(call.world, machine, call.nonce)
    call.world.change(machine, cordoned=cordoned)
    return {"ok": True}


def _lease_ttl(call: Call) -> int | None:
    """Seconds; judged before there is a Machine that nobody asked for. ApiError 400 below 1."""
    ttl_s = call.fields.get("lease_ttl")
    if not ttl_s:
        return None
    if ttl_s < 0:
        raise errors.invalid("lease_ttl must be positive")
    return int(ttl_s)


def _leased(call: Call, machine: Machine, ttl_s: int | None) -> Json:
    body = machine_json(machine)
    if ttl_s is not None:
        lease = leasing.acquire(call.world, machine, owner=call.owner, ttl_s=ttl_s, nonce=call.nonce)
        body["nonce"] = lease.nonce
    return body


def _check_duration(value: object) -> None:
    if isinstance(value, str) and not DURATION.fullmatch(value):
        raise errors.refusal(400, f"time: invalid duration {value!r}")
