"""The stage on which stories of the reconciler are played: a pool on an emulated Fly, and its laws.

The rules that tell the stories are those of `test_reconciler_machine`.
"""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from typing import Any

import looptime
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant

from autoscaler.domain.desired import Bounds
from autoscaler.domain.names import Region
from autoscaler.domain.outcome import TickReport, Verdict
from autoscaler.domain.pool import PerMachine, RegionSpec
from autoscaler.emulator import leasing
from autoscaler.emulator.deploys import Deploy
from autoscaler.emulator.record import Machine
from autoscaler.emulator.request_log import Entry
from tests.laws import reconciler_laws as laws
from tests.laws.reconciler_troubles import LIST_LIES_S, POOLS, REGIONS, WINDOW_S, go_on, let_go, stand_by
from tests.scenarios.story import AMS, APP, FRA, ORD, Story, a_pool, told

MAX_PER_REGION, MAX_TOTAL = 4, 9
CLOCK_ERROR_S = 45.0
SETTLED_S = 4000.0


class Stage(RuleBasedStateMachine):
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
        self.lies = self.forgot = self.partial = False
        self.created = 0

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
        self.bystanders = stand_by(self.story.world)
        self.story.load(dict.fromkeys(REGIONS, 10.0))
        self.begins()

    def do(self, work: Any) -> Any:
        return self.runner.run(work)

    def begins(self) -> None:
        """A process without a past: if it cannot refill its window it keeps what it has for as long."""
        self.held_until = 0.0 if self.refillable else self.story.now.mono + WINDOW_S

    def restarted(self) -> None:
        """Another process goes on."""
        self.forgot = True
        self.former = {}
        self.begins()

    def jumped(self) -> bool:
        """Whether the clock was set since this process last decided, which is how it can know."""
        memory, now = self.story.state.memory, self.story.now
        return memory is not None and round(now.wall - now.mono) != round(memory.at.wall - memory.at.mono)

    def machines(self) -> list[Machine]:
        """The live Machines of the pool."""
        return [machine for machine in self.story.machines() if machine.id not in self.bystanders]

    def deploy_goes_on(self) -> None:
        self.story.present()
        if self.deploy is not None:
            go_on(self.deploy)

    def troubles_are_over(self) -> None:
        self.story.relief()
        self.lies = self.partial = False
        for machine in self.story.machines():
            let_go(self.story.world, machine)

    # the laws

    def tell_busy(self) -> None:
        for machine in self.machines():
            labels = {"instance": machine.id, "app": str(APP)}
            self.story.measure("busy", labels, float(machine.id in self.busy))

    def before(self) -> laws.Before:
        self.tell_busy()
        world = self.story.world
        found = {held: leasing.lease_of(world, held) for held in tuple(world.leases)}
        return laws.Before(
            machines={machine.id: machine for machine in self.machines()},
            bystanders=self.bystanders,
            leased={held: lease.expires_at for held, lease in found.items() if lease is not None},
            busy=frozenset(self.busy) if self.story.pool.busy else frozenset(),
            lying=self.lies or self.lag_s > 0,
            deploying=self.deploy is not None and self.deploy.phase != "done",
            requests=len(self.story.log),
            unseen=tuple(self.unseen()),
        )

    def unseen(self) -> Iterator[Machine]:
        """Machines that stopped to serve without our doing, and so lately that a list may not show it."""
        world = self.story.world
        since = world.now - (LIST_LIES_S if self.lies else self.lag_s)
        sent_away = {entry.machine for entry in self.story.log if entry.started >= since and laws.ends(entry)}
        for machine_id in world.app_machines.get(str(APP), ()):
            shown, true = world.seen_at(machine_id, since), world.machines.get(machine_id)
            gone = true is None or not laws.serves(true)
            if shown is not None and laws.serves(shown) and gone and machine_id not in sent_away:
                yield shown

    def since(self, before: laws.Before) -> list[Entry]:
        """The requests of a step."""
        return list(self.story.log)[before.requests :]

    async def tick_and_check(self, **options: Any) -> TickReport:
        before, pool, jumped = self.before(), self.story.pool, self.jumped()
        report = await self.story.tick(**options)
        began = self.story.now.mono - report.duration_s
        if jumped and report.decision is not None:
            self.held_until = began + WINDOW_S
        held = began < self.held_until
        entries = self.since(before)
        laws.no_write_without_leave(report, entries)
        laws.in_time(report, pool)
        self.check_deeds(before)
        if not (before.lying and self.forgot):
            laws.goes_in_only_for_a_surplus(report, before)
        if (held or self.partial or not laws.read_the_demand(entries)) and not before.lying:
            laws.no_new_departure(report, before, pool, self.former)
        self.former = dict(report.decision.desired) if report.decision else self.former
        self.forgot = self.forgot or laws.unsure(report)
        self.check_budget()
        for _ in range(3):
            await asyncio.sleep(max(0.0, 15.0 - report.duration_s) / 3)
            self.deploy_goes_on()
        return report

    def check_deeds(self, before: laws.Before) -> None:
        """What holds of whatever was done in a step, also if it was not done to its end."""
        laws.never_above_max(self.story.pool, before, self.machines())
        laws.victims_are_fair_game(self.story.pool, before, self.since(before), CLOCK_ERROR_S)

    @invariant()
    def check_budget(self) -> None:
        """Creations, unless a new process knows of them from a lying list alone; and the pace of requests."""
        if not hasattr(self, "story"):
            return
        pool, world = self.story.pool, self.story.world
        created = laws.creations(pool, world.of_app(str(APP)))
        more, self.created = len(created) > self.created, len(created)
        if more and not (self.lies and self.forgot):
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
        self.troubles_are_over()
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
