"""Two Flys that can be brought into the same situations: the emulated one, over real HTTP, and one that only
repeats what was recorded from the platform.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Protocol

import httpx

from autoscaler.adapters.fly_machines.client import FlyMachines
from autoscaler.adapters.http.client import HttpClient
from autoscaler.domain.names import AppName, MachineId, VolumeId
from autoscaler.emulator import launching, volumes
from autoscaler.emulator.config import EmulatorConfig, TokenScope
from autoscaler.emulator.faults import Fault, Kind
from autoscaler.emulator.leasing import acquire
from autoscaler.emulator.seeding import seed
from autoscaler.emulator.server import Running, serve
from autoscaler.reconcile.ports import Machines
from tests.adapters.fly_machines.platform import APP, Platform, platform
from tests.adapters.fly_machines.recorded import CREATED

POOL = "web"


class Fly(Protocol):
    """A platform with one app, and what may happen on it."""

    app: AppName
    machines: Machines

    def holding(self, state: str) -> MachineId:
        """There is a Machine of our pool in this state."""
        ...

    def region_is_full(self) -> None:
        """No host of any region has room for a new Machine."""
        ...

    def host_is_full(self) -> None:
        """No Machine finds room on its host."""
        ...

    def taken_volume(self) -> VolumeId:
        """A volume that another Machine holds."""
        ...

    def tiny_guests_are_refused(self) -> None:
        """A Machine with less memory than there must be is not accepted."""
        ...

    def updated(self, machine: MachineId) -> None:
        """Somebody has made another version of the Machine."""
        ...

    def leased(self, machine: MachineId) -> None:
        """Somebody else holds the Machine."""
        ...

    def named(self, name: str, *, pool: str) -> MachineId:
        """A live Machine of this name and pool exists."""
        ...

    def loses_the_answer(self, operation: str) -> None:
        """The next such request is carried out, and its answer lost."""
        ...

    def breaks(self, operation: str) -> None:
        """The next such request is answered with 500."""
        ...

    def throttles(self, operation: str) -> None:
        """The next such request is answered with 429."""
        ...

    @property
    def leases_left(self) -> int:
        """Leases of ours that were not given back."""
        ...


class Emulated:
    """The emulated Fly."""

    def __init__(self, running: Running, machines: Machines) -> None:
        self.app = AppName(running.world.config.app)
        self.machines = machines
        self._running = running

    def holding(self, state: str) -> MachineId:
        return self._seeded(state, POOL)

    def region_is_full(self) -> None:
        self._inject(Fault(kind=Kind.REGION_FULL))

    def host_is_full(self) -> None:
        self._inject(Fault(kind=Kind.HOST_FULL))

    def taken_volume(self) -> VolumeId:
        world = self._running.world
        volume = volumes.create(world, self.app, {"name": "data", "region": "ord"})
        volumes.attach(world, volume, world.machines[self.holding("started")])
        return VolumeId(volume.id)

    def tiny_guests_are_refused(self) -> None:
        """As it is."""

    def updated(self, machine: MachineId) -> None:
        world = self._running.world
        changed = world.machines[machine]
        launching.update(world, changed, config=dict(changed.config), skip_launch=True)

    def leased(self, machine: MachineId) -> None:
        world = self._running.world
        acquire(world, world.machines[machine], owner="hello@fly.io", ttl_s=120.0)

    def named(self, name: str, *, pool: str) -> MachineId:
        world, machine = self._running.world, self._seeded("started", pool)
        world.change(world.machines[machine], name=name)
        return machine

    def loses_the_answer(self, operation: str) -> None:
        self._inject(Fault(kind=Kind.DROP_AFTER_COMMIT, operation=operation, count=1))

    def breaks(self, operation: str) -> None:
        self._inject(Fault(kind=Kind.STATUS, operation=operation, status=500, count=1))

    def throttles(self, operation: str) -> None:
        limited = {"error": "rate limit exceeded"}
        self._inject(Fault(kind=Kind.STATUS, operation=operation, status=429, body=limited, count=1))

    @property
    def leases_left(self) -> int:
        return sum(lease.owner != "hello@fly.io" for lease in self._running.world.leases.values())

    def _seeded(self, state: str, pool: str) -> MachineId:
        (made,) = seed(
            self._running.world,
            app=self.app,
            group="app",
            regions=("ord",),
            count=1,
            state=state,
            config={"metadata": {"autoscaler": pool}},
        )
        return MachineId(made.id)

    def _inject(self, fault: Fault) -> None:
        self._running.world.faults.add(fault, self._running.clock.now())


OK = (200, {"ok": True})
LEASED = "aborted: machine ID {} lease currently held by hello@fly.io, expires at 2026-08-14T09:57:35Z"
NO_ROOM = (
    "aborted: could not reserve resource for machine: "
    "insufficient CPUs available to fulfill request on the current host"
)
VERBS = {
    "start": "POST /machines/{}/start",
    "stop": "POST /machines/{}/stop",
    "suspend": "POST /machines/{}/suspend",
    "destroy": "DELETE /machines/{}",
    "cordon": "POST /machines/{}/cordon",
    "uncordon": "POST /machines/{}/uncordon",
    "create": "POST /machines",
    "list": "GET /machines",
}


class Recorded:
    """Repeats the platform's recorded answers; it does not change by what it is asked."""

    app = APP

    def __init__(self, scripted: Platform, machines: Machines) -> None:
        self.machines = machines
        self._scripted = scripted
        self._machine = MachineId(CREATED["id"])
        scripted.on("GET /machines", (200, []))
        scripted.on("POST /machines", (200, CREATED))
        scripted.on("GET /v1/apps/other", (404, {"error": "app not found"}))
        scripted.on("GET /v1/apps/other/machines", (404, {"error": "app not found"}))
        scripted.on("GET /machines/00000000000000", (404, {"error": "machine not found"}))
        scripted.on("POST /machines/00000000000000/lease", (404, {"error": "machine not found"}))

    def holding(self, state: str) -> MachineId:
        config = {**CREATED["config"], "metadata": {"autoscaler": POOL}}
        entry = {**CREATED, "state": state, "config": config, "host_status": "ok"}
        self._on("list", (200, [entry]))
        self._scripted.on(f"GET /machines/{self._machine}", (200, entry))
        self._scripted.on(f"PATCH /machines/{self._machine}/metadata", (204, ""))
        self._scripted.leasing(self._machine)
        for verb in ("start", "stop", "suspend", "destroy", "cordon", "uncordon"):
            self._on(verb, _recorded(verb, state))
        return self._machine

    def region_is_full(self) -> None:
        full = {"error": "could not find a candidate host", "status": "insufficient_capacity"}
        self._on("create", (422, full))

    def host_is_full(self) -> None:
        self._on("start", (409, {"error": NO_ROOM}))

    def taken_volume(self) -> VolumeId:
        text = f"volume already claimed by machine {self._machine}"
        self._on("create", _precondition(text))
        return VolumeId("vol_123")

    def tiny_guests_are_refused(self) -> None:
        self._on("create", (400, {"error": "invalid config.guest.memory_mb, minimum required 1024 MiB"}))

    def updated(self, machine: MachineId) -> None:
        self._scripted.on(f"PATCH /machines/{machine}/metadata", (412, {"error": "precondition failed"}))

    def leased(self, machine: MachineId) -> None:
        refusal = (409, {"error": LEASED.format(machine)})
        self._scripted.on(f"POST /machines/{machine}/lease", refusal)
        self._on("start", refusal)

    def named(self, name: str, *, pool: str) -> MachineId:
        machine = self.holding("started")
        config = {**CREATED["config"], "metadata": {"autoscaler": pool}}
        self._scripted.on(f"GET /machines/{machine}", (200, {**CREATED, "name": name, "config": config}))
        text = f"unique machine name violation, machine ID {machine} already exists with name"
        self._on("create", (409, {"error": f'already_exists: {text} "{name}"'}))
        return machine

    def loses_the_answer(self, operation: str) -> None:
        self._before(operation, httpx.RemoteProtocolError("Server disconnected without sending a response."))

    def breaks(self, operation: str) -> None:
        self._before(operation, (500, {"error": "unknown: injected"}))

    def throttles(self, operation: str) -> None:
        self._before(operation, (429, {"error": "rate limit exceeded"}))

    @property
    def leases_left(self) -> int:
        taken = self._scripted.calls.count(f"POST /machines/{self._machine}/lease")
        return taken - self._scripted.calls.count(f"DELETE /machines/{self._machine}/lease")

    def _on(self, operation: str, *answers: Any) -> None:
        self._scripted.on(VERBS[operation].format(self._machine), *answers)

    def _before(self, operation: str, trouble: Any) -> None:
        self._scripted.answers[VERBS[operation].format(self._machine)].appendleft(trouble)


