"""A platform in memory that answers what a test scripts, in simulated time if the test likes."""

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx
import respx

from autoscaler.adapters.fly_machines.client import FlyMachines
from autoscaler.adapters.http.client import HttpClient
from autoscaler.domain.names import AppName

APP = AppName("shop")
PREFIX = "/v1/apps/shop"
NONCE = "5c35f65c9f95"
VERSION = "01HQ73A7BFFDF1B6WMGHFZZ4E7"
GRANTED = {
    "status": "success",
    "data": {
        "nonce": NONCE,
        "expires_at": 1708569778,
        "owner": "hello@fly.io",
        "description": "",
        "version": VERSION,
    },
}
RELEASED = {"status": "success", "data": {"ok": True}}

Answer = tuple[int, object] | tuple[int, object, Mapping[str, str]] | Exception | Callable[[], Awaitable[Any]]


class Platform:
    """Answers per request, written like `POST /machines/m1/stop`; the last one is given again for ever."""

    def __init__(self) -> None:
        self.answers: dict[str, deque[Answer]] = {}
        self.requests: list[httpx.Request] = []

    def on(self, request: str, *answers: Answer) -> None:
        self.answers[request] = deque(answers)

    def leasing(self, machine: str = "m1") -> None:
        """Grant and take back the Machine's lease."""
        self.on(f"POST /machines/{machine}/lease", (201, GRANTED))
        self.on(f"DELETE /machines/{machine}/lease", (200, RELEASED))

    @property
    def calls(self) -> list[str]:
        return [named(request) for request in self.requests]

    def sent(self, call: str) -> httpx.Request:
        """The only request of that name."""
        (found,) = [request for request in self.requests if named(request) == call]
        return found

    async def answer(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        answers = self.answers[named(request)]
        answer = answers.popleft() if len(answers) > 1 else answers[0]
        if isinstance(answer, Exception):
            raise answer
        if callable(answer):
            answer = await answer()
        status, body, *headers = answer
        return httpx.Response(status, headers=headers[0] if headers else None, **_content(body))


def named(request: httpx.Request) -> str:
    return f"{request.method} {request.url.path.removeprefix(PREFIX)}"


def _content(body: object) -> dict[str, Any]:
    return {"text": body} if isinstance(body, str) else {"json": body}


@asynccontextmanager
async def platform(
    clock: Callable[[], float] = lambda: 0.0,
) -> AsyncIterator[tuple[Platform, FlyMachines]]:
    """A platform without any answers yet, and our client of it."""
    scripted = Platform()
    with respx.mock(assert_all_called=False) as router:
        router.route().mock(side_effect=scripted.answer)
        async with (
            HttpClient("machines", "http://fly.test", token="fm2_a") as http,
            FlyMachines(http, clock=clock) as machines,
        ):
            yield scripted, machines
