"""What only a platform that changes can show: results that the next look confirms, over real HTTP."""

import asyncio

import pytest

from autoscaler.adapters.fly_machines.client import FlyMachines
from autoscaler.adapters.http.client import HttpClient
from autoscaler.domain.errors import RefusedError
from autoscaler.domain.fleet import MachineState
from autoscaler.domain.names import AppName, MachineId, MachineName, Region
from autoscaler.domain.outcome import AlreadySo, Applied, Uncertain
from autoscaler.domain.plan import (
    Cordon,
    CreateVolume,
    Destroy,
    DestroyVolume,
    Mark,
    Start,
    Stop,
)
from autoscaler.emulator.config import EmulatorConfig, TokenScope
from autoscaler.emulator.faults import Fault, Kind
from autoscaler.emulator.leasing import acquire
from autoscaler.emulator.seeding import seed
from autoscaler.emulator.server import serve
from tests.contract.flys import POOL, emulated
from tests.contract.test_machines_port import NAME, ORD, WHY, create, on

DEMO = AppName("demo")


async def test_a_create_whose_answer_was_lost_is_repeated_without_a_second_machine() -> None:
    async with emulated() as fly:
        fly.loses_the_answer("create")
        assert isinstance(await fly.machines.act(fly.app, create()), Uncertain)
        (made,) = (await fly.machines.survey(fly.app)).machines
        assert (made.name, made.metadata["autoscaler"]) == (NAME, POOL)
        assert await fly.machines.act(fly.app, create()) == AlreadySo(machine=made.id)
        assert len((await fly.machines.survey(fly.app)).machines) == 1


async def test_marks_and_cordons_are_seen_by_the_next_survey() -> None:
    async with emulated() as fly:
        machine = fly.holding("started")
        marks = {"autoscaler_draining": "17", "autoscaler": None}
        await fly.machines.act(fly.app, Mark(**on(machine), metadata=marks))
        await fly.machines.act(fly.app, Cordon(**on(machine)))
        (found,) = (await fly.machines.survey(fly.app)).machines
        assert found.metadata["autoscaler_draining"] == "17"
        assert "autoscaler" not in found.metadata
        assert found.cordoned


async def test_the_deleted_are_listed_only_when_asked_for() -> None:
    config = EmulatorConfig(machines=1, destroy_s=0.0)
    async with serve(config) as running, HttpClient("m", running.url, token="t") as http:
        machines = FlyMachines(http)
        (machine,) = (await machines.survey(DEMO)).machines
        assert await machines.act(DEMO, Destroy(**on(machine.id))) == Applied(machine=machine.id)
        assert (await machines.survey(DEMO)).machines == ()
        (gone,) = (await machines.survey(DEMO, include_deleted=True)).machines
        assert (gone.id, gone.state) == (machine.id, MachineState.DESTROYED)


async def test_somebody_elses_lease_is_seen_by_a_survey() -> None:
    async with serve(EmulatorConfig(machines=1)) as running, HttpClient("m", running.url, token="t") as http:
        world = running.world
        (machine,) = world.of_app("demo")
        acquire(world, machine, owner="hello@fly.io", ttl_s=60.0)
        (found,) = (await FlyMachines(http).survey(DEMO)).machines
        assert found.lease is not None
        assert found.lease.owner == "hello@fly.io"
        assert found.lease.expires_at == pytest.approx(world.now + 60.0, abs=2.0)


@pytest.mark.parametrize(("token", "status"), [("fm2_wrong", 401), ("fm2_other", 403)])
async def test_a_token_that_does_not_reach_the_app_is_refused(token: str, status: int) -> None:
    tokens = {
        "fm2_good": TokenScope(kind="deploy", app="demo"),
        "fm2_other": TokenScope(kind="deploy", app="elsewhere"),
    }
    async with (
        serve(EmulatorConfig(tokens=tokens)) as running,
        HttpClient("m", running.url, token=token) as http,
    ):
        with pytest.raises(RefusedError) as caught:
            await FlyMachines(http).survey(DEMO)
    assert caught.value.status == status
    assert token not in str(caught.value)


async def test_a_volume_comes_and_goes() -> None:
    async with emulated() as fly:
        result = await fly.machines.act(fly.app, CreateVolume(region=ORD, name="data", reason=WHY, size_gb=1))
        assert isinstance(result, Applied)
        assert result.volume is not None
        (volume,) = await fly.machines.volumes(fly.app)
        assert (volume.id, volume.name, volume.region, volume.attached_to) == (
            result.volume,
            "data",
            ORD,
            None,
        )
        gone = DestroyVolume(region=ORD, volume=result.volume, reason=WHY)
        assert await fly.machines.act(fly.app, gone) == Applied(volume=result.volume)


async def test_regions_and_apps_can_be_checked() -> None:
    async with serve(EmulatorConfig()) as running, HttpClient("m", running.url, token="t") as http:
        machines = FlyMachines(http)
        assert {"ord", "ams", "fra"} <= set(await machines.regions())
        assert await machines.app_exists(DEMO)
        assert not await machines.app_exists(AppName("other"))


async def test_a_stop_cancelled_at_any_moment_leaves_no_lease() -> None:
    config = EmulatorConfig(machines=0, latency_s=0.1, rate_limits=False)
    async with serve(config) as running:
        made = seed(running.world, app="demo", group="app", regions=("ord",), count=12, state="started")
        async with HttpClient("m", running.url, token="t") as http, FlyMachines(http) as machines:
            for number, machine in enumerate(made):
                task = asyncio.create_task(machines.act(DEMO, Stop(**on(MachineId(machine.id)))))
                await asyncio.sleep(0.03 * number)
                task.cancel()
                await asyncio.wait([task])
        assert running.world.leases == {}


async def test_the_budget_of_the_platform_is_never_exceeded() -> None:
    async with serve(EmulatorConfig(machines=40)) as running, HttpClient("m", running.url, token="t") as http:
        machines = FlyMachines(http)
        found = (await machines.survey(DEMO)).machines
        starts = [machines.act(DEMO, Start(**on(machine.id))) for machine in found]
        creates = [machines.act(DEMO, create(MachineName(f"as-{number}"))) for number in range(5)]
        results = await asyncio.gather(*starts, *creates)
        statuses = {entry.status for entry in running.gateway.log}
    assert all(isinstance(result, Applied) for result in results)
    assert statuses == {200}


async def test_a_storm_of_429_is_answered_with_fewer_requests() -> None:
    async with serve(EmulatorConfig(machines=1)) as running, HttpClient("m", running.url, token="t") as http:
        limited = {"error": "rate limit exceeded"}
        storm = Fault(kind=Kind.STATUS, operation="start", status=429, body=limited)
        running.world.faults.add(storm, running.clock.now())
        (machine,) = running.world.of_app("demo")
        until = asyncio.get_running_loop().time() + 3.0
        await FlyMachines(http).act(DEMO, Start(**on(MachineId(machine.id))), until=until)
        assert len(running.gateway.log) == 2


async def test_regions_of_machines_are_those_they_stand_in() -> None:
    async with serve(EmulatorConfig(machines=3)) as running, HttpClient("m", running.url, token="t") as http:
        survey = await FlyMachines(http).survey(DEMO)
    assert {machine.region for machine in survey.machines} == {Region("ord"), Region("ams"), Region("fra")}
