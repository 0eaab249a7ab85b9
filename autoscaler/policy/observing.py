"""One look at the load: answers -> readings -> demands -> the raw demand of every region."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from autoscaler.domain.fleet import Fleet
from autoscaler.domain.names import MetricName, Region
from autoscaler.domain.reading import Answer
from autoscaler.policy.demand import Circumstances, Known, Scope, Tally, gather
from autoscaler.policy.limits import Limits
from autoscaler.policy.raw import Raw, raw_demand
from autoscaler.policy.readings import Readings, Seen, judge
from autoscaler.policy.rules import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Recall:
    """What one look leaves to the next: how metrics looked, what each rule last asked for in each scope, and
    for how many ticks in a row a scope has been Unknown.
    """

    seen: Seen = field(default_factory=Seen)
    known: Known = ()
    failing: Mapping[Scope, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What was seen, and what to remember of it."""

    readings: Readings
    tally: Tally
    raw: Raw
    recall: Recall

    def troubled(self, region: Region) -> bool:
        """The region's demand, or the pool's, could not be told and nothing excuses that."""
        unknown, excused = self.tally.unknown, self.tally.excused
        return (region in unknown and region not in excused) or (None in unknown and None not in excused)

    def told(self, region: Region) -> bool:
        """The region's demand, and the pool's, are known."""
        unknown = self.tally.unknown
        return region not in unknown and None not in unknown


def look(
    policy: Policy,
    answers: Mapping[MetricName, Answer],
    fleet: Fleet,
    limits: Limits,
    recall: Recall,
    *,
    asleep: frozenset[Region] = frozenset(),
    offset: int = 0,
) -> Look:
    """Judge the answers, ask every rule, share out. `asleep` are regions at 0 that may stay there."""
    readings, seen = judge(policy.pool.metrics, policy.homes, answers, recall.seen)
    now = Circumstances(
        policy=policy,
        readings=readings,
        fleet=fleet,
        limits=limits,
        known=recall.known,
        failing=recall.failing,
        asleep=asleep,
    )
    tally = gather(now)
    raw = raw_demand(now, tally, offset)
    known = Recall(seen=seen, known=tuple(tally.known), failing=tally.failing)
    return Look(readings=readings, tally=tally, raw=raw, recall=known)
