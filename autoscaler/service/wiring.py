"""The composition root: the only module that knows concrete adapters."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

from prometheus_client import CollectorRegistry
from structlog.typing import FilteringBoundLogger

from autoscaler.adapters.fly_machines.client import FlyMachines
from autoscaler.adapters.http.client import HttpClient
from autoscaler.adapters.journal import MemoryJournal
from autoscaler.adapters.prometheus.source import PrometheusSource
from autoscaler.adapters.telemetry import Telemetry
from autoscaler.adapters.tick_line import TickLines
from autoscaler.domain.errors import UpstreamError
from autoscaler.domain.geography import Place
from autoscaler.domain.instant import Instant
from autoscaler.domain.names import MachineId, PoolName, Region
from autoscaler.domain.outcome import TickReport
from autoscaler.domain.reason import ReasonCode
from autoscaler.policy.rules import Policy, on_map
from autoscaler.reconcile.ports import Machines, MetricSource
from autoscaler.reconcile.surveys import FRESH_S, SharedSurveys
from autoscaler.reconcile.tick import PoolState, Ports, run_tick
from autoscaler.service.settings import Settings
from autoscaler.service.worker import PoolTick

FLY = "fly"
PROMETHEUS = "prometheus"
MAP_S = 1.0
"""A tick that is done does not wait longer for the platform's list of regions."""
MAP_LASTS_S = 86_400.0
"""A region that was on no map may have opened a day later."""


class Platform(Machines, Protocol):
    """The Machines API with the question that no tick depends on."""

    async def regions(self) -> Mapping[Region, Place]:
        """Where Machines can run. Raises UpstreamError."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Assembly:
    """Everything put together. `jobs` are the pools in the order of the configuration."""

    jobs: tuple[PoolTick, ...]
    platform: Platform
    metrics: MetricSource
    registry: CollectorRegistry
    publisher: "Publisher"


class Publisher:
    """Makes metrics and the log line of every tick."""

    def __init__(self, telemetry: Telemetry, log: FilteringBoundLogger) -> None:
        """Both are told of the same reports."""
        self._telemetry = telemetry
        self._lines = TickLines(log)

    def began(self, pool: PoolName, delay_s: float) -> None:
        """A tick begins."""
        self._telemetry.began(pool, delay_s)

    def ended(self, report: TickReport) -> None:
        """A tick ended."""
        self._telemetry.observe(report)
        self._lines.write(report)


@asynccontextmanager
async def assemble(
    settings: Settings,
    *,
    log: FilteringBoundLogger,
    act: bool,
    hold: bool = True,
    own: MachineId | None = None,
) -> AsyncIterator[Assembly]:
    """Open the upstreams and give every pool its tick; all is closed when the block ends.

    `act` and `hold` are those of `run_tick`; `own` is the Machine this process runs on.
    """
    telemetry = Telemetry(dry_run=not act)
    metric_token = settings.prometheus.token
    api = HttpClient(
        FLY, settings.api.url, token=settings.api.token.get_secret_value(), observe=telemetry.upstream
    )
    # Without any query no source is needed, and none is ever asked; the port still wants somebody there.
    source = HttpClient(
        PROMETHEUS,
        settings.prometheus.url or settings.api.url,
        token=metric_token.get_secret_value() if metric_token else "",
        observe=telemetry.upstream,
    )
    async with api, source, FlyMachines(api) as platform:
        metrics = PrometheusSource(source)
        # Pools of one app tick together; a pool's next tick must see what is there then.
        shared = SharedSurveys(platform, fresh_s=min(FRESH_S, settings.interval_s / 4))
        jobs = []
        for policy in settings.policies:
            telemetry.expect(policy.pool.name)
            machines = telemetry.watch(policy.pool.name, shared)
            ports = Ports(metrics=metrics, machines=machines, journal=MemoryJournal())
            ticking = _Ticking(policy, ports, platform, act=act, hold=hold, own=own)
            jobs.append(PoolTick(pool=policy.pool, tick=ticking))
        yield Assembly(
            jobs=tuple(jobs),
            platform=platform,
            metrics=metrics,
            registry=telemetry.registry,
            publisher=Publisher(telemetry, log),
        )


class _Ticking:
    """One pool's tick with its memory. A tick that fails leaves the memory as it was."""

    def __init__(
        self,
        policy: Policy,
        ports: Ports,
        platform: Platform,
        *,
        act: bool,
        hold: bool,
        own: MachineId | None,
    ) -> None:
        self._policy = policy
        self._ports = ports
        self._platform = platform
        self._map_until = float("-inf")
        """Until when, in monotonic seconds, the map is new enough."""
        self._act = act
        self._hold = hold
        self._own = own
        self._state = PoolState()

    async def __call__(self, now: Instant) -> TickReport:
        report, self._state = await run_tick(
            self._policy, self._ports, self._state, now, act=self._act, hold=self._hold, own=self._own
        )
        if now.mono >= self._map_until and any(why.code is ReasonCode.ELSEWHERE for why in report.notices):
            await self._look_at_the_map(now)
        return report

    async def _look_at_the_map(self, now: Instant) -> None:
        """Demand came from a region we have never heard of: has it opened since? Asked until answered."""
        try:
            async with asyncio.timeout(MAP_S):
                self._policy = on_map(self._policy, await self._platform.regions())
        except (UpstreamError, TimeoutError):
            return
        self._map_until = now.mono + MAP_LASTS_S


def secrets(settings: Settings) -> Sequence[str]:
    """What must not appear in any log line."""
    tokens = (settings.api.token, settings.prometheus.token)
    return [token.get_secret_value() for token in tokens if token is not None]
