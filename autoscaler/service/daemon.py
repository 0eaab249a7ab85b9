"""The process around the loop: start, run until told to stop, and leave nothing half done."""

import asyncio
import signal
import socket
import time
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, tzinfo
from typing import Any

from prometheus_client import CollectorRegistry
from structlog.typing import FilteringBoundLogger

from autoscaler.domain.errors import AutoscalerError
from autoscaler.domain.instant import Instant
from autoscaler.reconcile.deadline import tick_seconds
from autoscaler.service import endpoints, events
from autoscaler.service.board import Board, Listener
from autoscaler.service.http_server import EmbeddedServer
from autoscaler.service.timetable import Timetable
from autoscaler.service.worker import Clock, PoolTick, Worker

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class EndedError(AutoscalerError):
    """A part of the process that should last as long as the process has ended by itself."""


def read_clocks() -> Instant:
    """Now, for ticks and pages. Only the scheduler and the ages of answers are dated elsewhere."""
    return Instant(wall=time.time(), mono=time.monotonic())


@contextmanager
def stop_signals() -> Iterator[asyncio.Event]:
    """An event that SIGTERM and SIGINT set. Later signals change nothing, to the very end."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, stop.set)
    try:
        yield stop
    finally:
        for number in STOP_SIGNALS:
            loop.remove_signal_handler(number)
            # Between here and the exit a second signal would turn a clean end into a failure.
            signal.signal(number, signal.SIG_IGN)


class Daemon:
    """All pools' loops, the watchdog and the endpoints."""

    def __init__(
        self,
        jobs: Sequence[PoolTick],
        *,
        listeners: Sequence[Listener],
        registry: CollectorRegistry,
        log: FilteringBoundLogger,
        dry_run: bool = False,
        clock: Clock = read_clocks,
        zone: tzinfo = UTC,
    ) -> None:
        """`listeners` hear of every tick; `clock` and `zone` are the two clocks, for tests to turn."""
        pools = [job.pool for job in jobs]
        board = Board(pools, now=clock())
        workers = [Worker(job, clock=clock, listeners=(*listeners, board), log=log) for job in jobs]
        self._log = log
        self._timetable = Timetable(workers, clock=clock, log=log, zone=zone)
        self._server = EmbeddedServer(endpoints.build(board, registry, clock, dry_run=dry_run))
        self._drain_s = max((tick_seconds(pool.interval_s) for pool in pools), default=0.0)
        self._pools = sorted(pool.name for pool in pools)

    async def run(self, listening: socket.socket, stop: asyncio.Event) -> None:
        """Tick until `stop` is set, then shut down. Raises EndedError if an eternal task ends before that."""
        host, port = listening.getsockname()[:2]
        self._log.info(events.HTTP_LISTENING, host=host, port=port)
        eternal = [
            _named("http server", self._server.serve(sockets=[listening])),
            _named("watchdog", self._timetable.watch()),
        ]
        if not stop.is_set():
            self._timetable.start()
        self._log.info(events.DAEMON_STARTED, pools=self._pools)
        try:
            await _until(stop, eternal)
        finally:
            await self._shut_down(eternal)
            listening.close()

    async def _shut_down(self, eternal: Sequence[asyncio.Task[None]]) -> None:
        """Begin nothing new, finish the running ticks under a deadline, cancel the rest, close."""
        self._log.info(events.DAEMON_STOPPING)
        for pool in await self._timetable.stop(within_s=self._drain_s):
            self._log.warning(events.TICK_CUT, pool=pool)
        server, *others = eternal
        self._server.should_exit = True
        for task in others:
            task.cancel()
        await asyncio.gather(server, *others, return_exceptions=True)
        self._log.info(events.DAEMON_STOPPED)


async def _until(stop: asyncio.Event, eternal: Sequence[asyncio.Task[None]]) -> None:
    waiting = asyncio.create_task(stop.wait(), name="stop signal")
    try:
        await asyncio.wait([waiting, *eternal], return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
    for task in eternal:
        if task.done() and not stop.is_set():
            error = None if task.cancelled() else task.exception()
            why = f": {type(error).__name__}: {error}" if error else ""
            raise EndedError(
                f"the {task.get_name()} ended by itself{why}; this is a fault, please report it"
            ) from error


def _named(name: str, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    return asyncio.create_task(work, name=name)
