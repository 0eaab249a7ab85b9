"""The schedule of all pools, and a watchdog that does not trust the wall clock it runs on."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo

from apscheduler.events import EVENT_JOB_MAX_INSTANCES, EVENT_JOB_SUBMITTED, JobSubmissionEvent
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from structlog.typing import FilteringBoundLogger

from autoscaler.domain.names import PoolName
from autoscaler.service import events
from autoscaler.service.cadence import Cadence
from autoscaler.service.worker import Clock, Worker

BEAT_S = 1.0
INTERVALS_UNTIL_LATE = 2
"""The first two ticks may be one and a half intervals apart, so less than that is nothing unusual."""


class Timetable:
    """Starts every worker at once and then in its pool's cadence, each at most once at a time.

    The scheduler runs on wall time: set back by an hour, it would sleep for an hour. `watch` measures in
    monotonic time and starts what is late.
    """

    def __init__(
        self, workers: Sequence[Worker], *, clock: Clock, log: FilteringBoundLogger, zone: tzinfo = UTC
    ) -> None:
        """`zone` is where the scheduler gets its wall clock from (`datetime.now(zone)`)."""
        self._workers = {worker.pool.name: worker for worker in workers}
        self._clock = clock
        self._log = log
        self._zone = zone
        self._scheduler = AsyncIOScheduler(
            timezone=zone,
            job_defaults={"max_instances": 1, "coalesce": True, "misfire_grace_time": None},
        )
        self._scheduler.add_listener(self._note_due, EVENT_JOB_SUBMITTED | EVENT_JOB_MAX_INSTANCES)

    def start(self) -> None:
        """Let every pool tick now, and from now on."""
        now = datetime.now(self._zone)
        for name, worker in self._workers.items():
            cadence = Cadence(worker.pool.app, worker.pool.interval_s)
            self._scheduler.add_job(worker.run, cadence, id=name, next_run_time=now)
        self._scheduler.start()

    async def watch(self) -> None:
        """Look after the schedule, for ever."""
        while True:
            await asyncio.sleep(BEAT_S)
            self.rearm()

    def rearm(self) -> None:
        """Start every pool whose tick is late by the monotonic clock."""
        now = self._clock().mono
        for name, worker in self._workers.items():
            silent_s = now - worker.active_at
            if worker.task is None and silent_s > INTERVALS_UNTIL_LATE * worker.pool.interval_s:
                self._log.warning(events.WATCHDOG_REARMED, pool=name, silent_s=round(silent_s, 1))
                self._scheduler.modify_job(name, next_run_time=datetime.now(self._zone))

    async def stop(self, *, within_s: float) -> list[PoolName]:
        """Begin no tick any more, let running ones finish, cancel those that do not; these are returned."""
        if not self._scheduler.running:
            return []
        self._scheduler.pause()
        for worker in self._workers.values():
            worker.closing = True
        running = {name: worker.task for name, worker in self._workers.items() if worker.task is not None}
        if running:
            await asyncio.wait(running.values(), timeout=within_s)
        cut = [name for name, task in running.items() if not task.done()]
        for name in cut:
            running[name].cancel()
        await asyncio.gather(*running.values(), return_exceptions=True)
        # The library cancels running jobs whatever `wait` says, so it is told last.
        self._scheduler.shutdown(wait=False)
        await asyncio.sleep(0)
        return cut

    def _note_due(self, event: JobSubmissionEvent) -> None:
        worker = self._workers[event.job_id]
        if worker.due_at is None:
            worker.due_at = event.scheduled_run_times[0].timestamp()
