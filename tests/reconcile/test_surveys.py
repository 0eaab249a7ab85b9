"""Pools of one app share a list call, and never a stale one."""

import asyncio

import pytest

from autoscaler.domain.errors import UnreachableError
from autoscaler.domain.names import AppName, MachineId
from autoscaler.reconcile.surveys import SharedSurveys
from tests.reconcile.fakes import FakeMachines
from tests.reconcile.samples import APP, a_machine, start

pytestmark = pytest.mark.looptime


def slow(seconds: float = 0.25) -> FakeMachines:
    machines = FakeMachines([a_machine("a")])
    machines.survey_takes_s = seconds
    return machines


async def test_whoever_asks_at_the_same_time_shares_one_call():
    machines = slow()
    shared = SharedSurveys(machines)
    surveys = await asyncio.gather(*(shared.survey(APP) for _ in range(5)))
    assert len(machines.surveys) == 1
    assert all(survey is surveys[0] for survey in surveys)


async def test_whoever_asks_within_a_second_gets_the_same_answer():
    machines = slow()
    shared = SharedSurveys(machines)
    await shared.survey(APP)
    await asyncio.sleep(0.9)
    await shared.survey(APP)
    assert len(machines.surveys) == 1
    await asyncio.sleep(0.2)
    await shared.survey(APP)
    assert len(machines.surveys) == 2


async def test_apps_and_kinds_of_survey_are_kept_apart():
    machines = slow()
    shared = SharedSurveys(machines)
    await asyncio.gather(
        shared.survey(APP), shared.survey(APP, include_deleted=True), shared.survey(AppName("other"))
    )
    assert len(machines.surveys) == 3


async def test_after_an_action_nobody_gets_a_picture_from_before_it():
    machines = slow()
    shared = SharedSurveys(machines)
    await shared.survey(APP)
    await shared.act(APP, start("a"))
    await shared.survey(APP)
    assert len(machines.surveys) == 2


async def test_a_call_that_was_under_way_during_an_action_is_not_joined_later():
    machines = slow()
    shared = SharedSurveys(machines)
    early = asyncio.create_task(shared.survey(APP))
    await asyncio.sleep(0.1)
    await shared.act(APP, start("a"))
    await asyncio.gather(early, shared.survey(APP))
    assert len(machines.surveys) == 2


async def test_a_failure_reaches_those_who_waited_for_it_and_nobody_else():
    machines = slow()
    machines.survey_fails = UnreachableError("no route")
    shared = SharedSurveys(machines)
    results = await asyncio.gather(shared.survey(APP), shared.survey(APP), return_exceptions=True)
    assert [type(result) for result in results] == [UnreachableError, UnreachableError]
    machines.survey_fails = None
    assert (await shared.survey(APP)).machines == machines.machines
    assert len(machines.surveys) == 2


async def test_one_who_gives_up_takes_nothing_from_the_others():
    machines = slow(2.0)
    shared = SharedSurveys(machines)
    patient = asyncio.create_task(shared.survey(APP))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1.0):
            await shared.survey(APP)
    assert (await patient).machines == machines.machines


async def test_a_call_nobody_waits_for_any_more_is_given_up():
    machines = slow(3600.0)
    shared = SharedSurveys(machines)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1.0):
            await shared.survey(APP)
    machines.survey_takes_s = 0.0
    assert (await shared.survey(APP)).machines == machines.machines


async def test_everything_else_goes_straight_to_the_platform():
    machines = slow()
    shared = SharedSurveys(machines)
    assert await shared.look(APP, MachineId("a")) is None
    assert await shared.volumes(APP) == ()
    await shared.act(APP, start("a"))
    assert machines.acted == [start("a")]
