"""When a pool ticks: on its app's grid, so that not all ask at the same moment, but pools of one app do.

Those that ask together share one list call.
"""

import hashlib
from datetime import datetime, timedelta

from apscheduler.triggers.base import BaseTrigger

from autoscaler.domain.names import AppName


def phase_s(app: AppName, interval_s: float) -> float:
    """Where in the interval its pools tick: drawn from its name, so it is the same after every restart."""
    digest = hashlib.sha256(app.encode()).digest()
    return int.from_bytes(digest[:8]) / 2**64 * interval_s


class Cadence(BaseTrigger):  # type: ignore[misc]  # the library ships no types
    """Fires at the grid points of `phase_s`, `interval_s` seconds apart.

    Missed points are gone: after a leap of the clock the next one lies ahead, whatever was scheduled
    before. (The library's own interval trigger walks through every missed point, one by one.)
    """

    def __init__(self, app: AppName, interval_s: float) -> None:
        """Keep the grid; nothing is due before the first question."""
        self._interval_s = interval_s
        self._phase_s = phase_s(app, interval_s)

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime:
        """The next grid point after now, and at least half an interval after `previous`."""
        earliest = now if previous is None else max(now, previous + timedelta(seconds=self._interval_s / 2))
        passed_s = (earliest.timestamp() - self._phase_s) % self._interval_s
        return earliest + timedelta(seconds=self._interval_s - passed_s)
