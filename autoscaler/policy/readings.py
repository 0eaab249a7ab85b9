"""Answers, judged for use: which metrics are regional, what `missing` fills in, which zero is believed.

The metric source has judged each series on its own; what needs the pool's regions or the readings of the
tick before is judged here.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from math import inf, isfinite
from typing import NamedTuple

from autoscaler.domain.desired import MetricRow
from autoscaler.domain.names import MetricName, Region
from autoscaler.domain.reading import Absent, Answer, Measured, Query, Reading, Split, Why

Scopes = tuple[Region | None, ...]


class Seen(NamedTuple):
    """What the last answer to a metric taught: whether it is split, and where its value was not 0."""

    regional: bool = False
    nonzero: Scopes = ()


@dataclass(slots=True)
class Readings:
    """One tick's readings. A metric is either `pooled` or `regional`, there with one entry per home region.

    Metrics that are `unsigned` have no use for a negative value. `elsewhere` has the readings from where the
    pool may not run. `partial` and `absent` tell whether any reading is, of no use included. `seen` is what
    the next tick must know.
    """

    unsigned: frozenset[MetricName]
    pooled: dict[MetricName, Reading] = field(default_factory=dict)
    regional: dict[MetricName, list[Reading]] = field(default_factory=dict)
    elsewhere: dict[MetricName, dict[Region, Reading]] = field(default_factory=dict)
    partial: bool = False
    absent: bool = False
    seen: dict[MetricName, Seen] = field(default_factory=dict)

    def trouble(self, name: MetricName, reading: Reading) -> Why | None:
        """Why a reading is of no use, to the rules that have no use for a negative value at least."""
        if isinstance(reading, Absent):
            return reading.why
        return Why.NEGATIVE if reading.value < 0 and name in self.unsigned else None

    def rows(self, homes: tuple[Region, ...]) -> tuple[MetricRow, ...]:
        """What people see of them: metrics in the configuration's order, regions by name, others last."""
        return tuple(self._row(*judged) for judged in self._judged(homes))

    def _judged(self, homes: tuple[Region, ...]) -> Iterator[tuple[MetricName, Region | None, Reading]]:
        for name in self.seen:
            if name in self.pooled:
                yield name, None, self.pooled[name]
                continue
            for region, reading in zip(homes, self.regional[name], strict=True):
                yield name, region, reading
            for region, reading in self.elsewhere.get(name, {}).items():
                yield name, region, reading

    def _row(self, name: MetricName, region: Region | None, reading: Reading) -> MetricRow:
        value, age_s = (None, None) if isinstance(reading, Absent) else (reading.value, reading.age_s)
        return MetricRow(name, region, value, age_s, self.trouble(name, reading))


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
    reading, live = _judged(readings, query, answer, None in last.nonzero)
    readings.pooled[query.name] = reading
    readings.seen[query.name] = _LIVE if live else _UNSEEN


def _judge_split(
    readings: Readings, query: Query, homes: tuple[Region, ...], given: Mapping[str, Reading], last: Seen
) -> None:
    column = [given.get(region, _EMPTY) for region in homes]
    nonzero: Scopes = homes
    if not _plain(column):
        lives = [region in last.nonzero for region in homes]
        judged = [_judged(readings, query, *each) for each in zip(column, lives, strict=True)]
        column = [reading for reading, _ in judged]
        nonzero = tuple(region for region, (_, live) in zip(homes, judged, strict=True) if live)
    readings.regional[query.name] = column
    readings.seen[query.name] = last if last.regional and last.nonzero == nonzero else Seen(True, nonzero)
    strangers = given.keys() - homes
    if strangers:
        readings.elsewhere[query.name] = {
            Region(label): _judged(readings, query, given[label], was_live=False)[0]
            for label in sorted(strangers)
        }


def _plain(column: Sequence[Reading]) -> bool:
    """Whether there is nothing to judge about any of them, as in nearly every tick."""
    for reading in column:
        if isinstance(reading, Absent) or not 0.0 < reading.value < inf or reading.partial:
            return False
    return True


def _judged(readings: Readings, query: Query, reading: Reading, was_live: bool) -> tuple[Reading, bool]:
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
            if value < 0 and query.name in readings.unsigned:
                readings.absent = True
            return reading, value != 0
        reading, was_live = (_NOT_A_NUMBER, was_live) if value else (_UNCONFIRMED, False)
    readings.absent = True
    return reading, was_live


@lru_cache(maxsize=256)
def _constant(value: float) -> Measured:
    return Measured(value=value)


_UNSEEN = Seen()
_LIVE = Seen(regional=False, nonzero=(None,))
_NOT_ASKED = Absent(why=Why.UNREACHABLE, detail="no answer")
_EMPTY = Absent(why=Why.EMPTY)
_NOT_A_NUMBER = Absent(why=Why.NOT_A_NUMBER)
_UNCONFIRMED = Absent(why=Why.UNCONFIRMED)
