"""Answers, judged for use: which metrics are regional, what `missing` fills in, which zero is believed.

The metric source has judged each series on its own; what needs the pool's regions or the readings of the
tick before is judged here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from math import inf, isfinite
from typing import NamedTuple

from autoscaler.domain.desired import MetricRow
from autoscaler.domain.names import MetricName, Region
from autoscaler.domain.reading import Absent, Answer, Measured, Query, Reading, Split, Why

Scopes = tuple[Region | None, ...]
Here = Mapping[str, Reading]
"""The readings that hold in one scope, by metric."""


class Seen(NamedTuple):
    """What the last answer to a metric taught: whether it is split, and where its value was not 0.

    A None among the latter stands for the pool as a whole.
    """

    regional: bool = False
    nonzero: Scopes = ()


@dataclass(slots=True)
class Readings:
    """One tick's readings: those of the pool, and for each home region all that hold there.

    Those of a metric that is not `regional` are in all of them. Metrics that are `unsigned` have no use for a
    negative value. `elsewhere` has the readings from where the pool may not run; where it has any, `silent`
    says what those are of which a regional metric tells nothing. `partial` and `absent` tell whether any
    reading is, of no use included. `seen` is what the next tick must know.
    """

    unsigned: frozenset[MetricName]
    homes: dict[Region, dict[str, Reading]]
    pooled: dict[str, Reading] = field(default_factory=dict)
    regional: set[MetricName] = field(default_factory=set)
    elsewhere: dict[MetricName, dict[Region, Reading]] = field(default_factory=dict)
    silent: Mapping[MetricName, Reading] = field(default_factory=dict)
    partial: bool = False
    absent: bool = False
    seen: dict[MetricName, Seen] = field(default_factory=dict)

    def trouble(self, name: MetricName, reading: Reading) -> Why | None:
        """Why a reading is of no use, to the rules that have no use for a negative value at least."""
        if isinstance(reading, Absent):
            return reading.why
        return Why.NEGATIVE if reading.value < 0 and name in self.unsigned else None

    def rows(self) -> tuple[MetricRow, ...]:
        """What people see of them: metrics in the configuration's order, regions by name, others last."""
        return tuple(self._row(*judged) for judged in self._judged())

    def _judged(self) -> Iterator[tuple[MetricName, Region | None, Reading]]:
        for name in self.seen:
            if name in self.pooled:
                yield name, None, self.pooled[name]
                continue
            for region, here in self.homes.items():
                yield name, region, here[name]
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
    readings = Readings(unsigned, {region: {} for region in homes})
    for query in queries:
        answer, last = answers.get(query.name, _NOT_ASKED), seen.get(query.name, _UNSEEN)
        if isinstance(answer, Split):
            if answer.by_label or last.regional:
                _judge_split(readings, query, homes, answer, last)
            else:
                _judge_whole(readings, query, _silence(answer), last)
        elif isinstance(answer, Absent) and last.regional:
            _judge_split(readings, query, homes, Split(by_label=dict.fromkeys(homes, answer)), last)
        else:
            _judge_whole(readings, query, answer, last)
    if readings.elsewhere:
        readings.silent = dict(_silences(readings, queries, answers))
    return readings


def _judge_whole(readings: Readings, query: Query, answer: Reading, last: Seen) -> None:
    # What was not 0 in any region was not 0 as a whole.
    reading, live = _judged(readings, query, answer, bool(last.nonzero))
    readings.pooled[query.name] = reading
    for here in readings.homes.values():
        here[query.name] = reading
    readings.seen[query.name] = _LIVE if live else _UNSEEN


def _judge_split(
    readings: Readings, query: Query, homes: tuple[Region, ...], answer: Split, last: Seen
) -> None:
    nonzero, given = homes, answer.by_label
    if not _taken(readings, query.name, answer):
        nonzero = tuple(_judge_each(readings, query, last))
    readings.regional.add(query.name)
    readings.seen[query.name] = last if last.regional and last.nonzero == nonzero else Seen(True, nonzero)
    if not given.keys() <= readings.homes.keys():
        strangers = given.keys() - homes
        readings.elsewhere[query.name] = {
            Region(label): _judged(readings, query, given[label], was_live=False)[0]
            for label in sorted(strangers)
        }


def _taken(readings: Readings, name: MetricName, answer: Split) -> bool:
    """Take the home regions' readings; whether nothing is left to judge, as in nearly every tick."""
    plain, given, silence = True, answer.by_label, _silence(answer)
    for region, here in readings.homes.items():
        reading = here[name] = given.get(region, silence)
        plain = plain and isinstance(reading, Measured) and 0.0 < reading.value < inf and not reading.partial
    return plain


def _judge_each(readings: Readings, query: Query, last: Seen) -> Iterator[Region]:
    """Judge what was taken, region by region. Where its last value was not 0."""
    pool_was_live = None in last.nonzero
    for region, here in readings.homes.items():
        was_live = pool_was_live or region in last.nonzero
        here[query.name], live = _judged(readings, query, here[query.name], was_live)
        if live:
            yield region


def _judged(readings: Readings, query: Query, reading: Reading, was_live: bool) -> tuple[Reading, bool]:
    """The reading, filled in where it is empty, unless it is no number or a first zero; and whether its last
    value, absences aside, was not 0.
    """
    if isinstance(reading, Absent) and reading.why is Why.EMPTY and query.missing is not None:
        reading = _constant(query.missing, reading.partial)
    if reading.partial:
        readings.partial = True
    if isinstance(reading, Measured):
        value = reading.value
        if isfinite(value) and (value or not was_live):
            if value < 0 and query.name in readings.unsigned:
                readings.absent = True
            return reading, value != 0
        why, was_live = (Why.NOT_A_NUMBER, was_live) if value else (Why.UNCONFIRMED, False)
        reading = Absent(why=why, partial=reading.partial)
    readings.absent = True
    return reading, was_live


def _silences(
    readings: Readings, queries: tuple[Query, ...], answers: Mapping[MetricName, Answer]
) -> Iterator[tuple[MetricName, Reading]]:
    """For every metric that is split, what it says of where it has no series."""
    for query in queries:
        if query.name in readings.regional:
            answer = answers.get(query.name, _NOT_ASKED)
            silence = _silence(answer) if isinstance(answer, Split) else answer
            yield query.name, _judged(readings, query, silence, was_live=False)[0]


def _silence(answer: Split) -> Absent:
    """The reading of a region that an answer does not list."""
    return _EMPTY_IN_PART if answer.partial else _EMPTY


@lru_cache(maxsize=256)
def _constant(value: float, partial: bool) -> Measured:
    return Measured(value=value, partial=partial)


_UNSEEN = Seen()
_LIVE = Seen(regional=False, nonzero=(None,))
_NOT_ASKED = Absent(why=Why.UNREACHABLE, detail="no answer")
_EMPTY = Absent(why=Why.EMPTY)
_EMPTY_IN_PART = Absent(why=Why.EMPTY, partial=True)
