"""A pool's configuration, compiled once at start into what `decide` works with."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from autoscaler.domain.errors import ConfigurationError, Fault
from autoscaler.domain.geography import Place, catchments
from autoscaler.domain.names import MetricName, Region
from autoscaler.domain.pool import Expression, PerMachine, Pool, Rule
from autoscaler.policy import questions
from autoscaler.policy.contradictions import contradictions
from autoscaler.policy.damping import Windows
from autoscaler.policy.expression import ExpressionError, check_names, parse
from autoscaler.policy.misscheduled import misscheduled
from autoscaler.policy.questions import Question
from autoscaler.policy.schedule import Calendar, compile_schedule

FRESH_INTERVALS = 3
"""For so many intervals a demand counts as the last known one; a longer silence between ticks is a gap."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A pool with its rules parsed. `regions` are all, by name."""

    pool: Pool
    regions: tuple[Region, ...]
    weights: tuple[float, ...]
    nearest: Mapping[Region, tuple[Region, ...]]
    """Where demand goes that was measured in any region there is or was: to the first that may run."""
    heaviest: tuple[Region, ...]
    """Where demand goes that was measured nowhere on the map, likewise."""
    questions: tuple[Question, ...]
    calendars: tuple[Calendar, ...]
    windows: Windows
    fleet_bound: bool
    """A rule asks about the fleet itself."""
    unsigned: frozenset[MetricName]
    """Metrics that may not be negative."""


def compile_pool(pool: Pool) -> Policy:
    """Parse the rules and look for contradictions. Raises ConfigurationError with every fault."""
    faults = [*contradictions(pool), *misscheduled(pool)]
    compiled, misread = _questions(pool)
    faults += misread or _unused(pool, compiled)
    if faults:
        raise ConfigurationError(faults)
    regions = tuple(sorted(pool.regions))
    return Policy(
        pool=pool,
        regions=regions,
        weights=tuple(pool.regions[region].weight for region in regions),
        nearest=catchments(regions),
        heaviest=tuple(sorted(regions, key=lambda region: -pool.regions[region].weight)),
        questions=compiled,
        calendars=tuple(
            compile_schedule(schedule, f"schedules[{index}]") for index, schedule in enumerate(pool.schedules)
        ),
        windows=Windows(
            in_s=pool.scale_in.window_s,
            out_s=pool.scale_out.window_s,
            fresh_s=FRESH_INTERVALS * pool.interval_s,
        ),
        fleet_bound=any(question.fleet_bound for question in compiled),
        unsigned=frozenset(name for question in compiled if question.unsigned for name in question.metrics),
    )


def on_map(policy: Policy, listed: Mapping[Region, Place]) -> Policy:
    """The same, with the platform's own list of its regions."""
    return replace(policy, nearest=catchments(policy.regions, listed))


def _questions(pool: Pool) -> tuple[tuple[Question, ...], list[Fault]]:
    compiled: list[Question] = []
    faults = []
    names = [query.name for query in pool.metrics]
    for index, rule in enumerate(pool.rules):
        try:
            compiled.append(_compiled(rule, f"rules[{index}]", names, pool.headroom))
        except ExpressionError as error:
            faults.append(Fault(path=f"rules[{index}].expression", problem=str(error)))
    return tuple(compiled), faults


def _compiled(rule: Rule, path: str, names: list[MetricName], headroom: float) -> Question:
    if isinstance(rule, PerMachine):
        return questions.per_machine(rule, path, headroom)
    if isinstance(rule, Expression):
        parsed = parse(rule.text)
        check_names(parsed, names)
        return questions.expression(parsed, path, headroom)
    return questions.utilization(rule, path, headroom)


def _unused(pool: Pool, compiled: tuple[Question, ...]) -> list[Fault]:
    used = {name for question in compiled for name in question.metrics}
    return [
        Fault(
            path=f"metrics.{query.name}",
            problem="no rule uses this metric",
            remedy="name it in an expression, or remove it",
        )
        for query in pool.metrics
        if query.name not in used
    ]
