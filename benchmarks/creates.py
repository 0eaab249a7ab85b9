"""Fifty Machines are to be created: how close do we come to what the platform's rate limit allows?

The daemon's ticks follow each other as its own timetable has it. At the same time another app of the same
platform gets as many Machines from a caller that does nothing else, each the moment it is allowed.
"""

import asyncio
import time
from collections.abc import Mapping

from autoscaler.adapters.fly_machines import calls
from autoscaler.adapters.http.client import HttpClient
from autoscaler.adapters.http.exchange import Call
from autoscaler.domain.names import AppName, PoolName, Region
from autoscaler.domain.outcome import Applied, TickReport
from autoscaler.domain.plan import Create
from autoscaler.emulator.config import EmulatorConfig
from autoscaler.emulator.seeding import seed
from autoscaler.emulator.world import World
from autoscaler.service.daemon import read_clocks
from autoscaler.service.timetable import Timetable
from benchmarks.daemons import daemon, workers
from benchmarks.fly import ANY_TOKEN, Fly, fly
from benchmarks.processes import PATIENCE_S
from benchmarks.progress import Progress
from benchmarks.rows import Goal, MismeasuredError, Row

MACHINES, QUICK_MACHINES = 50, 10
LATENCY_S = 0.25
BURST, INTERVAL_S = 3, 1.0
ATTEMPTS, PAUSE_S = 10, 0.05
WITHIN = 1.1
LONGEST_S = 200.0
APP, OTHER = AppName("bench"), AppName("other")
REGION = Region("ord")

CREATES = Goal(
    what=f"{MACHINES} creates under the platform's rate limit, over as many ticks as they take",
    beside=f"{BURST} at once, then one a second",
    unit="s",
)


def run(quick: bool, progress: Progress) -> list[Row]:
    machines = QUICK_MACHINES if quick else MACHINES
    config = EmulatorConfig(
        app=APP, regions=(REGION,), machines=1, state="started", latency_s=LATENCY_S, create_s=0.5, boot_s=0.5
    )
    with fly(config, prepare) as platform:
        ours, baseline = asyncio.run(_both(platform, machines, progress))
    instead = f"{machines} Machines" if quick else ""
    return [Row(goal=CREATES, ours=ours, baseline=baseline, most=WITHIN * baseline, instead=instead)]


def prepare(world: World) -> None:
    """An app for the other caller."""
    seed(world, app=OTHER, group="app", regions=(REGION,), count=1, state="started")


class Count:
    """Listens until enough Machines were created."""

    def __init__(self, machines: int, progress: Progress) -> None:
        self.enough = asyncio.Event()
        self.seconds = 0.0
        self._began = time.perf_counter()
        self._machines = machines
        self._progress = progress
        self._created = 0

    def began(self, _pool: PoolName, _delay_s: float) -> None:
        self._progress.tell(f"{self._created} of {self._machines} created")

    def ended(self, report: TickReport) -> None:
        self._created += sum(
            isinstance(done.action, Create) and isinstance(done.result, Applied) for done in report.outcomes
        )
        if self._created >= self._machines:
            self.seconds = time.perf_counter() - self._began
            self.enough.set()


async def _both(platform: Fly, machines: int, progress: Progress) -> tuple[float, float]:
    await asyncio.to_thread(platform.load, APP, {REGION: 10.0 * (machines + 1)})
    async with asyncio.TaskGroup() as tasks:
        ours = tasks.create_task(_by_a_daemon(platform, machines, progress))
        baseline = tasks.create_task(_as_allowed(platform, machines))
    return ours.result(), baseline.result()


async def _by_a_daemon(platform: Fly, machines: int, progress: Progress) -> float:
    """Seconds from the begin of the first tick to the end of the one with the last create."""
    async with daemon(platform.environment(APP, {REGION: machines + 1})) as (assembly, log):
        count = Count(machines, progress)
        timetable = Timetable(workers(assembly, log, count), clock=read_clocks, log=log)
        timetable.start()
        try:
            async with asyncio.timeout(LONGEST_S):
                await count.enough.wait()
        except TimeoutError as error:
            raise MismeasuredError(f"no {machines} creates in {LONGEST_S:.0f} s") from error
        finally:
            await timetable.stop(within_s=PATIENCE_S)
        return count.seconds


async def _as_allowed(platform: Fly, machines: int) -> float:
    began = time.perf_counter()
    async with HttpClient("fly", platform.url, token=ANY_TOKEN) as client:
        listed = await client.read(calls.list_machines(OTHER, include_deleted=False))
        (template,) = _entries(listed.json())
        call = Call(
            operation="create",
            method="POST",
            path=f"/v1/apps/{OTHER}/machines",
            json={"region": REGION, "config": template["config"]},
        )
        sent = time.perf_counter()
        async with asyncio.TaskGroup() as tasks:
            for number in range(machines):
                due = sent + max(0, number - BURST + 1) * INTERVAL_S
                await asyncio.sleep(max(0.0, due - time.perf_counter()))
                tasks.create_task(_create(client, call))
    return time.perf_counter() - began


async def _create(client: HttpClient, call: Call) -> None:
    """A request that came a moment too early is sent again."""
    for _ in range(ATTEMPTS):
        if (await client.send(call)).ok:
            return
        await asyncio.sleep(PAUSE_S)
    raise MismeasuredError("the platform refuses creates that its rate limit allows")


def _entries(listed: object) -> list[Mapping[str, object]]:
    assert isinstance(listed, list)
    return listed
