"""What an operator asked for: one pool, its regions, metrics, rules and manners, as plain values.

Durations are seconds. Defaults are those of the configuration's documentation, which is
generated from the settings layer; this module carries no prose about them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from autoscaler.domain.desired import Bounds, sums
from autoscaler.domain.names import AppName, GroupName, MetricName, PoolName, Region
from autoscaler.domain.reading import Query


class Leave(StrEnum):
    """How surplus Machines leave."""

    STOP = "stop"
    SUSPEND = "suspend"
    DESTROY = "destroy"


class Volumes(StrEnum):
    """Where a created Machine with mounts gets its volume from."""

    REUSE = "reuse"
    NEW = "new"


class Elsewhere(StrEnum):
    """What becomes of demand measured where the pool may not run."""

    NEAREST = "nearest"
    IGNORE = "ignore"


class Spill(StrEnum):
    """Where the Machines of a full region may be created instead."""

    NEAREST = "nearest"
    OFF = "off"


class AbsentAction(StrEnum):
    """What to do once a demand has been Unknown for too long."""

    HOLD = "hold"
    MIN = "min"
    MAX = "max"


@dataclass(frozen=True, slots=True, kw_only=True)
class PerMachine:
    """ceil(metric / target) Machines."""

    metric: MetricName
    target: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Utilization:
    """ceil(ready * metric / target); `tolerance` keeps small shortfalls from going in."""

    metric: MetricName
    target: float
    tolerance: float = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """The operator's own arithmetic over named metrics; its value is rounded up."""

    text: str


Rule = PerMachine | Utilization | Expression


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionSpec:
    """Where a pool may run, and its share of pool-wide demand."""

    bounds: Bounds
    weight: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """At most so much change per period: a count, a fraction of the count at its start, or the larger."""

    period_s: float
    count: int | None = None
    fraction: float | None = None
    count_period_s: float | None = None
    """Period of `count` where it differs from that of `fraction`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Damping:
    """How a direction is slowed down. No step means no limit."""

    window_s: float
    step: Step | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """Bounds that hold between two crontab moments of a time zone; no regions means the pool's total."""

    start: str
    end: str
    timezone: str = "UTC"
    regions: tuple[Region, ...] = ()
    min: int | None = None
    max: int | None = None
    freeze_in: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """At most `count` creations in any `window_s` seconds."""

    count: int
    window_s: float = 600.0


DEFAULT_SCALE_IN = Damping(window_s=300.0, step=Step(period_s=60.0, fraction=0.5))
DEFAULT_SCALE_OUT = Damping(window_s=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """The Machines of one app in one process group (or with matching metadata), and how they scale.

    `total` None bounds the sum by no more than the regions do, as schedules move them. `metrics` lists every
    query the rules need, each once. `drain_s` None spares a busy Machine
    for ever. `budget` None means max(10, the pool's max) creations in ten minutes. `spill` None
    means nearest for pool-wide demand and off for demand read per region.
    """

    name: PoolName
    app: AppName
    regions: Mapping[Region, RegionSpec]
    total: Bounds | None = None
    group: GroupName = GroupName("app")
    match: Mapping[str, str] = field(default_factory=dict)
    metrics: tuple[Query, ...] = ()
    rules: tuple[Rule, ...] = ()
    create: bool = True
    leave: Leave = Leave.STOP
    reserve: int = 0
    proxy: bool = False
    volumes: Volumes | None = None
    busy: Query | None = None
    drain_s: float | None = None
    force: bool = False
    spare: int = 0
    headroom: float = 0.0
    on_absent: AbsentAction | int = AbsentAction.HOLD
    failures: int = 3
    allow_in: bool = False
    elsewhere: Elsewhere = Elsewhere.NEAREST
    spill: Spill | None = None
    schedules: tuple[Schedule, ...] = ()
    scale_in: Damping = DEFAULT_SCALE_IN
    scale_out: Damping = DEFAULT_SCALE_OUT
    budget: Budget | None = None
    interval_s: float = 15.0

    @property
    def bounds(self) -> Bounds:
        """Those of the sum as configured: the total, else what the regions sum up to."""
        return self.total or sums(spec.bounds for spec in self.regions.values())

    @property
    def most(self) -> int:
        """How many Machines there may ever be at once, whatever schedules make of the bounds."""
        raised = [one for one in self.schedules if one.max is not None]
        regions = sum(
            max([spec.bounds.max, *(one.max or 0 for one in raised if region in one.regions)])
            for region, spec in self.regions.items()
        )
        total = regions if self.total is None else self.total.max
        return min(regions, max([total, *(one.max or 0 for one in raised if not one.regions)]))
