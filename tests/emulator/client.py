"""An emulated Fly in this process whose clock stands still until a test moves it."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import httpx

from autoscaler.emulator.app import build
from autoscaler.emulator.clock import ManualClock
from autoscaler.emulator.config import EmulatorConfig
from autoscaler.emulator.world import World

T = TypeVar("T")
STEP_S = 0.1


class Fly:
    """One app `demo` without rate limits, unless a test asks for others."""

    def __init__(self, **settings: Any) -> None:
        self.clock = ManualClock()
        self.config = EmulatorConfig(**{"rate_limits": False, "machines": 1, **settings})
        self.app = build(self.config, self.clock, dropped=lambda: httpx.ReadError("closed"))
        self.world: World = self.app.state.world
        self.http = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=self.app),
            base_url="http://fly.test",
            headers={"Authorization": "Bearer secret"},
        )

    def pass_time(self, seconds: float) -> None:
        """Move the clock, and the world with it."""
        self.clock.advance(seconds)
        self.world.advance(self.clock.now())

    async def during(self, seconds: float, work: Coroutine[Any, Any, T]) -> T:
        """Run something while time passes; it must end within these seconds of the emulator's clock."""
        task = asyncio.ensure_future(work)
        for _ in range(round(seconds / STEP_S) + 1):
            for _ in range(20):
                await asyncio.sleep(0)
            if task.done():
                break
            self.clock.advance(STEP_S)
        assert task.done(), "still running"
        return await task

    async def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Any request below /v1/apps/demo."""
        return await self.http.request(method, f"/v1/apps/demo{path}", **options)

    async def machines(self, **params: str) -> list[dict[str, Any]]:
        """The list."""
        response = await self.call("GET", "/machines", params=params)
        assert response.status_code == 200, response.text
        found: list[dict[str, Any]] = response.json()
        return found

    async def only(self) -> dict[str, Any]:
        """The one Machine there is."""
        (machine,) = await self.machines()
        return machine

    async def machine(self, machine_id: str) -> dict[str, Any]:
        """One Machine."""
        response = await self.call("GET", f"/machines/{machine_id}")
        assert response.status_code == 200, response.text
        found: dict[str, Any] = response.json()
        return found

    async def state(self, machine_id: str) -> str:
        """The state of one Machine."""
        return str((await self.machine(machine_id))["state"])

    async def act(self, machine_id: str, verb: str, **options: Any) -> httpx.Response:
        """A verb of a Machine."""
        return await self.call("POST", f"/machines/{machine_id}/{verb}", **options)

    async def create(self, **body: Any) -> httpx.Response:
        """A new Machine."""
        return await self.call("POST", "/machines", json={"config": {"image": "alpine"}, **body})

    async def lease(self, machine_id: str, ttl: float = 120) -> str:
        """Take a lease and return its nonce."""
        response = await self.act(machine_id, f"lease?ttl={ttl}")
        assert response.status_code == 201, response.text
        return str(response.json()["data"]["nonce"])

    async def query(self, promql: str, **more: str) -> Any:
        """The result of an instant query."""
        response = await self.http.post("/prometheus/personal/api/v1/query", data={"query": promql, **more})
        assert response.status_code == 200, response.text
        return response.json()["data"]["result"]
