"""Stories of pools whose Machines Fly Proxy starts and stops."""

import pytest

from autoscaler.domain.desired import Bounds
from autoscaler.domain.pool import RegionSpec
from autoscaler.domain.reason import ReasonCode
from autoscaler.emulator import lifecycle
from autoscaler.emulator.faults import Fault, Kind
from tests.scenarios.story import AMS, ORD, Story, a_pool, told
from tests.scenarios.test_other_hands import PROXIED
from tests.scenarios.test_promises import warned

pytestmark = pytest.mark.looptime

UP_TO_FIVE = {ORD: RegionSpec(bounds=Bounds(min=0, max=5))}
SPARES = a_pool(proxy=True, reserve=2, regions=UP_TO_FIVE)


def states(story: Story) -> list[str]:
    """Of what is not being destroyed."""
    return sorted(machine.state for machine in story.machines() if machine.state != "destroying")


async def two_hang_while_they_stop(story: Story) -> None:
    machines = story.add(3, ORD, "started")
    story.load({ORD: 10.0})
    await story.passes(30.0)
    story.trouble(Fault(kind=Kind.STUCK, state="stopping", count=2))
    for machine in machines[1:]:
        lifecycle.stop(story.world, machine)
    await story.passes(600.0)


async def test_a_spare_that_never_launches_is_replaced():
    async with told(SPARES, machine_config=PROXIED) as story:
        story.add(1, ORD, "started")
        story.trouble(Fault(kind=Kind.STUCK, state="created", count=1))
        story.load({ORD: 10.0})
        await story.passes(600.0)
        assert states(story) == ["started", "stopped", "stopped"]


async def test_spares_that_hang_between_two_states_are_reported_and_replaced():
    async with told(SPARES, machine_config=PROXIED) as story:
        await two_hang_while_they_stop(story)
        assert states(story) == ["started", "stopped", "stopped", "stopping", "stopping"]
        assert ReasonCode.STUCK in warned(story)


async def test_spares_that_replace_what_hangs_outlive_a_restart():
    async with told(SPARES, machine_config=PROXIED) as story:
        await two_hang_while_they_stop(story)
        before = len(story.writes())
        story.restart()
        await story.passes(900.0)
        assert len(story.writes()) == before


async def test_spares_that_fail_for_ever_are_replaced_within_the_maximum_and_not_started_in_a_storm():
    async with told(SPARES, machine_config=PROXIED) as story:
        story.add(1, ORD, "started")
        spares = {machine.id for machine in story.add(2, ORD, "stopped")}
        story.load({ORD: 10.0})
        for _ in range(120):
            await story.passes(15.0)
            for machine in story.machines():
                if machine.id in spares:
                    story.world.change(machine, state="failed")
        assert states(story) == ["failed", "failed", "started", "stopped", "stopped"]
        assert len(story.requests("start")) <= 10
        for machine in story.machines("stopped"):
            story.world.change(machine, state="failed")
        report = await story.passes(60.0)
        assert len(states(story)) == 5
        assert report.plan.shortfall


async def test_spares_give_way_where_the_pools_total_has_no_room_for_them():
    both = {region: RegionSpec(bounds=Bounds(min=0, max=5)) for region in (AMS, ORD)}
    pool = a_pool(proxy=True, reserve=2, regions=both, total=Bounds(min=0, max=4))
    async with told(pool, machine_config=PROXIED) as story:
        for region in both:
            story.add(1, region, "started")
            story.add(2, region, "stopped")
        story.load({AMS: 10.0, ORD: 10.0})
        await story.passes(900.0)
        assert states(story) == ["started", "started", "stopped", "stopped"]


async def test_machines_that_have_failed_are_no_spares_and_are_started_again():
    async with told(SPARES, machine_config=PROXIED) as story:
        machines = story.add(3, ORD, "stopped")
        story.load({ORD: 10.0})
        for machine in machines[1:]:
            story.world.change(machine, state="failed")
        await story.passes(60.0)
        assert states(story) == ["started", "started", "stopped", "stopped"]


async def test_a_proxied_pool_moves_inside_its_bounds_without_a_metric():
    async with told(a_pool(proxy=True, regions=UP_TO_FIVE), machine_config=PROXIED) as story:
        story.add(1, ORD, "started")
        story.add(6, ORD, "stopped")
        await story.passes(60.0)
        assert states(story) == ["started", *["stopped"] * 4]
