"""Stories of hard days: deploys, full and broken places, crashes, other people's hands, lasting refusals."""

import asyncio
from typing import Any

import pytest

from autoscaler.domain.names import MetricName
from autoscaler.domain.outcome import Verdict
from autoscaler.domain.pool import Leave, Spill
from autoscaler.domain.reading import Query
from autoscaler.domain.reason import ReasonCode
from autoscaler.emulator import leasing
from autoscaler.emulator.deploys import Deploy
from autoscaler.emulator.faults import Fault, Kind
from tests.scenarios.story import AMS, APP, FRA, ORD, Story, a_pool, told

pytestmark = pytest.mark.looptime

HOUR_S = 3600.0
LEISURELY = a_pool(interval_s=300.0)
"""For stories of hours: what matters in them does not depend on how often one looks."""
BUSY = Query(name=MetricName("busy"), promql="busy", label="instance")
SERVICE = {"services": [{"internal_port": 8080, "protocol": "tcp", "ports": []}]}


def deploy(story: Story, strategy: str, *, every_s: float = 5.0, release: int = 64) -> Deploy:
    story.present()
    begun = Deploy(world=story.world, app=str(APP), group="app", release=release, strategy=strategy)
    begun.run(every_s=every_s)
    return begun


def busy(story: Story, *ids: str) -> None:
    for machine in story.machines():
        story.measure("busy", {"instance": machine.id, "app": str(APP)}, float(machine.id in ids))


def stopped_or_worse(story: Story) -> list[str]:
    return [entry.machine for entry in story.writes() if entry.operation in {"stop", "suspend", "destroy"}]


async def test_a_bluegreen_deploy_during_a_scale_in_is_waited_out():
    async with told() as story:
        story.add(6, ORD, "started")
        story.load({ORD: 60.0})
        await story.passes(90.0)
        begun = deploy(story, "bluegreen", every_s=15.0)
        story.load({ORD: 20.0})
        while begun.phase not in {"blue_destroyed", "done"}:
            assert stopped_or_worse(story) == []
            await story.passes(0.0)
            await asyncio.sleep(15.0)
        await story.passes(900.0)
        assert story.started() == {"ord": 2}
        assert {machine.metadata["fly_release_version"] for machine in story.machines()} == {"64"}


async def test_a_deploy_ends_the_drain_of_a_machine_it_replaces():
    async with told(a_pool(busy=BUSY), machine_config=SERVICE) as story:
        (one, two) = story.add(2, ORD, "started")
        busy(story, one.id, two.id)
        story.load({ORD: 20.0})
        await story.passes(90.0)
        story.load({ORD: 10.0})
        await story.passes(90.0)
        draining = [machine for machine in story.machines() if "autoscaler_draining" in machine.metadata]
        assert [machine.cordoned for machine in draining] == [True]
        deploy(story, "rolling")
        await story.passes(60.0)
        assert stopped_or_worse(story) == []
        assert len(story.machines("started")) == 2
        busy(story, one.id, two.id)
        story.load({ORD: 20.0})
        await story.passes(900.0)
        assert [machine.cordoned for machine in story.machines("started")] == [False, False]
        assert not any("autoscaler_draining" in machine.metadata for machine in story.machines())


async def test_a_busy_machine_leaves_once_it_is_idle_and_delays_nobody():
    async with told(a_pool(busy=BUSY), machine_config=SERVICE) as story:
        ours, theirs = story.add(2, ORD, "started"), story.add(2, AMS, "started")
        ids = [machine.id for machine in (*ours, *theirs)]
        busy(story, *ids[:2])
        story.load({ORD: 20.0, AMS: 20.0})
        await story.passes(90.0)
        story.load({ORD: 10.0, AMS: 10.0})
        await story.passes(120.0)
        assert story.started() == {"ord": 2, "ams": 1}
        busy(story)
        await story.passes(60.0)
        assert story.started() == {"ord": 1, "ams": 1}


