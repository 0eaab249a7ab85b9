"""Machines that were told to leave and stay: what was refused is not asked for ever.

Such a Machine gets a rest, of five minutes at first, twice as long each time up to thirty. It keeps its place
among those that leave, for it may have gone unheard and the list be behind. Only if the platform, asked for
this Machine alone, says that it still runs does it serve, and another one leaves in its place.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from autoscaler.domain.fleet import Machine
from autoscaler.domain.names import MachineId
from autoscaler.domain.outcome import AlreadySo, Applied, NotSent, Outcome, Refusal, Refused, Result
from autoscaler.domain.plan import Action, Cordon, Mark, Stop, Suspend
from autoscaler.domain.reason import Reason, ReasonCode, reason
from autoscaler.reconcile import departures
from autoscaler.reconcile.backoff import FIRST_S, LONGEST_S
from autoscaler.reconcile.counting import AWAKE
from autoscaler.reconcile.departures import BEHIND_S
from autoscaler.reconcile.ledger import Ledger, Stay
from autoscaler.reconcile.marks import DOOMED, DRAINING

SUSPENDS = 2
"""After so many attempts in a row a Machine is stopped rather than suspended."""
ATTEMPTS = 3
"""After so many attempts in a row, and after every further one, a Machine gets a rest."""

DOUBLINGS = 3
"""After so many a rest is as long as it gets."""

NOT_ITS_OWN = frozenset({Refusal.LEASED, Refusal.RATE_LIMITED, Refusal.UNAUTHORIZED})
"""Refusals that say nothing of the Machine."""


def after(ledger: Ledger, outcomes: Iterable[Outcome], mono: float) -> dict[MachineId, Stay]:
    """The attempts once a tick has acted. All that was done to one Machine in a tick is one attempt."""
    stays = dict(ledger.stays)
    for machine, last in _lasts(outcomes).items():
        if not isinstance(last.result, Applied | AlreadySo):
            if not _passes(last.result):
                times = stays[machine].times if machine in stays else 0
                stays[machine] = Stay(times=times + 1, last=mono)
        elif isinstance(last.action, Stop | Suspend):
            stays.pop(machine, None)
    return stays


def _lasts(outcomes: Iterable[Outcome]) -> dict[MachineId, Outcome]:
    """The last that was tried to make each Machine leave."""
    return {
        one.action.machine: one
        for one in outcomes
        if isinstance(one.action, Mark | Cordon | Stop | Suspend)
        and _sends_away(one.action)
        and not isinstance(one.result, NotSent)
    }


def _sends_away(action: Action) -> bool:
    if isinstance(action, Mark):
        return any(action.metadata.get(key) is not None for key in (DRAINING, DOOMED))
    return True


def still(
    stays: Mapping[MachineId, Stay], members: Iterable[Machine], updated: frozenset[MachineId], mono: float
) -> dict[MachineId, Stay]:
    """The attempts upon Machines that a survey shows running yet, in the same version as then.

    Nobody has wanted one to leave that was not told again for twice its rest; it begins anew.
    """
    if not stays:
        return {}
    awake = {machine.id for machine in members if machine.state in AWAKE} - updated
    return {
        machine: stay
        for machine, stay in stays.items()
        if machine in awake and mono - stay.last < 2 * _rest_s(stay)
    }


def suspends(ledger: Ledger, machine: Machine) -> bool:
    """Whether it is worth trying to suspend a Machine."""
    stay = ledger.stays.get(machine.id)
    return stay is None or stay.times < SUSPENDS


def rests(ledger: Ledger, machine: Machine, mono: float) -> bool:
    """Whether a Machine is not to be told now."""
    stay = ledger.stays.get(machine.id)
    return stay is not None and stay.times >= ATTEMPTS and mono - stay.last < _rest_s(stay)


def serves_on(ledger: Ledger, machine: Machine, mono: float) -> bool:
    """Whether a Machine rests, and runs for sure."""
    return rests(ledger, machine, mono) and ledger.stays[machine.id].runs


def doubtful(ledger: Ledger, mono: float) -> list[MachineId]:
    """Machines that rest and may yet have left unheard, once the last attempt has had time to take effect."""
    return [
        machine
        for machine, stay in sorted(ledger.stays.items())
        if stay.times >= ATTEMPTS and not stay.runs and mono - stay.last >= BEHIND_S
    ]


def looked_at(ledger: Ledger, found: Mapping[MachineId, Machine | None], mono: float) -> Ledger:
    """The Ledger once the platform was asked for these Machines: each runs, or left when it was told to."""
    stays, left = dict(ledger.stays), dict(ledger.departures)
    for machine, shown in found.items():
        if shown is not None and shown.state in AWAKE:
            stays[machine] = replace(stays[machine], runs=True)
        else:
            del stays[machine]
            left[machine] = departures.of(ledger, machine, mono)
    return replace(ledger, stays=stays, departures=left)


def warnings(ledger: Ledger) -> Iterator[Reason]:
    """A warning for every Machine that is told and told and stays."""
    for machine, stay in ledger.stays.items():
        if stay.times >= ATTEMPTS:
            yield reason(ReasonCode.STAYS, machine=machine)


def _rest_s(stay: Stay) -> float:
    doublings = min(max(0, stay.times - ATTEMPTS), DOUBLINGS)
    return min(LONGEST_S, FIRST_S * (1 << doublings))


def _passes(result: Result) -> bool:
    return isinstance(result, Refused) and result.refusal in NOT_ITS_OWN
