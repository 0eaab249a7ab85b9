"""The process around the loop starts at once, serves, stops in order, and ends if a part of it ends."""

import asyncio
import os
import signal
import socket
from typing import cast

import httpx
import pytest
from structlog.testing import CapturingLogger
from structlog.typing import FilteringBoundLogger

from autoscaler.adapters.telemetry import Telemetry
from autoscaler.domain.instant import Instant
from autoscaler.domain.outcome import TickReport
from autoscaler.service import events
from autoscaler.service.daemon import Daemon, EndedError, stop_signals
from autoscaler.service.http_server import listen
from autoscaler.service.worker import PoolTick, Tick
from tests.service.reports import pool, steady


class Stage:
    """A daemon with pools whose ticks the test provides, on a real port of this machine."""

    def __init__(self, **ticks: Tick) -> None:
        self.log = CapturingLogger()
        self.stop = asyncio.Event()
        self.listening = listen("127.0.0.1", 0)
        self.port: int = self.listening.getsockname()[1]
        self.daemon = Daemon(
            [PoolTick(pool=pool(name, 60.0), tick=tick) for name, tick in ticks.items()],
            listeners=[],
            registry=Telemetry().registry,
            log=cast(FilteringBoundLogger, self.log),
        )
        self.running = asyncio.create_task(self.daemon.run(self.listening, self.stop))

    def events(self) -> list[str]:
        return [call.args[0] for call in self.log.calls]

    async def get(self, path: str) -> httpx.Response:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.port}") as client:
            return await client.get(path)


class Slow:
    """A tick that lasts until the test lets it end."""

    def __init__(self) -> None:
        self.begun, self.let_end = asyncio.Event(), asyncio.Event()
        self.cancelled = False

    async def __call__(self, now: Instant) -> TickReport:
        self.begun.set()
        try:
            await self.let_end.wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        return steady("shop", now)


async def test_the_first_tick_begins_at_once_while_the_endpoints_answer():
    tick = Slow()
    stage = Stage(shop=tick)
    await tick.begun.wait()
    assert (await stage.get("/livez")).status_code == 200
    assert (await stage.get("/readyz")).text == "no survey yet: shop\n"
    tick.let_end.set()
    stage.stop.set()
    await stage.running


async def test_a_stop_finishes_the_running_tick_before_the_process_ends_and_endpoints_answer_meanwhile():
    tick = Slow()
    stage = Stage(shop=tick)
    await tick.begun.wait()
    stage.stop.set()
    assert (await stage.get("/livez")).status_code == 200
    assert not stage.running.done()
    tick.let_end.set()
    await stage.running
    assert not tick.cancelled
    assert stage.events() == [
        events.HTTP_LISTENING,
        events.DAEMON_STARTED,
        events.DAEMON_STOPPING,
        events.DAEMON_STOPPED,
    ]
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", stage.port), timeout=2)


@pytest.mark.looptime
async def test_a_tick_that_does_not_finish_is_cut_when_its_deadline_has_passed():
    tick = Slow()
    stage = Stage(shop=tick)
    await tick.begun.wait()
    before = asyncio.get_running_loop().time()
    stage.stop.set()
    await stage.running
    assert tick.cancelled
    # A tick of a pool with an interval of 60 s has 48 s.
    assert asyncio.get_running_loop().time() - before == pytest.approx(48, abs=1)
    assert events.TICK_CUT in stage.events()


async def test_a_stop_while_the_process_starts_begins_no_tick():
    tick = Slow()
    stage = Stage(shop=tick)
    stage.stop.set()
    await stage.running
    assert not tick.begun.is_set()
    assert stage.events()[-1] == events.DAEMON_STOPPED


@pytest.mark.parametrize("name", ["http server", "watchdog"])
async def test_an_eternal_task_that_ends_ends_the_process_with_an_error_that_names_it(name):
    tick = Slow()
    stage = Stage(shop=tick)
    await tick.begun.wait()
    tick.let_end.set()
    (victim,) = (task for task in asyncio.all_tasks() if task.get_name() == name)
    victim.cancel()
    with pytest.raises(EndedError, match=f"the {name} ended by itself"):
        await stage.running
    assert stage.events()[-1] == events.DAEMON_STOPPED


async def test_signals_set_the_event_and_a_second_one_is_harmless():
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        for number in handlers:
            with stop_signals() as stop:
                os.kill(os.getpid(), number)
                os.kill(os.getpid(), number)
                await asyncio.wait_for(stop.wait(), 2)
            os.kill(os.getpid(), number)
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
