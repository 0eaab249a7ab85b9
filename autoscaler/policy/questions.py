"""Rules, compiled: each is a question that readings and a fleet answer with a number of Machines.

What a question yields is not whole yet, without headroom and without demand from elsewhere:
those belong to all rules alike and are applied in `demand`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from autoscaler.domain.fleet import RegionCount
from autoscaler.domain.names import MetricName
from autoscaler.domain.pool import PerMachine, Utilization
from autoscaler.domain.reading import Absent, Measured, Reading, Why
from autoscaler.domain.reason import Number
from autoscaler.policy.arithmetic import UndefinedError
from autoscaler.policy.expression import FLEET_NAMES, Expression

Numbers = tuple[tuple[str, Number], ...]
Slack = tuple[float, int]
"""From how much asked on a rule is content with what there is, and what there is."""
Asked = tuple[float, Numbers, Slack | None]
"""Machines asked for, the numbers that show why, and the slack of a rule that tolerates."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One rule. `path` is its place in the configuration; `ask` takes one reading per metric, in order.

    `head` opens its explanation. `ask` raises UndefinedError where the answer cannot be told. `fleet_bound`
    rules depend on the pool's own counts, so their past cannot be told from the metrics' past.
    """

    path: str
    head: tuple[str, Number]
    metrics: tuple[MetricName, ...]
    ask: Callable[[Sequence[Reading], RegionCount], Asked]
    fleet_bound: bool = False
    unsigned: bool = True
    """A negative reading makes no sense to it."""


def per_machine(rule: PerMachine, path: str) -> Question:
    """value / target."""
    metric, target = rule.metric, rule.target
    named, wanted = ("metric", metric), ("per_machine", target)

    def ask(readings: Sequence[Reading], _: RegionCount) -> Asked:
        value = _positive(readings[0], metric)
        return value / target, (named, ("value", value), wanted), None

    return Question(path=path, head=("rule", path), metrics=(metric,), ask=ask)


def utilization(rule: Utilization, path: str) -> Question:
    """ready * value / target, content with the capacity there is while that is only a little too much."""
    metric, target, least = rule.metric, rule.target, 1.0 - rule.tolerance
    named, wanted = ("metric", metric), ("utilization", target)

    def ask(readings: Sequence[Reading], count: RegionCount) -> Asked:
        value = _positive(readings[0], metric)
        if count.ready == 0:
            raise UndefinedError(Why.NONE_READY, metric)
        numbers = (named, ("value", value), wanted, ("ready", count.ready))
        return count.ready * (value / target), numbers, (count.ready * least, count.capacity)

    return Question(path=path, head=("rule", path), metrics=(metric,), ask=ask, fleet_bound=True)


def expression(parsed: Expression, path: str) -> Question:
    """The operator's own arithmetic."""
    metrics = tuple(MetricName(name) for name in parsed.names if name not in FLEET_NAMES)
    context = tuple(name for name in parsed.names if name in FLEET_NAMES)
    shown = ("expression", parsed.text)

    def ask(readings: Sequence[Reading], count: RegionCount) -> Asked:
        values: dict[str, float | Absent] = {}
        numbers: list[tuple[str, Number]] = [shown]
        for name, reading in zip(metrics, readings, strict=True):
            if isinstance(reading, Measured):
                values[name] = value = float(reading.value)
                numbers.append((name, value))
            else:
                values[name] = reading
                numbers.append((name, reading.why.value))
        if context:
            counts = _counts(count, context)
            values.update(counts)
            numbers += counts.items()
        return parsed.evaluate(values), tuple(numbers), None

    return Question(
        path=path, head=("rule", path), metrics=metrics, ask=ask, fleet_bound=bool(context), unsigned=False
    )


def _positive(reading: Reading, metric: MetricName) -> float:
    if isinstance(reading, Absent):
        raise UndefinedError(reading.why, metric)
    if reading.value < 0:
        raise UndefinedError(Why.NEGATIVE, metric)
    return reading.value


def _counts(count: RegionCount, names: Sequence[str]) -> Mapping[str, float]:
    every = {
        "running": count.running,
        "ready": count.ready,
        "stopped": count.stopped,
        "total": count.capacity + count.stopped + count.suspended,
    }
    return {name: float(every[name]) for name in names}
