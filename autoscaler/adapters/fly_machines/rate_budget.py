"""How often we may ask: the platform's own limit, kept on our side so that it is rarely met.

The platform allows one request a second, three at once, for each action on each app or Machine (and refuses
the rest with 429). A bucket holds what of that is left. It is kept as the moment at which it will be full
again, so it needs no clockwork of its own; and unlike the limiters one can buy it can be slowed down, can say
that a turn would come too late, and can be forgotten once it is full.
"""

import asyncio
from collections.abc import Hashable
from dataclasses import dataclass, field

BURST = 3
INTERVAL_S = 1.0
SLOWEST_S = 10.0
"""No pause is longer either: a pool that may not list its Machines is blind for as long."""
LATEST_ARRIVAL_S = 1.0
"""A request that is answered later than this was slow to be carried out, not to arrive."""
FORGET_AFTER_S = 600.0
"""A slowed bucket nobody used for so long starts anew."""
SWEEP_AT = 256


class TooLateError(Exception):
    """The turn would come after the moment until which it was wanted."""


@dataclass(slots=True, kw_only=True)
class _Bucket:
    interval_s: float = INTERVAL_S
    full_at: float = 0.0
    burst_began: float | None = None
    """When the first request since the last rest was sent, while none has been answered."""
    queue: asyncio.Lock = field(default_factory=asyncio.Lock)

    def wait_s(self, now: float) -> float:
        # Whole microseconds: a rest of 1e-16 s is a turn, and no clock would ever move by so little.
        return max(0.0, round(self.full_at - now - (BURST - 1) * self.interval_s, 6))

    def take(self, now: float) -> None:
        if self.full_at <= now:
            self.burst_began = now
        self.full_at = max(self.full_at, now) + self.interval_s

    def slow(self, now: float, pause_s: float) -> None:
        self.interval_s = min(2 * self.interval_s, SLOWEST_S)
        rest_s = min(max(pause_s, self.interval_s), SLOWEST_S)
        self.full_at = now + (BURST - 1) * self.interval_s + rest_s
        self.burst_began = None

    def answered(self, now: float) -> None:
        # The platform counts a request when it arrives, which for a burst that opens connections may be
        # nearly as late as its answer: its bucket may have begun to refill only then.
        if self.burst_began is not None:
            self.full_at += min(now - self.burst_began, LATEST_ARRIVAL_S)
            self.burst_began = None
        if self.interval_s > INTERVAL_S:
            self.interval_s = INTERVAL_S
            self.full_at = min(self.full_at, now + BURST * INTERVAL_S)

    def forgettable(self, now: float) -> bool:
        slowed = self.interval_s > INTERVAL_S
        return not self.queue.locked() and now >= self.full_at + (FORGET_AFTER_S if slowed else 0.0)


class RateBudget:
    """One bucket per key, on the running loop's clock. Keys that rest are forgotten, so memory is bounded."""

    def __init__(self) -> None:
        """Every bucket begins full."""
        self._buckets: dict[Hashable, _Bucket] = {}
        self._sweep_at = SWEEP_AT

    def __len__(self) -> int:
        """Buckets remembered."""
        return len(self._buckets)

    async def admit(self, key: Hashable, *, until: float | None = None) -> None:
        """Wait for a turn, first come, first served, and take it. `until` is a moment of the loop's clock.

        Raises TooLateError as soon as it is clear that the turn comes later than `until`.
        """
        loop = asyncio.get_running_loop()
        bucket = self._bucket(key, loop.time())
        async with bucket.queue:
            # Asked again after each pause: a 429 to somebody else may have slowed the bucket meanwhile.
            while (wait_s := bucket.wait_s(loop.time())) > 0:
                if until is not None and loop.time() + wait_s > until:
                    raise TooLateError
                await asyncio.sleep(wait_s)
            bucket.take(loop.time())

    def slow(self, key: Hashable, *, pause_s: float | None = None) -> None:
        """After a 429: half the rate, and no turn for `pause_s`; but at least one request per 10 s."""
        now = asyncio.get_running_loop().time()
        self._bucket(key, now).slow(now, pause_s or 0.0)

    def answered(self, key: Hashable) -> None:
        """After any other answer: the full rate again, counted from the first answer to a burst."""
        if key in self._buckets:
            self._buckets[key].answered(asyncio.get_running_loop().time())

    def _bucket(self, key: Hashable, now: float) -> _Bucket:
        if key not in self._buckets:
            if len(self._buckets) >= self._sweep_at:
                self._sweep(now)
            self._buckets[key] = _Bucket()
        return self._buckets[key]

    def _sweep(self, now: float) -> None:
        self._buckets = {key: held for key, held in self._buckets.items() if not held.forgettable(now)}
        self._sweep_at = max(SWEEP_AT, 2 * len(self._buckets))
