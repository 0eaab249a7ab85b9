"""Endpoints about the platform: regions, and where Machines could go."""

import math

from starlette.routing import Route

from autoscaler.domain.geography import DEPRECATED, REGIONS, Place
from autoscaler.emulator import errors
from autoscaler.emulator.capacity import regions_asked, room_in
from autoscaler.emulator.gateway import Call, Gateway, Reach
from autoscaler.emulator.record import Json

REGION_LIMIT = 50
"""How many Machines of one organization a region takes, for the simulation of placements."""


def routes(gateway: Gateway) -> list[Route]:
    """Both of them."""
    return [
        gateway.route("GET", "/v1/platform/regions", "regions", regions, Reach.PUBLIC),
        gateway.route("POST", "/v1/platform/placements", "placements", placements, Reach.ORG),
    ]


def regions(call: Call) -> Json:
    """Keys on top are capitalised, as they are on the wire."""
    rows = [_row(call, code, place, deprecated=False) for code, place in REGIONS.items()]
    rows += [_row(call, old, REGIONS[new], deprecated=True) for old, new in DEPRECATED.items()]
    return {"Regions": rows, "Nearest": call.world.config.nearest}


def placements(call: Call) -> Json:
    """Where `count` Machines would go, region after region; 0 asks for each region's limit.

    A simulation: nothing is reserved. ApiError 400 without `org_slug`, 422 when they do not fit.
    """
    if not call.fields.get("org_slug"):
        raise errors.invalid("org_slug is required")
    count = call.fields.get("count") or 0
    asked = regions_asked(call.world, call.fields.get("region") or "any")
    rooms = {region: int(min(REGION_LIMIT, room_in(call.world, region))) for region in asked}
    if count == 0:
        return {"regions": [_placement(region, room) for region, room in rooms.items()]}
    found, left = [], count
    for region, room in rooms.items():
        taken = min(left, room)
        left -= taken
        if taken > 0:
            found.append(_placement(region, taken))
    if left > 0:
        raise errors.region_full()
    return {"regions": found}


def _placement(region: str, count: int) -> Json:
    return {"region": region, "count": count, "concurrency": 1}


def _row(call: Call, code: str, place: Place, *, deprecated: bool) -> Json:
    room = room_in(call.world, code)
    return {
        "code": code,
        "name": place.city,
        "latitude": place.latitude,
        "longitude": place.longitude,
        "gateway_available": place.gateway and not deprecated,
        "requires_paid_plan": False,
        "deprecated": deprecated,
        "capacity": 0 if deprecated or math.isinf(room) else max(0, int(room)),
        "geo_region": place.area,
        "mpg_available": place.gateway and not deprecated,
    }
