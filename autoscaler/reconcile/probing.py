"""What is refused to everybody alike is asked for once per tick, until somebody has mended it."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from autoscaler.domain.outcome import AlreadySo, Applied, Outcome, Refusal, Refused
from autoscaler.domain.plan import Action, Create, Plan, Shortfall, Start
from autoscaler.domain.reason import Reason, ReasonCode, reason


def doubted(outcomes: Iterable[Outcome]) -> Mapping[str, Reason]:
    """The kinds of action that a tick was refused for good reason to expect the same of the next one.

    None of that kind was accepted, and what the platform said concerns all of them: the token may not,
    or the image that every new Machine would have is gone.
    """
    found: dict[str, Reason] = {}
    accepted: set[str] = set()
    for outcome in outcomes:
        kind, result = outcome.action.kind, outcome.result
        if isinstance(result, Applied | AlreadySo):
            accepted.add(kind)
        elif isinstance(result, Refused) and _concerns_all(outcome.action, result.refusal):
            found.setdefault(kind, reason(ReasonCode.REFUSED, action=kind, refusal=result.refusal.value))
    return {kind: why for kind, why in found.items() if kind not in accepted}


def _concerns_all(action: Action, refusal: Refusal) -> bool:
    # A Machine that exists has an image of its own; only new ones are all copies of the same.
    return refusal is Refusal.UNAUTHORIZED or (refusal is Refusal.IMAGE and isinstance(action, Create))


def restrained(plan: Plan, doubts: Mapping[str, Reason]) -> Plan:
    """The plan with one subject's actions of each doubted kind, and what that leaves out as a shortfall.

    The first one is the probe. What belongs to a subject stays together: half of it would be worse.
    """
    if not doubts:
        return plan
    probes: dict[str, str] = {}
    for action in plan.actions:
        if action.kind in doubts:
            probes.setdefault(action.kind, action.subject)
    waiting = {
        action.subject
        for action in plan.actions
        if action.kind in probes and probes[action.kind] != action.subject
    }
    kept = tuple(action for action in plan.actions if action.subject not in waiting)
    lacking = _lacking((action for action in plan.actions if action.subject in waiting), doubts)
    return replace(plan, actions=kept, shortfall=(*plan.shortfall, *lacking))


def _lacking(left_out: Iterable[Action], doubts: Mapping[str, Reason]) -> Iterable[Shortfall]:
    found: dict[tuple[str, str], Shortfall] = {}
    for action in left_out:
        if not isinstance(action, Start | Create) or action.kind not in doubts:
            continue
        home = action.home or action.region
        former = found.get((action.kind, home))
        missing = 1 + (former.missing if former else 0)
        found[action.kind, home] = Shortfall(region=home, missing=missing, reason=doubts[action.kind])
    return found.values()
