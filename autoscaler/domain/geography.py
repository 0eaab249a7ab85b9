"""The platform's regions: where they are, what they used to be called, and which one is nearest.

Codes and coordinates are the platform's own list of August 2026. Distances are great circles.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from autoscaler.domain.names import Region

EARTH_RADIUS_KM = 6371.0088


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A region: its city, coordinates in degrees, part of the world, and whether it has a gateway."""

    city: str
    latitude: float
    longitude: float
    area: str
    gateway: bool = True


def _place(city: str, area: str, latitude: float, longitude: float, *, gateway: bool = True) -> Place:
    return Place(city=city, area=area, latitude=latitude, longitude=longitude, gateway=gateway)


REGIONS: Mapping[Region, Place] = {
    Region("ams"): _place("Amsterdam, Netherlands", "europe", 52.374342, 4.895439),
    Region("arn"): _place("Stockholm, Sweden", "europe", 59.6512, 17.9178),
    Region("bom"): _place("Mumbai, India", "asia_pacific", 19.097403, 72.874245),
    Region("cdg"): _place("Paris, France", "europe", 48.860875, 2.353477),
    Region("dfw"): _place("Dallas, Texas (US)", "north_america", 32.778287, -96.7984),
    Region("ewr"): _place("Secaucus, NJ (US)", "north_america", 40.789543, -74.05653),
    Region("fra"): _place("Frankfurt, Germany", "europe", 50.1167, 8.6833),
    Region("gru"): _place("Sao Paulo, Brazil", "south_america", -23.549664, -46.65435, gateway=False),
    Region("iad"): _place("Ashburn, Virginia (US)", "north_america", 39.02214, -77.462556),
    Region("jnb"): _place("Johannesburg, South Africa", "africa", -26.13629, 28.20298, gateway=False),
    Region("lax"): _place("Los Angeles, California (US)", "north_america", 33.9416, -118.4085),
    Region("lhr"): _place("London, United Kingdom", "europe", 51.516434, -0.125656),
    Region("nrt"): _place("Tokyo, Japan", "asia_pacific", 35.62161, 139.74185),
    Region("ord"): _place("Chicago, Illinois (US)", "north_america", 41.891544, -87.63039),
    Region("sin"): _place("Singapore, Singapore", "asia_pacific", 1.3, 103.8),
    Region("sjc"): _place("San Jose, California (US)", "north_america", 37.3516, -121.89674),
    Region("syd"): _place("Sydney, Australia", "asia_pacific", -33.86603, 151.20693),
    Region("yyz"): _place("Toronto, Canada", "north_america", 43.64463, -79.38423),
}

_CLOSED = {
    "dfw": "atl den gdl mia qro",
    "ewr": "bos",
    "lax": "phx",
    "sjc": "sea",
    "yyz": "yul",
    "ams": "waw",
    "cdg": "mad",
    "fra": "otp",
    "gru": "bog eze gig scl",
    "sin": "hkg",
}

DEPRECATED: Mapping[Region, Region] = {
    Region(old): Region(new) for new, codes in _CLOSED.items() for old in codes.split()
}
"""Closed regions and the one that took over."""


def _in_area(*areas: str) -> tuple[Region, ...]:
    return tuple(sorted(code for code, place in REGIONS.items() if place.area in areas))


_UNITED_STATES = tuple(sorted(code for code, place in REGIONS.items() if place.city.endswith("(US)")))

ALIASES: Mapping[str, tuple[Region, ...]] = {
    "any": tuple(sorted(REGIONS)),
    "apac": _in_area("asia_pacific"),
    "eu": _in_area("europe"),
    "na": _in_area("north_america"),
    "sa": _in_area("south_america"),
    "us": _UNITED_STATES,
    "usa": _UNITED_STATES,
}
"""Names for several regions, which the platform accepts where a Machine is created."""


def is_known(code: str) -> bool:
    """Whether Machines can run there today; false for closed regions and aliases."""
    return code in REGIONS


def current(code: str) -> Region | None:
    """The region that answers to this code today: itself, its replacement if closed, None if unheard of."""
    return Region(code) if is_known(code) else DEPRECATED.get(Region(code))


def distance_km(a: Region, b: Region) -> float:
    """Great-circle distance; a closed region lies where its replacement is. ValueError for unknown codes."""
    return _between(_locate(a), _locate(b))


def _between(here: Place, there: Place) -> float:
    north_a, north_b = math.radians(here.latitude), math.radians(there.latitude)
    east = math.radians(there.longitude - here.longitude)
    half = (
        math.sin((north_b - north_a) / 2) ** 2
        + math.cos(north_a) * math.cos(north_b) * math.sin(east / 2) ** 2
    )
    return 2 * EARTH_RADIUS_KM * math.asin(math.sqrt(min(1.0, half)))


def by_distance(region: Region, candidates: Iterable[Region]) -> tuple[Region, ...]:
    """The candidates from near to far, ties by name. ValueError for unknown codes."""
    return tuple(sorted(candidates, key=lambda other: (distance_km(region, other), other)))


def catchments(
    homes: Iterable[Region], listed: Mapping[Region, Place] = REGIONS
) -> Mapping[Region, tuple[Region, ...]]:
    """For every region there is or was, `homes` from near to far, ties by name.

    `listed` is the platform's own list, which may know regions that opened after this table was written.
    """
    places = {**REGIONS, **listed}
    places |= {old: places[new] for old, new in DEPRECATED.items() if old not in places}
    candidates = list(homes)
    return {
        code: tuple(sorted(candidates, key=lambda home: (_between(place, places[home]), home)))
        for code, place in places.items()
    }


def _locate(code: Region) -> Place:
    region = current(code)
    if region is None:
        raise ValueError(f"no region is called {code!r}")
    return REGIONS[region]
