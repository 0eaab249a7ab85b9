"""The port keeps its promises, on the emulated Fly and on answers recorded from the real one alike."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from autoscaler.domain.errors import RefusedError, UnreachableError
from autoscaler.domain.fleet import MachineState
from autoscaler.domain.names import AppName, MachineId, MachineName, Region
from autoscaler.domain.outcome import AlreadySo, Applied, Refusal, Refused, Result, Uncertain
from autoscaler.domain.plan import Cordon, Create, Destroy, Mark, Start, Stop, Suspend, Uncordon
from autoscaler.domain.reason import ReasonCode, reason
from tests.contract.flys import POOL, Fly, emulated, recorded

WHY = reason(ReasonCode.DEMAND)
ORD = Region("ord")
NOWHERE = MachineId("00000000000000")
NAME = MachineName("as-0a1b2c3d-ord-1")


@pytest.fixture(params=[emulated, recorded], ids=["emulated", "recorded"])
async def fly(request: pytest.FixtureRequest) -> AsyncIterator[Fly]:
    async with request.param() as arranged:
        yield arranged


def on(machine: MachineId) -> dict[str, Any]:
    return {"machine": machine, "region": ORD, "reason": WHY}


def refusal(result: Result) -> Refusal | None:
    return result.refusal if isinstance(result, Refused) else None


def create(name: MachineName = NAME) -> Create:
    config = {"image": "registry.fly.io/demo:d@sha256:1", "metadata": {"autoscaler": POOL}}
    return Create(region=ORD, name=name, config=config, reason=WHY, home=ORD)


async def test_a_survey_shows_every_machine_with_its_state_and_configuration(fly: Fly) -> None:
    machine = fly.holding("stopped")
    survey = await fly.machines.survey(fly.app)
    (found,) = survey.machines
    assert (found.id, found.state, found.region) == (machine, MachineState.STOPPED, ORD)
    assert found.metadata["autoscaler"] == POOL
    assert found.config is not None
    assert found.config["metadata"] == found.metadata
    assert "@sha256:" in found.image
    assert found.instance_id
    assert found.created_at is not None


async def test_an_app_without_machines_has_an_empty_survey(fly: Fly) -> None:
    assert (await fly.machines.survey(fly.app)).machines == ()


async def test_a_survey_of_an_app_that_does_not_exist_is_refused(fly: Fly) -> None:
    with pytest.raises(RefusedError):
        await fly.machines.survey(AppName("other"))


async def test_a_survey_survives_one_error_of_the_platform(fly: Fly) -> None:
    fly.holding("stopped")
    fly.breaks("list")
    assert len((await fly.machines.survey(fly.app)).machines) == 1


async def test_a_survey_that_keeps_failing_is_an_error(fly: Fly) -> None:
    fly.breaks("list")
    fly.breaks("list")
    with pytest.raises(UnreachableError):
        await fly.machines.survey(fly.app)


async def test_a_look_finds_what_is_there_and_nothing_else(fly: Fly) -> None:
    machine = fly.holding("started")
    found = await fly.machines.look(fly.app, machine)
    assert found is not None
    assert (found.id, found.state) == (machine, MachineState.STARTED)
    assert await fly.machines.look(fly.app, NOWHERE) is None


@pytest.mark.parametrize("state", ["stopped", "suspended"])
async def test_a_machine_at_rest_is_started(fly: Fly, state: str) -> None:
    machine = fly.holding(state)
    assert await fly.machines.act(fly.app, Start(**on(machine))) == Applied(machine=machine)


async def test_a_started_machine_needs_no_start(fly: Fly) -> None:
    machine = fly.holding("started")
    assert await fly.machines.act(fly.app, Start(**on(machine))) == AlreadySo(machine=machine)


async def test_a_machine_still_being_created_cannot_be_started(fly: Fly) -> None:
    result = await fly.machines.act(fly.app, Start(**on(fly.holding("created"))))
    assert refusal(result) is Refusal.WRONG_STATE


async def test_a_full_host_refuses_a_start(fly: Fly) -> None:
    machine = fly.holding("stopped")
    fly.host_is_full()
    assert refusal(await fly.machines.act(fly.app, Start(**on(machine)))) is Refusal.HOST_FULL


@pytest.mark.parametrize("kind", [Start, Stop, Suspend, Destroy])
async def test_somebody_elses_lease_refuses_at_once(
    fly: Fly, kind: type[Start | Stop | Suspend | Destroy]
) -> None:
    machine = fly.holding("stopped")
    fly.leased(machine)
    async with asyncio.timeout(2.0):
        result = await fly.machines.act(fly.app, kind(**on(machine)))
    assert refusal(result) is Refusal.LEASED


async def test_a_started_machine_is_stopped_and_left_without_a_lease(fly: Fly) -> None:
    machine = fly.holding("started")
    assert await fly.machines.act(fly.app, Stop(**on(machine))) == Applied(machine=machine)
    assert fly.leases_left == 0


async def test_a_started_machine_is_suspended_and_left_without_a_lease(fly: Fly) -> None:
    machine = fly.holding("started")
    assert await fly.machines.act(fly.app, Suspend(**on(machine))) == Applied(machine=machine)
    assert fly.leases_left == 0


async def test_a_stopped_machine_cannot_be_suspended(fly: Fly) -> None:
    result = await fly.machines.act(fly.app, Suspend(**on(fly.holding("stopped"))))
    assert refusal(result) is Refusal.WRONG_STATE
    assert fly.leases_left == 0


async def test_a_stopped_machine_is_destroyed(fly: Fly) -> None:
    machine = fly.holding("stopped")
    assert await fly.machines.act(fly.app, Destroy(**on(machine))) == Applied(machine=machine)


async def test_a_started_machine_is_not_destroyed_without_force(fly: Fly) -> None:
    result = await fly.machines.act(fly.app, Destroy(**on(fly.holding("started"))))
    assert refusal(result) is Refusal.WRONG_STATE
    assert fly.leases_left == 0


async def test_a_machine_that_does_not_exist_is_destroyed_already(fly: Fly) -> None:
    assert await fly.machines.act(fly.app, Destroy(**on(NOWHERE))) == AlreadySo(machine=NOWHERE)


async def test_a_machine_that_does_not_exist_cannot_be_stopped(fly: Fly) -> None:
    assert refusal(await fly.machines.act(fly.app, Stop(**on(NOWHERE)))) is Refusal.NOT_FOUND


async def test_a_machine_is_created(fly: Fly) -> None:
    result = await fly.machines.act(fly.app, create())
    assert isinstance(result, Applied)
    assert result.machine


async def test_a_full_region_refuses_a_create(fly: Fly) -> None:
    fly.region_is_full()
    assert refusal(await fly.machines.act(fly.app, create())) is Refusal.REGION_FULL


async def test_a_volume_that_another_machine_holds_refuses_a_create(fly: Fly) -> None:
    mounting = {"mounts": [{"volume": fly.taken_volume(), "path": "/data"}]}
    asked = create()
    result = await fly.machines.act(fly.app, replace(asked, config={**asked.config, **mounting}))
    assert refusal(result) is Refusal.VOLUME


async def test_a_configuration_that_cannot_be_is_refused_as_such(fly: Fly) -> None:
    fly.tiny_guests_are_refused()
    tiny = {"guest": {"cpu_kind": "shared", "cpus": 4, "memory_mb": 64}}
    asked = create()
    result = await fly.machines.act(fly.app, replace(asked, config={**asked.config, **tiny}))
    assert refusal(result) is Refusal.INVALID


async def test_another_version_than_the_one_looked_at_takes_no_marks(fly: Fly) -> None:
    machine = fly.holding("stopped")
    looked_at = await fly.machines.look(fly.app, machine)
    assert looked_at is not None
    fly.updated(machine)
    mark = Mark(**on(machine), metadata={"autoscaler_doomed": "1"}, instance_id=looked_at.instance_id)
    assert refusal(await fly.machines.act(fly.app, mark)) is Refusal.WRONG_STATE


async def test_a_create_under_a_name_of_our_own_pool_is_already_so(fly: Fly) -> None:
    machine = fly.named(NAME, pool=POOL)
    assert await fly.machines.act(fly.app, create()) == AlreadySo(machine=machine)


async def test_a_create_under_somebody_elses_name_is_refused(fly: Fly) -> None:
    fly.named(NAME, pool="other")
    assert refusal(await fly.machines.act(fly.app, create())) is Refusal.NAME_TAKEN


async def test_marks_and_cordons_are_applied(fly: Fly) -> None:
    machine = fly.holding("started")
    marks = {"autoscaler_draining": "1708569778", "autoscaler_home": None}
    for action in (Mark(**on(machine), metadata=marks), Cordon(**on(machine)), Uncordon(**on(machine))):
        assert await fly.machines.act(fly.app, action) == Applied(machine=machine)


@pytest.mark.parametrize("operation", ["start", "stop", "destroy"])
async def test_a_lost_answer_is_uncertain_and_leaves_no_lease(fly: Fly, operation: str) -> None:
    machine = fly.holding("started" if operation == "stop" else "stopped")
    fly.loses_the_answer(operation)
    kinds: dict[str, type[Start | Stop | Destroy]] = {"start": Start, "stop": Stop, "destroy": Destroy}
    result = await fly.machines.act(fly.app, kinds[operation](**on(machine)))
    assert isinstance(result, Uncertain)
    assert fly.leases_left == 0


async def test_a_lost_answer_to_a_create_is_uncertain(fly: Fly) -> None:
    fly.loses_the_answer("create")
    assert isinstance(await fly.machines.act(fly.app, create()), Uncertain)


async def test_an_error_of_the_platform_is_uncertain(fly: Fly) -> None:
    machine = fly.holding("stopped")
    fly.breaks("start")
    assert isinstance(await fly.machines.act(fly.app, Start(**on(machine))), Uncertain)


async def test_a_throttled_action_is_carried_out_in_the_end(fly: Fly) -> None:
    machine = fly.holding("stopped")
    fly.throttles("start")
    assert await fly.machines.act(fly.app, Start(**on(machine))) == Applied(machine=machine)


async def test_a_throttled_action_without_time_is_refused(fly: Fly) -> None:
    machine = fly.holding("stopped")
    fly.throttles("start")
    until = asyncio.get_running_loop().time() + 0.5
    result = await fly.machines.act(fly.app, Start(**on(machine)), until=until)
    assert refusal(result) is Refusal.RATE_LIMITED
