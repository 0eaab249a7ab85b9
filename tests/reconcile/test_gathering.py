"""Everything is asked for together, and nothing is waited for longer than agreed."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

import pytest

from autoscaler.domain.errors import RefusedError, UnreachableError
from autoscaler.domain.fleet import MachineState, Survey
from autoscaler.domain.names import MachineId, MetricName
from autoscaler.domain.pool import Damping
from autoscaler.domain.reading import Absent, Answer, History, Measured, Query, Split, Why
from autoscaler.reconcile.gathering import Gathered, Past, gather, gone, survey_within, volumes_within
from tests.reconcile.fakes import FakeMachines, FakeMetrics
from tests.reconcile.samples import APP, a_machine, a_pool, at

pytestmark = pytest.mark.looptime

LOAD = Query(name=MetricName("load"), promql="load")
QUEUE = Query(name=MetricName("queue"), promql="queue")
BUSY = Query(name=MetricName("busy"), promql="busy", label="instance")
POOL = a_pool(metrics=(LOAD, QUEUE), busy=BUSY)
ANSWERS: dict[str, Answer] = {
    "load": Measured(value=7.0),
    "queue": Split(by_label={"ord": Measured(value=1.0)}),
    "busy": Split(by_label={"a": Measured(value=0.0)}),
}


async def ask(machines: FakeMachines, metrics: FakeMetrics, *, past: Past | None = None) -> Gathered:
    return await gather(POOL, machines, metrics, at(900.0), past=past or Past(), seconds=6.0)


async def test_survey_metrics_and_busy_machines_cost_the_slowest_of_them():
    machines, metrics = FakeMachines([a_machine("a")]), FakeMetrics(ANSWERS)
    machines.survey_takes_s, metrics.takes_s = 0.25, 0.4
    gathered = await ask(machines, metrics)
    assert asyncio.get_running_loop().time() == pytest.approx(0.4)
    assert isinstance(gathered.survey, Survey)
    assert gathered.answers == {"load": ANSWERS["load"], "queue": ANSWERS["queue"]}
    assert gathered.busy == ANSWERS["busy"]
    assert len(metrics.reads) == 1


async def test_a_pool_that_asks_for_no_busy_machines_has_no_answer_about_them():
    pool = replace(POOL, busy=None)
    gathered = await gather(pool, FakeMachines(), FakeMetrics(ANSWERS), at(0.0), past=Past(), seconds=6.0)
    assert gathered.busy is None
    assert set(gathered.answers) == {"load", "queue"}


async def test_a_pool_without_questions_asks_nothing():
    metrics = FakeMetrics()
    gathered = await gather(a_pool(), FakeMachines(), metrics, at(0.0), past=Past(metrics=True), seconds=6.0)
    assert (gathered.answers, gathered.busy, metrics.reads, metrics.past_reads) == ({}, None, [], [])


async def test_metrics_that_do_not_answer_in_time_are_unreachable_and_the_survey_counts():
    machines, metrics = FakeMachines([a_machine("a")]), FakeMetrics(ANSWERS)
    metrics.takes_s = 3600.0
    gathered = await ask(machines, metrics)
    assert asyncio.get_running_loop().time() == pytest.approx(6.0)
    readings = [*gathered.answers.values(), gathered.busy]
    assert [isinstance(one, Absent) and one.why for one in readings] == [Why.UNREACHABLE] * 3
    assert isinstance(gathered.survey, Survey)


async def test_a_survey_that_does_not_come_in_time_is_none():
    machines = FakeMachines()
    machines.survey_takes_s = 3600.0
    assert (await ask(machines, FakeMetrics(ANSWERS))).survey == "no answer within 6.0 s"


async def test_a_survey_that_fails_is_none_and_says_why():
    machines = FakeMachines()
    machines.survey_fails = RefusedError("the token is not valid", status=401)
    assert (await ask(machines, FakeMetrics(ANSWERS))).survey == "the token is not valid"


async def test_the_past_is_read_only_on_request_and_begins_before_the_longest_window():
    metrics = FakeMetrics(ANSWERS)
    assert (await ask(FakeMachines(), metrics)).histories == {}
    gathered = await ask(FakeMachines(), metrics, past=Past(metrics=True))
    end = at(900.0).wall
    assert metrics.past_reads == [(end - 345.0, end, 15.0)]
    assert gathered.histories == {"load": History(name=LOAD.name), "queue": History(name=QUEUE.name)}


async def test_without_any_window_there_is_no_past_to_read():
    metrics = FakeMetrics(ANSWERS)
    pool = replace(POOL, scale_in=Damping(window_s=0.0))
    await gather(pool, FakeMachines(), metrics, at(0.0), past=Past(metrics=True), seconds=6.0)
    assert metrics.past_reads == []


async def test_destroyed_machines_are_told_apart_from_those_there_are():
    machines = FakeMachines([a_machine("a")])
    machines.deleted = (a_machine("b", MachineState.DESTROYED),)
    gathered = await ask(machines, FakeMetrics(ANSWERS), past=Past(destroyed=True))
    assert isinstance(gathered.survey, Survey)
    assert [machine.id for machine in gathered.survey.machines] == ["a"]
    assert [machine.id for machine in gathered.destroyed] == ["b"]
    assert (await ask(machines, FakeMetrics(ANSWERS))).destroyed == ()


class NeverRemembers(FakeMetrics):
    """A source that answers about the present and hangs when asked about the past."""

    async def history(
        self, queries: Sequence[Query], *, start: float, end: float, step_s: float, timeout_s: float
    ) -> Sequence[History]:
        await asyncio.sleep(3600.0)
        return await super().history(queries, start=start, end=end, step_s=step_s, timeout_s=timeout_s)


async def test_a_past_that_does_not_come_in_time_is_none():
    gathered = await ask(FakeMachines(), NeverRemembers(ANSWERS), past=Past(metrics=True))
    assert gathered.histories == {}
    assert gathered.answers[LOAD.name] == ANSWERS["load"]


async def test_a_list_with_the_deleted_is_asked_for_as_such():
    machines = FakeMachines()
    await survey_within(APP, machines, seconds=1.0, include_deleted=True)
    assert machines.surveys == [True]


async def test_volumes_that_cannot_be_read_are_unknown_and_not_none():
    assert await volumes_within(APP, FakeMachines(), seconds=1.0) == ()
    assert await volumes_within(APP, BrokenVolumes(), seconds=1.0) is None


class BrokenVolumes(FakeMachines):
    """A platform that does not tell its volumes."""

    async def volumes(self, app):
        raise UnreachableError(f"no volumes of {app}")


GONE, LISTED, BROKEN = MachineId("gone"), MachineId("listed"), MachineId("broken")


@pytest.mark.parametrize(
    ("ids", "confirmed"), [([GONE], True), ([GONE, LISTED], False), ([GONE, BROKEN], False)]
)
async def test_machines_are_gone_only_if_the_platform_says_so_of_each(ids: list[MachineId], confirmed: bool):
    machines = FakeMachines()
    machines.looks = {LISTED: a_machine("listed"), BROKEN: UnreachableError("no")}
    assert await gone(APP, machines, ids, seconds=1.0) is confirmed


async def test_a_machine_shown_as_destroyed_is_gone():
    machines = FakeMachines()
    machines.looks = {GONE: a_machine("gone", MachineState.DESTROYED)}
    assert await gone(APP, machines, [GONE], seconds=1.0)
