"""Aggregations, functions over time and functions of each value."""

import itertools
import math
import re
from collections.abc import Callable, Sequence

from autoscaler.emulator.promql.samples import Ranges, Sample, Vector
from autoscaler.emulator.promql.syntax import Call, Node, QueryError, Text, expression

Points = list[tuple[float, float]]


def _most(values: Sequence[float]) -> float:
    """NaN counts only where there is nothing else."""
    return max((value for value in values if not math.isnan(value)), default=math.nan)


def _least(values: Sequence[float]) -> float:
    return min((value for value in values if not math.isnan(value)), default=math.nan)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


AGGREGATES: dict[str, Callable[[Sequence[float]], float]] = {
    "sum": sum,
    "max": _most,
    "min": _least,
    "avg": _mean,
    "count": lambda values: float(len(values)),
    "group": lambda values: 1.0 if values else math.nan,
}


def _rate(points: Points) -> float | None:
    """Increase per second; a fall is a counter that started again."""
    if len(points) < 2:
        return None
    rise = sum(
        later - earlier if later >= earlier else later
        for (_, earlier), (_, later) in itertools.pairwise(points)
    )
    return rise / (points[-1][0] - points[0][0])


def _over(reduce: Callable[[Sequence[float]], float]) -> Callable[[Points], float | None]:
    return lambda points: reduce([value for _, value in points])


def _delta(points: Points) -> float | None:
    return points[-1][1] - points[0][1] if len(points) > 1 else None


def _increase(points: Points) -> float | None:
    rate = _rate(points)
    return None if rate is None else rate * (points[-1][0] - points[0][0])


OVER_TIME: dict[str, Callable[[Points], float | None]] = {
    "rate": _rate,
    "increase": _increase,
    "delta": _delta,
    "avg_over_time": _over(_mean),
    "max_over_time": _over(_most),
    "min_over_time": _over(_least),
    "sum_over_time": _over(sum),
    "count_over_time": _over(AGGREGATES["count"]),
    "last_over_time": lambda points: points[-1][1],
}


def _round(value: float, to: float = 1.0) -> float:
    return math.floor(value / to + 0.5) * to if math.isfinite(value) else value


def _whole(function: Callable[[float], int]) -> Callable[[float], float]:
    return lambda value: float(function(value)) if math.isfinite(value) else value


PER_VALUE: dict[str, tuple[Callable[..., float], tuple[int, ...]]] = {
    "abs": (abs, (1,)),
    "ceil": (_whole(math.ceil), (1,)),
    "floor": (_whole(math.floor), (1,)),
    "round": (_round, (1, 2)),
    "sqrt": (lambda value: math.sqrt(value) if value >= 0 else math.nan, (1,)),
    "clamp": (lambda value, low, high: max(low, min(high, value)), (3,)),
    "clamp_min": (lambda value, low: max(low, value), (2,)),
    "clamp_max": (lambda value, high: min(high, value), (2,)),
}


def over_time(name: str, ranges: Ranges, at: float) -> Vector:
    """The function of each series' past; a series with too few points has none."""
    found = []
    for key, points in ranges.items():
        value = OVER_TIME[name](points)
        if value is not None:
            found.append(Sample(labels=dict(key), value=value, stamp=at))
    return found


def extremes(op: str, count: int, members: Vector) -> Vector:
    """The `count` largest (topk) or smallest (bottomk), labels kept."""
    return sorted(members, key=lambda sample: sample.value, reverse=op == "topk")[: max(0, count)]


def label_replace(vector: Vector, arguments: Sequence[Node]) -> Vector:
    """Arguments after the vector: target, replacement (`$1` is the first group), source, regex."""
    texts = [argument.value for argument in arguments if isinstance(argument, Text)]
    if len(texts) != 4:
        raise QueryError("label_replace takes a vector and four strings")
    target, replacement, source, pattern = texts
    compiled = expression(pattern)
    changed = []
    for sample in vector:
        matched = compiled.fullmatch(sample.labels.get(source, ""))
        labels = dict(sample.labels)
        if matched:
            labels[target] = _expanded(replacement, matched)
        kept = {label: text for label, text in labels.items() if text}
        changed.append(Sample(labels=kept, value=sample.value, stamp=sample.stamp))
    return changed


def _expanded(replacement: str, matched: re.Match[str]) -> str:
    """`$1` and `${1}` become the group; a group that does not exist becomes nothing."""
    groups = {str(number): text or "" for number, text in enumerate((matched[0], *matched.groups()))}
    groups |= {name: text or "" for name, text in matched.groupdict().items()}
    return re.sub(r"\$(?:\{(\w+)\}|(\w+))", lambda found: groups.get(found[1] or found[2], ""), replacement)


def check_count(node: Call, counts: tuple[int, ...]) -> None:
    """QueryError unless the function has one of these numbers of arguments."""
    if len(node.arguments) not in counts:
        raise QueryError(f"{node.name} takes {counts[0]} argument(s), not {len(node.arguments)}")
