"""Stories behind what operators are told: what lasts, what is replaced, and what is left alone."""

import asyncio
from dataclasses import replace

import pytest

from autoscaler.domain.desired import Bounds
from autoscaler.domain.outcome import Verdict
from autoscaler.domain.pool import Budget, Leave, RegionSpec
from autoscaler.domain.reason import ReasonCode
from autoscaler.emulator import lifecycle
from autoscaler.emulator.faults import Fault, Kind
from tests.scenarios.story import AMS, FRA, ORD, Story, a_pool, told
from tests.scenarios.test_hard_stories import BUSY, HOUR_S, SERVICE, busy, deploy, stopped_or_worse
from tests.scenarios.test_other_hands import ABOUT_ITSELF

pytestmark = pytest.mark.looptime

UP_TO_FIVE = {ORD: RegionSpec(bounds=Bounds(min=0, max=5))}


def warned(story: Story) -> set[ReasonCode]:
    return {notice.code for report in story.reports for notice in report.notices}


def created(story: Story) -> int:
    return sum(entry.status == 200 for entry in story.requests("create"))


async def test_neither_restarts_nor_machines_that_vanish_make_more_than_the_budget():
    async with told(a_pool(regions=UP_TO_FIVE, total=Bounds(min=0, max=5))) as story:
        (first,) = story.add(1, ORD, "started")
        story.load({ORD: 50.0})
        for _ in range(38):
            await story.tick()
            await asyncio.sleep(7.5)
            for machine in story.machines():
                if machine.id != first.id:
                    lifecycle.destroy(story.world, story.world.machines[machine.id], force=True)
            story.restart()
            await asyncio.sleep(7.5)
        assert created(story) == 10


@pytest.mark.parametrize("lost", [False, True])
async def test_a_wall_clock_that_gets_ahead_makes_no_more_than_the_budget(lost: bool):
    async with told(a_pool(budget=Budget(count=5))) as story:
        (first,) = story.add(1, ORD, "started")
        story.load({ORD: 10.0})
        await story.passes(60.0)
        story.skew_s = HOUR_S
        if lost:
            story.trouble(Fault(kind=Kind.DROP_AFTER_COMMIT, operation="create"))
        story.load({ORD: 30.0})
        made = set[str]()
        for _ in range(19):
            await story.passes(15.0)
            made |= {machine.id for machine in story.machines()} - {first.id}
            await asyncio.sleep(15.0)
            for machine in made & {machine.id for machine in story.machines()}:
                lifecycle.destroy(story.world, story.world.machines[machine], force=True)
        assert len(made) == 5


@pytest.mark.parametrize("leave", [Leave.STOP, Leave.DESTROY])
async def test_a_wall_clock_that_gets_ahead_makes_no_machine_old_that_is_just_being_made(leave: Leave):
    async with told(a_pool(leave=leave), create_s=60.0) as story:
        story.add(1, ORD, "started")
        story.load({ORD: 20.0})
        await story.tick()
        story.skew_s = HOUR_S
        await asyncio.sleep(15.0)
        story.load({ORD: 40.0})
        await story.passes(300.0)
        assert (created(story), story.started()) == (3, {"ord": 4})
        assert {entry.operation for entry in story.writes()} == {"create"}


async def test_after_a_restart_with_a_clock_that_is_ahead_no_machine_is_destroyed_that_is_just_being_made():
    async with told(a_pool(rules=ABOUT_ITSELF), create_s=60.0) as story:
        story.add(1, ORD, "started")
        story.load({ORD: 20.0})
        await story.tick()
        await asyncio.sleep(15.0)
        story.restart()
        story.skew_s = HOUR_S
        await story.passes(300.0)
        assert story.requests("destroy") == []


async def test_a_region_of_nothing_to_nothing_is_emptied_and_stays_empty():
    closed = {**a_pool().regions, ORD: RegionSpec(bounds=Bounds(min=0, max=0))}
    async with told() as story:
        story.add(3, ORD, "started")
        story.add(1, AMS, "started")
        story.load({ORD: 30.0, AMS: 10.0, FRA: 0.0})
        await story.passes(90.0)
        assert story.started() == {"ord": 3, "ams": 1}
        story.pool = replace(story.pool, regions=closed)
        story.restart()  # a configuration changes with its process alone
        await story.passes(300.0)
        assert "ord" not in story.started()
        story.load({ORD: 90.0})
        await story.passes(300.0)
        assert "ord" not in story.started()


