"""Region codes as operators write them."""

from typing import Annotated

from autoscaler.domain.desired import Bounds
from autoscaler.domain.geography import ALIASES, REGIONS, current, is_known
from autoscaler.domain.names import Region
from autoscaler.service.configuration.declaration import Model, setting
from autoscaler.service.configuration.notation import parse_bounds
from autoscaler.service.configuration.scalars import leaf, number
from autoscaler.service.configuration.spelling import MistakeError, closest, shown


class RegionTable(Model):
    """One region of a pool."""

    range: Annotated[Bounds, leaf(parse_bounds)] = setting(
        meaning="Least and most Machines, both allowed; `0..0` empties the region.",
        reason="There is no unbounded pool.",
        example='"0..5"',
    )
    weight: Annotated[float, leaf(number(0.001, below=1e6))] = setting(
        1,
        meaning="Share of the Machines that pool-wide demand hands out.",
        reason="Regions are equal unless you know better.",
        example="2",
    )


def parse_region(value: object) -> Region:
    """A region in which Machines can run today. Raises MistakeError."""
    if isinstance(value, str) and is_known(value):
        return Region(str(value))
    raise MistakeError(f"{shown(value)} is not a region of the platform", _remedy(str(value)))


def as_range(value: object) -> object:
    """Let a region be its range alone."""
    return value if isinstance(value, dict) else {"range": value}


def _remedy(code: str) -> str:
    lowered = code.strip().lower()
    replacement = current(lowered)
    if is_known(lowered):
        return f"write {lowered}"
    if replacement is not None:
        return f"it was closed; {replacement} took over"
    if lowered in ALIASES:
        return f"it stands for several; name those you want of {', '.join(ALIASES[lowered])}"
    guess = closest(lowered, REGIONS)
    if guess:
        return f"did you mean {guess}?"
    return f"this version knows {', '.join(sorted(REGIONS))}; one that opened since needs a newer version"
