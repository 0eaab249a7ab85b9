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
from autoscaler.domain.reason import Number, Numbers, Reason, ReasonCode
from autoscaler.policy.arithmetic import UndefinedError, whole
from autoscaler.policy.expression import FLEET_NAMES, Expression

Asked = tuple[float, int, Reason, float | None]
"""How much is asked for, the same in Machines, the numbers that show why, and a rule's tolerance."""


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


def per_machine(rule: PerMachine, path: str, headroom: float) -> Question:
    """value / target. `headroom` is a fraction on top, here and below."""
    metric, target, factor = rule.metric, rule.target, 1.0 + headroom
    head: Numbers = (("rule", path), ("metric", metric), ("per_machine", target), *shown(headroom))

    def ask(readings: Sequence[Reading], _: RegionCount, more: float) -> Asked:
        (reading,) = readings
        if isinstance(reading, Absent) or reading.value < 0:
            raise _useless(reading, metric)
        value = reading.value
        asked = value / target * factor + more
        machines = whole(asked)
        numbers: Numbers = (*head, ("value", value), ("asked", asked), ("machines", machines))
        return asked, machines, Reason(_RULE, numbers), None

    return Question(path=path, metrics=(metric,), ask=ask)


def utilization(rule: Utilization, path: str, headroom: float) -> Question:
    """ready * value / target, content with the capacity there is while that is only a little too much."""
    metric, target, factor, tolerance = rule.metric, rule.target, 1.0 + headroom, rule.tolerance
    head: Numbers = (("rule", path), ("metric", metric), ("utilization", target), *shown(headroom))

    def ask(readings: Sequence[Reading], count: RegionCount, more: float) -> Asked:
        (reading,) = readings
        if isinstance(reading, Absent) or reading.value < 0:
            raise _useless(reading, metric)
        value, ready = reading.value, count.ready
        if ready == 0:
            raise UndefinedError(Why.NONE_READY, metric)
        asked = ready * (value / target) * factor + more
        machines = whole(asked)
        numbers: Numbers = (
            *head,
            ("value", value),
            ("ready", ready),
            ("asked", asked),
            ("machines", machines),
        )
        return asked, machines, Reason(_RULE, numbers), tolerance

    return Question(path=path, metrics=(metric,), ask=ask, fleet_bound=True)


def expression(parsed: Expression, path: str, headroom: float) -> Question:
    """The operator's own arithmetic."""
    factor = 1.0 + headroom
    metrics = tuple(MetricName(name) for name in parsed.names if name not in FLEET_NAMES)
    context = tuple(name for name in parsed.names if name in FLEET_NAMES)
    head: Numbers = (("rule", path), ("expression", parsed.text), *shown(headroom))

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


def shown(headroom: float) -> Numbers:
    """The headroom as a Reason's number, where there is any."""
    return (("headroom", headroom),) if headroom else ()


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
