"""The scratch paper of one tick: a case per region, which every stage of the decision writes on in turn.

These are the only values of the policy that change, and none of them outlives the tick that made it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from autoscaler.domain.desired import Bounds, Unknown
from autoscaler.domain.fleet import Fleet, RegionCount
from autoscaler.domain.names import MetricName, Region
from autoscaler.domain.reading import Answer
from autoscaler.domain.reason import Reason
from autoscaler.policy.damping import Entries, Trace
from autoscaler.policy.limits import Limits
from autoscaler.policy.readings import Here, Readings, Seen, judge
from autoscaler.policy.rules import Policy
from autoscaler.policy.trail import Step

NOTHING = RegionCount()
_NOWHERE: Here = {}


@dataclass(slots=True)
class Tally:
    """What the rules ask for in one scope: a region, or the pool as a whole.

    `strangers` is what the rule at hand asks for elsewhere, to be served here. `asked` is the largest demand,
    of those that could be `told` and of what stands in for others: a last known value, or `on_absent`.
    `unknown` is the first trouble, `excused` if it may not hold the fleet back; `unheard` if a rule in
    trouble was never known.
    """

    here: Here
    count: RegionCount
    bounds: Bounds
    strangers: float = field(default=0.0, init=False)
    asked: int = field(default=0, init=False)
    told: bool = field(default=False, init=False)
    unknown: Unknown | None = field(default=None, init=False)
    excused: bool = field(default=False, init=False)
    unheard: bool = field(default=False, init=False)
    partial: MetricName | None = field(default=None, init=False)
    trail: list[Step] = field(default_factory=list, init=False)

    @property
    def scope(self) -> Region | None:
        """The region; None for the pool as a whole."""
        return None

    @property
    def troubled(self) -> bool:
        """The demand could not be told and nothing excuses that."""
        return self.unknown is not None and not self.excused


@dataclass(slots=True)
class Case(Tally):
    """One region on its way from demand to a desired count.

    `trace` is what its last tick left. `base` is the region's own demand within bounds,
    `raw` with its share of the pool's demand, `shown` that without any bounds; `highs` and `lows` are its
    windows with `raw` in them. `certain` is its demand if it and the pool's could be told, or are excused.
    """

    region: Region
    trace: Trace
    desired: int
    base: int = field(default=0, init=False)
    raw: int = field(default=0, init=False)
    shown: int = field(default=0, init=False)
    highs: Entries = field(default=(), init=False)
    lows: Entries = field(default=(), init=False)
    certain: bool = field(default=True, init=False)

    @property
    def scope(self) -> Region | None:
        """The region."""
        return self.region

    @property
    def asleep(self) -> bool:
        """At 0, where it may stay: that it reports nothing is normal."""
        return self.trace.desired == 0 == self.bounds.min and self.count.capacity == 0


class Heard(NamedTuple):
    """What one rule asked for when it last could be told: of the pool, and of each home region."""

    pool: int | None = None
    homes: tuple[int | None, ...] = ()


class Recall(NamedTuple):
    """What one look at the load leaves to the next. `failing` counts each scope's ticks in trouble.

    `homes` are those of that look.
    """

    seen: Mapping[MetricName, Seen] = {}
    heard: tuple[Heard, ...] = ()
    failing: Mapping[Region | None, int] = {}
    homes: tuple[Region, ...] = ()

    def at_home(self, homes: tuple[Region, ...]) -> "Recall":
        """The same where the pool may run in `homes` now: of one that has opened nothing is known."""
        if homes == self.homes:
            return self
        heard = []
        for pool, answers in self.heard:
            known = dict(zip(self.homes, answers, strict=False))
            heard.append(Heard(pool, tuple(known.get(region) for region in homes)))
        return self._replace(heard=tuple(heard), homes=homes)


@dataclass(slots=True)
class Tick:
    """One tick. `cases` are all regions by name, `homes` those of them where the pool may run."""

    policy: Policy
    fleet: Fleet
    limits: Limits
    recall: Recall
    readings: Readings
    cases: list[Case]
    homes: list[Case]
    pool: Tally
    regional: bool = False
    """A rule asks per region."""
    pool_wide: bool = False
    """A rule asks for the pool as a whole."""
    failing: dict[Region | None, int] = field(default_factory=dict)
    """For how many ticks in a row each scope has been in trouble."""
    undefined: list[Reason] = field(default_factory=list)
    """Rules whose own arithmetic has no result."""

    def remembered(self, heard: tuple[Heard, ...]) -> Recall:
        """What the next look at the load must know."""
        return Recall(self.readings.seen, heard, self.failing, self.limits.homes)

    def server(self, label: Region) -> Case:
        """Whose it is to serve demand from where the pool may not run. There must be a home."""
        homes = {case.region: case for case in self.homes}
        order = self.policy.nearest.get(label, self.policy.heaviest)
        return next(homes[region] for region in order if region in homes)


def begin(
    policy: Policy,
    answers: Mapping[MetricName, Answer],
    fleet: Fleet,
    limits: Limits,
    left: tuple[Mapping[Region, Trace], Recall],
) -> Tick:
    """Judge the answers and open a case for every region. `left` is what the tick before left."""
    traces, homes, recall = left[0], limits.homes, left[1].at_home(limits.homes)
    readings = judge(policy.pool.metrics, homes, policy.unsigned, answers, recall.seen)
    cases = []
    for region in policy.regions:
        count, trace = fleet.by_region.get(region, NOTHING), traces[region]
        here = readings.homes.get(region, _NOWHERE)
        cases.append(Case(here, count, limits.regions[region], region, trace, trace.desired))
    return Tick(
        policy=policy,
        fleet=fleet,
        limits=limits,
        recall=recall,
        readings=readings,
        cases=cases,
        homes=cases if homes == policy.regions else [case for case in cases if case.region in homes],
        pool=Tally(readings.pooled, NOTHING, limits.total),
    )
