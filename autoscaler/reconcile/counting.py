"""Which Machines of a survey are a pool's, which of them may be touched, and how many there are.

Counted by home: a Machine that stands in for a full region counts for the region whose demand it serves.
What rests (stopped, suspended) is counted where it lies, for it serves nobody.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from autoscaler.domain.fleet import Fleet, HostStatus, Machine, MachineState, RegionCount, Survey
from autoscaler.domain.instant import Instant
from autoscaler.domain.names import MachineId, Region
from autoscaler.domain.pool import Pool
from autoscaler.reconcile import marks
from autoscaler.reconcile.ledger import Ledger, OnTheWay

GONE = frozenset({MachineState.DESTROYED, MachineState.REPLACED, MachineState.MIGRATED})
GOING = GONE | {MachineState.DESTROYING, MachineState.LAUNCH_FAILED}
DESTROYED = frozenset({MachineState.DESTROYED, MachineState.DESTROYING})
HALTED = frozenset({MachineState.STOPPED, MachineState.SUSPENDED})
AT_REST = HALTED | {MachineState.FAILED}
NEW = frozenset({MachineState.CREATING, MachineState.CREATED})
UNDER_DEPLOY = frozenset({MachineState.REPLACING, MachineState.UPDATING})
STOPPING = frozenset({MachineState.STOPPING, MachineState.SUSPENDING})
STARTING = frozenset({MachineState.STARTING, MachineState.RESTARTING})
AWAKE = STARTING | {MachineState.STARTED}
SETTLED = AT_REST | {MachineState.STARTED, MachineState.CREATED}

OF_THE_PLATFORM = frozenset(
    {"fly_app_release_command", "fly_app_test_machine_command", "fly_app_console", "release_command"}
)
"""Groups of the platform's own tools, whatever else their Machines carry."""

NEW_FOR_S = 120.0
"""How long a Machine in `created` is believed to start by itself."""
SETTLES_IN_S = 30.0
"""How long a Machine that stops is awaited, rather than another one created in its place."""
TRANSIENT_FOR_S = 300.0
"""How long a transient state is believed to end; its own stop timeout is granted on top."""
LOST_HOST_FOR_S = 300.0
"""How long a Machine on a host that is not well still counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A Machine of the pool in one of its regions. What is not `touchable` counts and is left alone."""

    machine: Machine
    home: Region
    touchable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolView:
    """A survey through the eyes of one pool, everything in order of Machine ids.

    `group` has every live Machine of the group, ours to touch or not, for the signs of a deploy;
    `members` those that the pool counts or may use; `outside` those in regions it does not name.
    """

    pool: Pool
    survey: Survey
    members: tuple[Member, ...]
    group: tuple[Machine, ...]
    outside: tuple[Machine, ...]


def ours(pool: Pool, survey: Survey, own: MachineId | None) -> PoolView:
    """Part the app's Machines; `own` is the Machine this process runs on."""
    group = tuple(machine for machine in _once_each(survey.machines) if _in_group(machine, pool))
    usable = [machine for machine in group if not _foreign(machine, own)]
    return PoolView(
        pool=pool,
        survey=survey,
        members=tuple(
            Member(machine=machine, home=_home(machine, pool), touchable=_touchable(machine, survey.at))
            for machine in usable
            if machine.region in pool.regions
        ),
        group=group,
        outside=tuple(machine for machine in usable if machine.region not in pool.regions),
    )


def departed(pool: Pool, machines: Iterable[Machine]) -> Iterator[tuple[Region, Machine]]:
    """The pool's Machines among these that are destroyed or about to be, each with its home."""
    for machine in _once_each(machines):
        leaving = machine.state in DESTROYED and machine.region in pool.regions
        if leaving and _belongs(machine, pool) and not _foreign(machine, None):
            yield _home(machine, pool), machine


def _once_each(machines: Iterable[Machine]) -> list[Machine]:
    """A list may show a Machine twice; the younger picture of it is believed."""
    latest: dict[MachineId, Machine] = {}
    for machine in machines:
        other = latest.get(machine.id)
        if other is None or _picture_age(machine) > _picture_age(other):
            latest[machine.id] = machine
    return [latest[machine] for machine in sorted(latest)]


def _picture_age(machine: Machine) -> tuple[float, str, str]:
    return (machine.updated_at or 0.0, machine.instance_id, machine.state)


def _in_group(machine: Machine, pool: Pool) -> bool:
    return machine.state not in GOING and _belongs(machine, pool)


def _belongs(machine: Machine, pool: Pool) -> bool:
    if machine.group in OF_THE_PLATFORM:
        return False
    if pool.match:
        return all(machine.metadata.get(key) == value for key, value in pool.match.items())
    return machine.group == pool.group


def _foreign(machine: Machine, own: MachineId | None) -> bool:
    return (
        machine.id == own
        or machine.standby
        or machine.scheduled
        or machine.auto_destroy
        or "fly_builder_id" in machine.metadata
        or (machine.cordoned and not marks.marked_draining(machine))
    )


def _home(machine: Machine, pool: Pool) -> Region:
    home = Region(machine.metadata.get(marks.HOME, machine.region))
    return home if home in pool.regions else machine.region


def _touchable(machine: Machine, wall: float) -> bool:
    return within_reach(machine, wall) and not marks.protected(machine)


