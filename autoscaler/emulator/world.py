"""The emulated platform's memory, its agenda of changes to come, and its time, which is always passed in."""

import heapq
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from autoscaler.emulator import errors
from autoscaler.emulator.config import EmulatorConfig
from autoscaler.emulator.faults import Facts, Fault, FaultBook, Injected, Kind
from autoscaler.emulator.ids import Identifiers
from autoscaler.emulator.limits import RateLimits
from autoscaler.emulator.loads import Constant, Load, LoadBoard, Shape
from autoscaler.emulator.record import App, Event, Lease, Machine, Volume

PAST_KEPT = 64
EVENTS_KEPT = 50

Step = Callable[["World", Machine], None]
Chore = Callable[["World"], None]


class World:
    """Apps, Machines, volumes and leases at `now`, with enough of their past for stale lists.

    Nothing here waits or reads a clock: `advance` brings the world to a moment and does everything
    that was due by then. The modules `launching`, `lifecycle`, `leasing`, `metadata`, `volumes`,
    `deploys` and `proxy` act on it.
    """

    def __init__(self, config: EmulatorConfig, now: float) -> None:
        self.config = config
        self.now = now
        self.ids = Identifiers(config.seed)
        self.faults = FaultBook(config.seed)
        self.limits = RateLimits(enabled=config.rate_limits)
        self.loads = LoadBoard()
        self.apps: dict[str, App] = {}
        self.machines: dict[str, Machine] = {}
        self.volumes: dict[str, Volume] = {}
        self.leases: dict[str, Lease] = {}
        self.tokens = dict(config.tokens)
        self.reserved: dict[str, int] = {}
        """Places taken, by host and by region."""
        self.app_machines: dict[str, dict[str, None]] = {}
        self._names: dict[tuple[str, str], str] = {}
        self._past: dict[str, deque[tuple[float, Machine]]] = {}
        self._agenda: list[tuple[float, int, Chore]] = []
        self._held: dict[str, Step] = {}
        self._count = 0

    def advance(self, now: float) -> None:
        """Bring the world to `now`; an earlier moment changes nothing."""
        while self._agenda and self._agenda[0][0] <= now:
            at, _, chore = heapq.heappop(self._agenda)
            self.now = max(self.now, at)
            chore(self)
        self.now = max(self.now, now)

    def plan(self, machine: Machine, delay_s: float, step: Step) -> None:
        """Do `step` in `delay_s` unless the Machine changes its state before."""
        machine_id, generation = machine.id, machine.generation

        def take(world: World) -> None:
            current = world.machines[machine_id]
            if current.generation != generation:
                return
            if current.stuck:
                world.hold(current, step)
            else:
                step(world, current)

        self.plan_chore(delay_s, take)

    def plan_chore(self, delay_s: float, chore: Chore) -> None:
        """Do something in `delay_s`, whatever happens."""
        self._count += 1
        heapq.heappush(self._agenda, (round(self.now + delay_s, 6), self._count, chore))

    def hold(self, machine: Machine, step: Step) -> None:
        """Keep a stuck Machine's next step until it is freed."""
        self._held[machine.id] = step

    def put(self, machine: Machine) -> Machine:
        """Remember the Machine as it is now."""
        before = self.machines.get(machine.id)
        self._count_places(before, -1)
        self._count_places(machine, 1)
        self.machines[machine.id] = machine
        self.app_machines.setdefault(machine.app, {})[machine.id] = None
        if machine.live:
            self._names[machine.app, machine.name] = machine.id
        elif self._names.get((machine.app, machine.name)) == machine.id:
            del self._names[machine.app, machine.name]
        self._past.setdefault(machine.id, deque(maxlen=PAST_KEPT)).append((self.now, machine))
        return machine

    def change(self, machine: Machine, **changes: Any) -> Machine:  # noqa: ANN401 - fields of any type
        """Replace fields of a Machine without touching what is planned for it."""
        return self.put(replace(machine, updated_at=self.now, **changes))

    def move(
        self,
        machine: Machine,
        state: str,
        event: Event | None = None,
        **changes: Any,  # noqa: ANN401 - fields of any type
    ) -> Machine:
        """Change a Machine's state, with the event that tells of it; outdates what was planned."""
        self._held.pop(machine.id, None)
        events = (event, *machine.events)[:EVENTS_KEPT] if event else machine.events
        generation = machine.generation + 1
        moved = self.change(machine, state=state, events=events, generation=generation, **changes)
        if self.faults.hit(Kind.STUCK, self.facts(moved), self.now):
            moved = self.change(moved, stuck=True)
        return moved

    def event(self, kind: str, status: str, source: str, request: dict[str, Any] | None = None) -> Event:
        """A new line for a Machine's history."""
        return Event(
            id=self.ids.ulid(), type=kind, status=status, source=source, at=self.now, request=request
        )

    def free(self, machine_id: str) -> None:
        """A stuck Machine goes on with what was due."""
        machine = self.change(self.machines[machine_id], stuck=False)
        step = self._held.pop(machine_id, None)
        if step:
            step(self, machine)

    def app(self, name: str) -> App:
        """The app of this name. ApiError 404 otherwise."""
        if name not in self.apps:
            raise errors.app_not_found()
        return self.apps[name]

    def add_app(self, name: str, *, org: str | None = None, network: str = "default") -> App:
        """Register an app."""
        self._count += 1
        app = App(
            id=self.ids.app(),
            number=1000 + self._count,
            name=name,
            org=org or self.config.org,
            network=network,
        )
        self.apps[name] = app
        self.app_machines.setdefault(name, {})
        return app

    def machine(self, app: str, machine_id: str) -> Machine:
        """The Machine of this id. ApiError 400 for a malformed id, 404 when the app has none such."""
        found = self.machines.get(machine_id)
        if found is None and not _well_formed(machine_id):
            raise errors.refusal(400, f"invalid machine ID, '{machine_id}'")
        if found is None or found.app != app:
            raise errors.machine_not_found()
        return found

    def of_app(self, app: str) -> Iterator[Machine]:
        """Every Machine the app ever had, oldest first."""
        return (self.machines[machine_id] for machine_id in self.app_machines.get(app, ()))

    def named(self, app: str, name: str) -> Machine | None:
        """The live Machine of this name."""
        machine_id = self._names.get((app, name))
        return self.machines[machine_id] if machine_id else None

    def seen_at(self, machine_id: str, at: float) -> Machine | None:
        """The Machine as it was at an earlier moment, None if there was none yet."""
        if at >= self.now:
            return self.machines.get(machine_id)
        past = self._past.get(machine_id, ())
        return next((machine for since, machine in reversed(past) if since <= at), None)

    def inject(self, fault: Fault) -> Injected:
        """Put a fault in force; a lost host is lost at once."""
        injected = self.faults.add(fault, self.now)
        if fault.kind is Kind.HOST_LOST:
            struck = [
                machine.host for machine in self.machines.values() if fault.concerns(self.facts(machine))
            ]
            self.set_hosts(set(struck), "unreachable")
        return injected

    def clear(self, number: int | None = None) -> None:
        """End one fault, or all; lost hosts come back unless another fault keeps them."""
        ended = self.faults.remove(number)
        if any(injected.fault.kind is Kind.HOST_LOST for injected in ended):
            self.set_hosts({machine.host for machine in self.machines.values()}, "ok")
            for injected in [injected for injected in self.faults if injected.fault.kind is Kind.HOST_LOST]:
                self.faults.remove(injected.id)
                self.inject(injected.fault)

    def set_load(
        self,
        name: str,
        shape: Shape | float,
        *,
        labels: Mapping[str, str] | None = None,
        backfill: bool = False,
        lag_s: float = 0.0,
    ) -> None:
        """From now on the series of this name and these labels follows a shape, or stays at a number."""
        follows = Constant(value=shape) if isinstance(shape, int | float) else shape
        load = Load(shape=follows, since=self.now, backfill=backfill, lag_s=lag_s)
        self.loads.set(name, labels or {}, load)

    def set_hosts(self, hosts: Iterable[str], status: str) -> None:
        """Give every Machine on these hosts a host status: ok, unknown or unreachable."""
        chosen = set(hosts)
        for machine in list(self.machines.values()):
            if machine.host in chosen and machine.host_status != status:
                self.put(replace(machine, host_status=status))

    def facts(self, machine: Machine, operation: str = "") -> Facts:
        """What a fault may be narrowed down by, for this Machine."""
        return Facts(
            operation=operation,
            app=machine.app,
            region=machine.region,
            machine=machine.id,
            state=machine.state,
            release=machine.metadata.get("fly_release_version", ""),
        )

    def _count_places(self, machine: Machine | None, by: int) -> None:
        if machine is not None and machine.reserves:
            for place in (machine.host, machine.region):
                self.reserved[place] = self.reserved.get(place, 0) + by


def reach(machine: Machine) -> None:
    """ApiError 408 when the Machine's host is lost, 404 when the Machine is."""
    if machine.host_status != "ok":
        raise errors.host_unreachable()
    if not machine.live:
        raise errors.machine_not_found()


def _well_formed(machine_id: str) -> bool:
    return len(machine_id) == 14 and all(character in "0123456789abcdef" for character in machine_id)
