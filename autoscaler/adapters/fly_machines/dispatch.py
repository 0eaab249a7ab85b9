"""Requests on their way out, each at the pace the platform allows."""

import asyncio
from collections.abc import Hashable

from autoscaler.adapters.fly_machines.rate_budget import RateBudget, TooLateError
from autoscaler.adapters.http.client import HttpClient
from autoscaler.adapters.http.exchange import Call, Reply, accepted
from autoscaler.adapters.http.retry import retried

TOO_MANY = 429


class Dispatcher:
    """Sends through one HTTP client, within one rate budget."""

    def __init__(self, http: HttpClient) -> None:
        """The budget is kept as long as this object lives, across ticks."""
        self._http = http
        self._budget = RateBudget()

    async def read(self, call: Call, identifier: Hashable) -> Reply:
        """A successful reply, after one retry if need be. Raises UpstreamError."""
        return await retried(lambda: self._read_once(call, identifier))

    async def write(self, call: Call, identifier: Hashable, *, until: float) -> Reply:
        """Send once; again only after a 429, while a turn comes before `until`, a moment of the loop's clock.

        Raises TooLateError if no turn came, UnreachableError and GarbledError as the client does.
        """
        await self._budget.admit((call.operation, identifier), until=until)
        while True:
            reply = await self.send(call, identifier)
            if reply.status != TOO_MANY:
                return reply
            try:
                await self._budget.admit((call.operation, identifier), until=until)
            except TooLateError:
                return reply

    async def admit(self, call: Call, identifier: Hashable, *, until: float) -> None:
        """Wait for a turn to `send`. Raises TooLateError."""
        await self._budget.admit((call.operation, identifier), until=until)

    async def send(self, call: Call, identifier: Hashable) -> Reply:
        """Send now, without a turn, and learn from the answer how fast to go on."""
        reply = await self._http.send(call)
        if reply.status == TOO_MANY:
            self._budget.slow((call.operation, identifier), pause_s=reply.retry_after_s)
        else:
            self._budget.answered((call.operation, identifier))
        return reply

    async def _read_once(self, call: Call, identifier: Hashable) -> Reply:
        await self._budget.admit((call.operation, identifier))
        return accepted(await self.send(call, identifier))


def soon(seconds: float) -> float:
    """The moment of the running loop's clock so many seconds from now."""
    return asyncio.get_running_loop().time() + seconds
