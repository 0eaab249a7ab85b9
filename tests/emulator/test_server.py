"""The emulator on a real port."""

import asyncio
import signal
import time

import httpx
import pytest

from autoscaler.emulator.config import EmulatorConfig
from autoscaler.emulator.faults import Fault, Kind
from autoscaler.emulator.server import Running, serve, serve_in_thread

HEADERS = {"Authorization": "Bearer secret"}


async def test_fifty_starts_at_a_quarter_second_are_answered_together():
    config = EmulatorConfig(machines=50, latency_s=0.25, boot_s=0)
    limits = httpx.Limits(max_connections=50)
    async with (
        serve(config) as fly,
        httpx.AsyncClient(base_url=fly.url, headers=HEADERS, limits=limits) as http,
    ):
        machines = (await http.get("/v1/apps/demo/machines")).json()
        begun = time.perf_counter()
        answers = await asyncio.gather(
            *(http.post(f"/v1/apps/demo/machines/{machine['id']}/start") for machine in machines)
        )
        took = time.perf_counter() - begun
        assert {answer.status_code for answer in answers} == {200}
        assert 0.25 <= took < 2
        states = {machine["state"] for machine in (await http.get("/v1/apps/demo/machines")).json()}
        assert states == {"started"}


@pytest.mark.timeout(30)  # thirteen megabytes of JSON, made and read, take seconds on a busy machine
async def test_ten_thousand_machines_are_listed():
    async with (
        serve(EmulatorConfig(machines=10_000)) as fly,
        httpx.AsyncClient(base_url=fly.url, headers=HEADERS, timeout=20) as http,
    ):
        assert len((await http.get("/v1/apps/demo/machines")).json()) == 10_000


async def test_a_dropped_answer_closes_the_connection_after_the_fact():
    async with (
        serve(EmulatorConfig(machines=1)) as fly,
        httpx.AsyncClient(base_url=fly.url, headers=HEADERS) as http,
    ):
        fly.world.inject(Fault(kind=Kind.DROP_AFTER_COMMIT, operation="create", count=1))
        fly.world.inject(Fault(kind=Kind.DROP, operation="list", count=1))
        with pytest.raises(httpx.RemoteProtocolError):
            await http.post("/v1/apps/demo/machines", json={"config": {"image": "alpine"}, "name": "one"})
        with pytest.raises(httpx.RemoteProtocolError):
            await http.get("/v1/apps/demo/machines")
        names = [machine["name"] for machine in (await http.get("/v1/apps/demo/machines")).json()]
        assert "one" in names
        assert [(entry.operation, entry.status) for entry in fly.gateway.log] == [
            ("create", None),
            ("list", None),
            ("list", 200),
        ]


@pytest.mark.parametrize("app", ["a%0d%0aX:1", "a%00", "a%20b;c", "%E6%97%A5"])
async def test_a_path_of_any_text_is_answered(app: str):
    async with serve(EmulatorConfig()) as fly, httpx.AsyncClient(base_url=fly.url, headers=HEADERS) as http:
        answer = await http.get(f"/v1/apps/{app}/machines")
        assert answer.status_code == 404
        assert "X" not in answer.headers


async def test_a_region_of_any_text_is_answered():
    async with serve(EmulatorConfig()) as fly, httpx.AsyncClient(base_url=fly.url, headers=HEADERS) as http:
        body = {"config": {"image": "alpine"}, "region": "日\nX: 1"}
        assert (await http.post("/v1/apps/demo/machines", json=body)).status_code == 400


@pytest.mark.parametrize("status", [200, 204, 205, 304, 599])
async def test_an_injected_answer_arrives_whatever_its_status(status: int):
    async with serve(EmulatorConfig()) as fly, httpx.AsyncClient(base_url=fly.url, headers=HEADERS) as http:
        fault = {"kind": "status", "status": status, "headers": {"X-Odd": "ä b"}, "body": "words"}
        assert (await http.post("/_emulator/faults", json=fault)).status_code == 200
        assert (await http.get("/v1/apps/demo/machines")).status_code == status


async def arrived(fly: Running) -> None:
    """Any request has reached the emulator."""
    while not len(fly.gateway.log):  # noqa: ASYNC110 - the log has no event, and needs none elsewhere
        await asyncio.sleep(0.01)


async def test_ending_cuts_what_hangs():
    async with httpx.AsyncClient(headers=HEADERS, timeout=5) as http:
        async with serve(EmulatorConfig(machines=1)) as fly:
            fly.world.inject(Fault(kind=Kind.HANG))
            hanging = asyncio.create_task(http.get(f"{fly.url}/v1/apps/demo/machines"))
            async with asyncio.timeout(5):
                await arrived(fly)
        with pytest.raises(httpx.TransportError):
            await hanging


async def test_signals_stay_with_the_host_process():
    before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    async with serve(EmulatorConfig()):
        assert [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before


def test_a_thread_serves_callers_without_a_loop():
    with serve_in_thread(EmulatorConfig(machines=2)) as fly:
        assert len(httpx.get(f"{fly.url}/v1/apps/demo/machines", headers=HEADERS).json()) == 2
        assert fly.run(lambda world: len(world.machines)) == 2
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{fly.url}/v1/apps/demo/machines", headers=HEADERS)


async def test_a_port_in_use_is_an_error_of_the_system():
    async with serve(EmulatorConfig()) as fly:
        with pytest.raises(OSError, match="in use"):
            async with serve(EmulatorConfig(), port=fly.port):
                pass


def test_a_port_in_use_is_told_by_the_thread_too():
    with (
        serve_in_thread(EmulatorConfig()) as fly,
        pytest.raises(OSError, match="in use"),
        serve_in_thread(EmulatorConfig(), port=fly.port),
    ):
        pass
