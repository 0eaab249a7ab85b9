"""How many requests are under way at once, and who waits for whom."""

import asyncio

import pytest

from autoscaler.adapters.http.client import MAX_READS, MAX_WRITES, HttpClient
from autoscaler.adapters.http.exchange import Call
from autoscaler.domain.errors import UnreachableError
from tests.adapters.http.wire import hang, wire


async def refused_beside(crowd: int, method: str) -> UnreachableError:
    """What a short-lived read ends with while so many other requests hang."""
    other = Call(operation="other", method=method, path="/", timeout_s=60.0)
    read = Call(operation="read", method="GET", path="/", timeout_s=0.5)
    async with wire(hang) as server, HttpClient("x", server.url) as http:
        hanging = [asyncio.create_task(http.send(other)) for _ in range(crowd)]
        await asyncio.sleep(0)
        with pytest.raises(UnreachableError) as caught:
            await http.send(read)
        for task in hanging:
            task.cancel()
        await asyncio.gather(*hanging, return_exceptions=True)
    assert caught.value.timed_out
    return caught.value


async def test_what_never_got_its_turn_is_known_not_to_be_sent() -> None:
    assert not (await refused_beside(MAX_READS, "GET")).sent


async def test_writes_that_hang_keep_nobody_from_reading() -> None:
    assert (await refused_beside(MAX_WRITES, "POST")).sent