async def test_a_machine_that_hangs_between_two_states_is_reported_and_replaced():
    async with told() as story:
        story.add(1, ORD, "started")
        story.add(2, ORD, "stopped")
        story.trouble(Fault(kind=Kind.STUCK, state="starting", count=1))
        story.load({ORD: 20.0})
        await story.passes(270.0)
        assert story.started() == {"ord": 1}
        await story.passes(120.0)
        assert story.started() == {"ord": 2}
        assert ReasonCode.STUCK in warned(story)
        assert story.requests("create") == []


async def test_a_machine_whose_host_is_lost_is_replaced_after_five_minutes_and_left_alone():
    async with told() as story:
        (_, lost) = story.add(2, ORD, "started")
        story.add(1, ORD, "stopped")
        story.load({ORD: 20.0})
        await story.passes(90.0)
        story.log.clear()
        story.trouble(Fault(kind=Kind.HOST_LOST, machine=lost.id))
        await story.passes(270.0)
        assert story.writes() == []
        await story.passes(90.0)
        assert [entry.operation for entry in story.writes()] == ["start"]
        assert lost.id not in {entry.machine for entry in story.writes()}


async def test_where_every_host_is_full_what_rests_is_tried_and_then_one_is_created():
    async with told() as story:
        story.add(1, ORD, "started")
        resting = story.add(2, ORD, "stopped")
        story.trouble(Fault(kind=Kind.HOST_FULL, operation="start"))
        story.load({ORD: 20.0})
        await story.passes(90.0)
        assert {entry.machine for entry in story.requests("start")} == {machine.id for machine in resting}
        assert len(story.requests("start")) == 2
        assert (created(story), story.started()) == (1, {"ord": 2})


async def test_during_a_deploy_what_rests_is_started_and_nobody_leaves():
    async with told() as story:
        story.add(3, ORD, "started")
        story.add(2, ORD, "stopped")
        story.load({ORD: 30.0})
        await story.passes(90.0)
        begun = deploy(story, "bluegreen", every_s=30.0)
        while begun.phase != "green_created":
            await story.passes(0.0)
            await asyncio.sleep(5.0)
        story.load({ORD: 50.0})
        await story.passes(15.0)
        assert len(story.requests("start")) == 2
        story.load({ORD: 0.0})
        while begun.phase != "blue_destroyed":
            assert stopped_or_worse(story) == []
            await story.passes(0.0)
            await asyncio.sleep(5.0)


async def test_what_is_protected_is_neither_started_nor_stopped_and_still_counts():
    keep = {"metadata": {"autoscaler_protect": "true"}}
    async with told() as story:
        kept = {one.id for state in ("started", "stopped") for one in story.add(1, ORD, state, config=keep)}
        story.add(2, ORD, "started")
        story.load({ORD: 30.0})
        await story.passes(90.0)
        assert (story.started(), story.writes()) == ({"ord": 3}, [])
        story.load({ORD: 0.0})
        await story.passes(300.0)
        story.load({ORD: 40.0})
        await story.passes(60.0)
        assert story.started() == {"ord": 4}
        assert kept.isdisjoint(entry.machine for entry in story.writes())


async def test_a_machine_that_is_protected_while_it_drains_goes_back_into_service():
    async with told(a_pool(busy=BUSY), machine_config=SERVICE) as story:
        machines = story.add(2, ORD, "started")
        busy(story, *(machine.id for machine in machines))
        story.load({ORD: 20.0})
        await story.passes(90.0)
        story.load({ORD: 10.0})
        await story.passes(90.0)
        (draining,) = [machine for machine in story.machines() if machine.cordoned]
        kept = {**draining.metadata, "autoscaler_protect": "true"}
        story.world.change(draining, config={**draining.config, "metadata": kept})
        await story.passes(90.0)
        (kept_one,) = [machine for machine in story.machines() if machine.id == draining.id]
        assert (kept_one.cordoned, "autoscaler_draining" in kept_one.metadata) == (False, False)
        assert [machine.cordoned for machine in story.machines()].count(True) == 1


@pytest.mark.parametrize("load", [20.0, 100.0])
async def test_a_list_that_lacks_most_machines_changes_nothing_until_they_are_back(load: float):
    async with told() as story:
        hidden = story.add(8, ORD, "started")[:5]
        story.load({ORD: 80.0})
        await story.passes(90.0)
        story.log.clear()
        for machine in hidden:
            story.trouble(Fault(kind=Kind.EMPTY_LIST, machine=machine.id))
        story.load({ORD: load})
        report = await story.passes(300.0)
        assert (story.writes(), report.verdict) == ([], Verdict.HELD)
        story.relief()
        await story.passes(300.0)
        assert story.started() == {"ord": load / 10}
