"""Laws of the emulated platform, whatever is asked of it in whatever order."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from autoscaler.emulator import launching, leasing, lifecycle, metadata
from autoscaler.emulator.clock import MIDNIGHT
from autoscaler.emulator.config import EmulatorConfig
from autoscaler.emulator.errors import ApiError, LeaseHeldError
from autoscaler.emulator.record import Event, Machine
from autoscaler.emulator.seeding import new_world, seed
from autoscaler.emulator.view import machine_json
from autoscaler.emulator.world import World

ARROWS = {
    "created": {"starting", "stopped", "replacing", "destroying", "launch_failed"},
    "starting": {"started", "stopping", "destroying"},
    "started": {"stopping", "suspending", "restarting", "stopped", "replacing", "destroying"},
    "stopping": {"stopped", "destroying"},
    "stopped": {"starting", "replacing", "destroying"},
    "suspending": {"suspended", "starting", "stopping", "destroying"},
    "suspended": {"starting", "stopped", "replacing", "destroying"},
    "restarting": {"started", "stopping", "destroying"},
    "replacing": {"starting", "stopped", "destroying"},
    "launch_failed": {"destroyed", "destroying"},
    "destroying": {"destroyed"},
    "destroyed": set[str](),
}
CONFIG = {"image": "alpine", "restart": {"policy": "on-failure", "max_retries": 2}}
VERBS = {
    "start": lifecycle.start,
    "stop": lifecycle.stop,
    "suspend": lifecycle.suspend,
    "restart": lifecycle.restart,
    "destroy": lifecycle.destroy,
}


class Watched(World):
    """Remembers every change of state."""

    def __init__(self, config: EmulatorConfig, now: float) -> None:
        super().__init__(config, now)
        self.arrows: set[tuple[str, str]] = set()

    def move(self, machine: Machine, state: str, event: Event | None = None, **changes: Any) -> Machine:
        self.arrows.add((machine.state, state))
        return super().move(machine, state, event, **changes)


class Platform(RuleBasedStateMachine):
    """Anything a client may do, and time."""

    @initialize()
    def begin(self) -> None:
        config = EmulatorConfig(machines=3, region_capacity={"ord": 3}, host_capacity=2)
        self.world = Watched(config, MIDNIGHT)
        seed(self.world, app="demo", group="app", regions=("ord", "ams"), count=3)
        self.nonces: dict[str, str] = {}

    def pick(self, number: int) -> Machine:
        machines = list(self.world.machines.values())
        return machines[number % len(machines)]

    def fenced(self, machine: Machine, nonce: str | None) -> bool:
        lease = leasing.lease_of(self.world, machine.id)
        return lease is not None and lease.nonce != nonce

    def attempt(self, machine: Machine, nonce: str | None, act: Any) -> None:
        """A fenced action changes nothing and says so; any other refusal changes nothing either."""
        fenced = self.fenced(machine, nonce) and machine.live and machine.host_status == "ok"
        try:
            act()
        except LeaseHeldError:
            assert fenced
        except ApiError:
            assert not fenced
        else:
            assert not fenced
            return
        assert self.world.machines[machine.id] is machine

    @rule(number=st.integers(0, 9), verb=st.sampled_from(sorted(VERBS)), holder=st.booleans())
    def act(self, number: int, verb: str, holder: bool) -> None:
        machine = self.pick(number)
        nonce = self.nonces.get(machine.id) if holder else None
        self.attempt(machine, nonce, lambda: VERBS[verb](self.world, machine, nonce=nonce))

    @rule(number=st.integers(0, 9), skip=st.booleans())
    def update(self, number: int, skip: bool) -> None:
        machine = self.pick(number)
        self.attempt(
            machine, None, lambda: launching.update(self.world, machine, config=CONFIG, skip_launch=skip)
        )

    @rule(number=st.integers(0, 9))
    def destroy_by_force(self, number: int) -> None:
        machine = self.pick(number)
        self.attempt(machine, None, lambda: lifecycle.destroy(self.world, machine, force=True))

    @rule(name=st.sampled_from(["as-1", "as-2", None]), region=st.sampled_from(["ord", "ord,ams", "eu"]))
    def create(self, name: str | None, region: str) -> None:
        taken = self.world.named("demo", name) is not None if name else False
        status = 200
        try:
            launching.create(self.world, "demo", config=CONFIG, name=name, region=region)
        except ApiError as error:
            status = error.status
        assert status in ({409} if taken else {200, 422})

    @rule(number=st.integers(0, 9), ttl=st.floats(0.5, 30))
    def lease(self, number: int, ttl: float) -> None:
        machine = self.pick(number)
        free = machine.live and leasing.lease_of(self.world, machine.id) is None
        try:
            self.nonces[machine.id] = leasing.acquire(self.world, machine, owner="x", ttl_s=ttl).nonce
        except ApiError:
            assert not free
        else:
            assert free

    @rule(number=st.integers(0, 9), code=st.integers(0, 1))
    def exit(self, number: int, code: int) -> None:
        lifecycle.end(self.world, self.pick(number), code)

    @rule(number=st.integers(0, 9))
    def mark(self, number: int) -> None:
        machine = self.pick(number)
        if machine.live:
            metadata.write(self.world, machine, "mark", "1")
            assert self.world.machines[machine.id].instance_id == machine.instance_id

    @rule(seconds=st.floats(0, 15))
    def wait(self, seconds: float) -> None:
        self.world.advance(self.world.now + seconds)

    @invariant()
    def names_are_unique_among_live_machines(self) -> None:
        names = [machine.name for machine in self.world.machines.values() if machine.live]
        assert len(names) == len(set(names))

    @invariant()
    def states_change_along_the_documented_arrows(self) -> None:
        assert all(after in ARROWS[before] for before, after in self.world.arrows)

    @invariant()
    def places_are_counted_right(self) -> None:
        live = [machine for machine in self.world.machines.values() if machine.reserves]
        for place, count in self.world.reserved.items():
            assert count == sum(place in {machine.host, machine.region} for machine in live)

    @invariant()
    def transient_states_end(self) -> None:
        lasting = {"started", "stopped", "suspended", "failed", "destroyed"}
        for machine in self.world.machines.values():
            assert machine.state in lasting or self.world.now < machine.updated_at + 15


TestPlatform = Platform.TestCase
TestPlatform.settings = settings(stateful_step_count=40)


actions = st.lists(
    st.tuples(st.sampled_from([*sorted(VERBS), "create"]), st.integers(0, 5), st.floats(0, 10)), max_size=15
)


@given(seed_number=st.integers(0, 3), story=actions)
def test_the_same_seed_and_requests_give_the_same_world(seed_number, story):
    def told(started_at: float) -> list[object]:
        world = new_world(EmulatorConfig(seed=seed_number, machines=2), started_at)
        answers: list[object] = []
        for verb, number, seconds in story:
            machines = list(world.machines.values())
            try:
                if verb == "create":
                    answers.append(launching.create(world, "demo", config=CONFIG).id)
                else:
                    answers.append(VERBS[verb](world, machines[number % len(machines)]))
            except ApiError as error:
                answers.append(str(error))
            world.advance(world.now + seconds)
        return [*answers, *(machine_json(machine) for machine in world.machines.values())]

    assert told(MIDNIGHT) == told(MIDNIGHT)


def test_identifiers_do_not_depend_on_the_moment():
    one, two = (new_world(EmulatorConfig(seed=7), now) for now in (MIDNIGHT, MIDNIGHT + 12345))
    for name in ("id", "name", "host", "instance_id", "private_ip"):
        ours, theirs = ([getattr(m, name) for m in world.machines.values()] for world in (one, two))
        assert ours == theirs


def test_another_seed_gives_other_machines():
    one, two = (new_world(EmulatorConfig(seed=number), MIDNIGHT) for number in (1, 2))
    assert not set(one.machines) & set(two.machines)
