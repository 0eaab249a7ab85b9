"""The actions upon one Machine, each with the version of it that was looked at."""

from collections.abc import Mapping

from autoscaler.domain.fleet import Machine
from autoscaler.domain.names import Region
from autoscaler.domain.plan import Action, Cordon, Destroy, Mark, Start, Stop, Suspend, Uncordon
from autoscaler.domain.reason import Reason
from autoscaler.reconcile import marks
from autoscaler.reconcile.counting import Member


def mark(machine: Machine, metadata: Mapping[str, str | None], why: Reason) -> Mark:
    """Write metadata; None removes a key."""
    return Mark(
        machine=machine.id,
        region=machine.region,
        reason=why,
        instance_id=machine.instance_id,
        metadata=metadata,
    )


def stop(machine: Machine, why: Reason) -> Stop:
    """Stop it as its own configuration says."""
    return Stop(machine=machine.id, region=machine.region, reason=why, instance_id=machine.instance_id)


def suspend(machine: Machine, why: Reason) -> Suspend:
    """Suspend it; where that is refused it is stopped."""
    return Suspend(machine=machine.id, region=machine.region, reason=why, instance_id=machine.instance_id)


def cordon(machine: Machine, why: Reason) -> Cordon:
    """Take it out of routing."""
    return Cordon(machine=machine.id, region=machine.region, reason=why, instance_id=machine.instance_id)


def destroy(machine: Machine, why: Reason, *, force: bool = False) -> Destroy:
    """Destroy it."""
    return Destroy(
        machine=machine.id, region=machine.region, reason=why, instance_id=machine.instance_id, force=force
    )


def unmark(machine: Machine, why: Reason) -> tuple[Action, ...]:
    """Undo everything that once made it leave; the mark goes last, for it tells whose cordon it is."""
    return (*uncordon(machine, why), *_write(machine, _without_leaving(machine), why))


def uncordon(machine: Machine, why: Reason) -> tuple[Action, ...]:
    """Put it back into routing, if it is out of it."""
    if not machine.cordoned:
        return ()
    return (Uncordon(machine=machine.id, region=machine.region, reason=why, instance_id=machine.instance_id),)


def start(member: Member, why: Reason, *, home: Region) -> tuple[Action, ...]:
    """Let a resting Machine serve `home`, with everything undone that once made it leave.

    Whom it serves is written before it starts; where that is known already, writing costs it no time.
    """
    machine = member.machine
    begin = Start(
        machine=machine.id, region=machine.region, reason=why, instance_id=machine.instance_id, home=home
    )
    unmarked = _without_leaving(machine)
    if member.home == home:
        return (*uncordon(machine, why), begin, *_write(machine, unmarked, why))
    tag = {marks.HOME: home if home != machine.region else None}
    return (*uncordon(machine, why), *_write(machine, tag | unmarked, why), begin)


def _without_leaving(machine: Machine) -> dict[str, str | None]:
    return {key: None for key in marks.NO_LEAVING if key in machine.metadata}


def _write(machine: Machine, metadata: Mapping[str, str | None], why: Reason) -> tuple[Action, ...]:
    return (mark(machine, metadata, why),) if metadata else ()