async def test_demand_that_returns_takes_a_draining_machine_back():
    async with told(a_pool(busy=BUSY), machine_config=SERVICE) as story:
        machines = story.add(2, ORD, "started")
        busy(story, *(machine.id for machine in machines))
        story.load({ORD: 20.0})
        await story.passes(90.0)
        story.load({ORD: 10.0})
        await story.passes(90.0)
        assert sum(machine.cordoned for machine in story.machines()) == 1
        story.load({ORD: 20.0})
        await story.passes(30.0)
        assert not any(machine.cordoned for machine in story.machines())
        assert len(story.machines()) == 2


async def test_a_region_that_is_full_for_an_hour_is_asked_now_and_then_and_filled_at_last():
    async with told(LEISURELY) as story:
        for region in (ORD, AMS):
            story.add(1, region, "started")
        number = story.trouble(Fault(kind=Kind.REGION_FULL, region="ord"))
        story.load({ORD: 40.0, AMS: 30.0})
        await story.passes(HOUR_S)
        asked = [entry for entry in story.requests("create") if entry.region == "ord"]
        assert len(asked) <= 5
        assert story.started() == {"ord": 1, "ams": 3}
        story.relief(number)
        await story.passes(HOUR_S / 2)
        assert story.started() == {"ord": 4, "ams": 3}


async def test_where_no_host_of_a_region_takes_a_new_machine_the_next_region_does():
    async with told(a_pool(spill=Spill.NEAREST)) as story:
        story.add(1, ORD, "started")
        why = "insufficient resources available to fulfill request: insufficient memory available"
        refusal = {"error": f"aborted: {why} to fulfill request"}
        story.trouble(Fault(kind=Kind.STATUS, operation="create", region="ord", status=409, body=refusal))
        story.load({ORD: 40.0, AMS: 0.0, FRA: 0.0})
        await story.passes(90.0)
        assert sum(story.started().values()) == 4
        assert story.started()["ord"] == 1


async def test_where_nothing_may_be_created_the_next_region_starts_what_a_full_one_cannot():
    async with told(a_pool(create=False, spill=Spill.NEAREST)) as story:
        story.add(1, ORD, "started")
        story.add(3, ORD, "stopped")
        story.add(4, FRA, "stopped")
        full = {"error": "aborted: no capacity"}
        story.trouble(Fault(kind=Kind.STATUS, operation="start", region="ord", status=409, body=full))
        story.load({ORD: 40.0, AMS: 0.0, FRA: 0.0})
        await story.passes(120.0)
        assert story.started() == {"ord": 1, "fra": 3}
        story.relief()
        story.load({ORD: 20.0})
        await story.passes(300.0)
        assert story.started() == {"ord": 1, "fra": 1}
        story.load({ORD: 40.0})
        await story.passes(60.0)
        assert story.started() == {"ord": 3, "fra": 1}


async def test_machines_lent_to_a_region_that_was_full_are_made_good_from_there():
    async with told(a_pool(create=False, spill=Spill.NEAREST)) as story:
        story.add(1, ORD, "started")
        story.add(2, ORD, "stopped")
        story.add(2, FRA, "stopped")
        story.trouble(Fault(kind=Kind.HOST_FULL, region="ord"))
        story.load({ORD: 30.0, AMS: 0.0, FRA: 0.0})
        await story.passes(120.0)
        story.relief()
        await story.passes(600.0)
        story.load({FRA: 20.0})
        report = await story.passes(120.0)
        assert {region: count.capacity for region, count in report.counts.items()} == {ORD: 3, AMS: 0, FRA: 2}


async def test_a_machine_of_ours_stuck_in_created_is_replaced():
    async with told() as story:
        story.add(1, ORD, "started")
        story.trouble(Fault(kind=Kind.STUCK, state="created", count=1))
        story.load({ORD: 20.0})
        await story.passes(600.0)
        assert story.started() == {"ord": 2}
        assert len(story.machines()) <= 3


async def test_a_release_that_crashes_is_reported_and_not_multiplied():
    async with told(a_pool(interval_s=30.0)) as story:
        story.add(1, ORD, "started")
        story.add(3, ORD, "stopped")
        story.trouble(Fault(kind=Kind.CRASH, delay_s=2.0))
        story.load({ORD: 40.0})
        await story.passes(HOUR_S / 2)
        assert len(story.requests("create")) <= 2
        assert len(story.requests("start")) <= 30
        codes = {warning.code for report in story.reports for warning in report.notices}
        assert ReasonCode.CRASH_LOOP in codes


