"""One pool's ticks: one at a time, each under a deadline, each ending in a report whatever happens."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from structlog.typing import FilteringBoundLogger

from autoscaler.domain.errors import AutoscalerError
from autoscaler.domain.instant import Instant
from autoscaler.domain.outcome import NotSent, TickReport, Verdict
from autoscaler.domain.pool import Pool
from autoscaler.domain.reason import ReasonCode, reason
from autoscaler.reconcile.deadline import SHORTEST_S, tick_seconds
from autoscaler.service import events
from autoscaler.service.board import Listener

BACKSTOP_S = 2.0
"""A tick keeps its own deadline; this much later it is cut off."""
LONG_S = SHORTEST_S / 2
"""A tick that took longer than this was busy all along."""

Tick = Callable[[Instant], Awaitable[TickReport]]
Clock = Callable[[], Instant]


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolTick:
    """A pool and the function that runs one tick of it and remembers what the next one needs."""

    pool: Pool
    tick: Tick


class Worker:
    """Runs the ticks of one pool. Nothing that goes wrong in them leaves this class."""

    def __init__(
        self, job: PoolTick, *, clock: Clock, listeners: Sequence[Listener], log: FilteringBoundLogger
    ) -> None:
        """`listeners` are told of every tick, in order."""
        self.pool = job.pool
        self.due_at: float | None = None
        """Unix time of the first tick that is due and has not begun."""
        self.task: asyncio.Task[None] | None = None
        """The tick that runs at present."""
        self.active_at = clock().mono
        """When a tick last began or ended, in monotonic seconds."""
        self.closing = False
        """Once set, no further tick begins."""
        self._job = job
        self._clock = clock
        self._listeners = listeners
        self._log = log

    async def run(self) -> None:
        """Run one tick, and the next at once where one ran out of time; nothing while one is running."""
        if self.task is not None:
            return
        self.task = _named_task(f"tick of {self.pool.name}")
        try:
            while _unfinished(await self._run()) and not self.closing:
                self.due_at = None
        except Exception as error:  # what cannot be published must not end the schedule
            self._log.error(
                events.REPORT_LOST, pool=self.pool.name, error=type(error).__name__, exc_info=error
            )
        finally:
            self.active_at = self._clock().mono
            self.task = None

    async def _run(self) -> TickReport:
        now = self._clock()
        delay_s = 0.0 if self.due_at is None else now.wall - self.due_at
        self.due_at = None
        self.active_at = now.mono
        for listener in self._listeners:
            listener.began(self.pool.name, max(0.0, delay_s))
        report = await guarded(self._job, now, clock=self._clock, log=self._log)
        for listener in self._listeners:
            listener.ended(report)
        return report


def _unfinished(report: TickReport) -> bool:
    """Whether actions were left over for want of time.

    A rest until the next interval would let turns in the platform's rate limit pass unused. A tick that
    leaves actions over and yet was short has other reasons, which will not be gone at once.
    """
    left_over = any(isinstance(outcome.result, NotSent) for outcome in report.outcomes)
    return left_over and report.duration_s > LONG_S


async def guarded(job: PoolTick, now: Instant, *, clock: Clock, log: FilteringBoundLogger) -> TickReport:
    """Run one tick under its backstop. Whatever it raises becomes a report with the verdict `failed`."""
    limit_s = tick_seconds(job.pool.interval_s) + BACKSTOP_S
    backstop = asyncio.timeout(limit_s)
    try:
        async with backstop:
            return await job.tick(now)
    except Exception as error:  # one pool's trouble is reported and never touches another
        failure: Exception = error
    # Our own errors say what to do; of anything else the place is worth knowing.
    trace = None if isinstance(failure, AutoscalerError | TimeoutError) else failure
    kind = type(failure).__name__
    log.error(events.TICK_FAILED, pool=job.pool.name, error=kind, detail=str(failure), exc_info=trace)
    late = (reason(ReasonCode.DEADLINE, seconds=limit_s),) if backstop.expired() else ()
    return TickReport(
        pool=job.pool.name,
        app=job.pool.app,
        group=job.pool.group,
        at=now,
        verdict=Verdict.FAILED,
        duration_s=clock().mono - now.mono,
        warnings=(reason(ReasonCode.TICK_FAILED, error=kind), *late),
    )


def _named_task(name: str) -> asyncio.Task[None] | None:
    task = asyncio.current_task()
    if task is not None:
        task.set_name(name)
    return task
