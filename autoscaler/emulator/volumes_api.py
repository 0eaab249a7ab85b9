"""Endpoints of volumes."""

from starlette.responses import Response
from starlette.routing import Route

from autoscaler.emulator import errors, volumes
from autoscaler.emulator.gateway import Call, Gateway
from autoscaler.emulator.record import Json, Volume
from autoscaler.emulator.view import volume_json

VOLUMES = "/v1/apps/{app}/volumes"
VOLUME = VOLUMES + "/{volume}"


def routes(gateway: Gateway) -> list[Route]:
    """All of them."""
    route = gateway.route
    return [
        route("GET", VOLUMES, "volumes_list", list_volumes),
        route("POST", VOLUMES, "volume_create", create),
        route("GET", VOLUME, "volume_get", get),
        route("PUT", VOLUME, "volume_update", update),
        route("DELETE", VOLUME, "volume_delete", delete),
        route("PUT", VOLUME + "/extend", "volume_extend", extend),
        route("GET", VOLUME + "/snapshots", "snapshots_list", list_snapshots),
        route("POST", VOLUME + "/snapshots", "snapshot_create", create_snapshot),
    ]


def list_volumes(call: Call) -> list[Json]:
    """All of the app."""
    return [volume_json(call.world, volume) for volume in volumes.of_app(call.world, call.app)]


def create(call: Call) -> Json:
    """A new one."""
    return volume_json(call.world, volumes.create(call.world, call.app, call.fields))


def get(call: Call) -> Json:
    """One."""
    return volume_json(call.world, _volume(call))


def update(call: Call) -> Json:
    """Snapshot settings. ApiError 400 for a retention outside 1..60 days."""
    retention = call.fields.get("snapshot_retention", 5)
    if not isinstance(retention, int) or not 1 <= retention <= 60:
        raise errors.invalid("snapshot_retention must be between 1 and 60")
    return volume_json(call.world, volumes.configure(call.world, _volume(call), call.fields))


def delete(call: Call) -> Json:
    """Scheduled to be destroyed."""
    return volume_json(call.world, volumes.destroy(call.world, _volume(call)))


def extend(call: Call) -> Json:
    """Larger."""
    larger = volumes.extend(call.world, _volume(call), call.fields.get("size_gb"))
    return {"needs_restart": False, "volume": volume_json(call.world, larger)}


def list_snapshots(call: Call) -> list[Json]:
    """The snapshots made so far."""
    return list(_volume(call).snapshots)


def create_snapshot(call: Call) -> Response:
    """One more."""
    volumes.snapshot(call.world, _volume(call))
    return Response(status_code=200)


def _volume(call: Call) -> Volume:
    return volumes.volume_of(call.world, call.app, call.request.path_params["volume"])