async def test_a_lease_of_somebody_else_keeps_a_machine_out_of_our_hands():
    async with told() as story:
        machines = story.add(3, ORD, "started")
        story.load({ORD: 30.0})
        await story.passes(90.0)
        story.load({ORD: 10.0})
        story.present()
        held = machines[0].id
        leasing.acquire(story.world, story.world.machines[held], owner="person@example.com", ttl_s=600.0)
        await story.passes(300.0)
        assert held not in stopped_or_worse(story)
        assert story.started() == {"ord": 1}


async def test_leases_of_ours_are_given_back():
    async with told(a_pool(leave=Leave.SUSPEND)) as story:
        story.add(4, ORD, "started")
        story.load({ORD: 40.0})
        await story.passes(90.0)
        story.load({ORD: 10.0})
        await story.passes(300.0)
        assert story.started() == {"ord": 1}
        assert len(story.requests("lease_release")) == len(story.requests("lease_acquire")) == 3
        assert story.world.leases == {}


async def test_leaving_by_destruction_keeps_the_reserve_and_never_the_last_one():
    async with told(a_pool(leave=Leave.DESTROY, reserve=1)) as story:
        story.add(1, ORD, "started")
        story.load({ORD: 50.0})
        await story.passes(90.0)
        assert story.started() == {"ord": 5}
        story.load({ORD: 0.0})
        await story.passes(900.0)
        assert story.started() == {}
        assert len(story.machines("stopped")) >= 1
        story.load({ORD: 20.0})
        await story.passes(60.0)
        assert story.started() == {"ord": 2}


LASTING = [
    (422, {"error": "Your organization has reached its machine limit. Please contact billing@fly.io"}),
    (400, {"error": "invalid_argument: invalid config.guest.memory_mb, minimum required 1024 MiB"}),
]


@pytest.mark.parametrize(("status", "body"), LASTING, ids=["organization limit", "invalid configuration"])
async def test_a_lasting_refusal_causes_no_storm(status: int, body: dict[str, Any]):
    async with told(LEISURELY) as story:
        story.add(1, ORD, "started")
        story.trouble(Fault(kind=Kind.STATUS, operation="create", status=status, body=body))
        story.load({ORD: 60.0})
        await story.passes(HOUR_S)
        assert 1 <= len(story.requests("create")) <= 8
        assert story.reports[-1].plan.shortfall != ()
        assert story.reports[-1].parked != ()


async def test_an_image_that_is_gone_is_asked_for_once_per_tick():
    async with told() as story:
        story.add(1, ORD, "started")
        gone = {"error": "failed to get manifest: MANIFEST_UNKNOWN"}
        story.trouble(Fault(kind=Kind.STATUS, operation="create", status=400, body=gone))
        story.load({ORD: 60.0})
        await story.passes(150.0)
        assert len(story.requests("create")) <= 11


@pytest.mark.parametrize("status", [401, 403, 404])
async def test_a_token_for_another_app_or_an_app_that_does_not_exist_blinds_without_a_storm(status: int):
    async with told() as story:
        story.add(1, ORD, "started")
        story.trouble(Fault(kind=Kind.STATUS, operation="list", status=status))
        report = await story.passes(60.0)
        assert report.verdict is Verdict.BLIND
        assert story.writes() == []
        assert len(story.requests("list")) <= 10


async def test_a_list_that_is_behind_makes_nobody_else_leave():
    async with told(list_lag_s=40.0) as story:
        story.add(6, ORD, "started")
        story.load({ORD: 60.0})
        await story.passes(90.0)
        story.load({ORD: 30.0})
        for _ in range(12):
            await story.passes(0.0)
            await asyncio.sleep(15.0)
            assert len(story.machines("started")) >= 3
        assert len(stopped_or_worse(story)) == 3
        assert story.started() == {"ord": 3}


async def test_two_daemons_by_mistake_make_no_machine_twice():
    async with told() as story:
        story.add(1, ORD, "started")
        story.load({ORD: 80.0})
        other = story.twin()
        for _ in range(8):
            await story.passes(0.0)
            await other.passes(15.0)
        assert story.started() == {"ord": 8}
        assert len(story.machines()) == 8
