"""Every pool ticks at once and then steadily, whatever the wall clock and the other pools do."""

import asyncio
import itertools
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import cast

import pytest
from structlog.testing import CapturingLogger
from structlog.typing import FilteringBoundLogger

from autoscaler.domain.instant import Instant
from autoscaler.domain.outcome import NotSent, Outcome, TickReport
from autoscaler.domain.plan import Start
from autoscaler.domain.reason import ReasonCode, reason
from autoscaler.service import events
from autoscaler.service.timetable import Timetable
from autoscaler.service.worker import PoolTick, Tick, Worker
from tests.service.clocks import LoopClock
from tests.service.reports import pool, steady

pytestmark = pytest.mark.looptime
Behaviour = Callable[[str, Instant], Awaitable[TickReport]]


class Ears:
    """A listener that remembers."""

    def __init__(self) -> None:
        self.delays: list[float] = []
        self.reports: list[TickReport] = []

    def began(self, _pool: str, delay_s: float) -> None:
        self.delays.append(delay_s)

    def ended(self, report: TickReport) -> None:
        self.reports.append(report)


class Stage:
    """A timetable with one pool per tick function, on the loop's clock."""

    def __init__(self, interval_s: float = 10.0, **ticks: Behaviour) -> None:
        self.clock, self.ears, self.log = LoopClock(), Ears(), CapturingLogger()
        log = cast(FilteringBoundLogger, self.log)
        self.began: dict[str, list[float]] = {name: [] for name in ticks}
        jobs = [
            PoolTick(pool=pool(name, interval_s), tick=self.noted(name, tick)) for name, tick in ticks.items()
        ]
        self.workers = [Worker(job, clock=self.clock, listeners=[self.ears], log=log) for job in jobs]
        self.timetable = Timetable(self.workers, clock=self.clock, log=log, zone=self.clock)

    def noted(self, name: str, tick: Behaviour) -> Tick:
        async def run(now: Instant) -> TickReport:
            self.began[name].append(now.mono)
            return await tick(name, now)

        return run

    def events(self) -> list[str]:
        return [call.args[0] for call in self.log.calls]

    def verdicts(self, name: str) -> list[str]:
        return [report.verdict.value for report in self.ears.reports if report.pool == name]


async def quick(name: str, now: Instant) -> TickReport:
    return steady(name, now)


async def broken(_name: str, _now: Instant) -> TickReport:
    raise ValueError("something unforeseen")


def gaps(moments: list[float]) -> list[float]:
    return [later - earlier for earlier, later in itertools.pairwise(moments)]


async def test_the_first_tick_is_at_once_and_the_rest_one_interval_apart():
    stage = Stage(shop=quick)
    stage.timetable.start()
    await asyncio.sleep(60)
    await stage.timetable.stop(within_s=1)
    moments = stage.began["shop"]
    assert moments[0] == pytest.approx(0, abs=0.01)
    assert 5 <= moments[1] <= 15.01
    assert gaps(moments[1:]) == pytest.approx([10] * (len(moments) - 2), abs=0.01)
    assert stage.ears.delays == pytest.approx([0] * len(moments), abs=0.01)


async def test_a_slow_tick_is_never_doubled_and_the_next_one_tells_how_late_it_is():
    async def slow(name, now):
        await asyncio.sleep(25)
        return steady(name, now)

    stage = Stage(shop=slow)
    stage.timetable.start()
    await asyncio.sleep(100)
    await stage.timetable.stop(within_s=30)
    assert min(gaps(stage.began["shop"])) >= 12
    assert len(stage.ears.reports) == len(stage.began["shop"])


def leaving_over(name: str, now: Instant, duration_s: float) -> TickReport:
    start = Start(machine="m", region="ord", reason=reason(ReasonCode.RULE))
    left = Outcome(action=start, result=NotSent())
    return replace(steady(name, now), outcomes=(left,), duration_s=duration_s)


async def test_a_tick_that_ran_out_of_time_is_followed_by_the_next_at_once():
    async def busy(name, now):
        await asyncio.sleep(8)
        return leaving_over(name, now, 8.0) if now.mono < 20 else steady(name, now)

    stage = Stage(shop=busy)
    stage.timetable.start()
    await asyncio.sleep(60)
    await stage.timetable.stop(within_s=10)
    began = stage.began["shop"]
    assert gaps(began[:4]) == pytest.approx([8, 8, 8], abs=0.01)
    assert stage.ears.delays[:4] == pytest.approx([0, 0, 0, 0], abs=0.01)
    assert all(gap > 8.5 for gap in gaps(began[3:]))


async def test_a_short_tick_that_leaves_actions_over_waits_for_its_next_turn():
    async def refused(name, now):
        return leaving_over(name, now, 0.5)

    stage = Stage(shop=refused)
    stage.timetable.start()
    await asyncio.sleep(60)
    await stage.timetable.stop(within_s=10)
    assert len(stage.began["shop"]) <= 7


