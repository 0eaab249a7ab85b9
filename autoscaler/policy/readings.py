"""Answers, judged for use: which metrics are regional, what `missing` fills in, which zero is believed.

The metric source has judged each series on its own; what needs the pool's regions or the readings of the
tick before is judged here.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from math import isfinite
from typing import NamedTuple

from autoscaler.domain.desired import MetricRow
from autoscaler.domain.names import MetricName, Region
from autoscaler.domain.reading import Absent, Answer, Measured, Query, Reading, Split, Why

Scopes = frozenset[Region | None]


class Seen(NamedTuple):
    """What the last answer to a metric taught: whether it is split, and where its value was not 0."""

    regional: bool = False
    nonzero: Scopes = frozenset()


@dataclass(slots=True)
class Readings:
    """One tick's readings. A metric is either `pooled` or `regional`, there with one entry per home region.

    `elsewhere` has the readings from where the pool may not run. `partial` metrics came incomplete,
    `absent` ones lack a value somewhere. `seen` is what the next tick must know.
    """

    homes: tuple[Region, ...]
    pooled: dict[MetricName, Reading] = field(default_factory=dict)
    regional: dict[MetricName, list[Reading]] = field(default_factory=dict)
    elsewhere: dict[MetricName, dict[Region, Reading]] = field(default_factory=dict)
    partial: set[MetricName] = field(default_factory=set)
    absent: set[MetricName] = field(default_factory=set)
    seen: dict[MetricName, Seen] = field(default_factory=dict)

    def rows(self, unsigned: frozenset[MetricName]) -> tuple[MetricRow, ...]:
        """Every reading as used; those of `unsigned` metrics are not used while negative."""
        rows = [_row(name, None, reading, name in unsigned) for name, reading in self.pooled.items()]
        for name, column in self.regional.items():
            checked = name in unsigned
            for region, reading in zip(self.homes, column, strict=True):
                rows.append(_row(name, region, reading, checked))
        for name, by_region in self.elsewhere.items():
            rows += [_row(name, region, reading, name in unsigned) for region, reading in by_region.items()]
        return tuple(rows)


def judge(
    queries: tuple[Query, ...],
    homes: tuple[Region, ...],
    answers: Mapping[MetricName, Answer],
    seen: Mapping[MetricName, Seen],
) -> Readings:
    """Readings for every metric. `seen` is what the tick before left; the result has what this one leaves."""
    readings = Readings(homes)
    for query in queries:
        answer, last = answers.get(query.name, _NOT_ASKED), seen.get(query.name, _UNSEEN)
        if isinstance(answer, Split):
            if answer.by_label or last.regional:
                _judge_split(readings, query, homes, answer.by_label, last)
            else:
                _judge_whole(readings, query, _EMPTY, last)
        elif isinstance(answer, Absent) and last.regional:
            _judge_split(readings, query, homes, dict.fromkeys(homes, answer), last)
        else:
            _judge_whole(readings, query, answer, last)
    return readings


def _judge_whole(readings: Readings, query: Query, answer: Reading, last: Seen) -> None:
    reading, live = _judged(readings, query, answer, None in last.nonzero)
    readings.pooled[query.name] = reading
    readings.seen[query.name] = _LIVE if live else _UNSEEN


def _judge_split(
    readings: Readings, query: Query, homes: tuple[Region, ...], given: Mapping[str, Reading], last: Seen
) -> None:
    column, nonzero = [], []
    for region in homes:
        reading, live = _judged(readings, query, given.get(region, _EMPTY), region in last.nonzero)
        column.append(reading)
        if live:
            nonzero.append(region)
    readings.regional[query.name] = column
    readings.seen[query.name] = Seen(True, frozenset(nonzero))
    strangers = given.keys() - homes
    if strangers:
        readings.elsewhere[query.name] = {
            Region(label): _judged(readings, query, given[label], was_live=False)[0]
            for label in sorted(strangers)
        }


def _judged(readings: Readings, query: Query, reading: Reading, was_live: bool) -> tuple[Reading, bool]:
    """The reading, filled in where it is empty, unless it is no number or a first zero; and whether its last
    value, absences aside, was not 0.
    """
    if isinstance(reading, Absent) and reading.why is Why.EMPTY and query.missing is not None:
        reading = _constant(query.missing)
    if isinstance(reading, Measured) and not isfinite(reading.value):
        reading = _NOT_A_NUMBER
    elif was_live and isinstance(reading, Measured) and reading.value == 0:
        reading, was_live = _UNCONFIRMED, False
    if isinstance(reading, Absent):
        readings.absent.add(query.name)
        return reading, was_live
    if reading.partial:
        readings.partial.add(query.name)
    return reading, reading.value != 0


def _row(name: MetricName, region: Region | None, reading: Reading, unsigned: bool) -> MetricRow:
    if isinstance(reading, Absent):
        return MetricRow(name, region, None, None, reading.why)
    absent = Why.NEGATIVE if unsigned and reading.value < 0 else None
    return MetricRow(name, region, reading.value, reading.age_s, absent)


@lru_cache(maxsize=256)
def _constant(value: float) -> Measured:
    return Measured(value=value)


_UNSEEN = Seen()
_LIVE = Seen(regional=False, nonzero=frozenset({None}))
_NOT_ASKED = Absent(why=Why.UNREACHABLE, detail="no answer")
_EMPTY = Absent(why=Why.EMPTY)
_NOT_A_NUMBER = Absent(why=Why.NOT_A_NUMBER)
_UNCONFIRMED = Absent(why=Why.UNCONFIRMED)
