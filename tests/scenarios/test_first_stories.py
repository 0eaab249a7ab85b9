"""Stories of an ordinary day: out and in, new Machines, full regions, lies and lost answers, restarts."""

import asyncio
from dataclasses import replace

import pytest

from autoscaler.domain.desired import Bounds
from autoscaler.domain.outcome import Verdict
from autoscaler.domain.pool import Damping, Leave, RegionSpec, Spill, Step
from autoscaler.domain.reason import ReasonCode
from autoscaler.emulator.faults import Fault, Kind
from tests.scenarios.story import AMS, FRA, ORD, a_pool, told

pytestmark = pytest.mark.looptime


async def test_three_regions_follow_their_load_from_zero_and_back():
    async with told(machines=30) as story:
        story.load({ORD: 45.0, AMS: 12.0, FRA: 0.0})
        await story.passes(45.0)
        assert story.started() == {"ord": 5, "ams": 2}
        story.load({ORD: 0.0, AMS: 30.0, FRA: 9.0})
        await story.passes(30.0)
        assert story.started() == {"ord": 5, "ams": 3, "fra": 1}
        await story.passes(120.0)
        assert story.started() == {"ams": 3, "fra": 1}
        story.load({AMS: 0.0, FRA: 0.0})
        report = await story.passes(150.0)
        assert story.started() == {}
        assert report.verdict is Verdict.STEADY
        assert len(story.machines()) == 30


async def test_a_steady_fleet_costs_one_list_and_one_query_per_tick():
    async with told(machines=30) as story:
        story.load({ORD: 20.0})
        await story.passes(120.0)
        story.log.clear()
        await story.passes(60.0)
        assert sorted(entry.operation for entry in story.log) == ["list"] * 5 + ["query"] * 5


async def test_what_cannot_be_started_is_created_once_and_kept():
    async with told() as story:
        story.add(1, ORD, "started")
        story.load({ORD: 40.0})
        await story.passes(45.0)
        assert story.started() == {"ord": 4}
        await story.passes(120.0)
        assert len(story.machines()) == 4
        assert len(story.requests("create")) == 3
        made = [machine for machine in story.machines() if machine.metadata.get("autoscaler") == "web"]
        assert sorted(machine.name.rsplit("-", 2)[1:] for machine in made) == [
            ["ord", str(n)] for n in (1, 2, 3)
        ]


async def test_fifty_stopped_machines_are_started_at_once():
    pool = a_pool(regions={ORD: RegionSpec(bounds=Bounds(min=0, max=50))}, total=Bounds(min=0, max=50))
    async with told(pool, latency_s=0.25, boot_s=0.0) as story:
        story.add(50, ORD, "stopped")
        story.load({ORD: 500.0})
        began = asyncio.get_running_loop().time()
        report = await story.tick()
        assert len(report.outcomes) == 50
        assert asyncio.get_running_loop().time() - began <= 1.0
        assert story.started() == {"ord": 50}


async def test_fifty_creates_take_hardly_longer_than_the_platform_allows():
    pool = a_pool(regions={ORD: RegionSpec(bounds=Bounds(min=0, max=60))}, total=Bounds(min=0, max=60))
    async with told(pool, latency_s=0.25) as story:
        story.add(1, ORD, "started")
        story.load({ORD: 510.0})
        began = story.now.wall
        await story.passes(75.0)
        answered = [entry.finished or 0.0 for entry in story.requests("create") if entry.status == 200]
        at_best_s = (50 - 3) / 1.0
        assert len(answered) == 50
        assert max(answered) - began <= 1.1 * at_best_s


async def test_a_full_region_is_left_alone_and_harms_no_other():
    pool = replace(a_pool(), spill=Spill.OFF)
    async with told(pool) as story:
        for region in (ORD, AMS):
            story.add(1, region, "started")
        story.trouble(Fault(kind=Kind.REGION_FULL, region="ord"))
        story.load({ORD: 50.0, AMS: 30.0})
        await story.passes(240.0)
        assert story.started() == {"ord": 1, "ams": 3}
        refused = [entry for entry in story.requests("create") if entry.status == 422]
        assert 1 <= len(refused) <= 4
        assert story.reports[-1].parked == (ORD,)
        assert [(short.region, short.missing) for short in story.reports[-1].plan.shortfall] == [(ORD, 4)]
        story.relief()
        await story.passes(120.0)
        assert story.started() == {"ord": 5, "ams": 3}


