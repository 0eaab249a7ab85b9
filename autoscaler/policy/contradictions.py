"""What cannot be meant: settings that are each well-formed and together make no sense.

Every finding is a Fault whose path is relative to the pool and whose remedy says what would be right.
"""

import math
from collections.abc import Iterator

from autoscaler.domain.desired import sums
from autoscaler.domain.errors import Fault
from autoscaler.domain.geography import current, is_known
from autoscaler.domain.pool import Damping, Leave, PerMachine, Pool, Rule, Step, Utilization
from autoscaler.domain.reason import figure
from autoscaler.policy.arithmetic import FUNCTIONS
from autoscaler.policy.expression import FLEET_NAMES

_WORDS = ("and", "or", "not")
"""Operators that would pass for names."""


def contradictions(pool: Pool) -> Iterator[Fault]:
    """Everything that is wrong with a pool, apart from its expressions and schedules."""
    yield from _regions(pool)
    yield from _totals(pool)
    yield from _metrics(pool)
    yield from _rules(pool)
    yield from _amounts(pool)
    yield from _damping("scale_in", pool.scale_in)
    yield from _damping("scale_out", pool.scale_out)


def _regions(pool: Pool) -> Iterator[Fault]:
    if not pool.regions:
        yield Fault(path="regions", problem="no region is named", remedy='write one, such as ord = "1..10"')
    for region, spec in pool.regions.items():
        path = f"regions.{region}"
        if not is_known(region):
            successor = current(region)
            remedy = f"it was closed, use {successor}" if successor else "name one that this version knows"
            yield Fault(path=path, problem=f"the platform has no region {region}", remedy=remedy)
        low, high = spec.bounds.min, spec.bounds.max
        if low < 0:
            yield Fault(path=path, problem=f"the minimum {low} is negative", remedy="write 0 or more")
        if low > high:
            yield Fault(
                path=path,
                problem=f"the minimum {low} is above the maximum {high}",
                remedy=f'write "{high}..{low}"',
            )
        if not (spec.weight > 0 and math.isfinite(spec.weight)):
            yield Fault(
                path=f"{path}.weight", problem=f"{spec.weight} is no weight", remedy="write a number above 0"
            )


def _totals(pool: Pool) -> Iterator[Fault]:
    total, possible = pool.total, sums(spec.bounds for spec in pool.regions.values())
    if total is None:
        return
    if total.min > total.max:
        yield Fault(
            path="total",
            problem=f"the minimum {total.min} is above the maximum {total.max}",
            remedy=f'write "{total.max}..{total.min}"',
        )
    if possible.min > total.max:
        yield Fault(
            path="total",
            problem=f"the regions' minimums sum up to {possible.min}, above the total's maximum {total.max}",
            remedy=f"raise the total to at least {possible.min}, or lower a region's minimum",
        )
    if possible.max < total.min:
        yield Fault(
            path="total",
            problem=f"the regions' maximums sum up to {possible.max}, below the total's minimum {total.min}",
            remedy=f"lower the total's minimum to {possible.max}, or raise a region's maximum",
        )


def _metrics(pool: Pool) -> Iterator[Fault]:
    seen: set[str] = set()
    for query in pool.metrics:
        path = f"metrics.{query.name}"
        if query.name in seen:
            yield Fault(path=path, problem="the name is taken twice", remedy="rename one of the two")
        if query.name in {*FLEET_NAMES, *FUNCTIONS, *_WORDS}:
            yield Fault(
                path=path, problem=f"{query.name} has a meaning of its own in expressions", remedy="rename it"
            )
        if query.missing is not None and not math.isfinite(query.missing):
            yield Fault(
                path=f"{path}.missing",
                problem=f"{query.missing} is no number to calculate with",
                remedy="write a finite number",
            )
        seen.add(query.name)


def _rules(pool: Pool) -> Iterator[Fault]:
    if not pool.rules:
        yield Fault(path="rules", problem="no rule asks for Machines", remedy='write one, with "per_machine"')
    names: set[str] = {query.name for query in pool.metrics}
    for index, rule in enumerate(pool.rules):
        yield from _rule(f"rules[{index}]", rule, names)
    if pool.rules and all(isinstance(rule, Utilization) for rule in pool.rules):
        for region, spec in pool.regions.items():
            if spec.bounds.min == 0 < spec.bounds.max:
                yield Fault(
                    path=f"regions.{region}",
                    problem="utilization cannot be told with 0 Machines, so it would never leave 0",
                    remedy="give it a minimum of at least 1, or add a rule that works from 0",
                )


def _rule(path: str, rule: Rule, names: set[str]) -> Iterator[Fault]:
    if not isinstance(rule, PerMachine | Utilization):
        return
    key = "per_machine" if isinstance(rule, PerMachine) else "utilization"
    if rule.metric not in names:
        yield Fault(
            path=f"{path}.metric",
            problem=f"there is no metric {rule.metric}",
            remedy="define it under metrics, or write a query",
        )
    if not (rule.target > 0 and math.isfinite(rule.target)):
        yield Fault(
            path=f"{path}.{key}",
            problem=f"{figure(rule.target)} is no target",
            remedy="write a number above 0",
        )
    if isinstance(rule, Utilization) and not 0 <= rule.tolerance < 1:
        yield Fault(
            path=f"{path}.tolerance",
            problem=f"{figure(rule.tolerance)} is no tolerance",
            remedy="write a number from 0 to below 1",
        )


def _amounts(pool: Pool) -> Iterator[Fault]:
    for name, value, least in (
        ("spare", pool.spare, 0),
        ("headroom", pool.headroom, 0),
        ("failures", pool.failures, 1),
        ("reserve", pool.reserve, 0),
    ):
        if not (value >= least and math.isfinite(value)):
            yield Fault(path=name, problem=f"{value} is too little", remedy=f"write {least} or more")
    if isinstance(pool.on_absent, int) and pool.on_absent < 0:
        yield Fault(
            path="on_absent",
            problem=f"{pool.on_absent} is no number of Machines",
            remedy="write hold, min, max, or 0 or more",
        )
    if pool.leave is Leave.DESTROY and not pool.create:
        yield Fault(
            path="leave",
            problem="destroyed Machines could never come back, because create is false",
            remedy='write leave = "stop", or create = true',
        )


def _damping(path: str, damping: Damping) -> Iterator[Fault]:
    if not (damping.window_s >= 0 and math.isfinite(damping.window_s)):
        yield Fault(
            path=f"{path}.window", problem=f"{damping.window_s} is no duration", remedy="write such as 5m"
        )
    if damping.step is not None and not _possible(damping.step):
        yield Fault(
            path=f"{path}.step",
            problem="it allows no change at all",
            remedy='write such as "50%/1m", "4/15s" or "none"',
        )


def _possible(step: Step) -> bool:
    parts = [part for part in (step.count, step.fraction) if part is not None]
    periods = [period for period in (step.period_s, step.count_period_s) if period is not None]
    return bool(parts) and all(part > 0 for part in parts) and all(period > 0 for period in periods)
