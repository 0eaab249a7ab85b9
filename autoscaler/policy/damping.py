"""What keeps a fleet from following every twitch of its load: windows and steps, per region and direction.

A window is a short list of (monotonic seconds, machines): only entries that may still become its extreme
are kept, so its length depends on how the load moved and not on how long the window is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from autoscaler.domain.fleet import Change, RegionCount
from autoscaler.domain.pool import Step
from autoscaler.policy.arithmetic import whole

Entries = tuple[tuple[float, int], ...]


class Trace(NamedTuple):
    """What a region leaves behind: its last desired count, its windows, its last known demand.

    `highs` serve the way in, `lows` the way out; `raw_at` is monotonic.
    """

    desired: int
    highs: Entries = ()
    lows: Entries = ()
    raw: int | None = None
    raw_at: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """How long each direction looks back, and after how long a demand is no longer the last known one."""

    in_s: float
    out_s: float
    fresh_s: float


def push_high(entries: Entries, at: float, machines: int, window_s: float) -> Entries:
    """Add an entry; the first of the result is the highest of the window, which includes both its ends."""
    entry: Entries = ((at, machines),)
    first, last, oldest = 0, len(entries), at - window_s
    while last and entries[last - 1][1] <= machines:
        last -= 1
    while first < last and entries[first][0] < oldest:
        first += 1
    return entries[first:last] + entry


def push_low(entries: Entries, at: float, machines: int, window_s: float) -> Entries:
    """Add an entry; the first of the result is the lowest of the window."""
    entry: Entries = ((at, machines),)
    first, last, oldest = 0, len(entries), at - window_s
    while last and entries[last - 1][1] >= machines:
        last -= 1
    while first < last and entries[first][0] < oldest:
        first += 1
    return entries[first:last] + entry


def most_after_step(step: Step, count: RegionCount, changes: Sequence[Change], now: float) -> tuple[int, int]:
    """The highest count a step outwards allows, and the count when its period began, which it adds to."""
    settled = count.capacity - count.draining
    limits = []
    for period, amount, fraction in _alternatives(step):
        began = settled - sum(c.machines for c in changes if c.machines > 0 and c.mono > now - period)
        limits.append((began + _allowed(amount, fraction, began), began))
    return max(limits)


def least_after_step(
    step: Step, count: RegionCount, changes: Sequence[Change], now: float
) -> tuple[int, int]:
    """The lowest count a step inwards allows, and the count when its period began, which it takes from.

    Machines marked to leave have left already.
    """
    settled = count.capacity - count.draining
    limits = []
    for period, amount, fraction in _alternatives(step):
        began = settled - sum(c.machines for c in changes if c.machines < 0 and c.mono > now - period)
        limits.append((began - _allowed(amount, fraction, began), began))
    return min(limits)


def _alternatives(step: Step) -> list[tuple[float, int, float | None]]:
    found: list[tuple[float, int, float | None]] = []
    if step.fraction is not None:
        found.append((step.period_s, 0, step.fraction))
    if step.count is not None:
        found.append((step.count_period_s or step.period_s, step.count, None))
    return found


def _allowed(amount: int, fraction: float | None, began: int) -> int:
    return max(1, amount if fraction is None else whole(max(0, began) * fraction))
