"""The reconciler against an emulated Fly on which everything goes wrong at any moment.

Hypothesis tells a story: ticks, loads, faults, deploys, other people, kills, restarts, clocks that are set.
After every tick the laws 17-30 are checked against the platform's own truth, and once the faults stop the
fleet must come to where its load wants it. `HYPOTHESIS_PROFILE=nightly` runs 2,000 stories.
"""

import asyncio
import os
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, event, settings
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from autoscaler.domain.desired import Override
from autoscaler.domain.outcome import TickReport
from autoscaler.emulator.deploys import Deploy
from autoscaler.emulator.faults import Fault
from autoscaler.reconcile.executor import execute
from tests.laws import reconciler_laws as laws
from tests.laws.reconciler_stage import CLOCK_ERROR_S, Stage
from tests.laws.reconciler_troubles import (
    DELAYS,
    FULL_PLACES,
    HALF_ANSWERS,
    HANDS,
    LISTS_THAT_LIE,
    LOADS,
    LOST_ANSWERS,
    LYING_LISTS,
    REGIONS,
    SICK_MACHINES,
    STORMS,
    lay_hands,
)
from tests.reconcile.fakes import FakeJournal
from tests.scenarios.story import AMS, APP, FRA, ORD

pytestmark = pytest.mark.timeout(7200)


class ReconcilerMachine(Stage):
    """What the autoscaler, the world and other people do."""

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

    @rule(requests=st.integers(1, 30))
    def it_is_killed_between_two_requests(self, requests: int) -> None:
        before = self.before()
        self.do(self.story.die(requests))
        self.check_deeds(before)
        self.restarted()

    @rule(after_s=st.sampled_from([0.02, 0.08, 0.15, 0.3, 2.0]))
    def it_is_stopped_during_a_tick(self, after_s: float) -> None:
        async def stopped() -> None:
            tick = asyncio.create_task(self.story.tick())
            await asyncio.sleep(after_s)
            tick.cancel()
            await asyncio.gather(tick, return_exceptions=True)
            await asyncio.sleep(5.0)

        before = self.before()
        self.do(stopped())
        self.check_deeds(before)
        self.it_restarts()

    @rule()
    def it_restarts(self) -> None:
        self.story.restart()
        self.restarted()

    # With a wrong clock a new process reads a wrong past; docs/critiques.md admits it.
    @precondition(lambda self: not any(self.story.world.faults) and not self.story.skew_s)
    @rule()
    def it_restarts_beside_one_that_does_not(self) -> None:
        staying = self.do(self.story.tick(act=False))
        comparable = laws.read_all_along(self.story.pool, self.story.reports)
        self.it_restarts()
        state = self.story.state
        restarted = self.do(self.story.tick(act=False))
        self.story.state = state
        event(f"a restart is compared: {comparable}")
        if comparable:
            laws.a_restart_takes_nothing(staying, restarted)

    @rule()
    def its_clock_is_set(self) -> None:
        self.story.skew_s = CLOCK_ERROR_S - self.story.skew_s
        self.do(self.tick_and_check())

    @rule()
    def a_second_one_runs_by_mistake(self) -> None:
        async def both() -> None:
            report, _ = await asyncio.gather(self.story.tick(), self.story.twin().tick())
            self.former = dict(report.decision.desired) if report.decision else self.former
            await asyncio.sleep(15.0)

        before, self.forgot = replace(self.before(), alone=False), True
        # A list that lags shows neither of them what the other creates.
        self.lies = self.lies or self.lag_s > 0
        self.do(both())
        self.check_deeds(before)

    @precondition(lambda self: not any(self.story.world.faults))
    @rule()
    def its_last_plan_is_carried_out_again(self) -> None:
        report: TickReport = self.do(self.tick_and_check())
        before = {machine.id for machine in self.machines() if laws.serves(machine)}
        self.do(execute(APP, report.plan, self.story.platform, deadline_s=12.0))
        assert {machine.id for machine in self.machines() if laws.serves(machine)} == before

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
        self.story.trouble(fault)

    @rule(fault=st.one_of(FULL_PLACES, DELAYS, SICK_MACHINES))
    def places_are_full_or_slow_or_sick(self, fault: Fault) -> None:
        self.story.trouble(fault)

    @rule(fault=HALF_ANSWERS)
    def metrics_are_partial(self, fault: Fault) -> None:
        self.partial = True
        self.story.trouble(fault)

    @rule()
    def troubles_end(self) -> None:
        self.troubles_are_over()

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

    @rule(every=st.integers(1, 3), protected=st.integers(2, 5))
    def a_wave_passes_while_machines_are_busy(self, every: int, protected: int) -> None:
        self.story.load(dict.fromkeys(REGIONS, 39.0))
        self.it_ticks(3)
        machines = self.machines()
        self.busy = {machine.id for machine in machines[::every]}
        for machine in machines[::protected]:
            lay_hands(self.story.world, machine, "protect")
        self.story.load(dict.fromkeys(REGIONS, 4.0))
        self.it_ticks(6)
        self.busy = set()
        self.it_ticks(3)

    @rule(choice=st.integers(0, 99), verb=HANDS)
    def somebody_lays_hands_on_a_machine(self, choice: int, verb: str) -> None:
        machines = [machine for machine in self.machines() if machine.state != "destroying"]
        if not machines or (verb == "destroy" and len(machines) < 3):
            return
        lay_hands(self.story.world, machines[choice % len(machines)], verb)


EXAMPLES = {"nightly": 2000}.get(os.environ.get("HYPOTHESIS_PROFILE", ""), 50)
TestReconciler = ReconcilerMachine.TestCase
TestReconciler.settings = settings(
    max_examples=EXAMPLES,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
