"""Rules, compiled: each is a question that readings and a fleet answer with a number of Machines."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from autoscaler.domain.fleet import RegionCount
from autoscaler.domain.names import MetricName
from autoscaler.domain.pool import PerMachine, Utilization
from autoscaler.domain.reading import Absent, Reading, Why
from autoscaler.domain.reason import Number, Numbers, Reason, ReasonCode
from autoscaler.policy.arithmetic import UndefinedError
from autoscaler.policy.expression import FLEET_NAMES, Expression
from autoscaler.policy.readings import Here


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One rule. `path` is its place in the configuration.

    `ask` takes the readings of one scope and its fleet, and answers in Machines, unrounded. It raises
    UndefinedError where that cannot be told. `head` and `inputs` are the numbers that explain an answer:
    those of the rule, and those of its readings and the fleet. `fleet_bound` rules depend on the pool's own
    counts, so their past cannot be told from the metrics' past.
    """

    path: str
    metrics: tuple[MetricName, ...]
    ask: Callable[[Here, RegionCount], float]
    head: Numbers
    inputs: Callable[[Here, RegionCount], Numbers]
    tolerance: float | None = None
    """By how much, as a fraction, it is content with less than there is."""
    fleet_bound: bool = False
    unsigned: bool = True
    """A negative reading makes no sense to it."""

    def word(self, here: Here, count: RegionCount, asked: float, machines: int) -> Reason:
        """Why it asked for so many Machines."""
        given = self.inputs(here, count)
        return Reason(ReasonCode.RULE, (*self.head, *given, ("asked", asked), ("machines", machines)))


def per_machine(rule: PerMachine, path: str, headroom: float) -> Question:
    """value / target. `headroom` is a fraction on top, here and below."""
    metric, target, factor = rule.metric, rule.target, 1.0 + headroom

    def ask(here: Here, _: RegionCount) -> float:
        reading = here[metric]
        if isinstance(reading, Absent) or reading.value < 0:
            raise _useless(reading, metric)
        return reading.value / target * factor

    return Question(
        path=path,
        metrics=(metric,),
        ask=ask,
        head=(("rule", path), ("metric", metric), ("per_machine", target), *shown(headroom)),
        inputs=lambda here, _: (("value", _shown(here[metric])),),
    )


def utilization(rule: Utilization, path: str, headroom: float) -> Question:
    """ready * value / target, content with the capacity there is while that is only a little too much."""
    metric, target, factor = rule.metric, rule.target, 1.0 + headroom

    def ask(here: Here, count: RegionCount) -> float:
        reading = here[metric]
        if isinstance(reading, Absent) or reading.value < 0:
            raise _useless(reading, metric)
        if count.ready == 0:
            raise UndefinedError(Why.NONE_READY, metric)
        return count.ready * (reading.value / target) * factor

    return Question(
        path=path,
        metrics=(metric,),
        ask=ask,
        head=(("rule", path), ("metric", metric), ("utilization", target), *shown(headroom)),
        inputs=lambda here, count: (("value", _shown(here[metric])), ("ready", count.ready)),
        tolerance=rule.tolerance,
        fleet_bound=True,
    )


def expression(parsed: Expression, path: str, headroom: float) -> Question:
    """The operator's own arithmetic."""
    factor, evaluate = 1.0 + headroom, parsed.evaluate
    metrics = tuple(MetricName(name) for name in parsed.names if name not in FLEET_NAMES)
    counted = tuple(name for name in parsed.names if name in FLEET_NAMES)

    def ask(here: Here, count: RegionCount) -> float:
        values = {**here, **_counted(counted, count)} if counted else here
        return evaluate(values) * factor

    def inputs(here: Here, count: RegionCount) -> Numbers:
        return (*((name, _shown(here[name])) for name in metrics), *_counted(counted, count).items())

    return Question(
        path=path,
        metrics=metrics,
        ask=ask,
        head=(("rule", path), ("expression", parsed.text), *shown(headroom)),
        inputs=inputs,
        fleet_bound=bool(counted),
        unsigned=False,
    )


def shown(headroom: float) -> Numbers:
    """The headroom as a Reason's number, where there is any."""
    return (("headroom", headroom),) if headroom else ()


def _shown(reading: Reading) -> Number:
    return reading.why.value if isinstance(reading, Absent) else float(reading.value)


def _counted(names: Iterable[str], count: RegionCount) -> dict[str, float]:
    """What the fleet says to the names that an expression knows it by."""
    return {name: float(_COUNTS[name](count)) for name in names}


def _useless(reading: Reading, metric: MetricName) -> UndefinedError:
    return UndefinedError(reading.why if isinstance(reading, Absent) else Why.NEGATIVE, metric)


_COUNTS: dict[str, Callable[[RegionCount], int]] = {
    "running": lambda count: count.running,
    "ready": lambda count: count.ready,
    "stopped": lambda count: count.stopped,
    "total": lambda count: count.capacity + count.stopped + count.suspended,
}
