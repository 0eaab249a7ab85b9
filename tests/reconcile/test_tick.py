"""One tick from now to a report: what it reads, when it acts and when it does not."""

import pytest

from autoscaler.domain.desired import Bounds, Override
from autoscaler.domain.errors import AutoscalerError, RefusedError, UnreachableError
from autoscaler.domain.outcome import (
    Applied,
    Verdict,
)
from autoscaler.domain.plan import Start
from autoscaler.domain.pool import RegionSpec
from autoscaler.reconcile.tick import PoolState
from tests.reconcile.fakes import FakeJournal
from tests.reconcile.samples import AMS, FRA, ORD
from tests.reconcile.ticking import STARTED, STOPPED, Loop, kinds, machines, pool

pytestmark = pytest.mark.looptime


async def test_demand_starts_what_is_stopped_and_the_report_tells_it():
    loop = Loop(ord=25.0)
    loop.machines.machines = (*machines(5, STOPPED), *machines(1, STARTED))
    report = await loop.tick()
    assert kinds(report) == ["start", "start"]
    assert [type(action) for action in loop.machines.acted] == [Start, Start]
    assert report.verdict is Verdict.SCALED
    assert report.decision is not None
    assert report.decision.desired == {ORD: 3, AMS: 0, FRA: 0}
    assert report.counts[ORD].running == 1
    assert [type(outcome.result) for outcome in report.outcomes] == [Applied, Applied]
    assert report.acted
    assert report.dollars_per_hour == pytest.approx(1 * 1.25 * (0.695 + 0.25 * 5) / 720)


async def test_a_dry_run_plans_the_same_and_sends_nothing():
    loop = Loop(ord=25.0)
    loop.machines.machines = tuple(machines(5, STOPPED))
    report = await loop.tick(act=False)
    assert kinds(report) == ["start"] * 3
    assert (loop.machines.acted, report.outcomes, report.acted) == ([], (), False)
    assert report.verdict is Verdict.SCALED
    assert loop.state.ledger.on_the_way == ()


async def test_nothing_to_do_costs_one_list_and_one_query():
    loop = Loop(ord=25.0)
    loop.machines.machines = tuple(machines(3, STARTED))
    report = await loop.tick(hold=False)
    assert (report.verdict, report.plan.actions) == (Verdict.STEADY, ())
    assert loop.machines.surveys == [False]
    assert loop.metrics.reads == [("load",)]


async def test_what_was_started_is_not_started_again_while_the_list_is_behind():
    loop = Loop(ord=25.0)
    loop.machines.machines = tuple(machines(5, STOPPED))
    await loop.tick()
    report = await loop.tick()
    assert len(loop.machines.acted) == 3
    assert report.counts[ORD].arriving == 3


@pytest.mark.parametrize("error", [UnreachableError("no route"), RefusedError("no such app", status=404)])
async def test_without_a_survey_a_tick_is_blind_and_touches_nothing(error: UnreachableError | RefusedError):
    loop = Loop(ord=25.0)
    loop.machines.machines = tuple(machines(5, STOPPED))
    loop.machines.survey_fails = error
    report = await loop.tick()
    assert report.verdict is Verdict.BLIND
    assert (report.counts, report.decision, report.plan.actions, loop.machines.acted) == ({}, None, (), [])
    assert [str(warning) for warning in report.warnings] == [f"survey_failed detail={error}"]
    assert loop.state == PoolState()


async def test_a_blind_tick_keeps_what_was_remembered():
    loop = Loop(ord=25.0)
    loop.machines.machines = tuple(machines(5, STOPPED))
    await loop.tick()
    before = loop.state
    loop.machines.survey_fails = UnreachableError("no route")
    await loop.tick()
    assert loop.state == before


async def test_a_survey_gets_half_of_the_deadline():
    loop = Loop(ord=25.0)
    loop.machines.survey_takes_s = 3600.0
    report = await loop.tick()
    assert report.verdict is Verdict.BLIND
    assert report.duration_s == pytest.approx(6.0)


async def test_metrics_that_hang_hold_the_count_and_the_rest_of_the_tick_acts():
    loop = Loop(of=pool(regions={ORD: RegionSpec(bounds=Bounds(min=2, max=10))}, total=Bounds(min=2, max=10)))
    loop.machines.machines = tuple(machines(5, STOPPED))
    loop.metrics.takes_s = 3600.0
    report = await loop.tick()
    assert kinds(report) == ["start", "start"]
    assert [type(outcome.result) for outcome in report.outcomes] == [Applied, Applied]
    assert report.decision is not None
    assert [row.absent for row in report.decision.metrics] == ["unreachable"]


async def test_a_pause_writes_nothing_and_is_named():
    loop = Loop(ord=25.0)
    loop.machines.machines = tuple(machines(5, STOPPED))
    loop.journal = FakeJournal(Override(kind="pause", because="maintenance"))
    report = await loop.tick()
    assert (report.verdict, loop.machines.acted) == (Verdict.PAUSED, [])


async def test_overrides_that_cannot_be_read_pause():
    loop = Loop(ord=25.0)
    loop.machines.machines = tuple(machines(5, STOPPED))
    loop.journal = FakeJournal(fails=AutoscalerError("the journal is locked"))
    report = await loop.tick()
    assert (report.verdict, loop.machines.acted) == (Verdict.PAUSED, [])
