"""What a tick over a thousand Machines costs when nothing is to be done, and how long it holds others up."""

import asyncio
import json
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from autoscaler.adapters.fly_machines import calls
from autoscaler.adapters.http.client import HttpClient
from autoscaler.domain.names import AppName, Region
from autoscaler.domain.outcome import Verdict
from autoscaler.emulator.config import EmulatorConfig
from autoscaler.emulator.record import Event, Machine
from autoscaler.emulator.world import World
from autoscaler.service.daemon import read_clocks
from autoscaler.service.worker import PoolTick
from benchmarks.daemons import daemon
from benchmarks.fly import ANY_TOKEN, Fly, fly
from benchmarks.progress import Progress
from benchmarks.rows import Goal, MismeasuredError, Row
from benchmarks.skipping import run as run_skipping
from benchmarks.skipping import skip

MACHINES, EVENTS = 1_000, 20
TICKS, QUICK_TICKS = 15, 5
BEAT_S = 0.001
APP = AppName("bench")
REGIONS = (Region("ord"), Region("ams"), Region("fra"))

CPU = Goal(
    what=f"CPU time of a tick over {MACHINES:,} Machines without changes",
    beside="json.loads of the same list",
    unit="ms",
    most=150.0,
)
STALL = Goal(
    what=f"longest stall of the loop in such a tick, {EVENTS} events per Machine",
    beside="json.loads of the same list",
    unit="ms",
    most=100.0,
)


def run(quick: bool, progress: Progress) -> list[Row]:
    config = EmulatorConfig(app=APP, regions=REGIONS, machines=MACHINES, state="started", services=True)
    with fly(config, prepare) as platform:
        return run_skipping(_measured(platform, QUICK_TICKS if quick else TICKS, progress))


def prepare(world: World) -> None:
    """A life of twenty events for every Machine."""
    for machine in list(world.of_app(APP)):
        world.put(replace(machine, events=_life(world, machine)))


def _life(world: World, machine: Machine) -> tuple[Event, ...]:
    newest, *_ = machine.events
    exit_event = {"exited_at": round(newest.at * 1000), "requested_stop": True, "signal": -1}
    ended = {"exit_event": exit_event, "restart_count": 0}
    rounds = ("start", "started", "flyd"), ("start", "starting", "user"), ("exit", "stopped", "flyd")
    events = [newest]
    for number in range(EVENTS - 1):
        kind, status, source = rounds[(number + 1) % len(rounds)]
        event = world.event(kind, status, source, ended if kind == "exit" else None)
        events.append(replace(event, at=newest.at - 600.0 * (number + 1)))
    return tuple(events)


async def _measured(platform: Fly, ticks: int, progress: Progress) -> list[Row]:
    dealt = {region: len(range(turn, MACHINES, len(REGIONS))) for turn, region in enumerate(REGIONS)}
    await asyncio.to_thread(platform.load, APP, {region: 10.0 * count for region, count in dealt.items()})
    body = await _list(platform)
    loading = [_seconds_to_load(body) for _ in range(ticks)]
    cpu, stalls = [], []
    async with daemon(platform.environment(APP, dealt)) as (assembly, _):
        (job,) = assembly.jobs
        await _tick(job)
        for done in range(ticks):
            progress.tell(f"{done} of {ticks} ticks, {len(body) / 1e6:.1f} MB each")
            began = time.process_time()
            await _tick(job)
            cpu.append(time.process_time() - began)
            async with _watching_the_loop() as gaps:
                await _tick(job)
            stalls.append(max(gaps))
    return [
        Row(goal=CPU, ours=1000 * statistics.median(cpu), baseline=1000 * statistics.median(loading)),
        Row(goal=STALL, ours=1000 * statistics.median(stalls), baseline=1000 * statistics.median(loading)),
    ]


async def _list(platform: Fly) -> bytes:
    async with HttpClient("fly", platform.url, token=ANY_TOKEN) as client:
        return (await client.read(calls.list_machines(APP, include_deleted=False))).body


def _seconds_to_load(body: bytes) -> float:
    began = time.process_time()
    json.loads(body)
    return time.process_time() - began


async def _tick(job: PoolTick) -> None:
    report = await job.tick(read_clocks())
    if report.verdict is not Verdict.STEADY or report.plan.actions:
        raise MismeasuredError(f"this tick was not without changes: {report.verdict}, {report.warnings}")
    # Our own rate budget would make the next tick wait for the rest of the interval.
    skip(job.pool.interval_s)


@asynccontextmanager
async def _watching_the_loop() -> AsyncIterator[list[float]]:
    """How much later than asked a task that sleeps for a moment gets its turn, over and over, in seconds."""
    gaps: list[float] = []

    async def watch() -> None:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(BEAT_S)
            gaps.append(time.perf_counter() - began - BEAT_S)

    watcher = asyncio.create_task(watch())
    try:
        yield gaps
    finally:
        watcher.cancel()
