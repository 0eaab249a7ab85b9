"""Deploys, told phase by phase: what `fly deploy` does to the Machines of a group."""

import math
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from functools import partial

from autoscaler.emulator import launching, leasing, lifecycle
from autoscaler.emulator.errors import ApiError, LeaseHeldError
from autoscaler.emulator.machine_config import deployed_image
from autoscaler.emulator.record import Json, Machine
from autoscaler.emulator.world import World

RELEASE_COMMAND = "fly_app_release_command"
TAG = "fly_bluegreen_deployment_tag"
DEPLOY_LEASE_S = 13.0
LEASE_PATIENCE_S = 60.0
DEPLOYER = "deployer@example.com"
MAX_UNAVAILABLE = 0.33
RESTING = frozenset({"started", "stopped", "suspended", "created", "failed"})


@dataclass(slots=True)
class Deploy:
    """A deploy under way. Each call of `step` does the next phase, or waits for what it needs.

    `strategy` is `rolling` or `bluegreen`; `phase` the last phase done, finally `done`.
    """

    world: World
    app: str
    group: str
    release: int
    strategy: str = "rolling"
    release_command: bool = False
    phase: str = "pending"
    phases: list[str] = field(default_factory=list)
    leases: dict[str, str] = field(default_factory=dict)
    _story: Iterator[str] | None = None

    def step(self) -> str:
        """Do the next phase and return its name; `aborted` where the platform has no room for it."""
        if self._story is None:
            self._story = _bluegreen(self) if self.strategy == "bluegreen" else _rolling(self)
        self._keep_leases()
        try:
            self.phase = next(self._story, "done")
        except ApiError:
            # It is the deploy that fails, and not whoever happened to make the time pass.
            self.release_leases()
            self.phase = "aborted"
        self.phases.append(self.phase)
        return self.phase

    def run(self, every_s: float) -> None:
        """Step by itself until it is done."""

        def chore(_: World) -> None:
            if self.step() != "done":
                self.world.plan_chore(every_s, chore)

        self.world.plan_chore(0.0, chore)

    def members(self) -> list[Machine]:
        """The live Machines of the group that a deploy manages."""
        return [
            machine
            for machine in self.world.of_app(self.app)
            if machine.live
            and machine.state != "destroying"
            and machine.metadata.get("fly_platform_version") == "v2"
            and machine.metadata.get("fly_process_group", "") == self.group
        ]

    def config(self, machine: Machine) -> Json:
        """A Machine's configuration in the new release: image and release change, the rest stays."""
        metadata = {
            **machine.metadata,
            "fly_release_version": str(self.release),
            "fly_release_id": f"release{self.release}",
        }
        return {**machine.config, "image": deployed_image(self.app, self.release), "metadata": metadata}

    def lease(self, machine: Machine) -> bool:
        """Take the lease of a Machine unless somebody else has it."""
        try:
            lease = leasing.acquire(
                self.world, machine, owner=DEPLOYER, ttl_s=DEPLOY_LEASE_S, nonce=self.leases.get(machine.id)
            )
        except LeaseHeldError:
            return False
        self.leases[machine.id] = lease.nonce
        return True

    def release_leases(self) -> None:
        """Give all of them back."""
        for machine_id, nonce in self.leases.items():
            lease = self.world.leases.get(machine_id)
            if lease is not None and lease.nonce == nonce:
                del self.world.leases[machine_id]
        self.leases.clear()

    def _keep_leases(self) -> None:
        """Renew them, but for those of Machines that are gone or whose host is lost."""
        for machine_id in list(self.leases):
            machine = self.world.machines[machine_id]
            if not machine.live or machine.host_status != "ok" or not self.lease(machine):
                del self.leases[machine_id]


def _rolling(deploy: Deploy) -> Iterator[str]:
    """Leases on all, then a third of the Machines at a time."""
    yield from _release_command(deploy)
    if not (yield from _take_leases(deploy)):
        return
    members = deploy.members()
    size = max(1, math.floor(len(members) * MAX_UNAVAILABLE))
    for first in range(0, len(members), size):
        batch = [machine.id for machine in members[first : first + size]]
        for machine_id in batch:
            _update(deploy, machine_id)
        yield "updating"
        while not all(deploy.world.machines[machine_id].state in RESTING for machine_id in batch):
            yield "waiting"
    deploy.release_leases()
    yield "leases_released"