async def test_stopping_lets_no_further_tick_follow():
    async def busy(name, now):
        await asyncio.sleep(8)
        return leaving_over(name, now, 8.0)

    stage = Stage(shop=busy)
    stage.timetable.start()
    await asyncio.sleep(4)
    assert await stage.timetable.stop(within_s=10) == []
    assert len(stage.ears.reports) == 1


async def test_a_pool_whose_tick_raises_is_reported_and_disturbs_no_other():
    stage = Stage(good=quick, bad=broken)
    stage.timetable.start()
    await asyncio.sleep(45)
    await stage.timetable.stop(within_s=1)
    assert set(stage.verdicts("bad")) == {"failed"}
    assert set(stage.verdicts("good")) == {"steady"}
    assert len(stage.verdicts("bad")) >= 4
    assert len(stage.verdicts("good")) >= 4
    failed = next(report for report in stage.ears.reports if report.pool == "bad")
    assert [str(warning) for warning in failed.warnings] == ["tick_failed error=ValueError"]
    line = stage.log.calls[0]
    assert line.args == (events.TICK_FAILED,)
    assert (line.kwargs["pool"], line.kwargs["error"]) == ("bad", "ValueError")


async def test_a_tick_that_hangs_is_cut_off_after_its_deadline_and_the_next_one_runs():
    async def hangs(_name, _now):
        await asyncio.Event().wait()

    stage = Stage(shop=hangs)
    stage.timetable.start()
    await asyncio.sleep(40)
    await stage.timetable.stop(within_s=60)
    report = stage.ears.reports[0]
    assert report.verdict == "failed"
    assert report.duration_s == pytest.approx(12, abs=0.1)
    assert "deadline seconds=12" in [str(warning) for warning in report.warnings]
    assert len(stage.began["shop"]) >= 2


@pytest.mark.parametrize("jump_s", [-3600.0, 3600.0, -86400.0 * 365, 86400.0 * 365 * 20])
async def test_a_jump_of_the_wall_clock_neither_stops_the_ticks_nor_multiplies_them(jump_s):
    stage = Stage(shop=quick)
    stage.timetable.start()
    watching = asyncio.create_task(stage.timetable.watch())
    await asyncio.sleep(32)
    before = len(stage.began["shop"])
    stage.clock.shift_s += jump_s
    await asyncio.sleep(100)
    watching.cancel()
    await stage.timetable.stop(within_s=1)
    after = stage.began["shop"][before - 1 :]
    assert max(gaps(after)) <= 22
    assert 9 <= len(after) <= 13
    assert (events.WATCHDOG_REARMED in stage.events()) is (jump_s < 0)


async def test_without_a_jump_the_watchdog_does_nothing():
    stage = Stage(shop=quick)
    stage.timetable.start()
    watching = asyncio.create_task(stage.timetable.watch())
    await asyncio.sleep(300)
    watching.cancel()
    await stage.timetable.stop(within_s=1)
    assert stage.events() == []
    assert len(stage.began["shop"]) in {30, 31}


async def test_a_tick_longer_than_its_interval_is_not_taken_for_a_stopped_schedule():
    async def long(name, now):
        await asyncio.sleep(6.7)
        return steady(name, now)

    stage = Stage(interval_s=1.0, shop=long)
    stage.timetable.start()
    watching = asyncio.create_task(stage.timetable.watch())
    await asyncio.sleep(120)
    watching.cancel()
    await stage.timetable.stop(within_s=10)
    assert stage.events() == []
    assert 15 <= len(stage.began["shop"]) <= 18


async def test_stopping_lets_a_running_tick_finish():
    async def slow(name, now):
        await asyncio.sleep(5)
        return steady(name, now)

    stage = Stage(shop=slow)
    stage.timetable.start()
    await asyncio.sleep(1)
    assert await stage.timetable.stop(within_s=30) == []
    assert stage.verdicts("shop") == ["steady"]
    await asyncio.sleep(60)
    assert len(stage.began["shop"]) == 1


async def test_stopping_cuts_a_tick_that_does_not_finish_in_time():
    async def hangs(_name, _now):
        await asyncio.Event().wait()

    stage = Stage(shop=hangs, other=quick)
    stage.timetable.start()
    await asyncio.sleep(1)
    assert await stage.timetable.stop(within_s=3) == ["shop"]
    assert asyncio.get_running_loop().time() == pytest.approx(4, abs=0.1)
    assert stage.verdicts("shop") == []


async def test_a_listener_that_raises_does_not_end_the_schedule():
    class Deaf(Ears):
        def ended(self, report):
            super().ended(report)
            raise RuntimeError("cannot publish")

    stage = Stage(shop=quick)
    deaf = Deaf()
    log = cast(FilteringBoundLogger, stage.log)
    job = PoolTick(pool=pool("shop", 10.0), tick=lambda now: quick("shop", now))
    timetable = Timetable(
        [Worker(job, clock=stage.clock, listeners=[deaf], log=log)],
        clock=stage.clock,
        log=log,
        zone=stage.clock,
    )
    timetable.start()
    await asyncio.sleep(35)
    await timetable.stop(within_s=1)
    assert len(deaf.reports) >= 3
    assert set(stage.events()) == {events.REPORT_LOST}
