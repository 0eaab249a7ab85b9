"""Stop, suspend and destroy hold the Machine's lease, and give it back whatever happens."""

import asyncio
import json

import httpx
import pytest

from autoscaler.domain.names import InstanceId, MachineId, Region
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
from autoscaler.domain.plan import Destroy, Stop, Suspend
from autoscaler.domain.reason import ReasonCode, reason
from tests.adapters.fly_machines.platform import (
    APP,
    GRANTED,
    NONCE,
    RELEASED,
    VERSION,
    Answer,
    Platform,
    platform,
)

pytestmark = pytest.mark.looptime

WHY = reason(ReasonCode.SURPLUS)
M1, ORD = MachineId("m1"), Region("ord")
STOP = Stop(machine=M1, region=ORD, reason=WHY)
TAKE, GIVE = "POST /machines/m1/lease", "DELETE /machines/m1/lease"
HALT = "POST /machines/m1/stop"
OK = (200, {"ok": True})


async def never() -> Answer:
    await asyncio.Event().wait()
    return OK


async def stopping(*answers: Answer) -> tuple[Result, Platform]:
    async with platform() as (fly, machines):
        fly.leasing()
        fly.on(HALT, *answers)
        return await machines.act(APP, STOP), fly


async def test_a_stop_is_made_under_a_lease_that_is_given_back() -> None:
    result, fly = await stopping(OK)
    assert result == Applied(machine=M1)
    assert fly.calls == [TAKE, HALT, GIVE]
    assert json.loads(fly.sent(TAKE).content) == {"description": "autoscaler", "ttl": 20}
    assert fly.sent(HALT).headers["fly-machine-lease-nonce"] == NONCE
    assert fly.sent(HALT).content == b""
    assert fly.sent(GIVE).headers["fly-machine-lease-nonce"] == NONCE


async def test_a_suspend_is_made_under_a_lease_that_is_given_back() -> None:
    async with platform() as (fly, machines):
        fly.leasing()
        fly.on("POST /machines/m1/suspend", OK)
        assert await machines.act(APP, Suspend(machine=M1, region=ORD, reason=WHY)) == Applied(machine=M1)
    assert fly.calls == [TAKE, "POST /machines/m1/suspend", GIVE]


@pytest.mark.parametrize(("force", "said"), [(False, "false"), (True, "true")])
async def test_a_destroy_is_made_under_a_lease_and_with_force_only_if_told(force: bool, said: str) -> None:
    async with platform() as (fly, machines):
        fly.leasing()
        fly.on("DELETE /machines/m1", OK)
        fly.on(GIVE, (404, {"error": "lease not found"}))
        result = await machines.act(APP, Destroy(machine=M1, region=ORD, reason=WHY, force=force))
    assert result == Applied(machine=M1)
    assert fly.calls == [TAKE, "DELETE /machines/m1", GIVE]
    assert dict(fly.sent("DELETE /machines/m1").url.params) == {"force": said}


@pytest.mark.parametrize(
    ("trouble", "result"),
    [
        ((500, "broken"), Uncertain(detail="500 broken")),
        (
            (412, {"error": "failed_precondition: no"}),
            Refused(refusal=Refusal.WRONG_STATE, detail="412 failed_precondition: no"),
        ),
        (httpx.ReadError("reset"), Uncertain(detail="machines: reset")),
        (httpx.ConnectError("refused"), Failed(detail="machines: refused")),
        (never, Uncertain(detail="machines: no answer within 15 s")),
    ],
)
async def test_the_lease_is_given_back_after_trouble(trouble: Answer, result: Result) -> None:
    told, fly = await stopping(trouble)
    assert told == result
    assert fly.calls == [TAKE, HALT, GIVE]


@pytest.mark.parametrize(
    ("trouble", "attempts"),
    [
        ((403, ""), 1),
        ((404, {"error": "lease not found"}), 1),
        ((429, ""), 2),
        ((500, ""), 2),
        (httpx.ReadError("reset"), 2),
        (never, 2),
    ],
)
async def test_trouble_with_giving_back_does_not_change_the_result_and_is_tried_once_more(
    trouble: Answer, attempts: int
) -> None:
    async with platform() as (fly, machines):
        fly.on(TAKE, (201, GRANTED))
        fly.on(HALT, OK)
        fly.on(GIVE, trouble)
        assert await machines.act(APP, STOP) == Applied(machine=M1)
        assert fly.calls == [TAKE, HALT, GIVE]
    assert fly.calls == [TAKE, HALT, *[GIVE] * attempts]


@pytest.mark.parametrize(
    ("trouble", "result"),
    [
        (
            (409, {"error": "aborted: machine ID m1 lease currently held by x@fly.io"}),
            Refused(
                refusal=Refusal.LEASED, detail="409 aborted: machine ID m1 lease currently held by x@fly.io"
            ),
        ),
        (
            (404, {"error": "machine not found"}),
            Refused(refusal=Refusal.NOT_FOUND, detail="404 machine not found"),
        ),
        ((429, ""), Refused(refusal=Refusal.RATE_LIMITED, detail="429")),
        ((401, ""), Refused(refusal=Refusal.UNAUTHORIZED, detail="401")),
        ((500, ""), Failed(detail="no lease: 500")),
        (httpx.ReadError("reset"), Failed(detail="no lease: machines: reset")),
        (never, Failed(detail="no lease: machines: no answer within 5 s")),
        ((201, "granted"), Failed(detail="no lease: the answer is not JSON")),
        ((201, {"status": "success"}), Failed(detail="no lease: the answer carries no nonce")),
        ((201, {"data": {"nonce": "n\u00f6"}}), Failed(detail="no lease: the answer carries no nonce")),
    ],
)
async def test_without_a_lease_nothing_is_done(trouble: Answer, result: Result) -> None:
    async with platform() as (fly, machines):
        fly.on(TAKE, trouble)
        assert await machines.act(APP, STOP) == result
    assert fly.calls == [TAKE]


