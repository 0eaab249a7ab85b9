"""The present as a value."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Instant:
    """One moment on two clocks.

    `wall` is unix time in seconds and may jump; `mono` is seconds on a clock that never
    does, with an arbitrary origin. Durations are taken from `mono`, calendars from `wall`.
    """

    wall: float
    mono: float
