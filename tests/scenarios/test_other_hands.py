"""Stories of a fleet that others have their hands in, and of lists that do not tell the truth about it."""

import asyncio

import pytest

from autoscaler.domain.desired import Bounds
from autoscaler.domain.names import MachineId
from autoscaler.domain.outcome import Verdict
from autoscaler.domain.pool import Expression, RegionSpec
from autoscaler.domain.reason import ReasonCode
from autoscaler.emulator import lifecycle, proxy
from autoscaler.emulator.faults import Fault, Kind
from autoscaler.emulator.record import Machine
from tests.scenarios.story import APP, ORD, Story, a_pool, told
from tests.scenarios.test_hard_stories import BUSY, SERVICE, busy, deploy, stopped_or_worse

pytestmark = pytest.mark.looptime

OF_RELEASE_64 = "64"
ABOUT_ITSELF = (Expression(text="load / 10 + 0 * running"),)
"""A rule whose past the metrics do not tell, so that a restart holds for a whole window."""


def green(story: Story) -> dict[str, Machine]:
    """What a deploy of release 64 has made."""
    made = [one for one in story.machines() if one.metadata["fly_release_version"] == OF_RELEASE_64]
    return {machine.id: machine for machine in made}


async def test_a_bluegreen_deploy_during_a_drain_decides_alone_who_gets_the_traffic():
    async with told(a_pool(busy=BUSY), machine_config=SERVICE) as story:
        machines = story.add(2, ORD, "started")
        busy(story, *(machine.id for machine in machines))
        story.load({ORD: 20.0})
        await story.passes(90.0)
        story.load({ORD: 10.0})
        await story.passes(90.0)
        assert [machine.cordoned for machine in story.machines()].count(True) == 1
        story.log.clear()
        begun = deploy(story, "bluegreen", every_s=20.0)
        while begun.phase != "done":
            await story.passes(0.0)
            busy(story, *(machine.id for machine in story.machines()))
            assert stopped_or_worse(story) == []
            assert [entry.machine for entry in story.writes() if entry.operation == "uncordon"] == []
            await asyncio.sleep(5.0)
        await story.passes(900.0)
        serving = [machine for machine in story.machines("started") if not machine.cordoned]
        assert [machine.id in green(story) for machine in serving] == [True]


async def test_a_bluegreen_deploy_during_a_scale_out_is_copied_only_once_it_is_ready():
    async with told() as story:
        story.add(3, ORD, "started")
        story.load({ORD: 30.0})
        await story.passes(90.0)
        begun = deploy(story, "bluegreen", every_s=20.0)
        while begun.phase != "green_created":
            await story.passes(0.0)
            await asyncio.sleep(5.0)
        story.load({ORD: 80.0})
        while begun.phase != "done":
            report = await story.passes(0.0)
            waiting = begun.phase in {"green_created", "green_healthy"}
            assert not waiting or story.requests("create") == []
            assert report.verdict is not Verdict.FAILED
            assert stopped_or_worse(story) == []
            await asyncio.sleep(5.0)
        await story.passes(60.0)
        assert story.started() == {"ord": 8}
        assert len(green(story)) == len(story.machines()) == 8


async def test_what_people_started_while_the_demand_is_unknown_is_left_running():
    async with told() as story:
        story.add(3, ORD, "started")
        resting = story.add(3, ORD, "stopped")
        story.load({ORD: 30.0})
        await story.passes(90.0)
        story.load({ORD: float("nan")})
        story.present()
        for machine in resting:
            lifecycle.start(story.world, story.world.machines[machine.id])
        report = await story.passes(600.0)
        assert story.started() == {"ord": 6}
        assert report.verdict is Verdict.HELD
        story.load({ORD: 30.0})
        await story.passes(60.0)
        assert story.started() == {"ord": 3}


async def test_what_the_first_list_of_a_process_left_out_is_not_stopped_when_it_shows():
    async with told(a_pool(rules=ABOUT_ITSELF)) as story:
        story.add(6, ORD, "started")
        story.load({ORD: 10.0})
        story.trouble(Fault(kind=Kind.PARTIAL_LIST, share=0.34))
        await story.tick()
        story.relief()
        for _ in range(3):
            await asyncio.sleep(15.0)
            assert (await story.tick()).verdict is Verdict.HELD
            assert story.started() == {"ord": 6}


async def test_a_drain_goes_on_after_a_restart_although_nothing_new_may_leave():
    async with told(a_pool(busy=BUSY, rules=ABOUT_ITSELF), machine_config=SERVICE) as story:
        machines = story.add(4, ORD, "started")
        busy(story, *(machine.id for machine in machines))
        story.load({ORD: 40.0})
        await story.passes(90.0)
        story.load({ORD: 30.0})
        await story.passes(90.0)
        draining = [MachineId(machine.id) for machine in story.machines() if machine.cordoned]
        assert len(draining) == 1
        busy(story)
        story.load({ORD: 0.0})
        story.restart()
        story.log.clear()
        await story.passes(45.0)
        assert stopped_or_worse(story) == draining


