"""Syntax tree -> value at a moment."""

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from autoscaler.emulator.promql import functions, operators
from autoscaler.emulator.promql.samples import Ranges, Sample, Value, Vector, group_of
from autoscaler.emulator.promql.syntax import (
    Aggregation,
    Binary,
    Call,
    Matcher,
    Negated,
    Node,
    Number,
    Over,
    QueryError,
    Selector,
    Shifted,
    Text,
)

SCRAPE_S = 15.0
LOOKBACK_S = 300.0
POINTS_MOST = 11_000


class Source(Protocol):
    """Where samples come from."""

    def samples(self, name: str | None, at: float, lookback_s: float) -> Iterable[Sample]:
        """All series of this name (None: of any) as they read at a moment; labels include `__name__`."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """A source, the moment, and how old a sample may be."""

    source: Source
    at: float
    lookback_s: float = LOOKBACK_S

    def value(self, node: Node) -> Value:
        """What the expression is worth at this moment. QueryError when it cannot be told."""
        match node:
            case Number():
                return node.value
            case Selector():
                return self._select(node)
            case Shifted():
                return self._at(self.at - node.seconds).value(node.inner)
            case Negated():
                return operators.arithmetic("*", self.value(node.inner), -1.0, None)
            case Binary():
                return self._binary(node)
            case Aggregation():
                return self._aggregate(node)
            case Call():
                return self._call(node)
            case Over():
                raise QueryError("a range is no result: wrap it in a function such as avg_over_time")
            case Text():
                raise QueryError("a string is no result")

    def ranges(self, node: Node) -> Ranges:
        """The past of an expression: per series its points, oldest first."""
        if not isinstance(node, Over):
            raise QueryError("this function takes a range, as in x[5m]")
        found: Ranges = {}
        for moment in _grid(self.at - node.seconds, self.at, node.step or SCRAPE_S):
            for sample in self._at(moment).vector(node.inner):
                found.setdefault(sample.key, []).append((moment, sample.value))
        return found

    def vector(self, node: Node) -> Vector:
        """The expression, which must be a vector. QueryError otherwise."""
        value = self.value(node)
        if isinstance(value, float):
            raise QueryError("expected a vector, not a scalar")
        return value

    def scalar(self, node: Node) -> float:
        """The expression, which must be a scalar. QueryError otherwise."""
        value = self.value(node)
        if not isinstance(value, float):
            raise QueryError("expected a scalar, not a vector")
        return value

    def _at(self, moment: float) -> "Evaluation":
        return Evaluation(source=self.source, at=moment, lookback_s=self.lookback_s)

    def _select(self, selector: Selector) -> Vector:
        name = next((m.value for m in selector.matchers if m.label == "__name__" and m.op == "="), None)
        found = self.source.samples(name, self.at, self.lookback_s)
        return [sample for sample in found if all(_meets(sample.labels, m) for m in selector.matchers)]

    def _binary(self, node: Binary) -> Value:
        left, right = self.value(node.left), self.value(node.right)
        if node.op in {"and", "or", "unless"}:
            return operators.sets(node.op, left, right, node.matching)
        if node.op in operators.COMPARISONS:
            return operators.comparison(node.op, left, right, node.matching, boolean=node.boolean)
        return operators.arithmetic(node.op, left, right, node.matching)

    def _aggregate(self, node: Aggregation) -> Vector:
        groups: dict[tuple[tuple[str, str], ...], list[Sample]] = {}
        for sample in self.vector(node.inner):
            groups.setdefault(group_of(sample, node.grouping), []).append(sample)
        if node.parameter is not None:
            count = self._count(node.parameter)
            return [
                kept for members in groups.values() for kept in functions.extremes(node.op, count, members)
            ]
        reduce = functions.AGGREGATES[node.op]
        return [
            Sample(labels=dict(key), value=reduce([member.value for member in members]), stamp=self.at)
            for key, members in groups.items()
        ]

    def _count(self, node: Node) -> int:
        count = self.scalar(node)
        if not math.isfinite(count):
            raise QueryError(f"{count} is not a number of series")
        return int(count)

    def _call(self, node: Call) -> Value:
        special = _SPECIAL.get(node.name)
        if special is not None:
            functions.check_count(node, special)
            return _special(self, node)
        if node.name in functions.OVER_TIME:
            functions.check_count(node, (1,))
            return functions.over_time(node.name, self.ranges(node.arguments[0]), self.at)
        if node.name in functions.PER_VALUE:
            function, counts = functions.PER_VALUE[node.name]
            functions.check_count(node, counts)
            rest = [self.scalar(argument) for argument in node.arguments[1:]]
            return operators.each(self.vector(node.arguments[0]), lambda value: function(value, *rest))
        raise QueryError(f"unknown function {node.name!r} in this emulated metric source")


_SPECIAL = {
    "time": (0,),
    "vector": (1,),
    "scalar": (1,),
    "absent": (1,),
    "timestamp": (1,),
    "label_replace": (5,),
}


def _special(evaluation: Evaluation, node: Call) -> Value:
    """Functions that are more than a function of each value."""
    if node.name == "time":
        return evaluation.at
    if node.name == "vector":
        return [Sample(labels={}, value=evaluation.scalar(node.arguments[0]), stamp=evaluation.at)]
    inner = evaluation.vector(node.arguments[0])
    if node.name == "scalar":
        return inner[0].value if len(inner) == 1 else math.nan
    if node.name == "absent":
        return [] if inner else [Sample(labels=_told(node.arguments[0]), value=1.0, stamp=evaluation.at)]
    if node.name == "timestamp":
        return [sample.unnamed(sample.stamp) for sample in inner]
    return functions.label_replace(inner, node.arguments[1:])


def _told(node: Node) -> dict[str, str]:
    """What a selector says of the series that is absent."""
    matchers = node.matchers if isinstance(node, Selector) else ()
    return {m.label: m.value for m in matchers if m.op == "=" and m.label != "__name__"}


def _meets(labels: Mapping[str, str], matcher: Matcher) -> bool:
    value = labels.get(matcher.label, "")
    if matcher.op in {"=", "!="}:
        return (value == matcher.value) is (matcher.op == "=")
    return (re.fullmatch(matcher.value, value) is not None) is (matcher.op == "=~")


def _grid(start: float, end: float, step: float) -> list[float]:
    """The multiples of `step` after `start` and up to `end`. QueryError for too many."""
    if step <= 0 or (end - start) / step > POINTS_MOST:
        raise QueryError(f"more than {POINTS_MOST} points: shorten the range or widen the step")
    first, last = math.floor(start / step) + 1, math.floor(end / step)
    return [number * step for number in range(first, last + 1)]
