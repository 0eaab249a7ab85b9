"""A list is read whole or not at all, and without holding anybody up."""

import asyncio
import gc
import json
import time
from typing import Any

import pytest

from autoscaler.adapters.fly_machines.listing import SLICE, machines_in
from autoscaler.domain.errors import GarbledError
from tests.adapters.fly_machines.recorded import CREATED, EXIT_EVENT


def listed(*entries: object) -> bytes:
    return json.dumps(entries).encode()


def entry(machine: str, **fields: Any) -> dict[str, Any]:
    return {**CREATED, "id": machine, **fields}


async def test_every_machine_is_read_in_the_order_of_the_list() -> None:
    found = await machines_in(b" \n" + listed(entry("b"), entry("a"), entry("c")) + b"\n ")
    assert [machine.id for machine in found] == ["b", "a", "c"]


@pytest.mark.parametrize("body", [b"[]", b" [ ] ", b"\n[\n]\n"])
async def test_an_empty_list_is_no_machines(body: bytes) -> None:
    assert await machines_in(body) == ()


async def test_of_a_machine_listed_twice_the_newest_is_kept() -> None:
    old = entry("a", state="stopped", updated_at="2023-11-08T01:52:30Z")
    new = entry("a", state="started", updated_at="2023-11-08T01:52:31Z")
    for order in ((old, new), (new, old)):
        found = await machines_in(listed(*order, entry("b")))
        assert [(machine.id, machine.state) for machine in found] == [("a", "started"), ("b", "created")]


async def test_of_a_machine_listed_twice_the_newest_version_is_kept_when_the_times_agree() -> None:
    old, new = entry("a", instance_id="01HEPA3A"), entry("a", instance_id="01HEPA3B")
    for order in ((old, new), (new, old)):
        assert [machine.instance_id for machine in await machines_in(listed(*order))] == ["01HEPA3B"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"{}",
        b'{"machines":[]}',
        b'"machines"',
        b"[",
        b"[]]",
        b"[] []",
        b"[null]",
        b"[[]]",
        b"[1]",
        b"[NaN]",
        b"[{}]",
        b"404 page not found",
        b"\xff\xfe",
        b"[" * 200_000,
        listed(entry("a"))[:-1],
        listed(entry("a"))[:-1] + b",",
        listed(entry("a"))[:-1] + b",]",
        listed(entry("a"))[:-1] + b" " + listed(entry("b"))[1:],
        listed(entry("a"), entry("b"))[:-20],
        listed(entry("a"), None),
        listed(entry("a"), entry("b", state=None)),
    ],
)
async def test_a_list_that_is_not_whole_is_garbled(body: bytes) -> None:
    with pytest.raises(GarbledError):
        await machines_in(body)


def thousand() -> bytes:
    event = {
        "id": "01K2M5N8Q0S2V4X6Z8B0D2F4H6",
        "type": "exit",
        "status": "stopped",
        "source": "flyd",
        "timestamp": 1723610000000,
        "request": {"exit_event": EXIT_EVENT, "restart_count": 1},
    }
    return listed(*(entry(f"{number:014x}", events=[event] * 20) for number in range(1000)))


async def test_a_thousand_machines_leave_the_loop_a_turn_after_every_slice() -> None:
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(others())
    await machines_in(thousand())
    task.cancel()
    assert turns >= 1000 // SLICE


async def test_a_thousand_machines_with_20_events_each_hold_the_loop_for_less_than_100_ms() -> None:
    body, longest = thousand(), 0.0

    async def others() -> None:
        nonlocal longest
        while True:
            # This thread's own time, so that a busy machine cannot fail the test.
            before = time.thread_time()
            await asyncio.sleep(0)
            longest = max(longest, time.thread_time() - before)

    gc.collect()
    task = asyncio.create_task(others())
    assert len(await machines_in(body)) == 1000
    task.cancel()
    assert longest < 0.1
