"""Small words for the policy's tests: pools from a few numbers, fleets, answers, and ticks in a row."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from autoscaler.domain.desired import OPEN_GATE, Bounds, Decision, Gate
from autoscaler.domain.fleet import Change, Fleet, RegionCount
from autoscaler.domain.instant import Instant
from autoscaler.domain.names import AppName, MetricName, PoolName, Region
from autoscaler.domain.pool import Damping, PerMachine, Pool, RegionSpec, Rule, Step
from autoscaler.domain.reading import Absent, Answer, Measured, Query, Reading, Split, Why
from autoscaler.domain.reason import ReasonCode
from autoscaler.policy.decide import decide
from autoscaler.policy.memory import Memory, initial
from autoscaler.policy.rules import Policy, compile_pool

ORD, AMS, LHR, FRA, SYD = (Region(code) for code in ("ord", "ams", "lhr", "fra", "syd"))
LOAD = MetricName("load")
UNDAMPED = Damping(window_s=0.0)
TICK_S = 15.0
WALL = 1_767_225_600.0
"""Midnight, 1 January 2026, UTC."""


def spec(low: int = 0, high: int = 10, weight: float = 1.0) -> RegionSpec:
    return RegionSpec(bounds=Bounds(min=low, max=high), weight=weight)


def query(name: str = "load", missing: float | None = None) -> Query:
    return Query(name=MetricName(name), promql=name, missing=missing)


def per_machine(target: float = 10.0, metric: str = "load") -> PerMachine:
    return PerMachine(metric=MetricName(metric), target=target)


def a_pool(
    regions: Mapping[Region, RegionSpec] | None = None,
    rules: tuple[Rule, ...] = (PerMachine(metric=LOAD, target=10.0),),
    **changes: Any,
) -> Pool:
    """One region `ord` of 0..10 and one rule, one Machine per 10 of `load`, unless told otherwise."""
    regions = {ORD: spec()} if regions is None else regions
    settings: dict[str, Any] = {
        "name": PoolName("shop"),
        "app": AppName("shop"),
        "metrics": (query(),),
    }
    return Pool(regions=regions, rules=rules, **{**settings, **changes})


def measured(value: float, *, partial: bool = False) -> Measured:
    return Measured(value=float(value), partial=partial)


def absent(why: Why = Why.UNREACHABLE) -> Absent:
    return Absent(why=why)


def split(**by_region: float | Reading) -> Split:
    return Split(
        by_label={
            region: measured(value) if isinstance(value, int | float) else value
            for region, value in by_region.items()
        }
    )


def running(count: int, **more: int) -> RegionCount:
    return RegionCount(**{"running": count, "ready": count, "capacity": count, **more})


def a_fleet(changes: tuple[Change, ...] = (), **by_region: int | RegionCount) -> Fleet:
    counts = {
        Region(region): running(count) if isinstance(count, int) else count
        for region, count in by_region.items()
    }
    return Fleet(by_region=counts, changes=changes)


def percent(share: float, period_s: float = 60.0) -> Step:
    return Step(period_s=period_s, fraction=share / 100)


@dataclass(slots=True, kw_only=True)
class Scene:
    """A pool whose ticks follow one another. The fleet obeys at once unless it is given."""

    pool: Pool
    fleet: Fleet = field(default_factory=lambda: a_fleet(ord=0))
    hold: bool = False
    wall: float = WALL
    mono: float = 1000.0
    policy: Policy = field(init=False)
    memory: Memory = field(init=False)
    decision: Decision = field(init=False)

    def __post_init__(self) -> None:
        self.policy = compile_pool(self.pool)
        self.memory = initial(self.policy, self.fleet, self.now, hold=self.hold)

    @property
    def now(self) -> Instant:
        return Instant(wall=self.wall, mono=self.mono)

    def tick(
        self,
        answers: Answer | float | Mapping[str, Answer],
        *,
        after: float = TICK_S,
        gate: Gate = OPEN_GATE,
        fleet: Fleet | None = None,
    ) -> Mapping[Region, int]:
        """One tick, `after` seconds later; the desired counts. A bare answer is that of `load`."""
        self.wall, self.mono = self.wall + after, self.mono + after
        self.fleet = self.fleet if fleet is None else fleet
        self.decision, self.memory = decide(
            self.policy, _named(answers), self.fleet, gate, self.memory, self.now
        )
        before = {region: count.capacity for region, count in self.fleet.by_region.items()}
        if fleet is None:
            self.fleet = self._obeyed(before)
        return self.decision.desired

    def codes(self, region: Region = ORD) -> list[ReasonCode]:
        return [why.code for why in self.decision.regions[region].reasons]

    def numbers(self, code: ReasonCode, region: Region = ORD) -> dict[str, Any]:
        """The numbers of the first Reason with this code."""
        return dict(next(why.numbers for why in self.decision.regions[region].reasons if why.code is code))

    def _obeyed(self, before: Mapping[Region, int]) -> Fleet:
        made = tuple(
            Change(region=region, mono=self.mono, machines=count - before.get(region, 0))
            for region, count in self.decision.desired.items()
            if count != before.get(region, 0)
        )
        return Fleet(
            by_region={region: running(count) for region, count in self.decision.desired.items()},
            changes=(*self.fleet.changes, *made),
        )


def _named(answers: Answer | float | Mapping[str, Answer]) -> Mapping[MetricName, Answer]:
    if isinstance(answers, int | float):
        return {LOAD: measured(answers)}
    if isinstance(answers, Mapping):
        return {MetricName(name): answer for name, answer in answers.items()}
    return {LOAD: answers}
