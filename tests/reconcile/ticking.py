"""A pool's ticks upon a faked outside, for the tests of a tick."""

import asyncio
from typing import Any

from autoscaler.domain.fleet import Machine, MachineState
from autoscaler.domain.instant import Instant
from autoscaler.domain.names import MetricName
from autoscaler.domain.outcome import (
    TickReport,
)
from autoscaler.domain.pool import Damping, PerMachine, Pool
from autoscaler.domain.reading import Answer, Measured, Query, Split
from autoscaler.domain.reason import ReasonCode
from autoscaler.policy.rules import compile_pool
from autoscaler.reconcile.tick import PoolState, Ports, run_tick
from tests.reconcile.fakes import FakeJournal, FakeMachines, FakeMetrics
from tests.reconcile.samples import WALL, a_machine, a_pool

LOAD = Query(name=MetricName("load"), promql="load")
CONFIG = {"image": "registry.test/app@sha256:1", "guest": {"cpu_kind": "shared", "cpus": 1, "memory_mb": 256}}
STOPPED, STARTED = MachineState.STOPPED, MachineState.STARTED


def pool(**changes: Any) -> Pool:
    rules = (PerMachine(metric=LOAD.name, target=10.0),)
    return a_pool(**{"metrics": (LOAD,), "rules": rules, "scale_in": Damping(window_s=0.0)} | changes)


def load(**by_region: float) -> dict[str, Answer]:
    readings = {region: Measured(value=by_region.get(region, 0.0)) for region in ("ord", "ams", "fra")}
    return {"load": Split(by_label=readings)}


def machines(count: int, state: MachineState, **changes: Any) -> list[Machine]:
    return [a_machine(f"{state}{number}", state, config=CONFIG, **changes) for number in range(count)]


class Loop:
    """A pool's ticks upon a faked outside."""

    def __init__(self, *, of: Pool | None = None, **by_region: float) -> None:
        self.pool = of or pool()
        self.machines = FakeMachines()
        self.metrics = FakeMetrics(load(**by_region))
        self.journal = FakeJournal()
        self.state = PoolState()
        self.skew_s = 0.0

    async def tick(self, **options: Any) -> TickReport:
        mono = asyncio.get_running_loop().time()
        now = Instant(wall=WALL + mono + self.skew_s, mono=mono)
        ports = Ports(metrics=self.metrics, machines=self.machines, journal=self.journal)
        report, self.state = await run_tick(
            compile_pool(self.pool), ports, self.state, now, **{"act": True} | options
        )
        await asyncio.sleep(max(0.0, 15.0 - (asyncio.get_running_loop().time() - mono)))
        return report


def kinds(report: TickReport) -> list[str]:
    return [action.kind for action in report.plan.actions]


def codes(report: TickReport) -> set[ReasonCode]:
    assert report.decision is not None
    return {why.code for entry in report.decision.regions.values() for why in entry.reasons}
