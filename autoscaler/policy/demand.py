"""Readings and the fleet -> how many Machines each region, and the pool as a whole, ask for.

Everything here is before bounds, sharing out and damping. A scope is a region, or None for the whole pool.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from autoscaler.domain.desired import Unknown
from autoscaler.domain.fleet import Fleet, RegionCount
from autoscaler.domain.geography import current, nearest
from autoscaler.domain.names import MetricName, Region
from autoscaler.domain.pool import AbsentAction, Elsewhere
from autoscaler.domain.reading import Absent, Measured, Reading, Why
from autoscaler.domain.reason import Reason, ReasonCode, reason
from autoscaler.policy.arithmetic import ROUNDING, UndefinedError, whole
from autoscaler.policy.limits import Limits
from autoscaler.policy.questions import Asked, Question, Slack
from autoscaler.policy.readings import Readings
from autoscaler.policy.rules import Policy

Scope = Region | None
Known = tuple[Mapping[Scope, int], ...]
"""Per rule, what it asked for in each scope when it last could be told."""
NOTHING = RegionCount()


@dataclass(slots=True, kw_only=True)
class Tally:
    """One tick's demands while they are gathered, per scope.

    `valid` is the largest demand that could be told; `counted` also counts last known values and what
    `on_absent` puts in their place. `unknown` holds the first trouble of each scope, `unheard` the scopes
    with a rule that was never known, `excused` those whose trouble may not hold the fleet back.
    """

    valid: dict[Scope, int] = field(default_factory=dict)
    counted: dict[Scope, int] = field(default_factory=dict)
    unknown: dict[Scope, Unknown] = field(default_factory=dict)
    failing: dict[Scope, int] = field(default_factory=dict)
    excused: set[Scope] = field(default_factory=set)
    unheard: set[Scope] = field(default_factory=set)
    partial: dict[Scope, MetricName] = field(default_factory=dict)
    known: list[dict[Scope, int]] = field(default_factory=list)
    trail: dict[Scope, list[Reason]] = field(default_factory=dict)
    pool_wide: bool = False
    regional: bool = False

    def count(self, scope: Scope, machines: int) -> None:
        """Let a demand compete for the largest of its scope."""
        if machines > self.counted.get(scope, -1):
            self.counted[scope] = machines

    def hear(self, scope: Scope, machines: int) -> None:
        """The same for a demand that could be told."""
        self.count(scope, machines)
        if machines > self.valid.get(scope, -1):
            self.valid[scope] = machines

    def say(self, scope: Scope, why: Reason) -> None:
        """Add a step to the explanation of a scope."""
        trail = self.trail.get(scope)
        if trail is None:
            self.trail[scope] = [why]
        else:
            trail.append(why)


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What the rules of one tick are asked about. `failing` counts the ticks in a row for which a scope has
    been Unknown before this one; `asleep` are the regions at 0 that may stay there.
    """

    policy: Policy
    readings: Readings
    fleet: Fleet
    limits: Limits
    known: Known = ()
    failing: Mapping[Scope, int] = field(default_factory=dict)
    asleep: frozenset[Region] = frozenset()


def gather(now: Circumstances) -> Tally:
    """Ask every rule, in every region where it is regional."""
    tally = Tally()
    for index, question in enumerate(now.policy.questions):
        tally.known.append(dict(now.known[index]) if now.known else {})
        if _is_regional(question, now.readings):
            tally.regional = True
            strangers = _from_elsewhere(now, question, tally)
            for region in now.policy.homes:
                _ask(now, question, region, strangers.get(region, 0.0), tally)
        else:
            tally.pool_wide = True
            _ask(now, question, None, 0.0, tally)
    return tally


def _is_regional(question: Question, readings: Readings) -> bool:
    regional = readings.regional
    return any(metric in regional for metric in question.metrics)


def _ask(now: Circumstances, question: Question, scope: Scope, strangers: float, tally: Tally) -> None:
    """Put one question in one scope. What is asked for elsewhere counts even if the own part is Unknown."""
    readings = _pick(now.readings, question, scope)
    _note_partial(readings, question, scope, tally)
    try:
        asked = question.ask(readings, _counts(now.fleet, question, scope))
    except UndefinedError as error:
        _unknown(now, question, scope, error, tally)
        if strangers > 0:
            tally.hear(scope, _rounded(now.policy, question, scope, (strangers, (), None), tally))
        return
    total, numbers, slack = asked
    machines = _rounded(now.policy, question, scope, (total + strangers, numbers, slack), tally)
    tally.known[-1][scope] = machines
    tally.hear(scope, machines)


def _pick(readings: Readings, question: Question, scope: Scope) -> list[Reading]:
    if scope is None:
        return [readings.pooled[metric] for metric in question.metrics]
    regional, pooled = readings.regional, readings.pooled
    return [
        regional[metric].get(scope, _SILENT) if metric in regional else pooled[metric]
        for metric in question.metrics
    ]