async def test_a_list_that_stands_still_lets_nobody_leave_in_the_place_of_those_that_left():
    async with told(a_pool(busy=BUSY)) as story:
        story.add(10, ORD, "started")
        story.load({ORD: 100.0})
        await reporting(story, ticks=8)
        story.trouble(Fault(kind=Kind.STALE_LIST))
        story.load({ORD: 80.0})
        await reporting(story, ticks=60)
        assert story.started() == {"ord": 8}
        story.relief()
        story.load({ORD: 60.0})
        await reporting(story, ticks=10)
        assert story.started() == {"ord": 6}


async def reporting(story: Story, *, ticks: int) -> None:
    """Ticks during which all that runs says that it is idle, and what does not run says nothing."""
    for _ in range(ticks):
        for machine in story.machines():
            labels = {"instance": machine.id, "app": str(APP)}
            if machine.state == "started":
                story.measure("busy", labels, 0.0)
            else:
                story.world.loads.end("busy", labels, story.world.now)
        await story.passes(0.0)
        await asyncio.sleep(15.0)


PROXIED = {"services": [{**SERVICE["services"][0], "autostart": True, "autostop": "stop"}]}


async def test_where_the_proxy_starts_and_stops_only_what_exists_is_seen_to():
    at_home = {ORD: RegionSpec(bounds=Bounds(min=0, max=10))}
    async with told(a_pool(regions=at_home, proxy=True, reserve=1), machine_config=PROXIED) as story:
        story.add(1, ORD, "started")

        async def proxied(load: float, requests: float) -> tuple[int, int]:
            """How many Machines exist and how many run, after six minutes of this load and these requests."""
            story.load({ORD: load})
            for _ in range(24):
                await story.passes(0.0)
                proxy.look(story.world, str(APP), {"ord": requests})
                await asyncio.sleep(15.0)
            return len(story.machines()), len(story.machines("started"))

        assert await proxied(40.0, 0.0) == (5, 0)
        existing, running = await proxied(40.0, 90.0)
        assert (existing, running in {4, 5}) == (6, True)
        assert await proxied(10.0, 0.0) == (2, 0)
        ours = [entry for entry in story.writes() if entry.operation in {"start", "stop", "suspend"}]
        assert ours == []


async def test_what_fly_scale_adds_and_takes_away_is_made_good_without_a_quarrel():
    async with told() as story:
        (first, *_) = story.add(3, ORD, "started")
        story.load({ORD: 30.0})
        await story.passes(90.0)
        story.add(2, ORD, "started")
        await story.passes(60.0)
        assert (story.started(), len(story.machines())) == ({"ord": 3}, 5)
        story.present()
        lifecycle.destroy(story.world, story.world.machines[first.id], force=True)
        await story.passes(60.0)
        assert (story.started(), len(story.machines())) == ({"ord": 3}, 4)
        assert story.requests("create") == []


async def test_a_copy_that_people_made_of_one_of_ours_is_reported_and_never_destroyed():
    async with told() as story:
        story.add(1, ORD, "started")
        story.load({ORD: 20.0})
        await story.passes(60.0)
        (ours,) = [machine for machine in story.machines() if "autoscaler" in machine.metadata]
        (copy,) = story.add(1, ORD, "created", config={"metadata": dict(ours.metadata)})
        story.trouble(Fault(kind=Kind.STUCK, machine=copy.id))
        story.load({ORD: 30.0})
        await story.passes(600.0)
        assert story.started() == {"ord": 3}
        assert {entry.operation for entry in story.writes() if entry.machine == copy.id} == {"start"}
        assert ReasonCode.STUCK in {why.code for why in story.reports[-1].notices}


async def test_what_deploys_copy_of_ours_is_no_part_of_the_creation_budget():
    pool = a_pool(regions={ORD: RegionSpec(bounds=Bounds(min=0, max=14))}, total=Bounds(min=0, max=14))
    async with told(pool) as story:
        story.add(1, ORD, "started")
        story.load({ORD: 80.0})
        await story.passes(900.0)
        for release in (64, 65):
            begun = deploy(story, "bluegreen", every_s=2.0, release=release)
            await story.passes(120.0)
            assert (begun.phase, story.started()) == ("done", {"ord": 8})
        story.load({ORD: 140.0})
        await story.passes(60.0)
        assert story.started() == {"ord": 14}
