"""What a tick of a pool learns, remembers and gives up in the course of time."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from autoscaler.domain.desired import Bounds
from autoscaler.domain.errors import UnreachableError
from autoscaler.domain.fleet import MachineState
from autoscaler.domain.names import InstanceId, MachineId, MachineName, MetricName
from autoscaler.domain.outcome import (
    Applied,
    NotSent,
    Refusal,
    Refused,
    Result,
    Uncertain,
    Verdict,
)
from autoscaler.domain.plan import Action, Create, Stop
from autoscaler.domain.pool import Budget, Damping, Expression, RegionSpec
from autoscaler.domain.reading import Answer, History, Measured, Query, Sample, Split
from autoscaler.domain.reason import ReasonCode
from autoscaler.reconcile.naming import prefix
from tests.reconcile.fakes import FakeMetrics
from tests.reconcile.samples import ORD, POOL, WALL
from tests.reconcile.ticking import LOAD, STARTED, STOPPED, Loop, codes, kinds, load, machines, pool

pytestmark = pytest.mark.looptime

OURS = {"metadata": {"autoscaler": "web"}, "name": MachineName(f"{prefix(POOL, ORD)}1")}


async def test_creating_reads_the_budget_from_a_list_with_the_deleted():
    loop = Loop(ord=25.0)
    loop.machines.machines = tuple(machines(1, STARTED))
    report = await loop.tick()
    assert kinds(report) == ["create", "create"]
    assert loop.machines.surveys == [False, True]


async def test_a_budget_used_up_by_machines_long_gone_creates_nothing():
    loop = Loop(ord=25.0)
    loop.machines.machines = tuple(machines(1, STARTED))
    loop.machines.deleted = tuple(
        replace(machine, id=MachineId(f"dead{number}"))
        for number, machine in enumerate(machines(30, MachineState.DESTROYED, created_at=WALL, **OURS))
    )
    report = await loop.tick()
    assert report.plan.actions == ()
    assert [short.reason.code for short in report.plan.shortfall] == [ReasonCode.BUDGET]
    assert report.verdict is Verdict.HELD


async def test_a_budget_that_cannot_be_read_creates_nothing():
    loop = Loop(ord=25.0)
    loop.machines.machines = tuple(machines(1, STARTED))
    loop.machines.deleted_fails = UnreachableError("no route")
    report = await loop.tick()
    assert report.plan.actions == ()
    assert [short.reason.code for short in report.plan.shortfall] == [ReasonCode.BUDGET_UNREADABLE]


async def test_what_was_created_and_started_again_counts_in_the_budget_while_no_list_shows_it():
    loop = Loop(ord=25.0, of=pool(budget=Budget(count=2)))
    loop.machines.machines = (first,) = tuple(machines(1, STARTED))
    creates = [action for action in (await loop.tick()).plan.actions if isinstance(action, Create)]
    made = [replace(first, id=MachineId(f"id-of-{one.name}"), name=one.name) for one in creates]
    loop.machines.machines = (first, *made)
    assert kinds(await loop.tick()) == []
    loop.machines.machines = (first, *(replace(machine, state=STOPPED) for machine in made))
    assert kinds(await loop.tick()) == ["start", "start"]
    loop.machines.machines = (first,)
    loop.metrics.answers = load(ord=55.0)
    report = await loop.tick()
    assert report.plan.actions == ()
    assert [short.reason.code for short in report.plan.shortfall] == [ReasonCode.BUDGET]


async def test_what_only_the_list_of_the_living_shows_counts_in_the_budget():
    loop = Loop(ord=55.0, of=pool(budget=Budget(count=2)))
    ours = machines(2, STARTED, created_at=WALL - 30.0, **OURS)
    loop.machines.machines = tuple(ours)
    loop.machines.left_out = frozenset(machine.id for machine in ours)
    report = await loop.tick()
    assert report.plan.actions == ()
    assert [short.reason.code for short in report.plan.shortfall] == [ReasonCode.BUDGET]


async def test_a_create_of_unknown_result_is_repeated_under_its_name():
    loop = Loop(ord=15.0)
    loop.machines.machines = tuple(machines(1, STARTED))

    async def lose(action: Action) -> Result:
        return Uncertain(detail=action.kind)

    loop.machines.acting = lose
    report = await loop.tick()
    assert report.verdict is Verdict.FAILED
    await loop.tick()
    first, second = loop.machines.acted
    assert isinstance(first, Create)
    assert isinstance(second, Create)
    assert first.name == second.name


async def test_a_full_region_is_parked_and_named_in_the_report():
    loop = Loop(ord=25.0)
    loop.machines.machines = tuple(machines(1, STARTED))

    async def refuse(action: Action) -> Result:
        return Refused(refusal=Refusal.REGION_FULL, detail=f"no host for {action.kind}")

    loop.machines.acting = refuse
    assert (await loop.tick()).parked == (ORD,)
    asked = len(loop.machines.acted)
    report = await loop.tick()
    assert (report.parked, len(loop.machines.acted)) == ((ORD,), asked)
    assert [short.reason.code for short in report.plan.shortfall] == [ReasonCode.PARKED]


async def test_what_the_deadline_leaves_over_is_reported():
    loop = Loop(
        ord=1000.0,
        of=pool(regions={ORD: RegionSpec(bounds=Bounds(min=0, max=150))}, total=Bounds(min=0, max=150)),
    )
    loop.machines.machines = tuple(machines(150, STOPPED))

    async def hang(action: Action) -> Result:
        await asyncio.sleep(3600.0)
        return Applied(machine=action.machine)

    loop.machines.acting = hang
    report = await loop.tick()
    assert report.duration_s == pytest.approx(13.0)
    results = [type(outcome.result) for outcome in report.outcomes]
    assert (results.count(Uncertain), results.count(NotSent)) == (100, 0)
    assert report.verdict is Verdict.FAILED


async def test_the_first_tick_of_a_process_does_not_go_in():
    slow = pool(scale_in=Damping(window_s=60.0), rules=(Expression(text="load / 10 + 0 * running"),))
    loop = Loop(of=slow)
    loop.machines.machines = tuple(machines(4, STARTED))
    report = await loop.tick()
    assert (report.verdict, report.plan.actions) == (Verdict.HELD, ())
    assert ReasonCode.RESTART_HOLD in codes(report)


async def test_without_hold_the_first_tick_goes_in_at_once():
    loop = Loop(of=pool(rules=(Expression(text="load / 10 + 0 * running"),)))
    loop.machines.machines = tuple(machines(4, STARTED))
    report = await loop.tick(hold=False)
    assert "stop" in kinds(report)


async def test_the_window_is_refilled_from_the_past_so_that_a_restart_changes_nothing():
    loop = Loop(of=pool(scale_in=Damping(window_s=60.0)))
    past = load()["load"]
    samples = tuple(Sample(at=WALL - 60.0 + 15.0 * step, answer=past) for step in range(5))
    loop.metrics.histories = {"load": History(name=LOAD.name, samples=samples)}
    loop.machines.machines = tuple(machines(4, STARTED))
    report = await loop.tick()
    assert "stop" in kinds(report)
    assert loop.metrics.past_reads == [(WALL - 105.0, WALL, 15.0)]
    await loop.tick()
    assert len(loop.metrics.past_reads) == 1


async def test_a_first_zero_at_the_edge_of_the_window_is_not_believed_after_a_restart():
    loop = Loop(of=pool(scale_in=Damping(window_s=60.0)), ord=20.0)
    loads = [*[40.0] * 3, 0.0, *[20.0] * 4]
    samples = tuple(
        Sample(at=WALL - 105.0 + 15.0 * step, answer=load(ord=value)["load"])
        for step, value in enumerate(loads)
    )
    loop.metrics.histories = {"load": History(name=LOAD.name, samples=samples)}
    loop.machines.machines = tuple(machines(4, STARTED))
    report = await loop.tick()
    assert kinds(report) == []
    assert ReasonCode.WINDOW_IN in codes(report)
    assert "stop" in kinds(await loop.tick())


async def test_a_set_clock_counts_as_a_restart():
    slow = pool(scale_in=Damping(window_s=60.0), rules=(Expression(text="load / 10 + 0 * running"),))
    loop = Loop(of=slow, ord=40.0)
    loop.machines.machines = tuple(machines(4, STARTED))
    for _ in range(6):
        await loop.tick()
    loop.skew_s = 31.0
    loop.metrics.answers = load(ord=5.0)
    assert ReasonCode.RESTART_HOLD in codes(await loop.tick())


async def test_a_collapse_changes_nothing_until_the_loss_is_confirmed():
    loop = Loop(ord=40.0)
    loop.machines.machines = tuple(machines(4, STARTED))
    await loop.tick()
    fleet, loop.machines.machines = loop.machines.machines, loop.machines.machines[:1]
    loop.machines.looks = {machine.id: machine for machine in fleet}
    report = await loop.tick()
    assert (report.verdict, report.plan.actions) == (Verdict.HELD, ())
    assert len(loop.machines.looked) == 3
    loop.machines.looks = {}
    report = await loop.tick()
    assert kinds(report) == ["create"] * 3


async def test_in_a_collapse_only_those_are_asked_for_that_are_still_missing():
    loop = Loop(ord=100.0)
    fleet = tuple(machines(10, STARTED))
    loop.machines.machines = fleet
    await loop.tick()
    loop.machines.machines = ()
    loop.machines.looks = {machine.id: machine for machine in fleet}
    await loop.tick()
    loop.machines.machines = fleet[:4]
    loop.machines.looks = {machine.id: machine for machine in fleet[:4]}
    report = await loop.tick()
    assert {machine for _, machine in loop.machines.looked[3:]} == {"started4", "started5", "started6"}
    assert kinds(report) == ["create"] * 6


async def test_this_process_never_touches_its_own_machine():
    loop = Loop()
    loop.machines.machines = tuple(machines(1, STARTED))
    report = await loop.tick(hold=False, own=MachineId("started0"))
    assert report.plan.actions == ()


async def test_a_busy_machine_is_stopped_only_after_two_idle_readings():
    busy = Query(name=MetricName("busy"), promql="busy", label="instance")
    loop = Loop(of=pool(busy=busy))
    loop.machines.machines = tuple(machines(1, STARTED, instance_id=InstanceId("v1")))
    loop.metrics.answers |= {"busy": Split(by_label={"started0": Measured(value=1.0)})}
    assert kinds(await loop.tick(hold=False)) == ["mark"]
    marks = {"autoscaler_draining": f"{WALL:.0f}", "autoscaler_draining_version": "v1"}
    loop.machines.machines = tuple(machines(1, STARTED, instance_id=InstanceId("v1"), metadata=marks))
    loop.metrics.answers |= {"busy": Split(by_label={"started0": Measured(value=0.0)})}
    assert kinds(await loop.tick()) == []
    assert kinds(await loop.tick()) == ["stop"]
    assert isinstance(loop.machines.acted[-1], Stop)


async def test_a_fault_of_our_own_leaves_the_tick_for_its_caller():
    loop = Loop()
    loop.metrics = Broken(load())
    with pytest.raises(ExceptionGroup):
        await loop.tick()


class Broken(FakeMetrics):
    """A source with a programming error."""

    async def read(self, queries: Sequence[Query], *, timeout_s: float) -> Sequence[Answer]:
        answers = await super().read(queries, timeout_s=timeout_s)
        return [answers[len(answers)]]