def _update(deploy: Deploy, machine_id: str) -> None:
    """Stopped Machines stay stopped, on the new image; what is gone or lost is left alone."""
    machine = deploy.world.machines[machine_id]
    running = machine.state in {"started", "starting", "failed"}
    _attempt(
        deploy,
        machine_id,
        partial(
            launching.update,
            deploy.world,
            machine,
            config=deploy.config(machine),
            skip_launch=not running or bool(machine.config.get("standbys")),
            nonce=deploy.leases.get(machine_id),
        ),
    )


def _bluegreen(deploy: Deploy) -> Iterator[str]:
    """A second set of Machines beside the first, then traffic, then the end of the first."""
    world = deploy.world
    yield from _release_command(deploy)
    if not (yield from _take_leases(deploy)):
        return
    blue = [machine.id for machine in deploy.members()]
    green = _all_green(deploy, blue)
    yield "green_created"
    while not all(world.machines[machine_id].state == "started" for machine_id in green):
        yield "waiting"
    yield "green_healthy"
    _cordon(world, green, cordoned=False)
    yield "green_uncordoned"
    _cordon(world, blue, cordoned=True)
    yield "blue_cordoned"
    for machine_id in blue:
        _tag(world, machine_id)
    yield "blue_tagged"
    for machine_id in blue:
        machine = world.machines[machine_id]
        _attempt(
            deploy, machine_id, partial(lifecycle.stop, world, machine, nonce=deploy.leases.get(machine_id))
        )
    yield "blue_stopping"
    while any(world.machines[machine_id].state == "stopping" for machine_id in blue):
        yield "waiting"
    deploy.release_leases()
    for machine_id in blue:
        _attempt(
            deploy, machine_id, partial(lifecycle.destroy, world, world.machines[machine_id], force=True)
        )
    yield "blue_destroyed"


def _all_green(deploy: Deploy, blue: list[str]) -> list[str]:
    """One for each; if one of them finds no room, none. ApiError then."""
    world, made = deploy.world, list[str]()
    try:
        for machine_id in blue:
            made.append(_green(deploy, world.machines[machine_id]))
    except ApiError:
        for machine_id in made:
            lifecycle.destroy(world, world.machines[machine_id], force=True)
        raise
    return made


def _green(deploy: Deploy, blue: Machine) -> str:
    config = deploy.config(blue)
    tags = {TAG: str(int(deploy.world.now)), "fly_flyctl_bluegreen_launch_id": deploy.world.ids.nonce()}
    made = launching.create(
        deploy.world,
        deploy.app,
        config={**config, "metadata": {**config["metadata"], **tags}, "mounts": []},
        region=blue.region,
        cordoned=True,
    )
    return made.id


def _tag(world: World, machine_id: str) -> None:
    machine = world.machines[machine_id]
    tagged = {**machine.metadata, TAG: "safe_to_destroy"}
    world.change(machine, config={**machine.config, "metadata": tagged})


def _cordon(world: World, machine_ids: list[str], *, cordoned: bool) -> None:
    for machine_id in machine_ids:
        world.change(world.machines[machine_id], cordoned=cordoned)


def _attempt(deploy: Deploy, machine_id: str, act: Callable[[], object]) -> None:
    """What is gone, lost or held by others is left alone, and noted."""
    try:
        act()
    except ApiError:
        deploy.phases.append(f"failed {machine_id}")


def _release_command(deploy: Deploy) -> Iterator[str]:
    members = deploy.members()
    if not deploy.release_command or not members:
        return
    config = deploy.config(members[0])
    config["metadata"] = {**config["metadata"], "fly_process_group": RELEASE_COMMAND}
    made = launching.create(
        deploy.world,
        deploy.app,
        config={**config, "auto_destroy": True, "restart": {"policy": "no"}, "services": [], "mounts": []},
        region=members[0].region,
    )
    yield "release_command"
    while deploy.world.machines[made.id].state != "started":
        yield "waiting"
    lifecycle.end(deploy.world, deploy.world.machines[made.id], 0)
    yield "release_command_done"


def _take_leases(deploy: Deploy) -> Generator[str, None, bool]:
    """Waits out what others hold, but not for ever; returns whether the deploy may go on."""
    since = deploy.world.now
    while not all(deploy.lease(machine) for machine in deploy.members() if machine.host_status == "ok"):
        if deploy.world.now - since > LEASE_PATIENCE_S:
            deploy.release_leases()
            yield "aborted"
            return False
        yield "waiting"
    yield "leased"
    return True
