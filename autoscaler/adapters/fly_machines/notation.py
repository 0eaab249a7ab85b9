"""The platform's ways of writing times and durations, and of leaving things out."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from autoscaler.adapters.http.wording import printable

NANOSECONDS = 1e9
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)")
_DURATION = re.compile(rf"(?:{_PART.pattern})+")


def mapping(value: object) -> Mapping[str, Any]:
    """The object itself, empty for null, for what was left out and for anything else."""
    return value if isinstance(value, dict) else {}


def sequence(value: object) -> Sequence[Any]:
    """The array itself, empty for null, for what was left out and for anything else."""
    return value if isinstance(value, list) else ()


def text(value: object) -> str:
    """The string, fit to be shown; empty for null, for what was left out and for anything else."""
    return printable(value) if isinstance(value, str) else ""


def whole(value: object) -> int:
    """The integer itself, 0 for null, for what was left out and for anything else."""
    return value if isinstance(value, int) else 0


def number(value: object) -> float | None:
    """The number itself, None for anything else and for what is too large to be one."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return None


def unix_time(value: object) -> float | None:
    """Unix seconds of an RFC 3339 text, None for anything else."""
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def unix_time_of_ms(value: object) -> float | None:
    """Unix seconds of a number of milliseconds, None for anything else."""
    milliseconds = number(value)
    return milliseconds / 1000 if milliseconds else None


def duration_s(value: object) -> float | None:
    """Seconds of a duration in Go's notation (`1m30s`) or in nanoseconds, None for anything else."""
    if not isinstance(value, str):
        nanoseconds = number(value)
        return None if nanoseconds is None else nanoseconds / NANOSECONDS
    if not _DURATION.fullmatch(value):
        return None
    return sum(float(count) * _UNITS[unit] for count, unit in _PART.findall(value))
