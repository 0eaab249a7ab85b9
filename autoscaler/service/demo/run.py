"""`autoscaler demo`: the emulated Fly, the real daemon on it, and somebody who watches and counts."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import ExitStack, asynccontextmanager, suppress

from rich.console import Console
from rich.constrain import Constrain
from rich.live import Live

from autoscaler.domain.names import PoolName, Region
from autoscaler.domain.outcome import TickReport
from autoscaler.emulator.server import Running, serve
from autoscaler.service import logs, running
from autoscaler.service.daemon import stop_signals
from autoscaler.service.demo import stage, view
from autoscaler.service.demo.load import NOON, PER_MACHINE, Day
from autoscaler.service.demo.score import Score
from autoscaler.service.http_server import listen
from autoscaler.service.messages import note
from autoscaler.service.settings import load
from autoscaler.service.wiring import secrets

DAY_S = 120.0
SHORTEST_DAY_S = 20.0
SAMPLE_S = 0.1
HOST = "127.0.0.1"
ECHO_COLUMNS = 4
"""Left free beside the table: a terminal that writes ^C there twice does not push it out of its place."""


async def run_demo(for_s: float | None, console: Console) -> int:
    """Run for `for_s` seconds, or until SIGTERM or SIGINT; then print how well the load was served.

    The exit code: 0, or 1 if there was nothing to see.
    """
    with stop_signals() as stop:
        async with serve(stage.fly()) as fly:
            return await perform(fly, for_s, stop, console)


async def perform(fly: Running, for_s: float | None, stop: asyncio.Event, console: Console) -> int:
    """The daemon on `fly` and its audience, as `run_demo` has it."""
    day = Day(length_s=DAY_S if for_s is None else min(DAY_S, max(SHORTEST_DAY_S, for_s)))
    audience = Audience(fly, day, console)
    async with _ending(stop, for_s), audience.watching():
        await _daemon(fly, day, stop, audience)
    if not audience.saw:
        note(f"error: {view.nothing_seen(audience.report, fly.url)}")
        return 1
    console.print(view.summary(audience.score), highlight=False, soft_wrap=True)
    return 0


async def _daemon(fly: Running, day: Day, stop: asyncio.Event, audience: "Audience") -> None:
    settings = load({"AUTOSCALER_CONFIG_TOML": stage.configuration(fly.url, day)})
    log = logs.configure("error", "console", secrets(settings))
    listening = listen(HOST, 0)
    audience.welcome(listening.getsockname()[1])
    stage.let_it_dawn(fly.world, day, fly.clock.now())
    await running.serve(settings, listening, stop, log=log, listeners=[audience])


class Audience:
    """Sees every tick's report, samples load and Machines ten times a second, and shows both."""

    def __init__(self, fly: Running, day: Day, console: Console) -> None:
        """A terminal gets a live table, anything else a line per tick."""
        self.score = Score()
        self._fly = fly
        self._day = day
        self._console = console
        self._fixed = {region: day.peak_machines(region) for region in NOON}
        self._dawn = fly.clock.now()
        self.report: TickReport | None = None
        """Of the last tick."""
        self.saw = False
        """Whether there was a decision to see."""

    def welcome(self, port: int) -> None:
        """Tell where to look."""
        say = self._console.print
        say(f"emulated Fly  {self._fly.url}/_emulator/machines", highlight=False, soft_wrap=True)
        say(f"the daemon    http://{HOST}:{port}/  (status page, /metrics)", highlight=False, soft_wrap=True)
        say(f"a day passes in {self._day.length_s:.0f} s; Ctrl-C ends the demonstration", highlight=False)
        say(view.agenda(), highlight=False, soft_wrap=True)
        self._dawn = self._fly.clock.now()

    def began(self, pool: PoolName, delay_s: float) -> None:
        """Nothing to show before the tick has ended."""

    def ended(self, report: TickReport) -> None:
        """Keep the report; without a terminal, print it."""
        self.report = report
        self.saw = self.saw or report.surveyed
        if not self._console.is_terminal:
            self._console.print(
                view.line(report, self._load(), self._clock()), highlight=False, soft_wrap=True
            )

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Sample and show until the block ends."""
        with ExitStack() as stack:
            terminal = self._console.is_terminal
            live = stack.enter_context(Live(console=self._console, auto_refresh=False)) if terminal else None
            watching = asyncio.create_task(self._watch(live), name="audience")
            try:
                yield
            finally:
                watching.cancel()
                with suppress(asyncio.CancelledError):
                    await watching
                if live is not None:
                    self._refresh(live, None)  # the summary comes below, once

    async def _watch(self, live: Live | None) -> None:
        before = self._now()
        while True:
            await asyncio.sleep(SAMPLE_S)
            now = self._now()
            self._fly.world.advance(self._fly.clock.now())
            self.score = self.score.after(
                dt=now - before,
                load=self._load(),
                machines=stage.serving(self._fly.world),
                fixed=self._fixed,
                per_machine=PER_MACHINE,
            )
            before = now
            if live is not None:
                self._refresh(live, self.score)

    def _refresh(self, live: Live, score: Score | None) -> None:
        if self.report is not None:
            shown = view.table(self.report, self._load(), score, self._clock())
            live.update(Constrain(shown, self._console.width - ECHO_COLUMNS), refresh=True)

    def _now(self) -> float:
        return self._fly.clock.now() - self._dawn

    def _load(self) -> Mapping[Region, float]:
        return {region: self._day.requests(region, self._now()) for region in NOON}

    def _clock(self) -> str:
        return view.wall(self._day.fraction(self._now()))


@asynccontextmanager
async def _ending(stop: asyncio.Event, for_s: float | None) -> AsyncIterator[None]:
    """Set `stop` after so many seconds."""
    timer = asyncio.get_running_loop().call_later(for_s, stop.set) if for_s is not None else None
    try:
        yield
    finally:
        if timer is not None:
            timer.cancel()
