"""What lies between the autoscaler and the platform, and can be cut after any request: so a process dies."""

import asyncio
from collections.abc import Awaitable, Callable

import httpx


class Wire:
    """Carries requests to the platform until it is cut: then none passes, and none is answered."""

    def __init__(self, platform: Callable[[httpx.Request], Awaitable[httpx.Response]]) -> None:
        self.cut = asyncio.Event()
        self._platform = platform
        self._left: int | None = None

    def cut_after(self, requests: int) -> None:
        """The last of so many requests more is carried out by the platform, and its answer not heard."""
        self._left = requests

    def mend(self) -> None:
        """Everything passes again."""
        self._left = None
        self.cut.clear()

    async def carry(self, request: httpx.Request) -> httpx.Response:
        """Carry one request. Raises httpx.ConnectError where the wire is cut, ReadError where it breaks."""
        if self._left == 0:
            self.cut.set()
            raise httpx.ConnectError("the wire is cut")
        self._left = None if self._left is None else self._left - 1
        last = self._left == 0
        response = await self._platform(request)
        if last or self.cut.is_set():
            self.cut.set()
            raise httpx.ReadError("the wire was cut")
        return response
