"""The exclusive hold on a Machine around an action: short, and given back whatever happens.

A deploy waits at most a minute for somebody's lease and then gives up, so ours must neither be long nor be
forgotten: not when the action fails, and not when the tick is cancelled at any point in between.
"""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from autoscaler.adapters.fly_machines.calls import acquire_lease, release_lease
from autoscaler.adapters.fly_machines.dispatch import TOO_MANY, Dispatcher
from autoscaler.adapters.fly_machines.notation import mapping, text
from autoscaler.adapters.fly_machines.refusals import judged
from autoscaler.adapters.http.exchange import Reply
from autoscaler.domain.errors import GarbledError, UpstreamError
from autoscaler.domain.names import AppName, InstanceId, MachineId
from autoscaler.domain.outcome import Failed, Refused, Uncertain

PAUSE_S = 1.0
"""Before the second attempt to give a lease back; after that it ends by itself in seconds."""

T = TypeVar("T")
Held = tuple[AppName, MachineId]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A lease of ours: the nonce that proves it, and the Machine's version when it was taken."""

    nonce: str
    version: InstanceId


class NoLeaseError(Exception):
    """The lease was not to be had, so that the action was certainly not carried out."""

    def __init__(self, result: Refused | Failed) -> None:
        """`result` is what became of the action."""
        self.result = result
        super().__init__(result.detail)


class Leases:
    """Takes leases and gives them back. Close it, so that none is left behind."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        """Leases are requested within the dispatcher's budget; giving back is never delayed by it."""
        self._dispatcher = dispatcher
        self._running: set[asyncio.Task[Any]] = set()

    @asynccontextmanager
    async def hold(self, app: AppName, machine: MachineId, *, until: float) -> AsyncIterator[Hold]:
        """Hold the Machine inside the block. Raises NoLeaseError, or TooLateError after `until`."""
        hold = await self._take((app, machine), until)
        try:
            yield hold
        finally:
            giving_back = self._start(self._give_back((app, machine), hold.nonce))
            task = asyncio.current_task()
            # Whoever cancels has no time left to wait; the request goes out all the same.
            if task is None or not task.cancelling():
                await asyncio.shield(giving_back)

    async def aclose(self) -> None:
        """Wait for leases that are still being given back; every one of them is bounded in time."""
        while self._running:
            await asyncio.wait(self._running)

    async def _take(self, held: Held, until: float) -> Hold:
        call = acquire_lease(*held)
        await self._dispatcher.admit(call, held, until=until)
        request = self._start(self._dispatcher.send(call, held))
        try:
            reply = await asyncio.shield(request)
        except asyncio.CancelledError:
            # The platform may be granting it at this moment; only its answer tells the nonce.
            self._start(self._abandon(held, request))
            raise
        except UpstreamError as error:
            raise NoLeaseError(Failed(detail=f"no lease: {error.detail}")) from error
        return _granted(reply)

    async def _abandon(self, held: Held, request: asyncio.Task[Reply]) -> None:
        try:
            hold = _granted(await request)
        except (NoLeaseError, UpstreamError):
            return
        await self._give_back(held, hold.nonce)

    async def _give_back(self, held: Held, nonce: str) -> None:
        if not await self._given_back(held, nonce):
            # Nobody waits for this: what the action came to is known.
            self._start(self._give_back_again(held, nonce))

    async def _give_back_again(self, held: Held, nonce: str) -> None:
        await asyncio.sleep(PAUSE_S)
        await self._given_back(held, nonce)

    async def _given_back(self, held: Held, nonce: str) -> bool:
        """Whether the lease is over. What is refused is not ours any more, or went with its Machine."""
        try:
            reply = await self._dispatcher.send(release_lease(*held, nonce), held)
        except UpstreamError:
            return False
        return reply.status < TOO_MANY

    def _start(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.create_task(work, name="lease")
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task


def _granted(reply: Reply) -> Hold:
    """The lease in the answer. NoLeaseError if it was refused or is not there."""
    if not reply.ok:
        result = judged(reply)
        if isinstance(result, Uncertain):
            result = Failed(detail=f"no lease: {result.detail}")
        raise NoLeaseError(result)
    try:
        data = mapping(mapping(reply.json()).get("data"))
    except GarbledError as error:
        raise NoLeaseError(Failed(detail=f"no lease: {error.detail}")) from error
    nonce = text(data.get("nonce"))
    if not (nonce and nonce.isascii() and nonce.isprintable()):
        raise NoLeaseError(Failed(detail="no lease: the answer carries no nonce"))
    return Hold(nonce=nonce, version=InstanceId(text(data.get("version"))))
