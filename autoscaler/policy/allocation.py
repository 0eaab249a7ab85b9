"""A pool-wide demand shared out over regions, and taken back again, one Machine at a time.

Machines are handed to the region with the smallest `(2 * assigned + 1) / weight`, ties by name. Unlike
largest remainders this never takes a Machine from any region when the total grows. All sequences have one
entry per region, in the order of their names.
"""

import heapq
from collections.abc import Sequence
from math import floor

LEAP = 100
"""More Machines than this are handed out in leaps, all but the last few."""

FAINTEST = 1e-15
"""No weight counts as a smaller part of the heaviest one in a leap, lest it need levels that no float has."""


def share_out(base: Sequence[int], most: Sequence[int], weights: Sequence[float], extra: int) -> list[int]:
    """The base counts plus `extra` Machines, no region above its most; what finds no room is left over."""
    assigned = list(base)
    if extra > LEAP:
        assigned = _leap(base, most, weights, extra)
        extra -= sum(assigned) - sum(base)
    queue = [
        ((2 * count + 1) / weights[index], index)
        for index, count in enumerate(assigned)
        if count < most[index]
    ]
    heapq.heapify(queue)
    while extra > 0 and queue:
        index = queue[0][1]
        count = assigned[index] = assigned[index] + 1
        extra -= 1
        if count < most[index]:
            heapq.heapreplace(queue, ((2 * count + 1) / weights[index], index))
        else:
            heapq.heappop(queue)
    return assigned


def take_back(
    assigned: Sequence[int], least: Sequence[int], weights: Sequence[float], surplus: int
) -> list[int]:
    """The reverse of sharing out: `surplus` Machines fewer, no region below its least."""
    left = list(assigned)
    for _ in range(surplus):
        givers = [
            ((2 * count - 1) / weights[index], index)
            for index, count in enumerate(left)
            if count > least[index]
        ]
        if not givers:
            break
        left[max(givers)[1]] -= 1
    return left


def give_up(
    desired: Sequence[int], base: Sequence[int], least: Sequence[int], late: Sequence[bool], surplus: int
) -> list[int]:
    """`surplus` Machines fewer, from the region furthest above its base first, and from `late` ones at last.

    No region gives up what it must have at least; ties by name.
    """
    left = list(desired)
    queue = [
        (late[index], base[index] - count, index) for index, count in enumerate(left) if count > least[index]
    ]
    heapq.heapify(queue)
    while surplus > 0 and queue:
        last, rank, index = queue[0]
        left[index] -= 1
        surplus -= 1
        if left[index] > least[index]:
            heapq.heapreplace(queue, (last, rank + 1, index))
        else:
            heapq.heappop(queue)
    return left


def _leap(base: Sequence[int], most: Sequence[int], weights: Sequence[float], extra: int) -> list[int]:
    """Nearly all of `extra`, as one at a time would: up to a level at which none is handed out too soon."""
    heaviest = max(weights)
    shares = [max(weight / heaviest, FAINTEST) for weight in weights]
    goal = min(sum(base) + extra, sum(map(max, base, most)))
    low, counts = 0.0, list(base)
    high = max(
        (2 * min(limit, count + extra) + 1) / share
        for count, limit, share in zip(base, most, shares, strict=True)
    )
    while goal - sum(counts) > LEAP and low < (level := (low + high) / 2) < high:
        filled = [
            max(count, min(limit, floor((level * share + 1) / 2)))
            for count, limit, share in zip(base, most, shares, strict=True)
        ]
        if sum(filled) > goal:
            high = level
        else:
            low, counts = level, filled
    # One back for each region, so that rounding cannot have handed out one too many.
    return [max(before, count - 1) for before, count in zip(base, counts, strict=True)]
