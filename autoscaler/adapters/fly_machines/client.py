"""Machines over the platform's API."""

import re
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

from autoscaler.adapters.fly_machines import calls, parse
from autoscaler.adapters.fly_machines.dispatch import Dispatcher, soon
from autoscaler.adapters.fly_machines.leases import Hold, Leases, NoLeaseError
from autoscaler.adapters.fly_machines.listing import machines_in
from autoscaler.adapters.fly_machines.notation import mapping, text
from autoscaler.adapters.fly_machines.rate_budget import TooLateError
from autoscaler.adapters.fly_machines.refusals import already_so, judged, missing
from autoscaler.adapters.http.client import HttpClient
from autoscaler.adapters.http.exchange import Call, Reply
from autoscaler.domain.errors import GarbledError, RefusedError, UnreachableError, UpstreamError
from autoscaler.domain.fleet import Machine, MachineState, Survey, Volume
from autoscaler.domain.geography import Place
from autoscaler.domain.names import AppName, MachineId, Region, VolumeId
from autoscaler.domain.outcome import (
    AlreadySo,
    Applied,
    Failed,
    NotSent,
    Refusal,
    Refused,
    Result,
    Uncertain,
)
from autoscaler.domain.plan import Action, Create, CreateVolume, Destroy, DestroyVolume, Start, Stop, Suspend
from autoscaler.reconcile import marks

PATIENCE_S = 15.0
"""How long an action waits for its turn where the caller does not say."""

_HOLDER_OF_NAME = re.compile(r"machine ID (\w+) already exists")
_LEAVING = frozenset({MachineState.DESTROYED, MachineState.DESTROYING, MachineState.LAUNCH_FAILED})


class FlyMachines:
    """The `Machines` port. Close it before its HTTP client, so that no lease of ours is left behind."""

    def __init__(self, http: HttpClient, *, clock: Callable[[], float] = time.time) -> None:
        """`http` has the API's base address and token; `clock` gives unix seconds."""
        self._dispatcher = Dispatcher(http)
        self._leases = Leases(self._dispatcher)
        self._clock = clock

    async def __aenter__(self) -> Self:
        """Nothing is opened here."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wait for leases that are being given back."""
        await self._leases.aclose()

    async def survey(self, app: AppName, *, include_deleted: bool = False) -> Survey:
        """List every Machine of the app. Raises UpstreamError: a partial or unreadable list is an error."""
        call = calls.list_machines(app, include_deleted=include_deleted)
        reply = await self._dispatcher.read(call, app)
        at = self._clock()
        return Survey(app=app, at=at, machines=await machines_in(reply.body))

    async def look(self, app: AppName, machine: MachineId) -> Machine | None:
        """One Machine, or None if the platform says that it does not exist. Raises UpstreamError."""
        try:
            reply = await self._dispatcher.read(calls.get_machine(app, machine), (app, machine))
        except RefusedError as error:
            if missing(error):
                return None
            raise
        return parse.machine(reply.json())

    async def volumes(self, app: AppName) -> tuple[Volume, ...]:
        """Every volume of the app. Raises UpstreamError."""
        entries = (await self._dispatcher.read(calls.list_volumes(app), app)).json()
        if not isinstance(entries, list):
            raise GarbledError("the list of volumes is not an array")
        return tuple(parse.volume(entry) for entry in entries)

    async def app_exists(self, app: AppName) -> bool:
        """Whether the platform knows the app. Raises UpstreamError, RefusedError for a token it rejects."""
        try:
            await self._dispatcher.read(calls.get_app(app), app)
        except RefusedError as error:
            if missing(error):
                return False
            raise
        return True

    async def regions(self) -> Mapping[Region, Place]:
        """The platform's own list of regions where Machines can run. Raises UpstreamError."""
        reply = await self._dispatcher.read(calls.list_regions(), "")
        return parse.regions(reply.json())

    async def act(self, app: AppName, action: Action, *, until: float | None = None) -> Result:
        """Carry out one action, once. Every trouble is a Result; nothing of the upstream's making is raised.

        Stop, suspend and destroy take a lease of 20 seconds and always give it back. `until`, a moment of
        the loop's clock, is the last at which anything is sent, also again after a 429; default 15 s ahead.
        """
        until = soon(PATIENCE_S) if until is None else until
        try:
            if isinstance(action, Stop | Suspend | Destroy):
                return await self._under_lease(app, action, until)
            reply = await self._write(app, action, calls.carrying_out(app, action), until)
            return await self._result(app, action, reply)
        except TooLateError:
            return NotSent()
        except UnreachableError as error:
            return Uncertain(detail=error.detail) if error.sent else Failed(detail=error.detail)
        except UpstreamError as error:
            return Uncertain(detail=error.detail)

    async def _under_lease(self, app: AppName, action: Stop | Suspend | Destroy, until: float) -> Result:
        try:
            async with self._leases.hold(app, action.machine, until=until) as hold:
                if _outdated(action, hold):
                    detail = "the Machine has another version than the one looked at"
                    return Refused(refusal=Refusal.CONFLICT, detail=detail)
                call = calls.carrying_out(app, action, nonce=hold.nonce)
                until = min(until, soon(calls.LEASE_TTL_S - calls.LEASED_TIMEOUT_S - 1))
                return await self._result(app, action, await self._write(app, action, call, until))
        except NoLeaseError as error:
            return AlreadySo(machine=action.machine) if already_so(action, error.result) else error.result

    async def _write(self, app: AppName, action: Action, call: Call, until: float) -> Reply:
        identifier = app if action.machine is None else (app, action.machine)
        return await self._dispatcher.write(call, identifier, until=until)

    async def _result(self, app: AppName, action: Action, reply: Reply) -> Result:
        if reply.ok:
            return _applied(action, reply)
        result = judged(reply)
        if already_so(action, result):
            return AlreadySo(machine=action.machine)
        if not isinstance(action, Create) or not isinstance(result, Refused):
            return result
        taken = result.refusal is Refusal.NAME_TAKEN
        return await self._name_taken(app, action, reply, result) if taken else result

    async def _name_taken(self, app: AppName, action: Create, reply: Reply, refused: Refused) -> Result:
        """A live Machine of that name and of our pool is what was asked for, made by a lost request."""
        holder = _HOLDER_OF_NAME.search(reply.said)
        if holder is None:
            return refused
        try:
            machine = await self.look(app, MachineId(holder[1]))
        except UpstreamError as error:
            return Uncertain(detail=f"the name is taken, and by whom is unknown: {error.detail}")
        pool = mapping(action.config.get("metadata")).get(marks.POOL)
        if machine is None or machine.state in _LEAVING or not pool:
            return refused
        return AlreadySo(machine=machine.id) if marks.bears(machine, pool) else refused


def _outdated(action: Stop | Suspend | Destroy, hold: Hold) -> bool:
    return bool(action.instance_id and hold.version and action.instance_id != hold.version)


def _applied(action: Action, reply: Reply) -> Result:
    """Success. What the answer says besides may be unreadable: the platform has done it all the same."""
    try:
        fields = mapping(reply.json())
    except GarbledError:
        fields = {}
    if isinstance(action, Create):
        return Applied(machine=MachineId(text(fields.get("id"))) or None)
    if isinstance(action, CreateVolume):
        return Applied(volume=VolumeId(text(fields.get("id"))) or None)
    if isinstance(action, DestroyVolume):
        return Applied(volume=action.volume)
    if isinstance(action, Start) and fields.get("previous_state") in ("started", "starting"):
        return AlreadySo(machine=action.machine)
    return Applied(machine=action.machine)
