"""The reconciler against an emulated Fly on which everything goes wrong at any moment.

Hypothesis tells a story: ticks, loads, faults, deploys, other people, kills, restarts, clocks that are set.
After every tick the laws 17-30 are checked against the platform's own truth, and once the faults stop the
fleet must come to where its load wants it. `HYPOTHESIS_PROFILE=nightly` runs 2,000 stories.
"""

import asyncio
import os
from contextlib import AsyncExitStack
from typing import Any

import looptime
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from autoscaler.domain.desired import Bounds, Override
from autoscaler.domain.names import Region
from autoscaler.domain.outcome import TickReport, Verdict
from autoscaler.domain.pool import PerMachine, RegionSpec
from autoscaler.emulator import leasing
from autoscaler.emulator.deploys import Deploy
from autoscaler.emulator.faults import Fault
from autoscaler.reconcile.executor import execute
from tests.laws import reconciler_laws as laws
from tests.laws.reconciler_troubles import (
    DELAYS,
    FULL_PLACES,
    HANDS,
    LISTS_THAT_LIE,
    LOADS,
    LOST_ANSWERS,
    LYING_LISTS,
    POOLS,
    REGIONS,
    SICK_MACHINES,
    STORMS,
    WINDOW_S,
    go_on,
    lay_hands,
    let_go,
)
from tests.reconcile.fakes import FakeJournal
from tests.scenarios.story import AMS, APP, FRA, ORD, Story, a_pool, told

pytestmark = pytest.mark.timeout(7200)

MAX_PER_REGION, MAX_TOTAL = 4, 9
CLOCK_ERROR_S = 45.0
SETTLED_S = 4000.0


