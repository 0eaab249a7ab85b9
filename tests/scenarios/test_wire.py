"""A process that dies between two requests leaves behind what it did so far, and nothing after it."""

import pytest

from tests.scenarios.story import AT_ONCE, ORD, a_pool, told

pytestmark = pytest.mark.looptime


@pytest.mark.parametrize(("requests", "created"), [(1, 0), (4, 0), (5, 1), (6, 2), (7, 3), (30, 3)])
async def test_a_process_that_dies_has_created_so_many_and_the_next_one_creates_the_rest(requests, created):
    async with told() as story:
        story.add(1, ORD, "started")
        story.load({ORD: 40.0})
        await story.die(requests)
        assert len(story.machines()) == 1 + created
        await story.passes(60.0)
        assert story.started() == {"ord": 4}


async def test_a_process_that_dies_with_a_lease_in_hand_leaves_it_to_end_by_itself():
    async with told(a_pool(scale_in=AT_ONCE)) as story:
        story.add(2, ORD, "started")
        story.load({ORD: 10.0})
        await story.die(3)
        assert [entry.operation for entry in story.requests()][-1] == "lease_acquire"
        assert len(story.world.leases) == 1
        await story.passes(60.0)
        assert story.started() == {"ord": 1}
