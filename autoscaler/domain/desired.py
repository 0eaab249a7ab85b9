"""From demand to the number of Machines each region should have, with the Reasons for every step."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from autoscaler.domain.names import MetricName, Region
from autoscaler.domain.reading import Why
from autoscaler.domain.reason import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """An inclusive range of Machine counts."""

    min: int
    max: int

    def clamp(self, count: int) -> int:
        """The nearest count within the bounds."""
        return max(self.min, min(self.max, count))


def sums(every: Iterable[Bounds]) -> Bounds:
    """What is possible altogether where each of these holds on its own."""
    each = list(every)
    return Bounds(min=sum(bounds.min for bounds in each), max=sum(bounds.max for bounds in each))


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """A demand nobody can tell at present, with the metric and why."""

    why: Why
    metric: MetricName | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """What an operator commanded for a while. `kind` is pause, pause_in, pause_out, pin or offset."""

    kind: str
    machines: int = 0
    because: str = ""
    expires_at: float | None = None

    def in_force(self, wall: float) -> bool:
        """It has not expired at unix time `wall`."""
        return self.expires_at is None or self.expires_at > wall


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """Why this fleet must not shrink, or not be touched, right now.

    Precedence, strongest first: `paused` (write nothing), `no_in` (the whole pool may not go in,
    not even toward its bounds), the bounds, `hold_in` (this region may not go in). `no_create`
    forbids creations and concerns the planner alone. `warnings` forbid nothing.
    """

    paused: Reason | None = None
    no_in: tuple[Reason, ...] = ()
    hold_in: Mapping[Region, tuple[Reason, ...]] = field(default_factory=dict)
    no_create: tuple[Reason, ...] = ()
    overrides: tuple[Override, ...] = ()
    warnings: tuple[Reason, ...] = ()


OPEN_GATE = Gate()


class Desired(NamedTuple):
    """One region's outcome: `demand` after spare and sharing out, before bounds, None when unknown;
    `bounds` as schedules left them; `desired` the count to reach; `reasons` the steps between, in order.

    A named tuple because a tick makes one per region, and a frozen dataclass costs three times as much.
    """

    region: Region
    bounds: Bounds
    demand: int | None
    desired: int
    reasons: Sequence[Reason] = ()


class MetricRow(NamedTuple):
    """One metric and region as the policy used it; `region` None means pool-wide.

    A named tuple for the same reason: a tick makes one per series.
    """

    name: MetricName
    region: Region | None
    value: float | None
    age_s: float | None
    absent: Why | None


class Decision(NamedTuple):
    """Everything the policy decided in one tick. `regions` has every configured region, by name."""

    regions: Mapping[Region, Desired]
    total: Bounds
    metrics: Sequence[MetricRow] = ()
    warnings: tuple[Reason, ...] = ()
    regional: bool = False
    """At least one rule asks per region; spilling defaults to off then."""

    @property
    def desired(self) -> Mapping[Region, int]:
        """Only the counts."""
        return {region: entry.desired for region, entry in self.regions.items()}
