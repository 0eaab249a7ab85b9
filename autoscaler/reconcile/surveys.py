"""One list call for all pools of an app that look at the same time."""

import asyncio
from dataclasses import dataclass

from autoscaler.domain.fleet import Machine, Survey, Volume
from autoscaler.domain.names import AppName, MachineId
from autoscaler.domain.outcome import Result
from autoscaler.domain.plan import Action
from autoscaler.reconcile.ports import Machines

FRESH_S = 1.0

_Key = tuple[AppName, bool]


@dataclass(slots=True)
class _Shared:
    """A list call under way or just finished, and how many wait for it."""

    call: asyncio.Task[Survey]
    waiting: int = 0
    answered_at: float | None = None


class SharedSurveys:
    """Machines whose list calls are shared by all who ask while one is under way, and for a second after.

    An action makes the app's next list call a new one, so nobody takes a picture from before it
    for one from after it. A failed call is shared with those that waited for it and with nobody else.
    """

    def __init__(self, machines: Machines, *, fresh_s: float = FRESH_S) -> None:
        """`machines` is the platform itself."""
        self._machines = machines
        self._fresh_s = fresh_s
        self._shared: dict[_Key, _Shared] = {}

    async def survey(self, app: AppName, *, include_deleted: bool = False) -> Survey:
        """As the port says."""
        key = (app, include_deleted)
        shared = self._usable(key) or self._begin(key)
        shared.waiting += 1
        try:
            survey = await asyncio.shield(shared.call)
        finally:
            shared.waiting -= 1
            if shared.waiting == 0 and not shared.call.done():
                shared.call.cancel()
        if shared.answered_at is None:
            loop = asyncio.get_running_loop()
            shared.answered_at = loop.time()
            loop.call_later(self._fresh_s, self._drop, key, shared)
        return survey

    async def look(self, app: AppName, machine: MachineId) -> Machine | None:
        """As the port says."""
        return await self._machines.look(app, machine)

    async def act(self, app: AppName, action: Action, *, until: float | None = None) -> Result:
        """As the port says."""
        self._forget(app)
        try:
            return await self._machines.act(app, action, until=until)
        finally:
            self._forget(app)

    async def volumes(self, app: AppName) -> tuple[Volume, ...]:
        """As the port says."""
        return await self._machines.volumes(app)

    def _begin(self, key: _Key) -> _Shared:
        app, include_deleted = key
        call = asyncio.create_task(self._list(app, include_deleted=include_deleted), name=f"survey {app}")
        self._shared[key] = _Shared(call=call)
        return self._shared[key]

    async def _list(self, app: AppName, *, include_deleted: bool) -> Survey:
        return await self._machines.survey(app, include_deleted=include_deleted)

    def _usable(self, key: _Key) -> _Shared | None:
        shared = self._shared.get(key)
        if shared is None or (not shared.call.done() and shared.waiting > 0):
            return shared
        if shared.answered_at is None:
            return None
        age_s = asyncio.get_running_loop().time() - shared.answered_at
        return shared if age_s <= self._fresh_s else None

    def _drop(self, key: _Key, shared: _Shared) -> None:
        """A list that nobody may be given any more is not kept: it can be large."""
        if self._shared.get(key) is shared:
            del self._shared[key]

    def _forget(self, app: AppName) -> None:
        self._shared = {key: shared for key, shared in self._shared.items() if key[0] != app}
