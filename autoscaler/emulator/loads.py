"""Loads: metric series as functions of time, for a metric source that has nothing to scrape."""

import bisect
import csv
import io
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol


class Shape(Protocol):
    """A function of the seconds since the load was set."""

    def at(self, elapsed_s: float) -> float | None:
        """The value, None where there is none."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Constant:
    """Always the same, NaN and infinities included."""

    value: float

    def at(self, elapsed_s: float) -> float | None:  # noqa: ARG002 - the protocol's signature
        """The value."""
        return self.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Wave:
    """base + amplitude * sin(2 pi (t + phase_s) / period_s), never below `floor`."""

    base: float
    amplitude: float
    period_s: float
    phase_s: float = 0.0
    floor: float = 0.0

    def __post_init__(self) -> None:
        """ValueError for a wave that takes no time."""
        if self.period_s <= 0:
            raise ValueError("period_s must be positive")

    def at(self, elapsed_s: float) -> float | None:
        """The wave's height."""
        angle = 2 * math.pi * (elapsed_s + self.phase_s) / self.period_s
        return max(self.floor, self.base + self.amplitude * math.sin(angle))


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """Points (seconds, value) in order of time: steps, or straight lines between them.

    `speed` compresses time (60: a recorded minute passes in a second), `scale` multiplies values,
    `repeat` starts again after the last point; otherwise the last value stays.
    """

    points: tuple[tuple[float, float], ...]
    linear: bool = False
    speed: float = 1.0
    scale: float = 1.0
    repeat: bool = False

    def __post_init__(self) -> None:
        """ValueError for a recording that stands still or runs backwards."""
        if self.speed <= 0:
            raise ValueError("speed must be positive")

    def at(self, elapsed_s: float) -> float | None:
        """The recorded value; none before the first point."""
        origin, last = self.points[0][0], self.points[-1][0]
        at = origin + elapsed_s * self.speed
        if self.repeat and last > origin:
            at = origin + (at - origin) % (last - origin)
        place = bisect.bisect_right(self.points, at, key=lambda point: point[0]) - 1
        if place < 0:
            return None
        left, value = self.points[place]
        if self.linear and place + 1 < len(self.points):
            right, next_value = self.points[place + 1]
            value += (next_value - value) * (at - left) / (right - left)
        return value * self.scale


def parse_csv(text: str) -> tuple[tuple[float, float], ...]:
    """Lines `t,value`, a heading allowed, sorted by time. ValueError when there is no point in it."""
    rows = [row for row in csv.reader(io.StringIO(text)) if row]
    if rows and not _is_number(rows[0][0]):
        rows = rows[1:]
    points = sorted((float(row[0]), float(row[1])) for row in rows)
    if not points:
        raise ValueError("no points in this recording")
    return tuple(points)


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """A shape in force since a moment. With `backfill` it also tells what was before.

    Its samples are `lag_s` old when they are read.
    """

    shape: Shape | None
    since: float
    backfill: bool = False
    lag_s: float = 0.0

    def __post_init__(self) -> None:
        """ValueError for samples of the future."""
        if self.lag_s < 0:
            raise ValueError("lag_s must not be negative")


@dataclass(slots=True)
class Series:
    """One metric with one set of labels, and all the loads it ever had, oldest first."""

    name: str
    labels: dict[str, str]
    loads: list[Load] = field(default_factory=list)

    def sample(self, at: float, lookback_s: float) -> tuple[float, float] | None:
        """The value read at a moment and the moment it is from; None when there is nothing recent."""
        load = next((load for load in reversed(self.loads) if load.since <= at), None)
        if load is None and self.loads and self.loads[0].backfill:
            load = self.loads[0]
        if load is None or load.shape is None or load.lag_s > lookback_s:
            return None
        value = load.shape.at(at - load.lag_s - load.since)
        return None if value is None else (float(value), at - load.lag_s)


class LoadBoard:
    """Every series that was ever set."""

    def __init__(self) -> None:
        self._series: dict[tuple[str, tuple[tuple[str, str], ...]], Series] = {}

    def set(self, name: str, labels: Mapping[str, str], load: Load) -> None:
        """From `load.since` on the series follows this load; a shape of None ends it."""
        key = (name, tuple(sorted(labels.items())))
        series = self._series.setdefault(key, Series(name=name, labels=dict(labels)))
        series.loads = [known for known in series.loads if known.since < load.since] + [load]

    def end(self, name: str | None, labels: Mapping[str, str], now: float) -> int:
        """End every series of this name (None: any) that has these labels; returns how many."""
        ended = [
            series
            for series in self
            if name in (None, series.name) and labels.items() <= series.labels.items() and series.loads
        ]
        for series in ended:
            self.set(series.name, series.labels, Load(shape=None, since=now))
        return len(ended)

    def __iter__(self) -> Iterator[Series]:
        return iter(tuple(self._series.values()))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
