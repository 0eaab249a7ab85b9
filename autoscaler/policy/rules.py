"""A pool's configuration, compiled once at start into what `decide` works with."""

from collections.abc import Mapping
from dataclasses import dataclass

from autoscaler.domain.errors import ConfigurationError, Fault
from autoscaler.domain.names import MetricName, Region
from autoscaler.domain.pool import Expression, PerMachine, Pool, Rule
from autoscaler.policy import questions
from autoscaler.policy.contradictions import contradictions
from autoscaler.policy.damping import Windows
from autoscaler.policy.expression import ExpressionError, check_names, parse
from autoscaler.policy.limits import Limits
from autoscaler.policy.questions import Question

FRESH_INTERVALS = 3
"""For so many intervals a demand counts as the last known one; a longer silence between ticks is a gap."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A pool with its rules parsed. `regions` are all, by name; `homes` those where it may ever run."""

    pool: Pool
    regions: tuple[Region, ...]
    homes: tuple[Region, ...]
    weights: Mapping[Region, float]
    heaviest: Region
    """Where demand goes that was measured nowhere on the map."""
    questions: tuple[Question, ...]
    limits: Limits
    """The bounds without any schedule."""
    windows: Windows
    factor: float
    """1 + headroom."""
    unsigned: frozenset[MetricName]
    """Metrics that may not be negative."""


def compile_pool(pool: Pool) -> Policy:
    """Parse the rules and look for contradictions. Raises ConfigurationError with every fault."""
    compiled: list[Question] = []
    faults = list(contradictions(pool))
    names = [query.name for query in pool.metrics]
    for index, rule in enumerate(pool.rules):
        try:
            compiled.append(_compiled(rule, f"rules[{index}]", names))
        except ExpressionError as error:
            faults.append(Fault(path=f"rules[{index}].expression", problem=str(error)))
    faults += _unused(pool, compiled) if len(compiled) == len(pool.rules) else []
    if faults:
        raise ConfigurationError(faults)
    regions = tuple(sorted(pool.regions))
    return Policy(
        pool=pool,
        regions=regions,
        homes=tuple(region for region in regions if pool.regions[region].bounds.max > 0),
        weights={region: pool.regions[region].weight for region in regions},
        heaviest=min(regions, key=lambda region: (-pool.regions[region].weight, region)),
        questions=tuple(compiled),
        limits=Limits(regions={region: pool.regions[region].bounds for region in regions}, total=pool.total),
        windows=Windows(
            in_s=pool.scale_in.window_s,
            out_s=pool.scale_out.window_s,
            fresh_s=FRESH_INTERVALS * pool.interval_s,
        ),
        factor=1.0 + pool.headroom,
        unsigned=frozenset(name for question in compiled if question.unsigned for name in question.metrics),
    )


def _compiled(rule: Rule, path: str, names: list[MetricName]) -> Question:
    if isinstance(rule, PerMachine):
        return questions.per_machine(rule, path)
    if isinstance(rule, Expression):
        parsed = parse(rule.text)
        check_names(parsed, names)
        return questions.expression(parsed, path)
    return questions.utilization(rule, path)


def _unused(pool: Pool, compiled: list[Question]) -> list[Fault]:
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