def _recorded(verb: str, state: str) -> tuple[int, object]:
    """The platform's answer to a verb upon a Machine in this state."""
    if verb == "start":
        started = {"previous_state": state, "migrated": False, "new_host": ""}
        return (200, started) if state in {"stopped", "suspended"} else _precondition(_unable(verb, state))
    if verb == "destroy" and state == "started":
        text = "unable to destroy machine, not currently stopped, suspended, failed or created"
        return _precondition(text)
    if (verb, state) in {("stop", "created"), ("suspend", "stopped"), ("suspend", "created")}:
        return _precondition(_unable(verb, state))
    return OK


def _unable(verb: str, state: str) -> str:
    return f"unable to {verb} machine from current state: '{state}'"


def _precondition(text: str) -> tuple[int, object]:
    return (412, {"error": f"failed_precondition: {text}"})


@asynccontextmanager
async def emulated() -> AsyncIterator[Fly]:
    """Over real HTTP, on a free port."""
    config = EmulatorConfig(machines=0, tokens={"fm2_good": TokenScope(kind="deploy", app="demo")})
    async with (
        serve(config) as running,
        HttpClient("machines", running.url, token="fm2_good") as http,
        FlyMachines(http) as machines,
    ):
        yield Emulated(running, machines)


@asynccontextmanager
async def recorded() -> AsyncIterator[Fly]:
    """In memory."""
    async with platform() as (scripted, machines):
        yield Recorded(scripted, machines)
