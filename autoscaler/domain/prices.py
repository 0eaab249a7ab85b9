"""What a running Machine costs: guest size and region -> dollars per second.

The platform bills by the second in `started` only: vCPUs and memory at a monthly rate of 30 days,
times the region's markup (published in October 2024; ams and sjc confirmed since). Storage is not counted.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from autoscaler.domain.geography import current
from autoscaler.domain.names import Region

SECONDS_PER_MONTH = 30 * 24 * 3600
DOLLARS_PER_CPU: Mapping[str, float] = {"shared": 0.695, "performance": 21.0}
DOLLARS_PER_GB = 5.0

MARKUPS: Mapping[Region, float] = {
    Region("ams"): 1.038461538,
    Region("arn"): 1.038461538,
    Region("bom"): 1.076923077,
    Region("cdg"): 1.134615385,
    Region("dfw"): 1.25,
    Region("ewr"): 1.0,
    Region("fra"): 1.153846154,
    Region("gru"): 1.615384615,
    Region("iad"): 1.0,
    Region("jnb"): 1.302884615,
    Region("lax"): 1.199519231,
    Region("lhr"): 1.134615385,
    Region("nrt"): 1.307692308,
    Region("ord"): 1.25,
    Region("sin"): 1.269230769,
    Region("sjc"): 1.192307692,
    Region("syd"): 1.269230769,
    Region("yyz"): 1.115384615,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Guest:
    """A Machine's size. `cpu_kind` is `shared` or `performance`; memory in MiB."""

    cpu_kind: str
    cpus: int
    memory_mb: int


def _presets() -> dict[str, Guest]:
    presets = {}
    for kind, prefix, memory_per_cpu, sizes in (
        ("shared", "shared-cpu", 256, (1, 2, 4, 6, 8)),
        ("performance", "performance", 2048, (1, 2, 4, 6, 8, 10, 12, 14, 16)),
    ):
        for cpus in sizes:
            presets[f"{prefix}-{cpus}x"] = Guest(cpu_kind=kind, cpus=cpus, memory_mb=cpus * memory_per_cpu)
    return presets


PRESETS: Mapping[str, Guest] = _presets()
"""The platform's named sizes, with the memory they start with."""

DEFAULT_GUEST = PRESETS["shared-cpu-1x"]


def dollars_per_second(guest: Guest, region: Region) -> float:
    """The price of one started Machine; an unheard-of region costs the base price.

    ValueError for a cpu kind that has no price.
    """
    if guest.cpu_kind not in DOLLARS_PER_CPU:
        raise ValueError(f"no price for cpu kind {guest.cpu_kind!r}")
    month = guest.cpus * DOLLARS_PER_CPU[guest.cpu_kind] + guest.memory_mb / 1024 * DOLLARS_PER_GB
    place = current(region)
    return month * (MARKUPS[place] if place else 1.0) / SECONDS_PER_MONTH


def guest_of(config: Mapping[str, Any]) -> Guest | None:
    """The size a Machine's configuration asks for, None if it cannot be read.

    Without any the platform runs its smallest size. A named `size` may stand in for `guest`.
    """
    try:
        asked = config.get("guest")
        if asked is None:
            return PRESETS.get(config["size"]) if "size" in config else DEFAULT_GUEST
        guest = Guest(
            cpu_kind=str(asked["cpu_kind"]), cpus=int(asked["cpus"]), memory_mb=int(asked["memory_mb"])
        )
    except (KeyError, OverflowError, TypeError, ValueError):
        return None
    return guest if guest.cpu_kind in DOLLARS_PER_CPU else None
