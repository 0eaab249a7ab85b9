"""Fifty stopped Machines are needed at once: how long until the platform has answered the last start?"""

import asyncio
import statistics
import time
from collections.abc import Mapping, Sequence

from autoscaler.domain.names import AppName, Region
from autoscaler.domain.outcome import Applied, Result, TickReport
from autoscaler.domain.plan import Action, Start
from autoscaler.emulator.config import EmulatorConfig
from autoscaler.service.daemon import read_clocks
from benchmarks.daemons import daemon
from benchmarks.fly import Fly, fly
from benchmarks.progress import Progress
from benchmarks.rows import Goal, MismeasuredError, Row

LATENCY_S = 0.25
MACHINES = 50
QUICK_MACHINES = 10
ROUNDS = 3
APP = AppName("bench")
REGIONS = (Region("ord"), Region("ams"), Region("fra"))

STARTS = Goal(
    what=f"{MACHINES} stopped Machines at {LATENCY_S * 1000:.0f} ms latency: from tick begin to tick end",
    beside="the same starts one after another",
    unit="s",
    most=1.0,
)


def run(quick: bool, progress: Progress) -> list[Row]:
    machines = QUICK_MACHINES if quick else MACHINES
    config = EmulatorConfig(
        app=APP, regions=REGIONS, machines=machines, latency_s=LATENCY_S, boot_s=0.0, settle_s=0.0
    )
    with fly(config) as platform:
        platform.warm()
        ours, baseline = asyncio.run(_both(platform, machines, progress))
    instead = f"{machines} Machines" if quick else ""
    return [Row(goal=STARTS, ours=ours, baseline=baseline, instead=instead)]


async def _both(platform: Fly, machines: int, progress: Progress) -> tuple[float, float]:
    dealt = {region: len(range(turn, machines, len(REGIONS))) for turn, region in enumerate(REGIONS)}
    taken: list[float] = []
    starts: list[Action] = []
    for number in range(ROUNDS):
        progress.tell(f"all at once, round {number + 1} of {ROUNDS}")
        await asyncio.to_thread(platform.reset)
        await asyncio.to_thread(platform.load, APP, {region: 10.0 * count for region, count in dealt.items()})
        async with daemon(platform.environment(APP, dealt)) as (assembly, _):
            began = time.perf_counter()
            report = await assembly.jobs[0].tick(read_clocks())
            taken.append(time.perf_counter() - began)
            starts = _starts(report, machines)
    await asyncio.to_thread(platform.reset)
    return statistics.median(taken), await _one_by_one(platform.environment(APP, dealt), starts, progress)


async def _one_by_one(environ: Mapping[str, str], starts: Sequence[Action], progress: Progress) -> float:
    async with daemon(environ) as (assembly, _):
        began = time.perf_counter()
        for done, start in enumerate(starts):
            progress.tell(f"{done} of {len(starts)} started one after another")
            _accepted(await assembly.platform.act(APP, start))
        return time.perf_counter() - began


def _starts(report: TickReport, expected: int) -> list[Action]:
    for outcome in report.outcomes:
        _accepted(outcome.result)
    starts = [done.action for done in report.outcomes if done.action.kind == Start.kind]
    if len(starts) != expected:
        raise MismeasuredError(f"{len(starts)} starts instead of {expected}: {report}")
    return starts


def _accepted(result: Result) -> None:
    if not isinstance(result, Applied):
        raise MismeasuredError(f"a start was not accepted: {result}")