class ReconcilerMachine(RuleBasedStateMachine):
    """One pool of an app in three regions; time passes only where a rule lets it."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = looptime.new_event_loop(start=0.0)
        self.runner = asyncio.Runner(loop_factory=lambda: self.loop)
        self.stack = AsyncExitStack()
        self.busy: set[str] = set()
        self.held_until = 0.0
        self.former: dict[Region, int] = {}
        self.deploy: Deploy | None = None
        self.lies = self.lied = self.forgot = False

    @initialize(
        pool=POOLS, stopped=st.integers(0, 6), started=st.integers(1, 4), lag=st.sampled_from([0.0, 0.0, 5.0])
    )
    def a_fleet(self, pool: dict[str, Any], stopped: int, started: int, lag: float) -> None:
        regions = dict.fromkeys(REGIONS, RegionSpec(bounds=Bounds(min=0, max=MAX_PER_REGION)))
        built = a_pool(regions=regions, total=Bounds(min=0, max=MAX_TOTAL), **pool)
        self.story: Story = self.do(
            self.stack.enter_async_context(told(built, list_lag_s=lag, latency_s=0.05, host_capacity=6))
        )
        self.lag_s = lag
        self.refillable = isinstance(built.rules[0], PerMachine)
        for index, (count, state) in enumerate([(started, "started"), (stopped, "stopped")]):
            self.story.add(count, REGIONS[index], state)
        self.story.load(dict.fromkeys(REGIONS, 10.0))
        self.hold_anew()

    def do(self, work: Any) -> Any:
        return self.runner.run(work)

    def hold_anew(self) -> None:
        """A restart, or what counts as one: whatever cannot refill its window keeps what it has."""
        if not self.refillable:
            self.held_until = self.story.now.mono + WINDOW_S

    # what the autoscaler does

    @rule(ticks=st.integers(1, 4))
    def it_ticks(self, ticks: int) -> None:
        for _ in range(ticks):
            self.do(self.tick_and_check())

    @rule()
    def it_is_tried_out_in_another_process(self) -> None:
        state = self.story.state
        self.do(self.tick_and_check(act=False))
        self.story.state = state

    @rule()
    def it_is_paused_for_a_tick(self) -> None:
        self.story.journal = FakeJournal(Override(kind="pause", because="a test"))
        self.do(self.tick_and_check())
        self.story.journal = FakeJournal()

    @rule(after_s=st.sampled_from([0.02, 0.08, 0.15, 0.3, 2.0]))
    def it_is_killed_during_a_tick(self, after_s: float) -> None:
        async def killed() -> None:
            tick = asyncio.create_task(self.story.tick())
            await asyncio.sleep(after_s)
            tick.cancel()
            await asyncio.gather(tick, return_exceptions=True)
            await asyncio.sleep(5.0)

        self.do(killed())
        self.it_restarts()

    @rule()
    def it_restarts(self) -> None:
        self.story.restart()
        self.forgot = True
        self.former = {}
        self.hold_anew()

    @rule()
    def its_clock_is_set(self) -> None:
        self.story.skew_s = CLOCK_ERROR_S - self.story.skew_s
        self.hold_anew()
        self.do(self.tick_and_check())

    @rule()
    def a_second_one_runs_by_mistake(self) -> None:
        async def both() -> None:
            report, _ = await asyncio.gather(self.story.tick(), self.story.twin().tick())
            self.former = dict(report.decision.desired) if report.decision else self.former
            await asyncio.sleep(15.0)

        before, self.forgot = self.before(), True
        self.do(both())
        laws.never_above_max(self.story.pool, before, self.story.machines())
        self.check_always()

    @precondition(lambda self: not any(self.story.world.faults))
    @rule()
    def its_last_plan_is_carried_out_again(self) -> None:
        report: TickReport = self.do(self.tick_and_check())
        before = {machine.id for machine in self.story.machines() if laws.serves(machine)}
        self.do(execute(APP, report.plan, self.story.platform, deadline_s=12.0))
        assert {machine.id for machine in self.story.machines() if laws.serves(machine)} == before

    # what the world does

    @rule(ord_=LOADS, ams=LOADS, fra=LOADS)
    def the_load_changes(self, ord_: float, ams: float, fra: float) -> None:
        self.story.load({ORD: ord_, AMS: ams, FRA: fra})

    @rule(region=st.sampled_from(REGIONS), value=st.sampled_from([float("nan"), float("inf"), -1.0]))
    def the_metric_goes_mad(self, region: Any, value: float) -> None:
        self.story.load({region: value})

    @rule(fault=st.one_of(LOST_ANSWERS, STORMS))
    def requests_go_wrong(self, fault: Fault) -> None:
        self.story.trouble(fault)

    @rule(fault=LYING_LISTS)
    def lists_lie(self, fault: Fault) -> None:
        self.lies = self.lies or fault.kind in LISTS_THAT_LIE
        self.lied = self.lied or self.lies
        self.story.trouble(fault)

    @rule(fault=st.one_of(FULL_PLACES, DELAYS, SICK_MACHINES))
    def places_are_full_or_slow_or_sick(self, fault: Fault) -> None:
        self.story.trouble(fault)

    @rule()
    def troubles_end(self) -> None:
        self.story.relief()
        self.lies = False
        for machine in self.story.machines():
            let_go(self.story.world, machine)

    @rule(strategy=st.sampled_from(["rolling", "bluegreen"]))
    def somebody_deploys(self, strategy: str) -> None:
        if self.deploy is not None and self.deploy.phase != "done":
            return
        release = 64 if self.deploy is None else self.deploy.release + 1
        self.story.present()
        self.deploy = Deploy(
            world=self.story.world, app=str(APP), group="app", release=release, strategy=strategy
        )
        self.deploy_goes_on()

    def deploy_goes_on(self) -> None:
        self.story.present()
        if self.deploy is not None:
            go_on(self.deploy)

    @rule(every=st.integers(1, 3), protected=st.integers(2, 5))
    def a_wave_passes_while_machines_are_busy(self, every: int, protected: int) -> None:
        self.story.load(dict.fromkeys(REGIONS, 39.0))
        self.it_ticks(3)
        machines = self.story.machines()
        self.busy = {machine.id for machine in machines[::every]}
        for machine in machines[::protected]:
            lay_hands(self.story.world, machine, "protect")
        self.story.load(dict.fromkeys(REGIONS, 4.0))
        self.it_ticks(6)
        self.busy = set()
        self.it_ticks(3)

    @rule(choice=st.integers(0, 99), verb=HANDS)
    def somebody_lays_hands_on_a_machine(self, choice: int, verb: str) -> None:
        machines = [machine for machine in self.story.machines() if machine.state != "destroying"]
        if not machines or (verb == "destroy" and len(machines) < 3):
            return
        lay_hands(self.story.world, machines[choice % len(machines)], verb)

    # the laws

    def tell_busy(self) -> None:
        for machine in self.story.machines():
            labels = {"instance": machine.id, "app": str(APP)}
            self.story.measure("busy", labels, float(machine.id in self.busy))

    def before(self) -> laws.Before:
        self.tell_busy()
        world = self.story.world
        return laws.Before(
            machines={machine.id: machine for machine in self.story.machines()},
            leased=frozenset(held for held in world.leases if leasing.lease_of(world, held)),
            busy=frozenset(self.busy) if self.story.pool.busy else frozenset(),
            lying=self.lies or self.lag_s > 0,
            deploying=self.deploy is not None and self.deploy.phase != "done",
        )

    async def tick_and_check(self, **options: Any) -> TickReport:
        before, pool = self.before(), self.story.pool
        requests = len(self.story.log)
        report = await self.story.tick(**options)
        held = self.story.now.mono - report.duration_s < self.held_until
        laws.no_write_without_leave(report, self.story.writes(after=requests))
        laws.never_above_max(pool, before, self.story.machines())
        laws.victims_are_fair_game(before, report.outcomes)
        if not (before.lying and self.forgot):
            laws.goes_in_only_for_a_surplus(report, before)
        if held and not before.lying:
            laws.no_new_departure(report, before, pool, self.former)
        self.former = dict(report.decision.desired) if report.decision else self.former
        self.forgot = self.forgot or laws.unsure(report)
        self.check_always()
        for _ in range(3):
            await asyncio.sleep(max(0.0, 15.0 - report.duration_s) / 3)
            self.deploy_goes_on()
        return report

    def check_always(self) -> None:
        pool, world = self.story.pool, self.story.world
        created = laws.creations(pool, world.of_app(str(APP)))
        if not (self.lied and self.forgot):
            laws.within_budget(pool, created, world.now, clock_error_s=CLOCK_ERROR_S)
        laws.at_the_platforms_pace(self.story.log)

    def teardown(self) -> None:
        try:
            if hasattr(self, "story"):
                self.do(self.settle())
        finally:
            self.do(self.stack.aclose())
            self.runner.close()

    async def settle(self) -> None:
        """30: once the faults stop, the fleet comes to where its load wants it."""
        self.troubles_end()
        self.busy = set()
        self.story.load({ORD: 25.0, AMS: 10.0, FRA: 0.0})
        quiet, ends = 0, self.story.now.mono + SETTLED_S
        while quiet < 3 and self.story.now.mono < ends:
            self.tell_busy()
            report = await self.tick_and_check()
            quiet = quiet + 1 if report.verdict is Verdict.STEADY else 0
            await asyncio.sleep(25.0)
        last = self.story.reports[-1]
        assert quiet == 3, last
        assert {region: count.capacity for region, count in last.counts.items()} == {ORD: 3, AMS: 1, FRA: 0}


EXAMPLES = {"nightly": 2000}.get(os.environ.get("HYPOTHESIS_PROFILE", ""), 50)
TestReconciler = ReconcilerMachine.TestCase
TestReconciler.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
