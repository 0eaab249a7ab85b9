"""Arithmetic, comparisons and sets between scalars and vectors."""

import math
import operator
from collections.abc import Callable

from autoscaler.emulator.promql.samples import Key, Sample, Value, Vector, group_of
from autoscaler.emulator.promql.syntax import Grouping, QueryError

EVERY_LABEL = Grouping(keep=False, labels=())


def _divide(a: float, b: float) -> float:
    if b != 0:
        return a / b
    return math.nan if a == 0 or math.isnan(a) else math.copysign(math.inf, a) * math.copysign(1.0, b)


def _modulo(a: float, b: float) -> float:
    return math.fmod(a, b) if b != 0 and not math.isinf(a) else math.nan


def _power(a: float, b: float) -> float:
    try:
        return math.pow(a, b)
    except OverflowError:
        return math.inf
    except ValueError:
        return math.nan


ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _divide,
    "%": _modulo,
    "^": _power,
}

COMPARISONS: dict[str, Callable[[float, float], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    "<": operator.lt,
    ">=": operator.ge,
    "<=": operator.le,
}


def each(vector: Vector, function: Callable[[float], float]) -> Vector:
    """The function of every value."""
    return [sample.unnamed(function(sample.value)) for sample in vector]


def arithmetic(op: str, left: Value, right: Value, matching: Grouping | None) -> Value:
    """Scalars with anything; vectors pair by pair. QueryError when series do not pair one to one."""
    compute = ARITHMETIC[op]
    if isinstance(left, float) and isinstance(right, float):
        return compute(left, right)
    if isinstance(right, float):
        return each(_vector(left), lambda value: compute(value, right))
    if isinstance(left, float):
        return each(right, lambda value: compute(left, value))
    return [
        Sample(labels=dict(key), value=compute(a.value, b.value), stamp=a.stamp)
        for key, a, b in _pairs(left, right, matching)
    ]


def comparison(op: str, left: Value, right: Value, matching: Grouping | None, *, boolean: bool) -> Value:
    """Keeps the samples of the vector for which it holds; with `bool` all of them as 0 or 1."""
    holds = COMPARISONS[op]
    if isinstance(left, float) and isinstance(right, float):
        if not boolean:
            raise QueryError("comparisons between scalars must use bool")
        return float(holds(left, right))
    if isinstance(right, float):
        judged = [(sample, holds(sample.value, right)) for sample in _vector(left)]
    elif isinstance(left, float):
        judged = [(sample, holds(left, sample.value)) for sample in right]
    else:
        judged = [(a, holds(a.value, b.value)) for _, a, b in _pairs(left, right, matching)]
    if boolean:
        return [sample.unnamed(float(true)) for sample, true in judged]
    return [sample for sample, true in judged if true]


def sets(op: str, left: Value, right: Value, matching: Grouping | None) -> Vector:
    """`and`, `or`, `unless` between two vectors."""
    ours, theirs = _vector(left), _vector(right)
    labels = matching or EVERY_LABEL
    known = {group_of(sample, labels) for sample in (ours if op == "or" else theirs)}
    if op == "or":
        return ours + [sample for sample in theirs if group_of(sample, labels) not in known]
    return [sample for sample in ours if (group_of(sample, labels) in known) is (op == "and")]


def _pairs(left: Vector, right: Vector, matching: Grouping | None) -> list[tuple[Key, Sample, Sample]]:
    labels = matching or EVERY_LABEL
    ours, theirs = _one_each(left, labels), _one_each(right, labels)
    return [(key, sample, theirs[key]) for key, sample in ours.items() if key in theirs]


def _one_each(vector: Vector, labels: Grouping) -> dict[Key, Sample]:
    found: dict[Key, Sample] = {}
    for sample in vector:
        key = group_of(sample, labels)
        if key in found:
            raise QueryError(
                "several series match the same labels: aggregate both sides first", kind="execution"
            )
        found[key] = sample
    return found


def _vector(value: Value) -> Vector:
    if isinstance(value, float):
        raise QueryError("expected a vector, not a scalar")
    return value
