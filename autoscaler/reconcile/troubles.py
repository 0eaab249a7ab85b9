"""What a tick was refused that only people can mend: it is told, whatever else becomes of the action."""

from collections.abc import Iterable

from autoscaler.domain.outcome import Outcome, Refusal, Refused
from autoscaler.domain.reason import Reason, ReasonCode, reason

FOR_PEOPLE = frozenset({Refusal.ORG_LIMIT, Refusal.INVALID, Refusal.IMAGE, Refusal.UNAUTHORIZED})
"""Refusals that neither another tick nor another region mends."""


def refusals(outcomes: Iterable[Outcome]) -> tuple[Reason, ...]:
    """One Reason for each kind of action and refusal, in the words of the platform's first answer."""
    told: dict[tuple[str, Refusal], Reason] = {}
    for outcome in outcomes:
        kind, result = outcome.action.kind, outcome.result
        if isinstance(result, Refused) and result.refusal in FOR_PEOPLE:
            why = reason(ReasonCode.REFUSED, action=kind, refusal=result.refusal.value, detail=result.detail)
            told.setdefault((kind, result.refusal), why)
    return tuple(told.values())
