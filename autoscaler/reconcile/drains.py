"""How a busy Machine leaves: marked and out of routing first, stopped once it is idle or its time is up."""

from collections.abc import Mapping

from autoscaler.domain.fleet import Machine
from autoscaler.domain.instant import Instant
from autoscaler.domain.names import MachineId
from autoscaler.domain.plan import Action
from autoscaler.domain.reason import Reason, ReasonCode, reason
from autoscaler.reconcile import marks, steps
from autoscaler.reconcile.counting import PoolView
from autoscaler.reconcile.ledger import Ledger
from autoscaler.reconcile.situation import Situation

IDLE_READINGS = 2
"""So many idle readings in a row prove a draining Machine idle."""
LONG_S = 900.0
"""A drain without an end that lasts longer is reported."""


def begun(view: PoolView, ledger: Ledger, now: Instant) -> Mapping[MachineId, float]:
    """When each drain in force began, in monotonic seconds, so that no jump of the wall clock ends one.

    The platform's mark is asked once, when a drain is first seen; afterwards it is remembered.
    """
    dated = ((member.machine.id, _begun(member.machine, ledger, now)) for member in view.members)
    return {machine: since for machine, since in dated if since is not None}


def _begun(machine: Machine, ledger: Ledger, now: Instant) -> float | None:
    marked = marks.draining_since(machine)
    if marked is None:
        return None
    return ledger.drains.get(machine.id, now.mono - max(0.0, now.wall - marked))


def may_go(situation: Situation, machine: Machine) -> Reason | None:
    """Why a surplus Machine may leave now, None if it is busy and has to drain first, or still drains."""
    load = situation.load(machine)
    if marks.draining_since(machine) is None:
        return reason(ReasonCode.SURPLUS) if load == 0.0 else None
    if load == 0.0 and situation.ledger.idle.get(machine.id, 0) >= IDLE_READINGS:
        return reason(ReasonCode.DRAINED)
    limit = situation.pool.drain_s
    if limit is not None and lasted(situation, machine) >= limit:
        return reason(ReasonCode.DRAIN_EXPIRED, drain_s=limit)
    return None


def proceed(situation: Situation, machine: Machine) -> tuple[Action, ...]:
    """Begin a drain, or bring one to where it should be."""
    why = reason(ReasonCode.DRAINING)
    begin = marks.draining_since(machine) is None
    marked = (steps.mark(machine, marks.drain(machine, situation.now.wall), why),) if begin else ()
    routed = machine.has_services and not machine.cordoned
    return (*marked, *((steps.cordon(machine, why),) if routed else ()))


def lasted(situation: Situation, machine: Machine) -> float:
    """For how many seconds a Machine has been draining; 0 if it does not."""
    since = _begun(machine, situation.ledger, situation.now)
    return 0.0 if since is None else situation.now.mono - since


def long_lasting(situation: Situation) -> tuple[Reason, ...]:
    """A warning for every drain that has no end and still lasts."""
    if situation.pool.drain_s is not None:
        return ()
    begun_at = begun(situation.view, situation.ledger, situation.now)
    return tuple(
        reason(ReasonCode.LONG_DRAIN, machine=machine)
        for machine, since in begun_at.items()
        if situation.now.mono - since > LONG_S
    )
