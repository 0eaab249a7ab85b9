"""Series -> an Answer: which numbers may be believed, and the name of why the others may not.

A metric is split if every series carries the splitting label and pool-wide if none does. Other labels matter
only where they make two series collide. A label with more values than there could be regions names something
else. No data is never zero: an empty answer is called so, and what a metric's `missing` makes of it is for
the policy, which knows whether the metric was split before.
"""

import heapq
import math
from collections.abc import Callable, Sequence
from dataclasses import replace

from autoscaler.adapters.prometheus.series import Point, Result, Series
from autoscaler.domain.reading import AHEAD, Absent, Answer, Measured, Query, Reading, Split, Why

AHEAD_S = 30.0
"""A timestamp further in the future than this is not believed."""

MOST_REGIONS = 100
"""More values of a label are instances or customers; the platform has some twenty regions."""
SHOWN_CHARS = 40

Judge = Callable[[Point], Reading]


def answer(query: Query, result: Result, *, now: float) -> Answer:
    """What an instant answer says at unix time `now`."""

    def judge(point: Point) -> Reading:
        if not -AHEAD_S <= now - point.at <= query.max_age_s:
            return _stale("answer", now - point.at)
        return finite(point, partial=result.partial)

    return combined(query, [(series, series.points[-1]) for series in result.series], result.partial, judge)


def finite(point: Point, *, partial: bool) -> Reading:
    """The number, unless it is none."""
    if not math.isfinite(point.value):
        return Absent(why=Why.NOT_A_NUMBER, detail=f"the value is {point.value}", partial=partial)
    return Measured(value=point.value, partial=partial)


def combined(query: Query, rows: Sequence[tuple[Series, Point]], partial: bool, judge: Judge) -> Answer:
    """All series of one moment as one answer."""
    if not rows:
        return Absent(why=Why.EMPTY, partial=partial)
    # The data model makes no difference between an empty label and none.
    labelled = [(series.labels.get(query.label) or "", point) for series, point in rows]
    values = {value for value, _ in labelled}
    if values == {""}:
        return (
            judge(labelled[0][1])
            if len(rows) == 1
            else _ambiguous(f"{len(rows)} series without {query.label}")
        )
    if "" in values:
        return _ambiguous(f"some series have the label {query.label} and some have not")
    if query.by_region and len(values) > MOST_REGIONS:
        return _ambiguous(_no_regions(query.label, values))
    readings: dict[str, Reading] = {}
    for value, point in labelled:
        readings[value] = _ambiguous(f"several series for {value}") if value in readings else judge(point)
    return Split(by_label=readings, partial=partial)


def aged(query: Query, told: Answer, ages: Answer) -> Answer:
    """The answer with the true age of its samples, matched by label; what has no believable age is STALE."""
    if isinstance(told, Split):
        by_label = {
            value: _aged(query, reading, _age_for(value, ages)) for value, reading in told.by_label.items()
        }
        return replace(told, by_label=by_label)
    return _aged(query, told, _age_for(None, ages))


def _age_for(value: str | None, ages: Answer) -> Reading:
    if not isinstance(ages, Split):
        return ages
    return ages.by_label.get(value or "", Absent(why=Why.EMPTY))


def _aged(query: Query, reading: Reading, age: Reading) -> Reading:
    if isinstance(reading, Absent):
        return reading
    if isinstance(age, Absent):
        return Absent(why=Why.STALE, detail=f"age_query is {age.why}: {age.detail}".rstrip(": "))
    if not -AHEAD_S <= age.value <= query.max_age_s:
        return _stale("sample", age.value)
    return replace(reading, age_s=max(0.0, age.value))


def _no_regions(label: str, values: set[str]) -> str:
    first, second = (value[:SHOWN_CHARS] for value in heapq.nsmallest(2, values))
    return f"{len(values)} values of {label}, such as {first} and {second}: check region_label"


def _stale(what: str, age_s: float) -> Absent:
    told = f"{age_s:.0f} s old" if age_s > 0 else f"{-age_s:.0f} s {AHEAD}"
    return Absent(why=Why.STALE, detail=f"the {what} is {told}")


def _ambiguous(detail: str) -> Absent:
    return Absent(why=Why.AMBIGUOUS, detail=detail)
