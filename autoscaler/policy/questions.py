"""Rules, compiled: each is a question that readings and a fleet answer with a number of Machines."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from autoscaler.domain.fleet import RegionCount
from autoscaler.domain.names import MetricName
from autoscaler.domain.pool import PerMachine, Utilization
from autoscaler.domain.reading import Absent, Measured, Reading, Why
from autoscaler.domain.reason import Number, Numbers, ReasonCode
from autoscaler.policy.arithmetic import UndefinedError
from autoscaler.policy.expression import FLEET_NAMES, Expression
from autoscaler.policy.trail import Form

Asked = tuple[float, tuple[Number, ...]]
"""How many Machines are asked for, unrounded, and the numbers of `form` that show why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One rule. `path` is its place in the configuration.

    `ask` takes one reading per metric, in order, and the fleet. It raises UndefinedError where the answer
    cannot be told. `form` words the answer: the numbers of `ask`, then what was asked and the Machines.
    `fleet_bound` rules depend on the pool's own counts, so their past cannot be told from the metrics' past.
    """

    path: str
    metrics: tuple[MetricName, ...]
    ask: Callable[[Sequence[Reading], RegionCount], Asked]
    form: Form
    tolerance: float | None = None
    """By how much, as a fraction, it is content with less than there is."""
    fleet_bound: bool = False
    unsigned: bool = True
    """A negative reading makes no sense to it."""


def per_machine(rule: PerMachine, path: str, headroom: float) -> Question:
    """value / target. `headroom` is a fraction on top, here and below."""
    metric, target, factor = rule.metric, rule.target, 1.0 + headroom

    def ask(readings: Sequence[Reading], _: RegionCount) -> Asked:
        (reading,) = readings
        if isinstance(reading, Absent) or reading.value < 0:
            raise _useless(reading, metric)
        value = reading.value
        return value / target * factor, (value,)

    head = (("rule", path), ("metric", metric), ("per_machine", target))
    return Question(path=path, metrics=(metric,), ask=ask, form=_form(head, headroom, "value"))


def utilization(rule: Utilization, path: str, headroom: float) -> Question:
    """ready * value / target, content with the capacity there is while that is only a little too much."""
    metric, target, factor = rule.metric, rule.target, 1.0 + headroom

    def ask(readings: Sequence[Reading], count: RegionCount) -> Asked:
        (reading,) = readings
        if isinstance(reading, Absent) or reading.value < 0:
            raise _useless(reading, metric)
        value, ready = reading.value, count.ready
        if ready == 0:
            raise UndefinedError(Why.NONE_READY, metric)
        return ready * (value / target) * factor, (value, ready)

    head = (("rule", path), ("metric", metric), ("utilization", target))
    return Question(
        path=path,
        metrics=(metric,),
        ask=ask,
        form=_form(head, headroom, "value", "ready"),
        tolerance=rule.tolerance,
        fleet_bound=True,
    )


def expression(parsed: Expression, path: str, headroom: float) -> Question:
    """The operator's own arithmetic."""
    factor, evaluate = 1.0 + headroom, parsed.evaluate
    metrics = tuple(MetricName(name) for name in parsed.names if name not in FLEET_NAMES)
    counted = tuple(name for name in parsed.names if name in FLEET_NAMES)
    names = (*metrics, *counted)

    def ask(readings: Sequence[Reading], count: RegionCount) -> Asked:
        values: list[float | Absent] = [
            float(reading.value) if isinstance(reading, Measured) else reading for reading in readings
        ]
        values += [float(_COUNTS[name](count)) for name in counted]
        asked = evaluate(dict(zip(names, values, strict=True))) * factor
        return asked, tuple(value.why.value if isinstance(value, Absent) else value for value in values)

    head = (("rule", path), ("expression", parsed.text))
    form = _form(head, headroom, *names)
    return Question(path=path, metrics=metrics, ask=ask, form=form, fleet_bound=bool(counted), unsigned=False)


def shown(headroom: float) -> Numbers:
    """The headroom as a Reason's number, where there is any."""
    return (("headroom", headroom),) if headroom else ()


def _form(head: Numbers, headroom: float, *names: str) -> Form:
    return Form(ReasonCode.RULE, (*names, "asked", "machines"), (*head, *shown(headroom)))


def _useless(reading: Reading, metric: MetricName) -> UndefinedError:
    return UndefinedError(reading.why if isinstance(reading, Absent) else Why.NEGATIVE, metric)


_COUNTS: dict[str, Callable[[RegionCount], int]] = {
    "running": lambda count: count.running,
    "ready": lambda count: count.ready,
    "stopped": lambda count: count.stopped,
    "total": lambda count: count.capacity + count.stopped + count.suspended,
}
