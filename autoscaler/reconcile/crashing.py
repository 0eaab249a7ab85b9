"""Machines that end badly right after we start them: counted, passed over, and forgiven once they run."""

from collections.abc import Sequence
from dataclasses import replace

from autoscaler.domain.fleet import Machine, MachineState
from autoscaler.domain.instant import Instant
from autoscaler.domain.reason import ReasonCode, reason
from autoscaler.reconcile import backoff
from autoscaler.reconcile.ledger import Ledger

SOON_S = 60.0
"""An end this soon after our start is blamed on the Machine."""

STARTS_KEPT_S = 600.0


def fold(ledger: Ledger, members: Sequence[Machine], now: Instant) -> Ledger:
    """The Ledger with this survey's crashes counted, each once, and with those forgiven that run.

    A crash is an exit that was not clean and that nobody asked for, within `SOON_S` of our start.
    A Machine of another version than before starts with a clean slate.
    """
    crashed = [machine.id for machine in members if _crashed(machine, ledger)]
    forgiven = {machine.id for machine in members if _forgiven(machine, ledger, now.wall)}
    counts = {
        machine.id: ledger.crashes.get(machine.id, 0) + (machine.id in crashed)
        for machine in members
        if machine.id not in forgiven
    }
    reasons = {machine: reason(ReasonCode.CRASH_LOOP, crashes=counts[machine]) for machine in crashed}
    return replace(
        ledger,
        crashes={machine: count for machine, count in counts.items() if count > 0},
        passed_over=backoff.refused(ledger.passed_over, reasons, now.mono),
        our_starts={
            machine: at
            for machine, at in ledger.our_starts.items()
            if machine not in crashed and abs(now.wall - at) < STARTS_KEPT_S
        },
    )


def _crashed(machine: Machine, ledger: Ledger) -> bool:
    started, ended = ledger.our_starts.get(machine.id), machine.last_exit
    if started is None or ended is None or not ended.crashed or _is_new(machine, ledger):
        return False
    return started <= ended.at <= started + SOON_S


def _forgiven(machine: Machine, ledger: Ledger, wall: float) -> bool:
    started = ledger.our_starts.get(machine.id)
    runs = machine.state is MachineState.STARTED and started is not None and wall - started > SOON_S
    return _is_new(machine, ledger) or (runs and not _crashed(machine, ledger))


def _is_new(machine: Machine, ledger: Ledger) -> bool:
    seen = ledger.seen.get(machine.id)
    return seen is not None and seen.instance_id != machine.instance_id
