"""Fold what a tick did into the Ledger: what is on its way, what refused, what changed by our hand."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from autoscaler.domain.fleet import Change, MachineState
from autoscaler.domain.instant import Instant
from autoscaler.domain.names import MachineId, MachineName, Region, VolumeId
from autoscaler.domain.outcome import AlreadySo, Applied, Outcome, Refusal, Refused, Uncertain
from autoscaler.domain.plan import (
    Action,
    Create,
    CreateVolume,
    Destroy,
    DestroyVolume,
    Mark,
    Start,
    Stop,
    Suspend,
)
from autoscaler.domain.pool import Pool
from autoscaler.domain.reason import Reason, ReasonCode, reason
from autoscaler.reconcile import backoff, departures, probing, staying
from autoscaler.reconcile.ledger import Ledger, OnTheWay
from autoscaler.reconcile.marks import DRAINING

CODES: Mapping[Refusal, ReasonCode] = {
    Refusal.REGION_FULL: ReasonCode.REGION_FULL,
    Refusal.HOST_FULL: ReasonCode.HOST_FULL,
    Refusal.ORG_LIMIT: ReasonCode.ORG_LIMIT,
    Refusal.INVALID: ReasonCode.INVALID_CONFIG,
    Refusal.VOLUME: ReasonCode.VOLUMES,
}
"""The refusals that mean waiting for longer than a tick."""

OF_THE_WHOLE_POOL = frozenset({Refusal.ORG_LIMIT, Refusal.INVALID})
"""Refusals of a create that would be the same in every region."""

COUNTED_AT_THE_MARK = frozenset({ReasonCode.DRAINED, ReasonCode.DRAIN_EXPIRED, ReasonCode.DRAINING})
"""A Machine that leaves for these reasons left the capacity when it was marked."""


def record(
    ledger: Ledger,
    pool: Pool,
    outcomes: Sequence[Outcome],
    *,
    homes: Mapping[MachineId, Region],
    now: Instant,
) -> Ledger:
    """The Ledger after acting at `now`. `homes` names the home region that Machines had before it.

    Uncertain starts and creates of an earlier tick end here: this tick repeated them or had no use
    for them any more.
    """
    return replace(
        ledger,
        on_the_way=_on_the_way(ledger.on_the_way, outcomes, homes, now.mono),
        departures=departures.after(ledger, outcomes, now.mono),
        stays=staying.after(ledger, outcomes, now.mono),
        uncertain=tuple(
            outcome.action
            for outcome in outcomes
            if isinstance(outcome.action, Start | Create) and isinstance(outcome.result, Uncertain)
        ),
        parked=backoff.refused(ledger.parked, dict(_full_regions(ledger, pool, outcomes)), now.mono),
        passed_over=backoff.refused(ledger.passed_over, dict(_passed_over(ledger, outcomes)), now.mono),
        passed_volumes=backoff.refused(ledger.passed_volumes, dict(_passed_volumes(outcomes)), now.mono),
        made_volumes=_made_volumes(ledger.made_volumes, outcomes),
        uncertain_volumes=(*ledger.uncertain_volumes, *_uncertain_volumes(outcomes)),
        our_starts={**ledger.our_starts, **dict.fromkeys(_started(outcomes), now.wall)},
        expected_gone=ledger.expected_gone | frozenset(_destroyed(outcomes)),
        doubts=probing.doubted(outcomes),
        creations={**ledger.creations, **dict.fromkeys(_created(outcomes), now.mono)},
        changes=(*ledger.changes, *_changes(outcomes, homes, now.mono)),
    )


def _on_the_way(
    known: tuple[OnTheWay, ...],
    outcomes: Iterable[Outcome],
    homes: Mapping[MachineId, Region],
    mono: float,
) -> tuple[OnTheWay, ...]:
    machines = {entry.machine for entry in known} - {None}
    names = {entry.name for entry in known} - {None}
    new = [entry for outcome in outcomes if (entry := _awaited(outcome, homes, mono)) is not None]
    return (*known, *(entry for entry in new if entry.machine not in machines and entry.name not in names))


def _awaited(outcome: Outcome, homes: Mapping[MachineId, Region], mono: float) -> OnTheWay | None:
    action, result = outcome.action, outcome.result
    if not isinstance(result, Applied | AlreadySo):
        return None
    if isinstance(action, Create):
        return OnTheWay(
            machine=result.machine,
            name=action.name,
            region=action.region,
            home=action.home,
            since=mono,
            stopped=action.stopped,
        )
    if isinstance(action, Start):
        home = _home(action, homes)
        return OnTheWay(machine=action.machine, name=None, region=action.region, home=home, since=mono)
    return None


def _refused(outcomes: Iterable[Outcome]) -> Iterator[tuple[Action, Refusal, Reason]]:
    for outcome in outcomes:
        if isinstance(outcome.result, Refused) and outcome.result.refusal in CODES:
            why = reason(CODES[outcome.result.refusal], detail=outcome.result.detail)
            yield outcome.action, outcome.result.refusal, why


def _full_regions(ledger: Ledger, pool: Pool, outcomes: Iterable[Outcome]) -> Iterator[tuple[Region, Reason]]:
    for action, refusal, why in _refused(outcomes):
        if not isinstance(action, Create | CreateVolume):
            continue
        if refusal is Refusal.VOLUME:
            yield from _no_room_beside(ledger, action, why)
            continue
        yield action.region, why
        if refusal in OF_THE_WHOLE_POOL:
            yield from ((region, why) for region in pool.regions)


def _no_room_beside(
    ledger: Ledger, action: Create | CreateVolume, why: Reason
) -> Iterator[tuple[Region, Reason]]:
    """Where the platform has just put a volume it saw room: another new one would fare no better."""
    if isinstance(action, CreateVolume) or action.volume in ledger.made_volumes:
        yield action.region, why._replace(code=ReasonCode.REGION_FULL)


def _passed_over(ledger: Ledger, outcomes: Iterable[Outcome]) -> Iterator[tuple[MachineId, Reason]]:
    for action, _, why in _refused(outcomes):
        if isinstance(action, Start):
            yield action.machine, why
    for outcome in outcomes:
        action, result = outcome.action, outcome.result
        wrong_state = isinstance(result, Refused) and result.refusal is Refusal.WRONG_STATE
        if isinstance(action, Start) and wrong_state and _was_created(ledger, action.machine):
            yield action.machine, reason(ReasonCode.STUCK, state=MachineState.CREATED)


def _was_created(ledger: Ledger, machine: MachineId) -> bool:
    """A Machine that stays `created` is tried once; it cannot be started."""
    seen = ledger.seen.get(machine)
    return seen is not None and seen.state == MachineState.CREATED


def _passed_volumes(outcomes: Iterable[Outcome]) -> Iterator[tuple[VolumeId, Reason]]:
    for action, refusal, why in _refused(outcomes):
        if isinstance(action, Create) and action.volume is not None and refusal is Refusal.VOLUME:
            yield action.volume, why


def _made_volumes(made: frozenset[VolumeId], outcomes: Iterable[Outcome]) -> frozenset[VolumeId]:
    for outcome in outcomes:
        action, result = outcome.action, outcome.result
        if isinstance(action, CreateVolume) and isinstance(result, Applied) and result.volume is not None:
            made |= {result.volume}
        elif isinstance(action, Create | DestroyVolume) and _settles_volume(outcome):
            made -= {action.volume}
    return made


def _settles_volume(outcome: Outcome) -> bool:
    """Whether a volume has its Machine now or is gone. A Machine that existed may have another one."""
    enough = Applied if isinstance(outcome.action, Create) else Applied | AlreadySo
    return isinstance(outcome.result, enough)


def _uncertain_volumes(outcomes: Iterable[Outcome]) -> Iterator[CreateVolume]:
    for outcome in outcomes:
        if isinstance(outcome.action, CreateVolume) and isinstance(outcome.result, Uncertain):
            yield outcome.action


def _started(outcomes: Iterable[Outcome]) -> Iterator[MachineId]:
    for outcome in outcomes:
        action, result = outcome.action, outcome.result
        if isinstance(action, Start) and isinstance(result, Applied | Uncertain):
            yield action.machine
        elif isinstance(action, Create) and isinstance(result, Applied) and result.machine is not None:
            yield result.machine


def _created(outcomes: Iterable[Outcome]) -> Iterator[MachineId | MachineName]:
    """What was made, or may have been. A create that was repeated had happened before."""
    for outcome in outcomes:
        action, result = outcome.action, outcome.result
        if isinstance(action, Create) and isinstance(result, Applied | AlreadySo | Uncertain):
            known = None if isinstance(result, Uncertain) else result.machine
            yield known or action.name


def _destroyed(outcomes: Iterable[Outcome]) -> Iterator[MachineId]:
    for outcome in outcomes:
        gone = isinstance(outcome.result, Applied | AlreadySo | Uncertain)
        if gone and isinstance(outcome.action, Destroy):
            yield outcome.action.machine


def _changes(outcomes: Iterable[Outcome], homes: Mapping[MachineId, Region], mono: float) -> Iterator[Change]:
    """One change per Machine at most: a mark and the stop that follows it take it away once."""
    counted: set[MachineId] = set()
    for outcome in outcomes:
        action = outcome.action
        if not isinstance(outcome.result, Applied | AlreadySo | Uncertain) or action.machine in counted:
            continue
        machines = _difference(action)
        if machines != 0:
            yield Change(region=_home(action, homes), mono=mono, machines=machines)
            counted |= {action.machine} if action.machine else set()


def _home(action: Action, homes: Mapping[MachineId, Region]) -> Region:
    """The region an action was for. One that starts may have served another before."""
    if isinstance(action, Create | Start) and action.home is not None:
        return action.home
    return homes.get(action.machine, action.region) if action.machine else action.region


def _difference(action: Action) -> int:
    if isinstance(action, Start) or (isinstance(action, Create) and not action.stopped):
        return 1
    if isinstance(action, Mark) and DRAINING in action.metadata:
        if action.metadata[DRAINING] is not None:
            return -1
        return 1 if action.reason.code is ReasonCode.RESUME_DRAINING else 0
    if isinstance(action, Stop | Suspend) and action.reason.code not in COUNTED_AT_THE_MARK:
        return -1
    return 0
