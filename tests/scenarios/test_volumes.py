"""Stories of Machines with volumes: what a lost answer leaves half made is finished or removed."""

import asyncio
from dataclasses import replace

import pytest

from autoscaler.domain.pool import Leave, Spill, Volumes
from autoscaler.emulator import volumes
from autoscaler.emulator.faults import Fault, Kind
from tests.scenarios.story import AMS, APP, FRA, ORD, Story, a_pool, told

pytestmark = pytest.mark.looptime

POOL = a_pool(volumes=Volumes.NEW)
NO_ROOM_BESIDE_IT = {
    "error": "insufficient resources to create new machine with existing volume id 'vol_1'",
    "status": "volume_placement_capacity",
}


def a_machine_with_a_volume(story: Story) -> None:
    story.present()
    held = volumes.create(story.world, str(APP), {"name": "data", "region": "ord", "size_gb": 5})
    mount = {"name": "data", "path": "/data", "volume": held.id}
    (machine,) = story.add(1, ORD, "started", config={"mounts": [mount]})
    volumes.attach(story.world, held, machine)


def unattached(story: Story) -> list[str]:
    there = volumes.of_app(story.world, str(APP))
    return [one.id for one in there if one.machine is None and one.state == "created"]


async def test_machines_and_their_volumes_are_made_one_for_one():
    async with told(POOL) as story:
        a_machine_with_a_volume(story)
        story.load({ORD: 30.0})
        await story.passes(60.0)
        assert story.started() == {"ord": 3}
        assert (len(volumes.of_app(story.world, str(APP))), unattached(story)) == (3, [])


@pytest.mark.parametrize("kind", [Kind.DROP_AFTER_COMMIT, Kind.HANG_AFTER_COMMIT])
async def test_a_volume_whose_answer_is_lost_gets_the_machine_it_was_made_for(kind):
    async with told(POOL) as story:
        a_machine_with_a_volume(story)
        story.trouble(Fault(kind=kind, operation="volume_create", count=3))
        story.load({ORD: 40.0})
        await story.passes(300.0)
        assert story.started() == {"ord": 4}
        assert (len(volumes.of_app(story.world, str(APP))), unattached(story)) == (4, [])


async def test_a_volume_that_had_its_machine_is_not_removed_for_having_none_later():
    async with told(replace(POOL, leave=Leave.DESTROY)) as story:
        a_machine_with_a_volume(story)
        story.load({ORD: 20.0})
        await story.tick()
        await asyncio.sleep(15.0)
        story.trouble(Fault(kind=Kind.DROP_AFTER_COMMIT, operation="create"))
        await story.tick()
        await asyncio.sleep(15.0)
        story.trouble(Fault(kind=Kind.STATUS, operation="volumes_list", status=500))
        await story.passes(300.0)
        assert story.started() == {"ord": 2}
        story.load({ORD: 10.0})
        await story.passes(300.0)
        assert story.started() == {"ord": 1}
        story.relief()
        await story.passes(300.0)
        assert story.requests("volume_delete") == []


async def test_the_volume_of_a_process_that_died_gets_its_machine_from_the_next_one():
    async with told(POOL) as story:
        a_machine_with_a_volume(story)
        story.load({ORD: 20.0})
        await story.tick()
        assert len(unattached(story)) == 1
        story.load({ORD: 10.0})
        await asyncio.sleep(60.0)
        story.restart()
        await story.passes(60.0)
        story.load({ORD: 20.0})
        await story.passes(60.0)
        assert story.started() == {"ord": 2}
        assert (len(volumes.of_app(story.world, str(APP))), unattached(story)) == (2, [])


async def test_the_volume_of_a_machine_that_was_destroyed_is_not_taken_for_a_new_one():
    async with told(replace(POOL, leave=Leave.DESTROY)) as story:
        a_machine_with_a_volume(story)
        story.load({ORD: 20.0})
        await story.passes(60.0)
        story.load({ORD: 10.0})
        await story.passes(180.0)
        (left,) = [one.id for one in volumes.of_app(story.world, str(APP)) if one.released_at is not None]
        story.load({ORD: 20.0})
        await story.passes(60.0)
        assert story.started() == {"ord": 2}
        assert story.world.volumes[left].released_at is not None


