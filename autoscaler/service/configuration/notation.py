"""The small notations of the configuration: durations, ranges, percentages, steps and budgets."""

import re

from autoscaler.domain.desired import Bounds
from autoscaler.domain.pool import Budget, Step
from autoscaler.service.configuration.spelling import MistakeError, shown

MOST_MACHINES = 10_000
"""The largest count anywhere in a configuration: a slip of the finger must not order a million."""
DAY_S = 86_400.0
LONGEST_S = 30 * DAY_S

_DURATION = re.compile(r"(?:([0-9]{1,9})d)?(?:([0-9]{1,9})h)?(?:([0-9]{1,9})m)?(?:([0-9]{1,9})s)?")
_UNITS_S = (DAY_S, 3600.0, 60.0, 1.0)
_DIGITS = re.compile(r"[0-9]{1,9}")
_RANGE = re.compile(r"([0-9]{1,9})\s*\.\.\s*([0-9]{1,9})")
_PERCENT = re.compile(r"([0-9]{1,5}(?:\.[0-9]{1,6})?)\s*%")
_STEP_REMEDY = 'write none, n/period, p%/period or both, such as 4/15s, 50%/1m or "100% or 4/15s"'


def seconds(text: str) -> float | None:
    """The seconds of a duration such as `15s`, `5m` or `1h30m`; None if it is not one."""
    match = _DURATION.fullmatch(text)
    if not match or not text:
        return None
    return sum(int(part) * unit for part, unit in zip(match.groups(), _UNITS_S, strict=True) if part)


def spell_duration(total_s: float) -> str:
    """A duration as an operator would write it: `90` becomes `1m30s`."""
    rest, parts = int(total_s), []
    for unit, letter in zip(_UNITS_S, "dhms", strict=True):
        count, rest = divmod(rest, int(unit))
        parts += [f"{count}{letter}"] if count else []
    return "".join(parts) or "0s"


class Duration:
    """Parser of a duration between two bounds, both allowed, in seconds."""

    def __init__(self, low_s: float, high_s: float = LONGEST_S) -> None:
        """Bounds in seconds."""
        self._low_s, self._high_s = low_s, high_s

    def __call__(self, value: object) -> float:
        """Seconds. Raises MistakeError."""
        limits = f"{spell_duration(self._low_s)} to {spell_duration(self._high_s)}"
        if _bare_number(value):
            raise MistakeError(
                f"{shown(value)} has no unit", f"write a duration such as 15s, 5m or 1h30m, {limits}"
            )
        total_s = seconds(value) if isinstance(value, str) else None
        if total_s is None:
            raise MistakeError(
                f"{shown(value)} is not a duration", f"write one such as 15s, 5m or 1h30m, {limits}"
            )
        if not self._low_s <= total_s <= self._high_s:
            raise MistakeError(f"{shown(value)} is out of range", f"give a duration from {limits}")
        return total_s


class DurationOrForever(Duration):
    """Parser of a duration, or None for `forever`."""

    def __call__(self, value: object) -> float | None:  # type: ignore[override]  # forever has no seconds
        """Seconds or None. Raises MistakeError."""
        return None if value == "forever" else super().__call__(value)


def parse_bounds(value: object) -> Bounds:
    """`1..10`: an inclusive range of Machines. Raises MistakeError."""
    remedy = "write the least and the most Machines, such as 1..10"
    match = _RANGE.fullmatch(value) if isinstance(value, str) else None
    if not match:
        if _bare_number(value):
            remedy = f"write {value}..{value} for always {value}"
        raise MistakeError(f"{shown(value)} is not a range", remedy)
    low, high = int(match[1]), int(match[2])
    if high > MOST_MACHINES:
        raise MistakeError(f"{high} Machines are too many", f"give at most {MOST_MACHINES}")
    if low > high:
        raise MistakeError(f"min {low} is above max {high}", f"write {high}..{low}, or another range")
    return Bounds(min=low, max=high)


def parse_fraction(value: object) -> float:
    """`20%` as 0.2; a plain 0 needs no sign. Raises MistakeError."""
    if value == "0" or (isinstance(value, int | float) and value == 0 and not isinstance(value, bool)):
        return 0.0
    found = _percent(value) if isinstance(value, str) else None
    if found is None or found > 10:
        raise MistakeError(f"{shown(value)} is not a percentage", "write one such as 20%, at most 1000%")
    return found


def parse_step(value: object) -> Step | None:
    """`none`, `4/15s`, `50%/1m`, `100% or 4/15s` (whichever allows more). Raises MistakeError.

    A side without a period of its own shares that of the other.
    """
    if not isinstance(value, str):
        raise MistakeError(f"{shown(value)} is not a step", _STEP_REMEDY)
    if value == "none":
        return None
    halves = [_half(half) for half in re.split(r"\s+or\s+", value.strip())]
    periods = [period for _, _, period in halves if period is not None]
    counts = [(count, period) for count, _, period in halves if count is not None]
    shares = [(share, period) for _, share, period in halves if share is not None]
    if not periods or len(counts) > 1 or len(shares) > 1:
        raise MistakeError(f"{shown(value)} is not a step", _STEP_REMEDY)
    common = periods[-1]
    count, count_period_s = counts[0] if counts else (None, None)
    share, share_period_s = shares[0] if shares else (None, None)
    if share is None:
        return Step(period_s=common, count=count)
    period_s = share_period_s or common
    count_s = (count_period_s or common) if count is not None else None
    return Step(
        period_s=period_s,
        count=count,
        fraction=share,
        count_period_s=None if count_s == period_s else count_s,
    )


def parse_budget(value: object) -> Budget:
    """`10/10m`: at most ten creations in any ten minutes. Raises MistakeError."""
    remedy = "write creations per period, such as 10/10m"
    count, _, period = value.partition("/") if isinstance(value, str) else ("", "", "")
    window_s = seconds(period.strip())
    if not _DIGITS.fullmatch(count.strip()) or window_s is None:
        raise MistakeError(f"{shown(value)} is not a budget", remedy)
    if not 1 <= int(count) <= MOST_MACHINES:
        raise MistakeError(
            f"{shown(value)} is out of range",
            f"give 1 to {MOST_MACHINES} creations; create = false forbids all",
        )
    if not 1 <= window_s <= DAY_S:
        raise MistakeError(f"{shown(value)} is out of range", "give a period from 1s to 1d")
    return Budget(count=int(count), window_s=window_s)


def _half(text: str) -> tuple[int | None, float | None, float | None]:
    amount, slash, period = (part.strip() for part in text.partition("/"))
    period_s = seconds(period) if slash else None
    share = _percent(amount)
    wrong_period = bool(slash) and (period_s is None or not 1 <= period_s <= DAY_S)
    if wrong_period or (share is None and not _DIGITS.fullmatch(amount)):
        raise MistakeError(f"{shown(text)} is not a step", _STEP_REMEDY)
    count = None if share is not None else int(amount)
    if (count is not None and not 1 <= count <= MOST_MACHINES) or (share is not None and not 0 < share <= 10):
        raise MistakeError(
            f"{shown(text)} is out of range", f"step by 1 to {MOST_MACHINES} Machines or up to 1000%"
        )
    return count, share, period_s


def _percent(text: str) -> float | None:
    match = _PERCENT.fullmatch(text)
    return float(match[1]) / 100 if match else None


def _bare_number(value: object) -> bool:
    if isinstance(value, str):
        return _DIGITS.fullmatch(value) is not None
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= 10**9
