"""Every request we make of the Machines API: the only place that knows its paths."""

from collections.abc import Mapping
from urllib.parse import quote

from autoscaler.adapters.http.exchange import Call
from autoscaler.domain.names import AppName, MachineId
from autoscaler.domain.plan import (
    Action,
    Cordon,
    Create,
    CreateVolume,
    Destroy,
    DestroyVolume,
    Mark,
    Start,
    Stop,
    Suspend,
    Uncordon,
)

READ_TIMEOUT_S = 20.0
WRITE_TIMEOUT_S = 30.0
LEASE_TTL_S = 20
LEASED_TIMEOUT_S = 15.0
"""What is done under a lease must be over before the lease is."""
LEASE_TIMEOUT_S = 5.0
NONCE_HEADER = "fly-machine-lease-nonce"
_VERBS: Mapping[type[Action], str] = {
    Start: "start",
    Stop: "stop",
    Suspend: "suspend",
    Cordon: "cordon",
    Uncordon: "uncordon",
}


def list_machines(app: AppName, *, include_deleted: bool) -> Call:
    """Every Machine with its lease; never `summary`, which would omit configurations and events."""
    params = {"include_leases": "true"} | ({"include_deleted": "true"} if include_deleted else {})
    return _get("list", f"{_app(app)}/machines", params)


def get_machine(app: AppName, machine: MachineId) -> Call:
    """One Machine."""
    return _get("get", _machine(app, machine))


def list_volumes(app: AppName) -> Call:
    """Every volume of the app."""
    return _get("volumes", f"{_app(app)}/volumes")


def get_app(app: AppName) -> Call:
    """The app itself."""
    return _get("app", _app(app))


def list_regions() -> Call:
    """The platform's regions; needs no token."""
    return _get("regions", "/v1/platform/regions")


def acquire_lease(app: AppName, machine: MachineId) -> Call:
    """An exclusive hold for 20 s."""
    body = {"description": "autoscaler", "ttl": LEASE_TTL_S}
    return _post("lease", _machine(app, machine) + "/lease", body, timeout_s=LEASE_TIMEOUT_S)


def release_lease(app: AppName, machine: MachineId, nonce: str) -> Call:
    """Give the hold back."""
    return Call(
        operation="release",
        method="DELETE",
        path=_machine(app, machine) + "/lease",
        headers={NONCE_HEADER: nonce},
        timeout_s=LEASE_TIMEOUT_S,
    )


def carrying_out(app: AppName, action: Action, *, nonce: str = "") -> Call:
    """The request that does what the action says; `nonce` proves our own lease."""
    match action:
        case Create():
            return _post("create", f"{_app(app)}/machines", _creation(action))
        case CreateVolume():
            return _post("create_volume", f"{_app(app)}/volumes", _volume_creation(action))
        case DestroyVolume():
            path = f"{_app(app)}/volumes/{quote(action.volume, safe='')}"
            return Call(operation=action.kind, method="DELETE", path=path, timeout_s=WRITE_TIMEOUT_S)
        case Destroy():
            return _destroy(app, action, nonce)
        case Mark():
            return _mark(app, action)
        case _:
            path = f"{_machine(app, action.machine)}/{_VERBS[type(action)]}"
            timeout_s = LEASED_TIMEOUT_S if nonce else WRITE_TIMEOUT_S
            # No body: the Machine's own stop configuration says how it is stopped.
            return _post(action.kind, path, None, headers=_proof(nonce), timeout_s=timeout_s)


def _creation(action: Create) -> Mapping[str, object]:
    body: dict[str, object] = {"name": action.name, "region": action.region, "config": dict(action.config)}
    return body | ({"skip_launch": True} if action.stopped else {})


def _volume_creation(action: CreateVolume) -> Mapping[str, object]:
    optional = {"size_gb": action.size_gb, "encrypted": action.encrypted, "compute": action.compute}
    told = {key: value for key, value in optional.items() if value is not None}
    return {"name": action.name, "region": action.region} | told


def _destroy(app: AppName, action: Destroy, nonce: str) -> Call:
    return Call(
        operation=action.kind,
        method="DELETE",
        path=_machine(app, action.machine),
        params={"force": "true" if action.force else "false"},
        headers=_proof(nonce),
        timeout_s=LEASED_TIMEOUT_S,
    )


def _mark(app: AppName, action: Mark) -> Call:
    # Null removes a key. The version keeps a mark from landing on a Machine that was deployed meanwhile.
    version = {"machine_version": action.instance_id} if action.instance_id else {}
    return Call(
        operation=action.kind,
        method="PATCH",
        path=_machine(app, action.machine) + "/metadata",
        json={"metadata": dict(action.metadata)} | version,
        timeout_s=WRITE_TIMEOUT_S,
    )


def _get(operation: str, path: str, params: Mapping[str, str] | None = None) -> Call:
    return Call(operation=operation, method="GET", path=path, params=params or {}, timeout_s=READ_TIMEOUT_S)


def _post(
    operation: str,
    path: str,
    body: object,
    *,
    headers: Mapping[str, str] | None = None,
    timeout_s: float = WRITE_TIMEOUT_S,
) -> Call:
    return Call(
        operation=operation,
        method="POST",
        path=path,
        json=body,
        headers=headers or {},
        timeout_s=timeout_s,
    )


def _proof(nonce: str) -> Mapping[str, str]:
    return {NONCE_HEADER: nonce} if nonce else {}


def _app(app: AppName) -> str:
    return f"/v1/apps/{quote(app, safe='')}"


def _machine(app: AppName, machine: MachineId) -> str:
    return f"{_app(app)}/machines/{quote(machine, safe='')}"
