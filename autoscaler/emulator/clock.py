"""Where the emulator's time comes from: a running clock for people, a manual one for tests."""

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

MIDNIGHT = 1_767_225_600.0
"""2026-01-01T00:00:00Z, where a manual clock starts unless told otherwise."""


class Clock(Protocol):
    """Unix seconds, and a way to wait for them."""

    def now(self) -> float:
        """Unix time in seconds; never goes backward."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return once `seconds` of this clock have passed."""
        ...


class RunningClock:
    """Time that passes by itself, `speed` times as fast as that of the world.

    `monotonic` is the pace maker: pass a loop's `time` to follow a loop whose time is simulated.
    """

    def __init__(
        self,
        *,
        speed: float = 1.0,
        epoch: float | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._speed = speed
        self._monotonic = monotonic
        self._origin = monotonic()
        self._epoch = time.time() if epoch is None else epoch

    def now(self) -> float:
        """Unix time in seconds."""
        return self._epoch + (self._monotonic() - self._origin) * self._speed

    async def sleep(self, seconds: float) -> None:
        """Sleep for real, shortened by the speed."""
        await asyncio.sleep(max(0.0, seconds) / self._speed)


class ManualClock:
    """Time that stands still until `advance` moves it; sleepers wake when it has passed them."""

    def __init__(self, start: float = MIDNIGHT) -> None:
        self._now = start
        self._sleepers: list[tuple[float, asyncio.AbstractEventLoop, asyncio.Event]] = []

    def now(self) -> float:
        """Unix time in seconds."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Move the time forward; may be called from any thread. ValueError for a step backward."""
        if seconds < 0:
            raise ValueError("time does not go backward")
        self._now = round(self._now + seconds, 6)
        for sleeper in [sleeper for sleeper in self._sleepers if sleeper[0] <= self._now]:
            self._sleepers.remove(sleeper)
            _, loop, event = sleeper
            loop.call_soon_threadsafe(event.set)

    async def sleep(self, seconds: float) -> None:
        """Wait until the clock has been advanced by `seconds`."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        event = asyncio.Event()
        self._sleepers.append((self._now + seconds, asyncio.get_running_loop(), event))
        await event.wait()