async def test_a_full_region_spills_to_the_nearest_one_with_room():
    pool = replace(a_pool(), spill=Spill.NEAREST)
    async with told(pool) as story:
        for region in (AMS, FRA):
            story.add(1, region, "started")
        story.trouble(Fault(kind=Kind.REGION_FULL, region="fra"))
        story.load({FRA: 30.0})
        await story.passes(90.0)
        assert story.started() == {"fra": 1, "ams": 3}
        homes = [machine.metadata.get("autoscaler_home") for machine in story.machines()]
        assert homes.count("fra") == 2


async def test_a_list_that_shows_nothing_changes_nothing():
    async with told() as story:
        story.add(4, ORD, "started")
        story.load({ORD: 40.0})
        await story.passes(90.0)
        story.log.clear()
        story.trouble(Fault(kind=Kind.EMPTY_LIST))
        story.load({ORD: 80.0})
        report = await story.passes(300.0)
        assert story.writes() == []
        assert report.verdict is Verdict.HELD
        story.relief()
        await story.passes(60.0)
        assert story.started() == {"ord": 8}


async def test_a_process_that_starts_with_an_empty_list_creates_nothing():
    async with told() as story:
        story.add(4, ORD, "started")
        story.trouble(Fault(kind=Kind.EMPTY_LIST))
        story.load({ORD: 80.0})
        report = await story.passes(120.0)
        assert story.writes() == []
        assert report.verdict is Verdict.HELD
        assert {short.reason.code for short in report.plan.shortfall} == {ReasonCode.NO_TEMPLATE}


async def test_without_a_survey_nothing_is_touched():
    async with told() as story:
        story.add(4, ORD, "stopped")
        story.load({ORD: 40.0})
        story.trouble(Fault(kind=Kind.STATUS, operation="list", status=503))
        report = await story.passes(60.0)
        assert (report.verdict, story.writes()) == (Verdict.BLIND, [])


@pytest.mark.parametrize("kind", [Kind.DROP_AFTER_COMMIT, Kind.HANG_AFTER_COMMIT])
async def test_a_create_whose_answer_is_lost_makes_exactly_one_machine(kind: Kind):
    async with told() as story:
        story.add(1, ORD, "started")
        story.load({ORD: 20.0})
        story.trouble(Fault(kind=kind, operation="create", count=1))
        await story.tick()
        assert story.reports[-1].verdict is Verdict.FAILED
        await story.passes(60.0)
        assert len(story.machines()) == 2
        assert story.started() == {"ord": 2}


async def test_a_create_whose_answer_is_lost_is_not_doubled_by_a_list_that_is_behind():
    async with told(list_lag_s=30.0) as story:
        story.add(1, ORD, "started")
        story.load({ORD: 40.0})
        story.trouble(Fault(kind=Kind.DROP_AFTER_COMMIT, operation="create", count=2))
        await story.passes(150.0)
        assert len(story.machines()) == 4


async def test_a_restart_never_goes_in():
    async with told() as story:
        story.add(6, ORD, "started")
        story.load({ORD: 60.0})
        await story.passes(120.0)
        story.load({ORD: 10.0})
        story.restart()
        story.log.clear()
        await story.passes(15.0)
        assert story.started() == {"ord": 6}
        for _ in range(4):
            story.restart()
            await story.tick()
            await asyncio.sleep(5.0)
            assert story.started() == {"ord": 6}


@pytest.mark.parametrize("leave", [Leave.STOP, Leave.SUSPEND, Leave.DESTROY])
async def test_a_restart_within_a_steps_period_takes_no_second_step(leave: Leave):
    damping = Damping(window_s=30.0, step=Step(period_s=60.0, fraction=0.5))
    async with told(a_pool(leave=leave, reserve=0, scale_in=damping)) as story:
        story.add(8, ORD, "started")
        story.load({ORD: 80.0})
        await story.passes(90.0)
        story.load({ORD: 0.0})
        await story.passes(75.0)
        assert story.started() == {"ord": 4}
        story.restart()
        await story.passes(15.0)
        assert story.started() == {"ord": 4}
        await story.passes(45.0)
        assert story.started() == {"ord": 2}


async def test_killed_in_the_middle_of_creating_the_next_process_makes_no_duplicates():
    async with told(latency_s=0.25) as story:
        story.add(1, ORD, "started")
        story.load({ORD: 60.0})
        tick = asyncio.create_task(story.tick())
        await asyncio.sleep(1.4)
        tick.cancel()
        await asyncio.gather(tick, return_exceptions=True)
        story.restart()
        await story.passes(60.0)
        assert story.started() == {"ord": 6}
        assert len(story.machines()) == 6
