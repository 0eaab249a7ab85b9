"""A pool-wide demand shared out over regions, and taken back again, one Machine at a time.

Machines are handed to the region with the smallest `(2 * assigned + 1) / weight`, ties by name. Unlike
largest remainders this never takes a Machine from any region when the total grows.
"""

import heapq
from collections.abc import Mapping
from math import floor

from autoscaler.domain.names import Region

Counts = Mapping[Region, int]

LEAP = 200
"""Above so many Machines the bulk of them is handed out in one leap."""


def share_out(base: Counts, limit: Counts, weights: Mapping[Region, float], extra: int) -> dict[Region, int]:
    """The base counts plus `extra` Machines, no region above its limit; what finds no room is left over."""
    assigned = dict(base)
    if extra > LEAP:
        assigned = _leap(base, limit, weights, extra)
        extra -= sum(assigned.values()) - sum(base.values())
    queue = [((2 * count + 1) / weights[r], r) for r, count in assigned.items() if count < limit[r]]
    heapq.heapify(queue)
    while extra > 0 and queue:
        region = queue[0][1]
        count = assigned[region] = assigned[region] + 1
        extra -= 1
        if count < limit[region]:
            heapq.heapreplace(queue, ((2 * count + 1) / weights[region], region))
        else:
            heapq.heappop(queue)
    return assigned


def take_back(
    assigned: Counts, least: Counts, weights: Mapping[Region, float], surplus: int
) -> dict[Region, int]:
    """The reverse of sharing out: `surplus` Machines fewer, no region below its least."""
    left = dict(assigned)
    for _ in range(surplus):
        givers = [((2 * count - 1) / weights[r], r) for r, count in left.items() if count > least[r]]
        if not givers:
            break
        left[max(givers)[1]] -= 1
    return left


def give_up(
    desired: Counts, base: Counts, least: Counts, last: frozenset[Region], surplus: int
) -> dict[Region, int]:
    """`surplus` Machines fewer: from the region furthest above its base first, those in `last` at last.

    No region gives up what it must have at least; ties by name.
    """
    left = dict(desired)
    queue = [(r in last, base[r] - count, r) for r, count in left.items() if count > least[r]]
    heapq.heapify(queue)
    while surplus > 0 and queue:
        late, rank, region = queue[0]
        left[region] -= 1
        surplus -= 1
        if left[region] > least[region]:
            heapq.heapreplace(queue, (late, rank + 1, region))
        else:
            heapq.heappop(queue)
    return left


def _leap(base: Counts, limit: Counts, weights: Mapping[Region, float], extra: int) -> dict[Region, int]:
    """Nearly all of `extra`, exactly as one at a time would: a level below which every share is certain."""
    goal = sum(base.values()) + extra
    low, high = 0.0, (2.0 * goal + 1) / min(weights.values())
    for _ in range(60):
        middle = (low + high) / 2
        if sum(_at_level(base, limit, weights, middle).values()) <= goal:
            low = middle
        else:
            high = middle
    return _at_level(base, limit, weights, low)


def _at_level(
    base: Counts, limit: Counts, weights: Mapping[Region, float], level: float
) -> dict[Region, int]:
    # One Machine less per region than the level allows, so that rounding cannot hand out one too many.
    return {r: max(count, min(limit[r], floor((level * weights[r] - 1) / 2))) for r, count in base.items()}
