"""Which resting Machines may be started, and in which order."""

from autoscaler.domain.fleet import MachineState
from autoscaler.domain.names import Region
from autoscaler.domain.reason import ReasonCode
from autoscaler.reconcile import marks
from autoscaler.reconcile.counting import NEW, NEW_FOR_S, Member, new_for
from autoscaler.reconcile.deploys import release
from autoscaler.reconcile.ledger import Backoff
from autoscaler.reconcile.situation import Draft, Situation

FIRST = (MachineState.SUSPENDED, MachineState.STOPPED, MachineState.FAILED, MachineState.CREATED)


def candidates(situation: Situation, draft: Draft, region: Region) -> list[Member]:
    """The resting Machines of a region that may be started now, best first.

    Suspended before stopped before failed before never launched; of each first those that serve the
    region anyway, are not on their way out, did not crash, and run the newest release.
    """
    found = [
        member
        for member in situation.rosters[region].resting
        if draft.untouched(member.machine.id) and startable(situation, member)
    ]
    return sorted(found, key=_order)


def _order(member: Member) -> tuple[int, bool, bool, bool, int, str]:
    machine = member.machine
    return (
        FIRST.index(machine.state),
        member.home != machine.region,
        marks.leaving(machine),
        machine.crashed,
        -release(machine),
        machine.id,
    )


def startable(situation: Situation, member: Member) -> bool:
    """Whether a resting Machine may be started now. One that never launched gets one chance."""
    refused = situation.ledger.passed_over.get(member.machine.id)
    if refused is not None and (refused.until > situation.now.mono or never_launched(refused)):
        return False
    return member.touchable and member.machine.state in FIRST and not _is_new(situation, member)


def keeps_place(situation: Situation, member: Member) -> bool:
    """Whether a resting Machine cannot be started just now for a reason that will pass by itself.

    It is leased, or too new. Nothing is created in its place.
    """
    if marks.protected(member.machine):
        return False
    return member.machine.leased(situation.now.wall) or _is_new(situation, member)


def _is_new(situation: Situation, member: Member) -> bool:
    """Whether a Machine that was not launched is still being prepared."""
    new = member.machine.state in NEW
    return new and new_for(member.machine, situation.ledger, situation.now) < NEW_FOR_S


def never_launched(refused: Backoff) -> bool:
    """Whether a start was refused because the Machine has never left `created`."""
    return refused.reason.code is ReasonCode.STUCK


def refusals(situation: Situation, region: Region) -> list[ReasonCode]:
    """Why each resting Machine of a region that refused to start lately is left alone for now."""
    entries = map(
        situation.ledger.passed_over.get, (one.machine.id for one in situation.rosters[region].resting)
    )
    return [entry.reason.code for entry in entries if entry is not None and entry.until > situation.now.mono]