def _counts(fleet: Fleet, question: Question, scope: Scope) -> RegionCount:
    if not question.fleet_bound:
        return NOTHING
    if scope is not None:
        return fleet.by_region.get(scope, NOTHING)
    counts = fleet.by_region.values()
    return RegionCount(
        running=sum(count.running for count in counts),
        ready=sum(count.ready for count in counts),
        stopped=sum(count.stopped for count in counts),
        suspended=sum(count.suspended for count in counts),
        capacity=sum(count.capacity for count in counts),
    )


def _note_partial(readings: list[Reading], question: Question, scope: Scope, tally: Tally) -> None:
    for metric, reading in zip(question.metrics, readings, strict=True):
        if isinstance(reading, Measured) and reading.partial:
            tally.partial.setdefault(scope, metric)
            tally.say(scope, reason(ReasonCode.PARTIAL, rule=question.path, metric=metric))


def _rounded(policy: Policy, question: Question, scope: Scope, asked: Asked, tally: Tally) -> int:
    """Multiply by the headroom, round up, tolerate; and say how."""
    total, numbers, slack = asked
    generous = total * policy.factor
    machines = whole(generous)
    steps = numbers if policy.factor == 1.0 else (*numbers, ("headroom", policy.pool.headroom))
    result = (("asked", generous), ("machines", machines))
    tally.say(scope, Reason(ReasonCode.RULE, (("rule", question.path), *steps, *result)))
    return machines if slack is None else _tolerated(machines, generous, slack, scope, tally)


def _tolerated(machines: int, asked: float, slack: Slack, scope: Scope, tally: Tally) -> int:
    least, capacity = slack
    if machines >= capacity or asked < least - ROUNDING * max(1.0, least):
        return machines
    tally.say(scope, reason(ReasonCode.TOLERANCE, asked=asked, at_least=least, capacity=capacity))
    return capacity


def _unknown(
    now: Circumstances, question: Question, scope: Scope, error: UndefinedError, tally: Tally
) -> None:
    """Let something stand in for what cannot be told: its last value, or what `on_absent` says."""
    tally.unknown.setdefault(scope, Unknown(why=error.why, metric=error.metric))
    tally.say(scope, reason(ReasonCode.UNKNOWN, rule=question.path, metric=error.metric, why=error.why.value))
    ticks = now.failing.get(scope, 0) + 1
    if not (scope in now.asleep and error.why in _EXPECTED_AT_ZERO):
        tally.failing[scope] = ticks
        if ticks >= now.policy.pool.failures and now.policy.pool.on_absent is not AbsentAction.HOLD:
            machines = _instead(now, scope)
            tally.count(scope, machines)
            tally.say(scope, reason(ReasonCode.ON_ABSENT, ticks=ticks, machines=machines))
            if now.policy.pool.allow_in:
                tally.excused.add(scope)
            return
    last = tally.known[-1].get(scope)
    if last is not None:
        tally.count(scope, last)
        tally.say(scope, reason(ReasonCode.LAST_KNOWN, rule=question.path, machines=last))
    else:
        tally.unheard.add(scope)


def _instead(now: Circumstances, scope: Scope) -> int:
    action = now.policy.pool.on_absent
    bounds = now.limits.total if scope is None else now.limits.regions[scope]
    if action is AbsentAction.MAX:
        return bounds.max
    return bounds.min if isinstance(action, AbsentAction) else action


def _from_elsewhere(now: Circumstances, question: Question, tally: Tally) -> Mapping[Region, float]:
    """What is asked for where the pool may not run, per nearest region where it may; unrounded."""
    homes = now.policy.homes
    labels = {label for metric in question.metrics for label in now.readings.regional.get(metric, ())}
    strangers = sorted(labels.difference(homes))
    if not strangers or not homes or now.policy.pool.elsewhere is Elsewhere.IGNORE:
        return {}
    asked: dict[Region, float] = {}
    for label in strangers:
        readings = _pick(now.readings, question, label)
        try:
            more = question.ask(readings, now.fleet.by_region.get(label, NOTHING))[0]
        except UndefinedError:
            continue
        home = _home(label, homes) or now.policy.heaviest
        asked[home] = asked.get(home, 0.0) + more
        _note_partial(readings, question, home, tally)
        tally.say(home, reason(ReasonCode.ELSEWHERE, rule=question.path, region=label, asked=more))
    return asked


@lru_cache(maxsize=1024)
def _home(label: Region, homes: tuple[Region, ...]) -> Region | None:
    """None for a label that is no region of the platform."""
    return nearest(label, homes) if current(label) else None


_SILENT = Absent(why=Why.EMPTY)
_EXPECTED_AT_ZERO = frozenset({Why.EMPTY, Why.NONE_READY})
