"""Answers, judged for use: which metrics are regional, what `missing` fills in, which zero is believed.

The metric source has judged each series on its own; what needs the pool's regions or the readings of the
tick before is judged here.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from autoscaler.domain.desired import MetricRow
from autoscaler.domain.names import MetricName, Region
from autoscaler.domain.reading import Absent, Answer, Measured, Query, Reading, Split, Why

Key = tuple[MetricName, Region | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What earlier answers taught: which metrics are split by region, and which last values were not 0."""

    regional: frozenset[MetricName] = frozenset()
    nonzero: frozenset[Key] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Readings:
    """One tick's readings. A metric is either `pooled` or `regional`, there with every home region."""

    pooled: Mapping[MetricName, Reading] = field(default_factory=dict)
    regional: Mapping[MetricName, Mapping[Region, Reading]] = field(default_factory=dict)

    def rows(self, unsigned: frozenset[MetricName]) -> tuple[MetricRow, ...]:
        """Every reading as used; those of `unsigned` metrics are not used while negative."""
        rows = [_row(name, None, reading, name in unsigned) for name, reading in self.pooled.items()]
        for name, by_region in self.regional.items():
            rows += [_row(name, region, reading, name in unsigned) for region, reading in by_region.items()]
        return tuple(rows)


def judge(
    queries: tuple[Query, ...], homes: tuple[Region, ...], answers: Mapping[MetricName, Answer], seen: Seen
) -> tuple[Readings, Seen]:
    """Readings for every metric, and what the next tick must know of them."""
    pooled: dict[MetricName, Reading] = {}
    regional: dict[MetricName, Mapping[Region, Reading]] = {}
    kinds, nonzero = set(seen.regional), set(seen.nonzero)
    for query in queries:
        name = query.name
        answer = answers.get(name, _NOT_ASKED)
        if isinstance(answer, Split) and answer.by_label:
            kinds.add(name)
        elif isinstance(answer, Measured):
            kinds.discard(name)
        if name in kinds:
            regional[name] = _by_region(query, homes, answer, nonzero)
        else:
            reading = _EMPTY if isinstance(answer, Split) else answer
            pooled[name] = _settled((name, None), _filled(reading, query), nonzero)
    return Readings(pooled=pooled, regional=regional), _learnt(seen, kinds, nonzero)


def _by_region(
    query: Query, homes: tuple[Region, ...], answer: Answer, nonzero: set[Key]
) -> dict[Region, Reading]:
    given = answer.by_label if isinstance(answer, Split) else {}
    default = _EMPTY if isinstance(answer, Split) else answer
    readings = {
        region: _settled((query.name, region), _filled(given.get(region, default), query), nonzero)
        for region in homes
    }
    if len(given) > len(homes) or not given.keys() <= readings.keys():
        for label in sorted(given.keys() - readings.keys()):
            readings[Region(label)] = _finite(given[label])
    return readings


def _filled(reading: Reading, query: Query) -> Reading:
    if query.missing is not None and isinstance(reading, Absent) and reading.why is Why.EMPTY:
        return _constant(query.missing)
    return reading


def _settled(key: Key, reading: Reading, nonzero: set[Key]) -> Reading:
    """The reading, unless it is no number, or a first zero: that one is not believed yet."""
    reading = _finite(reading)
    if isinstance(reading, Absent):
        return reading
    if reading.value:
        nonzero.add(key)
    elif key in nonzero:
        nonzero.discard(key)
        return _UNCONFIRMED
    return reading


def _finite(reading: Reading) -> Reading:
    if isinstance(reading, Measured) and not math.isfinite(reading.value):
        return _NOT_A_NUMBER
    return reading


def _learnt(seen: Seen, kinds: set[MetricName], nonzero: set[Key]) -> Seen:
    if kinds == seen.regional and nonzero == seen.nonzero:
        return seen
    return Seen(regional=frozenset(kinds), nonzero=frozenset(nonzero))


def _row(name: MetricName, region: Region | None, reading: Reading, unsigned: bool) -> MetricRow:
    if isinstance(reading, Absent):
        return MetricRow(name=name, region=region, value=None, age_s=None, absent=reading.why)
    absent = Why.NEGATIVE if unsigned and reading.value < 0 else None
    return MetricRow(name=name, region=region, value=reading.value, age_s=reading.age_s, absent=absent)


@lru_cache(maxsize=256)
def _constant(value: float) -> Measured:
    return Measured(value=value)


_NOT_ASKED = Absent(why=Why.UNREACHABLE, detail="no answer")
_EMPTY = Absent(why=Why.EMPTY)
_NOT_A_NUMBER = Absent(why=Why.NOT_A_NUMBER)
_UNCONFIRMED = Absent(why=Why.UNCONFIRMED)
