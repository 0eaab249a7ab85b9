"""Every action is one request, asked for at the platform's pace, and its result is told by its meaning."""

import asyncio
import json
from typing import Any

import httpx
import pytest

from autoscaler.adapters.fly_machines.client import FlyMachines
from autoscaler.domain.names import InstanceId, MachineId, MachineName, Region, VolumeId
from autoscaler.domain.outcome import (
    AlreadySo,
    Applied,
    Failed,
    NotSent,
    Refusal,
    Refused,
    Result,
    Uncertain,
)
from autoscaler.domain.plan import (
    Action,
    Cordon,
    Create,
    CreateVolume,
    DestroyVolume,
    Mark,
    Start,
    Uncordon,
)
from autoscaler.domain.reason import ReasonCode, reason
from tests.adapters.fly_machines.platform import APP, Answer, Platform, platform
from tests.adapters.fly_machines.recorded import CREATED

pytestmark = pytest.mark.looptime

WHY = reason(ReasonCode.DEMAND)
ORD = Region("ord")
M1 = MachineId("m1")
START = Start(machine=M1, region=ORD, reason=WHY)
STARTED = {"previous_state": "stopped", "migrated": False, "new_host": ""}
CONFIG = {"image": "r.io/a:t@sha256:1", "metadata": {"autoscaler": "web"}, "unknown": {"kept": [1]}}
CREATE = Create(region=ORD, name=MachineName("as-1"), config=CONFIG, reason=WHY, home=ORD)
HOLDER = "1857156b526dd8"
TAKEN = {
    "error": f"already_exists: unique machine name violation, machine ID {HOLDER} "
    'already exists with name "as-1"'
}


def now() -> float:
    return asyncio.get_running_loop().time()


async def acting(action: Action, call: str, *answers: Answer) -> tuple[Result, Platform]:
    async with platform() as (fly, machines):
        fly.on(call, *answers)
        return await machines.act(APP, action), fly


async def starting(*answers: Answer) -> Result:
    return (await acting(START, "POST /machines/m1/start", *answers))[0]


def body(request: httpx.Request) -> Any:
    return json.loads(request.content) if request.content else None


async def test_a_start_is_applied_without_a_lease() -> None:
    result, fly = await acting(START, "POST /machines/m1/start", (200, STARTED))
    assert result == Applied(machine=M1)
    assert fly.calls == ["POST /machines/m1/start"]
    assert body(fly.requests[0]) is None


async def test_a_machine_that_was_started_before_is_already_so() -> None:
    assert await starting((200, {**STARTED, "previous_state": "started"})) == AlreadySo(machine=M1)
    assert await starting((412, {"error": "machine still attempting to start"})) == AlreadySo(machine=M1)


async def test_success_is_success_even_if_nobody_can_read_it() -> None:
    assert await starting((200, "ok")) == Applied(machine=M1)
    result, _ = await acting(CREATE, "POST /machines", (200, "ok"))
    assert result == Applied()


@pytest.mark.parametrize(
    "trouble",
    [
        (500, {"error": "unknown: internal"}),
        (503, "upstream connect error"),
        (408, {"error": "deadline_exceeded: machine failed to reach desired state"}),
        httpx.ReadTimeout("read"),
        httpx.WriteTimeout("write"),
        httpx.ReadError("reset by peer"),
        httpx.WriteError("broken pipe"),
        httpx.RemoteProtocolError("disconnected"),
        httpx.DecodingError("gzip"),
    ],
)
async def test_an_unknown_result_is_uncertain_and_never_repeated(trouble: Answer) -> None:
    result, fly = await acting(START, "POST /machines/m1/start", trouble, (200, STARTED))
    assert isinstance(result, Uncertain)
    assert len(fly.calls) == 1


@pytest.mark.parametrize(
    "trouble",
    [httpx.ConnectError("refused"), httpx.ConnectTimeout("connect"), httpx.PoolTimeout("pool")],
)
async def test_what_was_never_sent_has_failed_and_is_not_repeated(trouble: Exception) -> None:
    result, fly = await acting(START, "POST /machines/m1/start", trouble, (200, STARTED))
    assert isinstance(result, Failed)
    assert len(fly.calls) == 1


async def test_silence_is_uncertain() -> None:
    began = now()
    assert isinstance(await starting(asyncio.Event().wait), Uncertain)
    assert now() - began == pytest.approx(30.0)


