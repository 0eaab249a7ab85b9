"""A whole loop in one process, on simulated time: the real adapters against the emulated Fly.

Requests take the way through the HTTP library and the emulator's ASGI application; only the wire between
them is missing. The emulator's clock follows the event loop's, which looptime simulates, so that minutes of
a story pass in no time and nothing depends on how busy the machine is.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx
import respx
from starlette.applications import Starlette

from autoscaler.adapters.fly_machines.client import FlyMachines
from autoscaler.adapters.http.client import HttpClient
from autoscaler.adapters.prometheus.source import PrometheusSource
from autoscaler.domain.desired import Bounds
from autoscaler.domain.fleet import Machine as FleetMachine
from autoscaler.domain.fleet import Survey, Volume
from autoscaler.domain.instant import Instant
from autoscaler.domain.names import AppName, MachineId, MetricName, PoolName, Region
from autoscaler.domain.outcome import Result, TickReport
from autoscaler.domain.plan import Action, Create
from autoscaler.domain.pool import Damping, PerMachine, Pool, RegionSpec
from autoscaler.domain.reading import Query
from autoscaler.emulator.app import build
from autoscaler.emulator.clock import MIDNIGHT, RunningClock
from autoscaler.emulator.config import EmulatorConfig
from autoscaler.emulator.faults import Fault
from autoscaler.emulator.loads import Constant, Load
from autoscaler.emulator.record import Machine
from autoscaler.emulator.request_log import Entry, RequestLog
from autoscaler.emulator.seeding import seed
from autoscaler.emulator.world import World
from autoscaler.policy.rules import compile_pool
from autoscaler.reconcile.tick import PoolState, Ports, run_tick
from tests.reconcile.fakes import FakeJournal
from tests.scenarios.wire import Wire

APP = AppName("demo")
ORD, AMS, FRA = Region("ord"), Region("ams"), Region("fra")
INTERVAL_S = 15.0
WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
DEAD_FOR_S = 5.0
AT_ONCE = Damping(window_s=0.0)


def a_pool(**changes: Any) -> Pool:
    """One Machine for every 10 units of `load` in each of three regions, with quick ways out and in."""
    known = Pool(
        name=PoolName("web"),
        app=APP,
        regions={region: RegionSpec(bounds=Bounds(min=0, max=10)) for region in (ORD, AMS, FRA)},
        total=Bounds(min=0, max=30),
        metrics=(Query(name=MetricName("load"), promql="load"),),
        rules=(PerMachine(metric=MetricName("load"), target=10.0),),
        scale_in=Damping(window_s=60.0),
        interval_s=INTERVAL_S,
    )
    return replace(known, **changes)


class Watched:
    """The platform, with an eye on law 17: one process has at most one action in flight per Machine."""

    def __init__(self, machines: FlyMachines) -> None:
        self._machines = machines
        self._in_flight: set[str] = set()

    async def survey(self, app: AppName, *, include_deleted: bool = False) -> Survey:
        return await self._machines.survey(app, include_deleted=include_deleted)

    async def look(self, app: AppName, machine: MachineId) -> FleetMachine | None:
        return await self._machines.look(app, machine)

    async def volumes(self, app: AppName) -> tuple[Volume, ...]:
        return await self._machines.volumes(app)

    async def act(self, app: AppName, action: Action, *, until: float | None = None) -> Result:
        subject = action.name if isinstance(action, Create) else action.machine or ""
        assert not subject or subject not in self._in_flight, f"two actions at once on {subject}"
        self._in_flight.add(subject)
        try:
            return await self._machines.act(app, action, until=until)
        finally:
            self._in_flight.discard(subject)


class Story:
    """An emulated Fly, a pool, and the autoscaler that runs upon both, tick by tick."""

    def __init__(
        self, pool: Pool, machines: FlyMachines, metrics: PrometheusSource, fly: Starlette, wire: Wire
    ) -> None:
        self.pool = pool
        self.wire = wire
        self.platform = Watched(machines)
        self.world: World = fly.state.world
        self.log: RequestLog = fly.state.gateway.log
        self.reports: list[TickReport] = []
        self.journal = FakeJournal()
        self.state = PoolState()
        self.skew_s = 0.0
        self._fly = fly
        self._machines = machines
        self._metrics = metrics
        self._loop = asyncio.get_running_loop()

    def twin(self) -> "Story":
        """A second autoscaler for the same pool, started by mistake."""
        return Story(self.pool, self._machines, self._metrics, self._fly, self.wire)

    @property
    def now(self) -> Instant:
        return Instant(wall=MIDNIGHT + self._loop.time() + self.skew_s, mono=self._loop.time())

    async def tick(self, **options: Any) -> TickReport:
        """One tick, which takes as long as it takes."""
        ports = Ports(metrics=self._metrics, machines=self.platform, journal=self.journal)
        report, self.state = await run_tick(
            compile_pool(self.pool), ports, self.state, self.now, **{"act": True, **options}
        )
        self.reports.append(report)
        return report

    async def passes(self, seconds: float, **options: Any) -> TickReport:
        """Ticks at every interval for so long, the first one now; the last report."""
        ends = self._loop.time() + seconds
        while True:
            due = self._loop.time() + self.pool.interval_s
            report = await self.tick(**options)
            if due > ends:
                return report
            await asyncio.sleep(due - self._loop.time())

    def restart(self) -> None:
        """The process dies and starts again, remembering nothing."""
        self.state = PoolState()

    async def die(self, requests: int) -> None:
        """The process is killed as soon as so many requests of a tick are carried out, or after the tick.

        It starts again 5 s later. Whatever it had in hand, leases included, is left as it is.
        """
        self.wire.cut_after(requests)
        tick = asyncio.create_task(self.tick())
        cut = asyncio.create_task(self.wire.cut.wait())
        await asyncio.wait({tick, cut}, return_when=asyncio.FIRST_COMPLETED)
        if tick.done():
            tick.result()
        for task in (tick, cut):
            task.cancel()
        await asyncio.gather(tick, cut, return_exceptions=True)
        await asyncio.sleep(DEAD_FOR_S)
        self.wire.mend()
        self.restart()

    def load(self, by_region: Mapping[Region, float], name: str = "load") -> None:
        """From now on the load is this."""
        for region, value in by_region.items():
            self.measure(name, {"region": str(region), "app": str(APP)}, value)

    def measure(self, name: str, labels: Mapping[str, str], value: float) -> None:
        """From now on this series has this value."""
        self.present()
        self.world.loads.set(name, labels, Load(shape=Constant(value=value), since=self.world.now))

    def trouble(self, fault: Fault) -> int:
        """Something goes wrong from now on; the number under which `relief` ends it."""
        self.present()
        return self.world.inject(fault).id

    def relief(self, number: int | None = None) -> None:
        """One trouble ends, or all of them."""
        self.world.clear(number)

    def add(self, count: int, region: Region, state: str, **options: Any) -> list[Machine]:
        """Somebody else's deploy left Machines here."""
        self.present()
        return seed(
            self.world, app=str(APP), group="app", regions=(region,), count=count, state=state, **options
        )

    def present(self) -> None:
        """Bring the world to the present, as any request does."""
        self.world.advance(MIDNIGHT + self._loop.time())

    def machines(self, state: str | None = None) -> list[Machine]:
        """The Machines that exist now, or those of them in a state."""
        self.present()
        live = [machine for machine in self.world.of_app(str(APP)) if machine.live]
        return [machine for machine in live if state in (None, machine.state)]

    def started(self) -> dict[str, int]:
        """How many Machines are started, by region."""
        return dict(Counter(machine.region for machine in self.machines("started")))

    def requests(self, operation: str | None = None) -> list[Entry]:
        """What was asked of the platform, or the requests of one kind."""
        return [entry for entry in self.log if operation in (None, entry.operation)]

    def writes(self, *, after: int = 0) -> list[Entry]:
        """The requests that change something, but for the first `after` requests."""
        entries = list(self.log)[after:]
        return [entry for entry in entries if entry.method in WRITES and "/v1/apps/" in entry.path]


@asynccontextmanager
async def told(pool: Pool | None = None, **settings: Any) -> AsyncIterator[Story]:
    """Begin a story in a fresh world; `settings` are those of the emulator."""
    loop = asyncio.get_running_loop()
    clock = RunningClock(epoch=MIDNIGHT + loop.time(), monotonic=loop.time)
    config = EmulatorConfig(**{"app": str(APP), "machines": 0, **settings})
    app = build(config, clock, dropped=lambda: httpx.ReadError("closed"))
    wire = Wire(httpx.ASGITransport(app=app).handle_async_request)
    async with AsyncExitStack() as stack:
        router = stack.enter_context(respx.MockRouter(assert_all_called=False, using="httpx"))
        router.route(host="fly.test").mock(side_effect=wire.carry)
        api = await stack.enter_async_context(HttpClient("machines", "http://fly.test", token="invented"))
        machines = await stack.enter_async_context(FlyMachines(api, clock=clock.now))
        base = "http://fly.test/prometheus/personal"
        source = await stack.enter_async_context(HttpClient("prometheus", base, token="invented"))
        yield Story(pool or a_pool(), machines, PrometheusSource(source, clock=clock.now), app, wire)
