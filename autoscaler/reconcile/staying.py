"""Machines that were told to stop or to suspend and stay: what was refused is not asked for ever.

Such a Machine gets a rest, of five minutes at first, twice as long each time up to thirty. For as long as a
list may be behind it keeps its place among those that leave, for it may have gone unheard. If it still runs
then it serves, and another one leaves in its place.
"""

from collections.abc import Iterable, Iterator, Mapping

from autoscaler.domain.fleet import Machine
from autoscaler.domain.names import MachineId
from autoscaler.domain.outcome import AlreadySo, Applied, NotSent, Outcome, Refusal, Refused, Result
from autoscaler.domain.plan import Stop, Suspend
from autoscaler.domain.reason import Reason, ReasonCode, reason
from autoscaler.reconcile.backoff import FIRST_S, LONGEST_S
from autoscaler.reconcile.counting import AWAKE
from autoscaler.reconcile.departures import BEHIND_S
from autoscaler.reconcile.ledger import Ledger, Stay

SUSPENDS = 2
"""After so many attempts in a row a Machine is stopped rather than suspended."""
ATTEMPTS = 3
"""After so many attempts in a row, and after every further one, a Machine gets a rest."""

DOUBLINGS = 3
"""After so many a rest is as long as it gets."""

ITS_MOMENT = frozenset({Refusal.LEASED, Refusal.RATE_LIMITED})
"""Refusals that say nothing of the Machine; they pass by themselves."""


def after(ledger: Ledger, outcomes: Iterable[Outcome], mono: float) -> dict[MachineId, Stay]:
    """The attempts once a tick has acted. A suspend and the stop that follows it are one."""
    ended = {one.action.machine: one.result for one in outcomes if isinstance(one.action, Stop | Suspend)}
    stays = dict(ledger.stays)
    for machine, result in ended.items():
        if isinstance(result, Applied | AlreadySo):
            stays.pop(machine, None)
        elif not _passes(result):
            times = stays[machine].times if machine in stays else 0
            stays[machine] = Stay(times=times + 1, last=mono)
    return stays


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
    return rests(ledger, machine, mono) and mono - ledger.stays[machine.id].last >= BEHIND_S


def warnings(ledger: Ledger) -> Iterator[Reason]:
    """A warning for every Machine that is told and told and stays."""
    for machine, stay in ledger.stays.items():
        if stay.times >= ATTEMPTS:
            yield reason(ReasonCode.STAYS, machine=machine)


def _rest_s(stay: Stay) -> float:
    doublings = min(max(0, stay.times - ATTEMPTS), DOUBLINGS)
    return min(LONGEST_S, FIRST_S * (1 << doublings))


def _passes(result: Result) -> bool:
    return isinstance(result, NotSent) or (isinstance(result, Refused) and result.refusal in ITS_MOMENT)