async def test_a_machine_that_is_gone_needs_no_destroying() -> None:
    async with platform() as (fly, machines):
        fly.on(TAKE, (404, {"error": "machine not found"}))
        result = await machines.act(APP, Destroy(machine=M1, region=ORD, reason=WHY))
    assert result == AlreadySo(machine=M1)


async def test_another_version_than_the_one_looked_at_is_left_alone() -> None:
    planned = Stop(machine=M1, region=ORD, reason=WHY, instance_id=InstanceId("01OLD"))
    async with platform() as (fly, machines):
        fly.leasing()
        result = await machines.act(APP, planned)
    assert isinstance(result, Refused)
    assert result.refusal is Refusal.CONFLICT
    assert fly.calls == [TAKE, GIVE]


async def test_the_version_looked_at_is_stopped() -> None:
    planned = Stop(machine=M1, region=ORD, reason=WHY, instance_id=InstanceId(VERSION))
    async with platform() as (fly, machines):
        fly.leasing()
        fly.on(HALT, OK)
        assert await machines.act(APP, planned) == Applied(machine=M1)


async def test_an_action_cancelled_under_way_gives_the_lease_back_and_delays_nobody() -> None:
    async with platform() as (fly, machines):
        fly.leasing()
        fly.on(HALT, never)
        fly.on(GIVE, later(3.0, (200, RELEASED)))
        task = asyncio.create_task(machines.act(APP, STOP))
        await asyncio.sleep(1.0)
        began = asyncio.get_running_loop().time()
        await cancelled(task)
        assert asyncio.get_running_loop().time() - began < 0.1
    assert fly.calls == [TAKE, HALT, GIVE]


async def test_an_action_cancelled_while_its_lease_is_granted_gives_it_back_and_does_nothing() -> None:
    async with platform() as (fly, machines):
        fly.on(TAKE, later(2.0, (201, GRANTED)))
        fly.on(GIVE, (200, RELEASED))
        task = asyncio.create_task(machines.act(APP, STOP))
        await asyncio.sleep(1.0)
        await cancelled(task)
    assert fly.calls == [TAKE, GIVE]
    assert fly.sent(GIVE).headers["fly-machine-lease-nonce"] == NONCE


@pytest.mark.parametrize("trouble", [(409, "lease currently held"), (500, ""), httpx.ReadError("reset")])
async def test_an_action_cancelled_while_its_lease_is_refused_does_nothing(trouble: Answer) -> None:
    async with platform() as (fly, machines):
        fly.on(TAKE, later(2.0, trouble))
        task = asyncio.create_task(machines.act(APP, STOP))
        await asyncio.sleep(1.0)
        await cancelled(task)
    assert fly.calls == [TAKE]


async def test_an_action_cancelled_while_the_lease_is_given_back_leaves_none_behind() -> None:
    async with platform() as (fly, machines):
        fly.leasing()
        fly.on(HALT, OK)
        fly.on(GIVE, later(2.0, (200, RELEASED)))
        task = asyncio.create_task(machines.act(APP, STOP))
        await asyncio.sleep(1.0)
        await cancelled(task)
        began = asyncio.get_running_loop().time()
    assert fly.calls == [TAKE, HALT, GIVE]
    assert asyncio.get_running_loop().time() - began == pytest.approx(1.0)


async def test_an_action_cancelled_before_its_turn_asks_for_nothing() -> None:
    async with platform() as (fly, machines):
        fly.leasing()
        fly.on(HALT, OK)
        for _ in range(3):
            await machines.act(APP, STOP)
        asked = len(fly.calls)
        task = asyncio.create_task(machines.act(APP, STOP))
        await asyncio.sleep(0.5)
        await cancelled(task)
    assert len(fly.calls) == asked


async def test_a_lease_without_a_turn_in_time_is_not_asked_for() -> None:
    async with platform() as (fly, machines):
        fly.leasing()
        fly.on(HALT, OK)
        until = asyncio.get_running_loop().time() + 0.5
        results = [await machines.act(APP, STOP, until=until) for _ in range(4)]
    assert results == [Applied(machine=M1)] * 3 + [NotSent()]


async def test_a_429_under_a_lease_is_not_waited_out_beyond_it() -> None:
    async with platform() as (fly, machines):
        fly.leasing()
        fly.on(HALT, (429, "", {"Retry-After": "10"}), OK)
        began = asyncio.get_running_loop().time()
        result = await machines.act(APP, STOP)
    assert result == Refused(refusal=Refusal.RATE_LIMITED, detail="429")
    assert asyncio.get_running_loop().time() == began
    assert fly.calls == [TAKE, HALT, GIVE]


async def cancelled(task: "asyncio.Task[Result]") -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def later(seconds: float, answer: Answer) -> Answer:
    async def wait() -> Answer:
        await asyncio.sleep(seconds)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return wait
