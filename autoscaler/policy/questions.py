"""Rules, compiled: each is a question that readings and a fleet answer with a number of Machines.

An answer is given twice: as it is, because demand from elsewhere is added up before it is rounded, and
rounded up.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from autoscaler.domain.fleet import RegionCount
from autoscaler.domain.names import MetricName
from autoscaler.domain.pool import PerMachine, Utilization
from autoscaler.domain.reading import Absent, Measured, Reading, Why
from autoscaler.domain.reason import Number, Reason, ReasonCode
from autoscaler.policy.arithmetic import UndefinedError, whole
from autoscaler.policy.expression import FLEET_NAMES, Expression

Slack = tuple[float, int]
"""From how much asked on a rule is content with what there is, and what there is."""
Asked = tuple[float, int, Reason, Slack | None]
"""How much is asked for, the same in Machines, the numbers that show why, and a tolerant rule's slack."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One rule. `path` is its place in the configuration.

    `ask` takes one reading per metric, in order, the fleet, and what the rule asks for elsewhere. It raises
    UndefinedError where the answer cannot be told. `fleet_bound` rules depend on the pool's own counts, so
    their past cannot be told from the metrics' past.
    """

    path: str
    metrics: tuple[MetricName, ...]
    ask: Callable[[Sequence[Reading], RegionCount, float], Asked]
    fleet_bound: bool = False
    unsigned: bool = True
    """A negative reading makes no sense to it."""


def per_machine(rule: PerMachine, path: str, factor: float) -> Question:
    """value / target. `factor` is 1 + headroom, here and below."""
    metric, target = rule.metric, rule.target
    rule_name, metric_name, wanted = ("rule", path), ("metric", metric), ("per_machine", target)

    def ask(readings: Sequence[Reading], _: RegionCount, more: float) -> Asked:
        (reading,) = readings
        if isinstance(reading, Absent) or reading.value < 0:
            raise _useless(reading, metric)
        value = reading.value
        asked = value / target * factor + more
        machines = whole(asked)
        numbers = rule_name, metric_name, ("value", value), wanted, ("asked", asked), ("machines", machines)
        return asked, machines, Reason(_RULE, numbers), None

    return Question(path=path, metrics=(metric,), ask=ask)


def utilization(rule: Utilization, path: str, factor: float) -> Question:
    """ready * value / target, content with the capacity there is while that is only a little too much."""
    metric, target, least = rule.metric, rule.target, 1.0 - rule.tolerance
    rule_name, metric_name, wanted = ("rule", path), ("metric", metric), ("utilization", target)

    def ask(readings: Sequence[Reading], count: RegionCount, more: float) -> Asked:
        (reading,) = readings
        if isinstance(reading, Absent) or reading.value < 0:
            raise _useless(reading, metric)
        value, ready = reading.value, count.ready
        if ready == 0:
            raise UndefinedError(Why.NONE_READY, metric)
        asked = ready * (value / target) * factor + more
        machines = whole(asked)
        numbers = (
            rule_name,
            metric_name,
            ("value", value),
            wanted,
            ("ready", ready),
            ("asked", asked),
            ("machines", machines),
        )
        return asked, machines, Reason(_RULE, numbers), (ready * least, count.capacity)

    return Question(path=path, metrics=(metric,), ask=ask, fleet_bound=True)


def expression(parsed: Expression, path: str, factor: float) -> Question:
    """The operator's own arithmetic."""
    metrics = tuple(MetricName(name) for name in parsed.names if name not in FLEET_NAMES)
    context = tuple(name for name in parsed.names if name in FLEET_NAMES)
    head = (("rule", path), ("expression", parsed.text))

    def ask(readings: Sequence[Reading], count: RegionCount, more: float) -> Asked:
        values: dict[str, float | Absent] = {}
        numbers: list[tuple[str, Number]] = [*head]
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
        asked = parsed.evaluate(values) * factor + more
        machines = whole(asked)
        numbers += [("asked", asked), ("machines", machines)]
        return asked, machines, Reason(_RULE, tuple(numbers)), None

    return Question(path=path, metrics=metrics, ask=ask, fleet_bound=bool(context), unsigned=False)


def _useless(reading: Reading, metric: MetricName) -> UndefinedError:
    return UndefinedError(reading.why if isinstance(reading, Absent) else Why.NEGATIVE, metric)


def _counts(count: RegionCount, names: Sequence[str]) -> Mapping[str, float]:
    every = {
        "running": count.running,
        "ready": count.ready,
        "stopped": count.stopped,
        "total": count.capacity + count.stopped + count.suspended,
    }
    return {name: float(every[name]) for name in names}


_RULE = ReasonCode.RULE
