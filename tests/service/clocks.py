"""Clocks that tests turn: both are the event loop's time, the wall one shifted at will."""

import asyncio
from datetime import UTC, datetime, timedelta, tzinfo

from autoscaler.domain.instant import Instant

START = 1_800_000_000.0


class LoopClock(tzinfo):
    """Monotonic time is the loop's; wall time is that plus `shift_s`.

    As a time zone it answers `datetime.now(clock)`, which is how the scheduler asks for the time.
    """

    def __init__(self) -> None:
        self.shift_s = START

    def __call__(self) -> Instant:
        mono = asyncio.get_running_loop().time()
        return Instant(wall=mono + self.shift_s, mono=mono)

    def fromutc(self, when: datetime) -> datetime:
        del when  # the real time
        return datetime.fromtimestamp(self().wall, UTC).replace(tzinfo=self)

    def utcoffset(self, _when: datetime | None) -> timedelta:
        return timedelta(0)

    def dst(self, _when: datetime | None) -> timedelta:
        return timedelta(0)

    def tzname(self, _when: datetime | None) -> str:
        return "test"