def within_reach(machine: Machine, wall: float) -> bool:
    """Whether a Machine of ours could be touched at unix time `wall`, if people let us."""
    return not machine.leased(wall) and machine.host is HostStatus.OK and machine.state not in UNDER_DEPLOY


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """One region's Machines. `serving` and `unseen` (on their way, in no survey yet) have their home here;
    `resting`, `settling` (on their way to rest, and soon there) and `present` (how many of any home serve,
    or will) are physically here.
    """

    serving: tuple[Member, ...] = ()
    unseen: int = 0
    resting: tuple[Member, ...] = ()
    settling: tuple[Member, ...] = ()
    present: int = 0

    @property
    def capacity(self) -> int:
        """Everything that serves this region's demand or is about to."""
        return len(self.serving) + self.unseen

    @property
    def ready(self) -> int:
        """Those of them that can work now."""
        return sum(member.machine.ready for member in self.serving)


def muster(view: PoolView, ledger: Ledger, now: Instant) -> Mapping[Region, Roster]:
    """Every configured region's Machines."""
    awaited = {entry.machine: entry.home for entry in ledger.on_the_way if entry.machine is not None}
    serving: dict[Region, list[Member]] = {region: [] for region in view.pool.regions}
    resting: dict[Region, list[Member]] = {region: [] for region in view.pool.regions}
    settling: dict[Region, list[Member]] = {region: [] for region in view.pool.regions}
    present = dict.fromkeys(view.pool.regions, 0)
    for member in view.members:
        machine = member.machine
        waking = machine.state in AT_REST and machine.id in awaited
        if waking or serves(machine, ledger, now):
            # A picture from before the start may name the region that was served before it.
            serving[awaited[machine.id] if waking else member.home].append(member)
            present[machine.region] += 1
        elif machine.state in AT_REST | NEW and machine.host is HostStatus.OK:
            resting[machine.region].append(member)
        elif machine.state in STOPPING and in_state_for(machine, ledger, now) < SETTLES_IN_S:
            settling[machine.region].append(member)
    unseen = _unseen(view, ledger)
    return {
        region: Roster(
            serving=tuple(serving[region]),
            unseen=sum(entry.home == region for entry in unseen),
            resting=tuple(resting[region]),
            settling=tuple(settling[region]),
            present=present[region] + sum(entry.region == region for entry in unseen),
        )
        for region in sorted(view.pool.regions)
    }


def serves(machine: Machine, ledger: Ledger, now: Instant) -> bool:
    """Whether its own state lets a Machine count as capacity."""
    if _host_lost_for(machine, ledger, now) >= LOST_HOST_FOR_S:
        return False
    if machine.state is MachineState.STARTED:
        return True
    if machine.state in NEW:
        return marks.ASLEEP not in machine.metadata and new_for(machine, ledger, now) < NEW_FOR_S
    if machine.state in UNDER_DEPLOY:
        seen = ledger.seen.get(machine.id)
        return (seen is None or seen.served) and not stuck(machine, ledger, now)
    return machine.state in STARTING and not stuck(machine, ledger, now)


def stuck(machine: Machine, ledger: Ledger, now: Instant) -> bool:
    """Whether a Machine has been on its way between two states for longer than anybody believes."""
    if machine.state in SETTLED:
        return False
    return in_state_for(machine, ledger, now) > TRANSIENT_FOR_S + machine.stop_timeout_s


def in_state_for(machine: Machine, ledger: Ledger, now: Instant) -> float:
    """For how many seconds we have seen the Machine in its present state."""
    seen = ledger.seen.get(machine.id)
    return now.mono - seen.since if seen is not None and seen.state == machine.state else 0.0


def new_for(machine: Machine, ledger: Ledger, now: Instant) -> float:
    """For how many seconds a Machine has been in `created`, as far as our memory or the platform can tell.

    The platform's times are asked once, for what our first survey showed, so that no wall clock makes old
    what this process has seen come.
    """
    seen = ledger.seen.get(machine.id)
    if seen is None or seen.state != machine.state:
        return unchanged_for(machine, now)
    return now.mono - seen.since + seen.before_s


def unchanged_for(machine: Machine, now: Instant) -> float:
    """For how many seconds a Machine has been as it is, by the platform's times; 0 if it names none.

    A deploy lets old Machines pass through `created`, hence the time of the last change.
    """
    changed = max(machine.created_at or 0.0, machine.updated_at or 0.0)
    return max(0.0, now.wall - changed) if changed else 0.0


def _host_lost_for(machine: Machine, ledger: Ledger, now: Instant) -> float:
    if machine.host is HostStatus.OK:
        return 0.0
    seen = ledger.seen.get(machine.id)
    return 0.0 if seen is None or seen.host_lost_since is None else now.mono - seen.host_lost_since


def _unseen(view: PoolView, ledger: Ledger) -> list[OnTheWay]:
    if not ledger.on_the_way:
        return []
    ids = {machine.id for machine in view.survey.machines}
    names = {machine.name for machine in view.survey.machines if machine.state not in GONE}
    return [
        entry
        for entry in ledger.on_the_way
        if not entry.stopped and entry.machine not in ids and (entry.name is None or entry.name not in names)
    ]


def count(view: PoolView, ledger: Ledger, now: Instant) -> Fleet:
    """The counts the policy may know, for every configured region."""
    rosters = muster(view, ledger, now)
    return Fleet(
        by_region={region: _counts(roster) for region, roster in rosters.items()}, changes=ledger.changes
    )


def _counts(roster: Roster) -> RegionCount:
    running = sum(member.machine.state is MachineState.STARTED for member in roster.serving)
    return RegionCount(
        running=running,
        ready=roster.ready,
        arriving=roster.capacity - running,
        stopped=sum(member.machine.state is MachineState.STOPPED for member in roster.resting),
        suspended=sum(member.machine.state is MachineState.SUSPENDED for member in roster.resting),
        capacity=roster.capacity,
        draining=sum(marks.leaving(member.machine) for member in roster.serving),
    )
