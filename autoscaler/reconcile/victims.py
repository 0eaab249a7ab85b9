"""Which Machines of a region leave when there are too many."""

from collections.abc import Callable, Iterable

from autoscaler.domain.fleet import HostStatus, Machine
from autoscaler.reconcile import marks
from autoscaler.reconcile.counting import AWAKE, Member
from autoscaler.reconcile.deploys import release

Load = Callable[[Machine], float]
"""How busy a Machine is; 0 is idle, infinity unknown."""


Stays = Callable[[Machine], bool]
"""Whether a Machine does not leave whatever it is told, so that others have to."""


def choose(
    serving: Iterable[Member], *, surplus: int, desired: int, load: Load, stays: Stays
) -> tuple[Member, ...]:
    """At most `surplus` Machines, those that are missed least first.

    Draining already, then critical, then not yet ready, then least busy, then spilled in from elsewhere,
    then of an old release, then youngest. Never so many that fewer than `desired` remain on hosts that
    answer, nor so many ready ones that fewer than `desired` of those remain.
    A Machine that is leaving and may not be touched just now keeps its place among them, unless people
    protect it: it stays.
    """
    if surplus <= 0:
        return ()
    everyone = tuple(serving)
    spare_ready = sum(member.machine.ready for member in everyone) - desired
    spare = sum(member.machine.host is HostStatus.OK for member in everyone) - desired
    chosen: list[Member] = []
    able = [member for member in everyone if _may_leave(member) and not stays(member.machine)]
    for member in sorted(able, key=_order(load)):
        if len(chosen) >= surplus:
            break
        if member.machine.host is HostStatus.OK:
            if spare <= 0:
                continue
            spare -= 1
        if member.machine.ready:
            if spare_ready <= 0:
                continue
            spare_ready -= 1
        chosen.append(member)
    return tuple(chosen)


def _may_leave(member: Member) -> bool:
    machine = member.machine
    keeps_place = marks.leaving(machine) and not marks.protected(machine)
    return machine.state in AWAKE and (member.touchable or keeps_place)


def _order(load: Load) -> Callable[[Member], tuple[bool, bool, bool, float, bool, int, float, str]]:
    def missed(member: Member) -> tuple[bool, bool, bool, float, bool, int, float, str]:
        machine = member.machine
        return (
            not marks.leaving(machine),
            not machine.critical,
            machine.ready,
            load(machine),
            member.home == machine.region,
            release(machine),
            -(machine.created_at or 0.0),
            machine.id,
        )

    return missed
