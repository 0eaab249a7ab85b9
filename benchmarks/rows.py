"""What a benchmark measures, and what came out of it."""

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.progress import Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """One figure: what it is, what it is measured beside, and the most it may be (None: not fixed)."""

    what: str
    beside: str
    unit: str
    most: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Both sides of a goal, in its unit. `most` stands in for the goal's where that is not fixed.

    `instead` tells what was measured in place of what the goal says, in a quick run.
    """

    goal: Goal
    ours: float
    baseline: float
    most: float | None = None
    instead: str = ""

    @property
    def target(self) -> float | None:
        return self.goal.most if self.most is None else self.most

    @property
    def met(self) -> bool | None:
        return None if self.target is None else self.ours <= self.target

    @property
    def ratio(self) -> float | None:
        return self.ours / self.baseline if self.baseline else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """A measurement that yields one row per goal. A slow one runs only when it is asked for."""

    name: str
    goals: tuple[Goal, ...]
    run: Callable[[bool, Progress], list[Row]]
    slow: bool = False


class MismeasuredError(Exception):
    """What happened was not what was to be measured, so there is no figure."""