async def test_a_volume_whose_answer_is_lost_is_removed_where_no_machine_is_wanted_any_more():
    async with told(POOL) as story:
        a_machine_with_a_volume(story)
        await story.passes(60.0)
        story.trouble(Fault(kind=Kind.DROP_AFTER_COMMIT, operation="volume_create"))
        story.load({ORD: 20.0})
        await story.tick()
        assert len(unattached(story)) == 1
        story.load({ORD: 10.0})
        await story.passes(180.0)
        assert unattached(story) == []


def no_room_beside_volumes() -> Fault:
    return Fault(kind=Kind.STATUS, operation="create", region="ord", status=412, body=NO_ROOM_BESIDE_IT)


@pytest.mark.parametrize("source", Volumes)
async def test_where_no_new_volume_gets_its_machine_the_region_is_left_alone_and_no_volumes_pile_up(source):
    async with told(replace(POOL, volumes=source)) as story:
        a_machine_with_a_volume(story)
        trouble = story.trouble(no_room_beside_volumes())
        story.load({ORD: 40.0})
        report = await story.passes(3600.0)
        assert [str(gap.reason) for gap in report.plan.shortfall] == ["parked why=region_full for_s=1800"]
        assert report.parked == (ORD,)
        assert len(story.requests("create")) <= 15
        assert len(story.requests("volume_create")) <= 9
        assert len(unattached(story)) <= 3
        story.relief(trouble)
        await story.passes(1800.0)
        assert story.started() == {"ord": 4}
        assert unattached(story) == []


async def test_volumes_that_never_got_their_machines_are_removed_once_nobody_wants_these():
    async with told(POOL) as story:
        a_machine_with_a_volume(story)
        story.trouble(no_room_beside_volumes())
        story.load({ORD: 40.0})
        await story.passes(60.0)
        assert len(unattached(story)) == 3
        story.load({ORD: 10.0})
        await story.passes(120.0)
        assert unattached(story) == []


async def test_where_no_new_volume_gets_its_machine_the_next_region_takes_over():
    async with told(replace(POOL, spill=Spill.NEAREST)) as story:
        a_machine_with_a_volume(story)
        story.trouble(no_room_beside_volumes())
        story.load({ORD: 40.0, AMS: 0.0, FRA: 0.0})
        await story.passes(120.0)
        assert story.started() == {"ord": 1, "ams": 3}
        assert unattached(story) == []


def no_room_for_volumes() -> Fault:
    body = {"error": "could not find a candidate host", "status": "insufficient_capacity"}
    return Fault(kind=Kind.STATUS, operation="volume_create", region="ord", status=422, body=body)


async def test_a_region_without_room_for_volumes_is_asked_now_and_then_and_filled_at_last():
    async with told(POOL) as story:
        a_machine_with_a_volume(story)
        trouble = story.trouble(no_room_for_volumes())
        story.load({ORD: 40.0})
        report = await story.passes(3600.0)
        assert [str(gap.reason) for gap in report.plan.shortfall] == ["parked why=region_full for_s=1800"]
        assert len(story.requests("volume_create")) <= 4
        story.relief(trouble)
        await story.passes(1800.0)
        assert story.started() == {"ord": 4}
        assert unattached(story) == []


async def test_what_a_region_without_room_for_volumes_cannot_hold_goes_to_the_next_one():
    async with told(replace(POOL, spill=Spill.NEAREST)) as story:
        a_machine_with_a_volume(story)
        story.trouble(no_room_for_volumes())
        story.load({ORD: 40.0, AMS: 0.0, FRA: 0.0})
        await story.passes(120.0)
        assert story.started() == {"ord": 1, "ams": 3}
        assert unattached(story) == []


async def test_a_volume_made_next_door_waits_for_its_machine_like_one_made_at_home():
    async with told(replace(POOL, spill=Spill.NEAREST)) as story:
        a_machine_with_a_volume(story)
        story.trouble(no_room_for_volumes())
        story.load({ORD: 40.0, AMS: 0.0, FRA: 0.0})
        await story.passes(15.0)
        assert len(unattached(story)) == 3
        story.trouble(Fault(kind=Kind.STATUS, operation="list", status=503, skip=1, count=2))
        await asyncio.sleep(15.0)
        report = await story.passes(0.0)
        assert [str(gap.reason) for gap in report.plan.shortfall] == ["parked why=region_full for_s=300"]
        await asyncio.sleep(15.0)
        await story.passes(60.0)
        assert story.started() == {"ord": 1, "ams": 3}
        assert (len(volumes.of_app(story.world, str(APP))), unattached(story)) == (4, [])
