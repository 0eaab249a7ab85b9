"""Machines that end badly right after we start them: counted, passed over, and forgiven once they run."""

from collections.abc import Sequence
from dataclasses import replace

from autoscaler.domain.fleet import Machine, MachineState
from autoscaler.domain.instant import Instant
from autoscaler.domain.names import MachineId
from autoscaler.domain.reason import ReasonCode, reason
from autoscaler.reconcile import backoff
from autoscaler.reconcile.ledger import Ledger

SOON_S = 60.0
"""An end this soon after our start is blamed on the Machine."""

STARTS_KEPT_S = 600.0

ON_TRIAL_S = 300.0
"""For how long after its wait a Machine that crashed is not trusted yet: if it is wanted, it is tried."""


def fold(ledger: Ledger, members: Sequence[Machine], now: Instant) -> Ledger:
    """The Ledger with this survey's crashes counted, each once, and with those forgiven that run.

    A crash is an exit that was not clean and that nobody asked for, or no more than a failure, within
    `SOON_S` of our start.
    A Machine of another version than before starts with a clean slate, and so does one that has run for
    longer than `SOON_S` since its last start, be it ours or the platform's.
    """
    crashed = [machine.id for machine in members if _crashed(machine, ledger, now.wall)]
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


def untrusted(ledger: Ledger, machine: MachineId, mono: float) -> int:
    """How often a Machine has crashed that is passed over for it, or being tried again; 0 for all others.

    One that nobody has wanted since its wait was over says nothing about the others any more.
    """
    waits = ledger.passed_over.get(machine)
    tried = machine in ledger.our_starts or (waits is not None and mono < waits.until + ON_TRIAL_S)
    return ledger.crashes.get(machine, 0) if tried else 0


def _crashed(machine: Machine, ledger: Ledger, wall: float) -> bool:
    started, ended = ledger.our_starts.get(machine.id), machine.last_exit
    if started is None or _is_new(machine, ledger):
        return False
    if ended is not None and ended.crashed and started <= ended.at <= started + SOON_S:
        return True
    return machine.state is MachineState.FAILED and started < wall <= started + SOON_S


def _forgiven(machine: Machine, ledger: Ledger, wall: float) -> bool:
    starts = [at for at in (ledger.our_starts.get(machine.id), machine.started_at) if at is not None]
    runs = machine.state is MachineState.STARTED and bool(starts) and wall - max(starts) > SOON_S
    return _is_new(machine, ledger) or (runs and not _crashed(machine, ledger, wall))


def _is_new(machine: Machine, ledger: Ledger) -> bool:
    seen = ledger.seen.get(machine.id)
    return seen is not None and seen.instance_id != machine.instance_id
