"""A read is repeated once after an error that may pass, and a write never."""

import asyncio

import pytest

from autoscaler.adapters.http.client import HttpClient
from autoscaler.domain.errors import RefusedError, UnreachableError, UpstreamError
from tests.adapters.http.test_client import get, post
from tests.adapters.http.wire import answer, hang, hang_up, wire


async def test_a_read_is_repeated_once_after_an_error() -> None:
    async with wire(hang_up, answer(200)) as server, HttpClient("x", server.url) as http:
        assert (await http.read(get())).ok
    async with wire(answer(503, {"error": "down"})) as server, HttpClient("x", server.url) as http:
        with pytest.raises(UnreachableError, match="503 down"):
            await http.read(get())
    assert len(server.seen) == 2


@pytest.mark.parametrize("status", [400, 401, 403, 404, 408, 409, 412, 422])
async def test_a_read_is_not_repeated_after_a_refusal_or_a_timeout_of_the_upstream(status: int) -> None:
    async with wire(answer(status), answer(200)) as server, HttpClient("x", server.url) as http:
        with pytest.raises(UpstreamError) as caught:
            await http.read(get())
    assert caught.value.status == status
    assert len(server.seen) == 1


async def test_a_read_is_not_repeated_after_a_timeout() -> None:
    async with wire(hang, answer(200)) as server, HttpClient("x", server.url) as http:
        with pytest.raises(UnreachableError):
            await http.read(get(timeout_s=0.1))
    assert len(server.seen) == 1


async def test_a_read_is_repeated_after_a_429_once_the_asked_pause_is_over() -> None:
    throttled = answer(429, headers={"Retry-After": "1"})
    async with wire(throttled, answer(200)) as server, HttpClient("x", server.url) as http:
        began = asyncio.get_running_loop().time()
        assert (await http.read(get())).ok
        assert asyncio.get_running_loop().time() - began >= 1.0


async def test_a_read_is_not_repeated_when_the_asked_pause_is_long() -> None:
    throttled = answer(429, headers={"Retry-After": "60"})
    async with wire(throttled, answer(200)) as server, HttpClient("x", server.url) as http:
        with pytest.raises(RefusedError) as caught:
            await http.read(get())
    assert caught.value.retry_after_s == 60.0
    assert len(server.seen) == 1


async def test_a_request_is_sent_once_whatever_comes_of_it() -> None:
    async with wire(answer(500), hang_up, answer(429)) as server, HttpClient("x", server.url) as http:
        assert (await http.send(post(json={}))).status == 500
        with pytest.raises(UnreachableError):
            await http.send(post(json={}))
        assert (await http.send(post(json={}))).status == 429
    assert len(server.seen) == 3
