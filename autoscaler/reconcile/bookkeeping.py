"""Fold a survey into the Ledger: what arrived, what was lost, what crashed, what vanished, what idles."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from autoscaler.domain.fleet import Change, HostStatus, Machine, MachineState, Survey, Volume
from autoscaler.domain.instant import Instant
from autoscaler.domain.names import MachineId, MachineName, VolumeId
from autoscaler.domain.plan import CreateVolume
from autoscaler.domain.pool import Pool
from autoscaler.domain.reason import Reason, ReasonCode, reason
from autoscaler.reconcile import backoff, crashing, departures, marks, staying, template
from autoscaler.reconcile.arrivals import sort_arrivals, unshown
from autoscaler.reconcile.budget import budget
from autoscaler.reconcile.counting import (
    GONE,
    HALTED,
    STOPPING,
    UNDER_DEPLOY,
    PoolView,
    departed,
    unchanged_for,
)
from autoscaler.reconcile.ledger import Ledger, Seen

CHANGES_KEPT_S = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """One tick's look at a pool: the whole app's survey, and of its Machines those of the pool.

    `signals` are the present signs of a deploy, by name; `idle` the draining Machines that read idle;
    `drains` when each drain in force began; `volumes` the app's volumes, None if they were not read.
    """

    survey: Survey
    members: tuple[Machine, ...]
    signals: frozenset[str] = frozenset()
    idle: frozenset[MachineId] = frozenset()
    drains: Mapping[MachineId, float] = field(default_factory=dict)
    volumes: tuple[Volume, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """The Ledger after a survey, and what an operator should know of it."""

    ledger: Ledger
    warnings: tuple[Reason, ...] = ()


def observe(ledger: Ledger, pool: Pool, sight: Sight, now: Instant) -> Observed:
    """The Ledger after a survey, before anything is decided.

    Afterwards `vanished` is empty unless the survey is a collapse: more than half of the Machines
    known a tick ago are missing without our doing. It lasts until half of the missing are listed
    again, or `accept_loss` is called; while it lasts `seen` remembers them.
    """
    listed = frozenset(machine.id for machine in sight.survey.machines)
    arrivals = sort_arrivals(ledger, sight.survey, now.mono)
    vanished = _vanished(ledger, listed)
    made, missing = _half_made(ledger, sight.volumes, now.mono)
    lost = [reason(ReasonCode.LOST_ON_THE_WAY, machine=it.machine, name=it.name) for it in arrivals.lost]
    crashed = crashing.fold(ledger, sight.members, now)
    updated = _updated(ledger.seen, sight.members)
    parked = backoff.remembered(ledger.parked, now.mono)
    if updated or _newcomers(ledger.seen, sight.members):
        parked = backoff.without(parked, (r for r, entry in parked.items() if _curable(entry.reason)))
    observed = replace(
        crashed,
        on_the_way=arrivals.still,
        departures=departures.recent(ledger.departures, now.mono),
        stays=staying.still(ledger.stays, sight.members, updated, now.mono),
        uncertain=unshown(ledger.uncertain, sight.survey, pool.name),
        parked=parked,
        passed_over=backoff.without(backoff.remembered(crashed.passed_over, now.mono), updated),
        passed_volumes=backoff.remembered(ledger.passed_volumes, now.mono),
        idle={machine: 1 + _idle_before(ledger, machine, updated) for machine in sorted(sight.idle)},
        seen=_seen(ledger, sight.members, vanished, now),
        vanished=vanished,
        expected_gone=ledger.expected_gone & (listed | frozenset(ledger.seen)),
        drains=sight.drains,
        # What a Machine mounts may hold data, whatever became of the answer to the Machine's making.
        made_volumes=made - template.mounted(sight.members),
        missing_volumes=missing,
        uncertain_volumes=ledger.uncertain_volumes if sight.volumes is None else (),
        signals={name: ledger.signals.get(name, now.mono) for name in sorted(sight.signals)},
        creations=_creations(ledger.creations, sight.survey, pool, now.mono),
        changes=_recent(ledger.changes, pool, now.mono),
    )
    return Observed(ledger=observed, warnings=tuple(lost))


def inherited(ledger: Ledger, view: PoolView, destroyed: Iterable[Machine], now: Instant) -> Ledger:
    """A new process's Ledger with what the one before it took away lately, as far as the Machines tell.

    Some of them may have been stopped by others: then a step inwards is counted from more, and is shorter.
    """
    pool = view.pool
    gone = departed(pool, (*view.survey.machines, *destroyed))
    dated = [
        *((member.home, _left(member.machine)) for member in view.members),
        *((home, machine.updated_at) for home, machine in gone),
    ]
    changes = tuple(
        Change(region=home, mono=now.mono - max(0.0, now.wall - at), machines=-1)
        for home, at in dated
        if at is not None
    )
    return replace(ledger, changes=_recent(changes, pool, now.mono))


def accept_loss(ledger: Ledger, missing: frozenset[MachineId]) -> Ledger:
    """The Ledger once the platform has confirmed that the missing Machines do not exist any more."""
    seen = {machine: entry for machine, entry in ledger.seen.items() if machine not in missing}
    return replace(ledger, seen=seen, vanished=frozenset())


def _vanished(ledger: Ledger, listed: frozenset[MachineId]) -> frozenset[MachineId]:
    missing = frozenset(ledger.seen) - listed - ledger.expected_gone
    if ledger.vanished:
        back = len(ledger.vanished & listed)
        return frozenset() if 2 * back >= len(ledger.vanished) else ledger.vanished | missing
    return missing if 2 * len(missing) > len(ledger.seen) else frozenset()


def _seen(
    ledger: Ledger, members: Iterable[Machine], vanished: frozenset[MachineId], now: Instant
) -> dict[MachineId, Seen]:
    remembered = {machine: entry for machine, entry in ledger.seen.items() if machine in vanished}
    alive = {
        machine.id: _sighting(ledger.seen.get(machine.id), machine, now, fresh=_is_fresh(ledger, machine))
        for machine in members
        if machine.state not in GONE
    }
    return remembered | alive


def _is_fresh(ledger: Ledger, machine: Machine) -> bool:
    """Whether we have just made it or seen it change, so that no clock need be asked how old it is."""
    return machine.id in ledger.seen or not ledger.creations.keys().isdisjoint({machine.id, machine.name})


def _sighting(former: Seen | None, machine: Machine, now: Instant, *, fresh: bool) -> Seen:
    same = former is not None and former.state == machine.state and former.instance_id == machine.instance_id
    unchanged_s = 0.0 if fresh else unchanged_for(machine, now)
    served = former is None or former.served
    lost_since = former.host_lost_since if former is not None else None
    lost_since = now.mono if lost_since is None else lost_since
    return Seen(
        state=machine.state,
        since=former.since if former is not None and same else now.mono,
        before_s=former.before_s if former is not None and same else unchanged_s,
        instance_id=machine.instance_id,
        region=machine.region,
        served=served if machine.state in UNDER_DEPLOY else machine.state is MachineState.STARTED,
        started_at=machine.started_at,
        host_lost_since=None if machine.host is HostStatus.OK else lost_since,
    )


def _half_made(
    ledger: Ledger, volumes: tuple[Volume, ...] | None, mono: float
) -> tuple[frozenset[VolumeId], Mapping[VolumeId, float]]:
    """The volumes to remember as ours, and since when the list leaves out which of them.

    What it leaves out for longer than a list can be behind has been destroyed, by whomever. Remembered for
    ever, it would have the volumes read in every tick.
    """
    if volumes is None:
        return ledger.made_volumes, ledger.missing_volumes
    made = _made_volumes(ledger, volumes)
    left_out = sorted(made - {volume.id for volume in volumes})
    since = {volume: ledger.missing_volumes.get(volume, mono) for volume in left_out}
    missing = {volume: at for volume, at in since.items() if mono - at < departures.BEHIND_S}
    return made - (since.keys() - missing.keys()), missing


def _made_volumes(ledger: Ledger, volumes: Sequence[Volume]) -> frozenset[VolumeId]:
    """Those that have no Machine yet, and those that a lost answer made, as far as the list tells."""
    made = ledger.made_volumes
    for action in ledger.uncertain_volumes:
        alike = sorted(one.id for one in volumes if one.id not in made and _answers(one, action))
        made |= frozenset(alike[:1])
    return made - {volume.id for volume in volumes if volume.attached_to}


def _answers(volume: Volume, action: CreateVolume) -> bool:
    same = (volume.name, volume.region) == (action.name, action.region)
    sized = action.size_gb in (None, volume.size_gb)
    return same and sized and volume.attached_to is None and volume.id not in action.known


def _updated(seen: Mapping[MachineId, Seen], members: Iterable[Machine]) -> frozenset[MachineId]:
    """Machines that have become another version of themselves: what was learnt of them is void."""
    return frozenset(
        machine.id
        for machine in members
        if machine.id in seen and seen[machine.id].instance_id != machine.instance_id
    )


def _newcomers(seen: Mapping[MachineId, Seen], members: Iterable[Machine]) -> bool:
    return any(machine.id not in seen for machine in members)


def _curable(why: Reason) -> bool:
    """A configuration that was refused may be a different one now."""
    return why.code is ReasonCode.INVALID_CONFIG


def _idle_before(ledger: Ledger, machine: MachineId, updated: frozenset[MachineId]) -> int:
    return 0 if machine in updated else ledger.idle.get(machine, 0)


def _left(machine: Machine) -> float | None:
    """When a Machine was marked to leave, or stopped, in unix seconds; None for one that stays."""
    since = marks.draining_since(machine)
    if since is None and machine.state in HALTED | STOPPING:
        return machine.updated_at
    return since


def _creations(
    creations: Mapping[MachineId | MachineName, float], survey: Survey, pool: Pool, mono: float
) -> dict[MachineId | MachineName, float]:
    """Those within the budget's window. What a survey shows goes by its id: its name may be used again."""
    window_s = budget(pool).window_s
    ids: dict[str, MachineId] = {machine.name: machine.id for machine in survey.machines}
    return {ids.get(made, made): at for made, at in creations.items() if mono - at <= window_s}


def _recent(changes: tuple[Change, ...], pool: Pool, mono: float) -> tuple[Change, ...]:
    steps = (pool.scale_in.step, pool.scale_out.step)
    periods = [max(step.period_s, step.count_period_s or 0.0) for step in steps if step is not None]
    kept_s = max(CHANGES_KEPT_S, *periods) if periods else CHANGES_KEPT_S
    return tuple(change for change in changes if mono - change.mono <= kept_s)