async def test_a_refusal_carries_the_platforms_words() -> None:
    words = "aborted: could not reserve resource for machine: insufficient CPUs available"
    expected = Refused(refusal=Refusal.HOST_FULL, detail=f"409 {words}")
    assert await starting((409, {"error": words})) == expected


async def test_a_429_is_repeated_at_half_the_rate() -> None:
    began = now()
    limited = (429, {"error": "rate limit exceeded"})
    assert await starting(limited, limited, (200, STARTED)) == Applied(machine=M1)
    assert now() - began == pytest.approx(2.0 + 4.0)


async def test_a_429_is_repeated_after_the_pause_it_asks_for() -> None:
    began = now()
    assert await starting((429, "", {"Retry-After": "9"}), (200, STARTED)) == Applied(machine=M1)
    assert now() - began == pytest.approx(9.0)


async def test_a_429_is_a_refusal_once_no_time_remains() -> None:
    async with platform() as (fly, machines):
        fly.on("POST /machines/m1/start", (429, {"error": "rate limit exceeded"}))
        began = now()
        result = await machines.act(APP, START, until=began + 5.0)
    assert result == Refused(refusal=Refusal.RATE_LIMITED, detail="429 rate limit exceeded")
    assert len(fly.calls) == 2
    assert now() - began == pytest.approx(2.0)


async def test_starts_of_different_machines_go_at_once() -> None:
    async with platform() as (fly, machines):
        actions = [Start(machine=MachineId(f"m{number}"), region=ORD, reason=WHY) for number in range(50)]
        for action in actions:
            fly.on(f"POST /machines/{action.machine}/start", later(0.25, (200, STARTED)))
        began = now()
        results = await asyncio.gather(*(machines.act(APP, action) for action in actions))
        assert now() - began == pytest.approx(0.25)
    assert all(isinstance(result, Applied) for result in results)


async def test_creates_of_one_app_go_at_the_platforms_pace() -> None:
    async with platform() as (fly, machines):
        fly.on("POST /machines", (200, CREATED))
        began = now()
        await asyncio.gather(*(machines.act(APP, CREATE) for _ in range(10)))
        assert now() - began == pytest.approx(7.0)


async def test_what_gets_no_turn_in_time_is_not_sent_and_says_so_at_once() -> None:
    async with platform() as (fly, machines):
        fly.on("POST /machines", (200, CREATED))
        began = now()
        results = await asyncio.gather(*(machines.act(APP, CREATE, until=began + 2.5) for _ in range(10)))
        assert now() - began == pytest.approx(2.0)
    assert [type(result) for result in results] == [Applied] * 5 + [NotSent] * 5
    assert len(fly.calls) == 5


async def test_a_create_sends_the_configuration_as_it_is() -> None:
    result, fly = await acting(CREATE, "POST /machines", (200, CREATED))
    assert result == Applied(machine=MachineId("1857156b526dd8"))
    assert body(fly.requests[0]) == {"name": "as-1", "region": "ord", "config": CONFIG}


async def test_a_machine_created_stopped_is_not_launched() -> None:
    stopped = Create(region=ORD, name=MachineName("as-1"), config=CONFIG, reason=WHY, home=ORD, stopped=True)
    _, fly = await acting(stopped, "POST /machines", (200, CREATED))
    assert body(fly.requests[0])["skip_launch"] is True


async def creating_a_taken_name(*answers: Answer) -> Result:
    async with platform() as (fly, machines):
        fly.on("POST /machines", (409, TAKEN))
        fly.on(f"GET /machines/{HOLDER}", *answers)
        return await machines.act(APP, CREATE)


def holder(state: str, **metadata: str) -> dict[str, Any]:
    return {**CREATED, "state": state, "config": {**CREATED["config"], "metadata": metadata}}


async def test_a_name_taken_by_a_live_machine_of_our_pool_is_already_so() -> None:
    for state in ("created", "starting", "started", "stopped"):
        result = await creating_a_taken_name((200, holder(state, autoscaler="web")))
        assert result == AlreadySo(machine=MachineId(HOLDER))


@pytest.mark.parametrize(
    "answer",
    [
        (200, holder("started", autoscaler="other")),
        (200, holder("started")),
        (200, holder("destroying", autoscaler="web")),
        (200, holder("destroyed", autoscaler="web")),
        (404, {"error": "machine not found"}),
    ],
)
async def test_a_name_taken_by_another_is_refused(answer: Answer) -> None:
    result = await creating_a_taken_name(answer)
    assert result == Refused(refusal=Refusal.NAME_TAKEN, detail=f"409 {TAKEN['error']}")


