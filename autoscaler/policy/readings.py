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

    Metrics that are `unsigned` have no use for a negative value. `elsewhere` has the readings from where the
    pool may not run. `partial` and `absent` tell whether any reading is, of no use included. `seen` is what
    the next tick must know, `rows` what people see.
    """

    unsigned: frozenset[MetricName]
    pooled: dict[MetricName, Reading] = field(default_factory=dict)
    regional: dict[MetricName, list[Reading]] = field(default_factory=dict)
    elsewhere: dict[MetricName, dict[Region, Reading]] = field(default_factory=dict)
    partial: bool = False
    absent: bool = False
    seen: dict[MetricName, Seen] = field(default_factory=dict)
    rows: list[MetricRow] = field(default_factory=list)

    def trouble(self, name: MetricName, reading: Reading) -> Why | None:
        """Why a reading is of no use, to the rules that have no use for a negative value at least."""
        if isinstance(reading, Absent):
            return reading.why
        return Why.NEGATIVE if reading.value < 0 and name in self.unsigned else None


def judge(
    queries: tuple[Query, ...],
    homes: tuple[Region, ...],
    unsigned: frozenset[MetricName],
    answers: Mapping[MetricName, Answer],
    seen: Mapping[MetricName, Seen],
) -> Readings:
    """Readings for every metric. `seen` is what the tick before left; the result has what this one leaves."""
    readings = Readings(unsigned)
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
    reading, live = _judged(readings, query, None, answer, None in last.nonzero)
    readings.pooled[query.name] = reading
    readings.seen[query.name] = _LIVE if live else _UNSEEN


def _judge_split(
    readings: Readings, query: Query, homes: tuple[Region, ...], given: Mapping[str, Reading], last: Seen
) -> None:
    column, nonzero, was_live = [], [], last.nonzero
    for region in homes:
        reading, live = _judged(readings, query, region, given.get(region, _EMPTY), region in was_live)
        column.append(reading)
        if live:
            nonzero.append(region)
    readings.regional[query.name] = column
    unchanged = last.regional and len(nonzero) == len(was_live) and was_live.issuperset(nonzero)
    readings.seen[query.name] = last if unchanged else Seen(True, frozenset(nonzero))
    strangers = given.keys() - homes
    if strangers:
        readings.elsewhere[query.name] = {
            Region(label): _judged(readings, query, Region(label), given[label], was_live=False)[0]
            for label in sorted(strangers)
        }


def _judged(
    readings: Readings, query: Query, region: Region | None, reading: Reading, was_live: bool
) -> tuple[Reading, bool]:
    """The reading, filled in where it is empty, unless it is no number or a first zero; and whether its last
    value, absences aside, was not 0.
    """
    if isinstance(reading, Absent) and reading.why is Why.EMPTY and query.missing is not None:
        reading = _constant(query.missing)
    if isinstance(reading, Measured):
        value = reading.value
        if isfinite(value) and (value or not was_live):
            if reading.partial:
                readings.partial = True
            negative = Why.NEGATIVE if value < 0 and query.name in readings.unsigned else None
            if negative:
                readings.absent = True
            readings.rows.append(MetricRow(query.name, region, value, reading.age_s, negative))
            return reading, value != 0
        reading, was_live = (_NOT_A_NUMBER, was_live) if value else (_UNCONFIRMED, False)
    readings.absent = True
    readings.rows.append(MetricRow(query.name, region, None, None, reading.why))
    return reading, was_live


@lru_cache(maxsize=256)
def _constant(value: float) -> Measured:
    return Measured(value=value)


_UNSEEN = Seen()
_LIVE = Seen(regional=False, nonzero=frozenset({None}))
_NOT_ASKED = Absent(why=Why.UNREACHABLE, detail="no answer")
_EMPTY = Absent(why=Why.EMPTY)
_NOT_A_NUMBER = Absent(why=Why.NOT_A_NUMBER)
_UNCONFIRMED = Absent(why=Why.UNCONFIRMED)
