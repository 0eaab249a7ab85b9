"""Endpoints of leases and metadata, and the one that waits."""

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from autoscaler.emulator import errors, leasing, metadata
from autoscaler.emulator.gateway import Call, Gateway
from autoscaler.emulator.machines_api import MACHINE
from autoscaler.emulator.record import Json, Lease
from autoscaler.emulator.view import lease_json

LEASE = MACHINE + "/lease"
METADATA = MACHINE + "/metadata"
WAITABLE = frozenset({"started", "stopped", "suspended", "destroyed", "failed", "settled"})
SETTLED = frozenset({"started", "stopped", "suspended", "destroyed", "failed"})
WAIT_STEP_S = 0.05
BOUNDS = "invalid WaitMachineRequest.Timeout: value must be inside range [1s, 1m0s]"


def routes(gateway: Gateway) -> list[Route]:
    """All of them."""
    route = gateway.route
    return [
        route("POST", LEASE, "lease_acquire", acquire),
        route("GET", LEASE, "lease_get", get_lease),
        route("DELETE", LEASE, "lease_release", release),
        route("GET", METADATA, "metadata_list", list_metadata),
        route("PUT", METADATA, "metadata_replace", replace_metadata),
        route("PATCH", METADATA, "metadata_merge", merge_metadata),
        route("GET", METADATA + "/{key}", "metadata_get", get_metadata),
        route("POST", METADATA + "/{key}", "metadata_set", set_metadata),
        route("DELETE", METADATA + "/{key}", "metadata_delete", delete_metadata),
        route("GET", MACHINE + "/wait", "wait", wait),
    ]


def acquire(call: Call) -> Response:
    """Takes or refreshes a lease; `ttl` in the query or in the body, in seconds."""
    text = call.param("ttl") or call.fields.get("ttl")
    try:
        ttl = int(text) if text is not None else None
    except ValueError as error:
        raise errors.invalid("ttl must be a number of seconds") from error
    lease = leasing.acquire(
        call.world,
        call.machine,
        owner=call.owner,
        ttl_s=ttl,
        description=str(call.fields.get("description", "")),
        nonce=call.nonce,
    )
    return JSONResponse(_envelope(lease), status_code=201)


def get_lease(call: Call) -> Json:
    """Shows the lease, nonce and all."""
    lease = leasing.lease_of(call.world, call.machine.id)
    if lease is None:
        raise leasing.not_found()
    return _envelope(lease)


def release(call: Call) -> Json:
    """Gives the lease back."""
    leasing.release(call.world, call.machine, call.nonce)
    return {"status": "success", "data": {"ok": True}}


def list_metadata(call: Call) -> Json:
    """All pairs."""
    return dict(call.machine.metadata)


def get_metadata(call: Call) -> Json:
    """One value."""
    return {"value": metadata.read(call.machine, call.request.path_params["key"])}


def set_metadata(call: Call) -> Response:
    """Sets one value."""
    metadata.write(call.world, call.machine, call.request.path_params["key"], call.fields.get("value"))
    return Response(status_code=204)


def delete_metadata(call: Call) -> Response:
    """Removes one key."""
    metadata.remove(call.world, call.machine, call.request.path_params["key"])
    return Response(status_code=204)


def replace_metadata(call: Call) -> Response:
    """Replaces all pairs."""
    fields = call.fields
    metadata.replace_all(call.world, call.machine, fields.get("metadata"), fields.get("machine_version"))
    return Response(status_code=204)


def merge_metadata(call: Call) -> Response:
    """Sets and removes several keys."""
    fields = call.fields
    metadata.merge(call.world, call.machine, fields.get("metadata"), fields.get("machine_version"))
    return Response(status_code=204)


async def wait(call: Call) -> Json:
    """Answers once the Machine is in one of the states asked for. ApiError 408 if it does not get there."""
    wanted = _wanted(call)
    timeout = call.param("timeout", "60").removesuffix("s")
    if not timeout.isdecimal() or not 1 <= int(timeout) <= 60:
        raise errors.invalid(BOUNDS)
    version = call.param("version") or call.param("instance_id")
    deadline = call.gateway.clock.now() + int(timeout)
    while True:
        machine = call.machine
        if version and version not in {known for known, _ in machine.versions}:
            raise errors.refusal(404, "machine version not found")
        if version and machine.live and version != machine.instance_id:
            raise errors.refusal(400, f"aborted: machine was replaced by version {machine.instance_id}")
        if machine.state in wanted:
            newest = machine.events[0].id if machine.events else ""
            return {"ok": True, "state": machine.state, "version": machine.instance_id, "event_id": newest}
        if call.gateway.clock.now() >= deadline:
            text = (
                "deadline_exceeded: machine failed to reach desired state, "
                f"{call.param('state', 'started')}, currently {machine.state}"
            )
            raise errors.refusal(408, text)
        await call.gateway.pause(min(WAIT_STEP_S, max(deadline - call.gateway.clock.now(), 1e-3)))


def _wanted(call: Call) -> frozenset[str]:
    asked = [state for text in call.request.query_params.getlist("state") for state in text.split(",")]
    unknown = sorted(set(asked) - WAITABLE)
    if unknown:
        raise errors.invalid(f"invalid WaitMachineRequest.State: {unknown[0]}")
    states = frozenset(asked) or frozenset({"started"})
    return states | SETTLED if "settled" in states else states


def _envelope(lease: Lease) -> Json:
    return {"status": "success", "data": lease_json(lease)}