@pytest.mark.parametrize("answer", [(500, ""), httpx.ReadTimeout("read"), (200, {"id": "half"})])
async def test_a_name_taken_by_nobody_knows_whom_is_uncertain(answer: Answer) -> None:
    assert isinstance(await creating_a_taken_name(answer), Uncertain)


async def test_a_name_taken_without_saying_by_whom_is_refused() -> None:
    result, fly = await acting(CREATE, "POST /machines", (409, {"error": "already_exists: name"}))
    assert result == Refused(refusal=Refusal.NAME_TAKEN, detail="409 already_exists: name")
    assert fly.calls == ["POST /machines"]


async def test_a_mark_merges_metadata_of_the_version_that_was_looked_at() -> None:
    marks = {"autoscaler_draining": "1708569778", "autoscaler_home": None}
    mark = Mark(machine=M1, region=ORD, reason=WHY, metadata=marks, instance_id=InstanceId("01HQ"))
    result, fly = await acting(mark, "PATCH /machines/m1/metadata", (204, ""))
    assert result == Applied(machine=M1)
    assert body(fly.requests[0]) == {"metadata": marks, "machine_version": "01HQ"}


async def test_a_mark_on_a_machine_that_was_deployed_meanwhile_is_refused() -> None:
    mark = Mark(machine=M1, region=ORD, reason=WHY, metadata={"a": "b"}, instance_id=InstanceId("old"))
    result, _ = await acting(mark, "PATCH /machines/m1/metadata", (412, {"error": "precondition failed"}))
    assert result == Refused(refusal=Refusal.WRONG_STATE, detail="412 precondition failed")


@pytest.mark.parametrize(("kind", "verb"), [(Cordon, "cordon"), (Uncordon, "uncordon")])
async def test_cordons_take_no_lease(kind: type[Cordon | Uncordon], verb: str) -> None:
    result, fly = await acting(
        kind(machine=M1, region=ORD, reason=WHY), f"POST /machines/m1/{verb}", (200, {"ok": True})
    )
    assert result == Applied(machine=M1)
    assert fly.calls == [f"POST /machines/m1/{verb}"]


async def test_a_volume_is_created_with_what_is_known_of_it() -> None:
    action = CreateVolume(region=ORD, name="data", reason=WHY, size_gb=3, compute={"cpus": 1})
    result, fly = await acting(action, "POST /volumes", (200, {"id": "vol_1", "name": "data"}))
    assert result == Applied(volume=VolumeId("vol_1"))
    assert body(fly.requests[0]) == {"name": "data", "region": "ord", "size_gb": 3, "compute": {"cpus": 1}}


async def test_a_volume_is_destroyed_and_one_that_is_gone_is_already_so() -> None:
    action = DestroyVolume(region=ORD, volume=VolumeId("vol_1"), reason=WHY)
    result, _ = await acting(action, "DELETE /volumes/vol_1", (200, {"id": "vol_1"}))
    assert result == Applied(volume=VolumeId("vol_1"))
    result, _ = await acting(action, "DELETE /volumes/vol_1", (404, {"error": "volume not found"}))
    assert result == AlreadySo()


async def test_identifiers_cannot_leave_their_place_in_the_path() -> None:
    async with platform() as (fly, machines):
        fly.on("POST /machines/../../x/start", (200, STARTED))
        await machines.act(APP, Start(machine=MachineId("../../x"), region=ORD, reason=WHY))
    assert fly.requests[0].url.raw_path == b"/v1/apps/shop/machines/..%2F..%2Fx/start"


def later(seconds: float, answer: Answer) -> Answer:
    async def wait() -> Answer:
        await asyncio.sleep(seconds)
        return answer

    return wait


async def test_a_cancelled_action_stays_cancelled() -> None:
    async with platform() as (fly, machines):
        fly.on("POST /machines/m1/start", asyncio.Event().wait)
        with pytest.raises(TimeoutError):
            await within(1.0, machines)
    assert fly.calls == ["POST /machines/m1/start"]


async def within(seconds: float, machines: FlyMachines) -> None:
    async with asyncio.timeout(seconds):
        await machines.act(APP, START)
