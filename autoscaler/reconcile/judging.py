"""A tick in one word."""

from collections.abc import Iterable, Mapping

from autoscaler.domain.desired import Decision, Desired, Gate
from autoscaler.domain.fleet import RegionCount
from autoscaler.domain.names import Region
from autoscaler.domain.outcome import AlreadySo, Applied, NotSent, Outcome, Verdict
from autoscaler.domain.plan import Plan
from autoscaler.domain.reason import ReasonCode

HOLDS = frozenset(
    {
        ReasonCode.UNKNOWN,
        ReasonCode.PARTIAL,
        ReasonCode.LAST_KNOWN,
        ReasonCode.ON_ABSENT,
        ReasonCode.HOLD,
        ReasonCode.RESTART_HOLD,
        ReasonCode.ARRIVING,
        ReasonCode.FREEZE_IN,
        ReasonCode.PAUSE_IN,
        ReasonCode.PAUSE_OUT,
        ReasonCode.DEPLOY,
        ReasonCode.COLLAPSE,
        ReasonCode.OLD_LIST,
        ReasonCode.UNHEALTHY,
        ReasonCode.BUSY_COVERAGE,
    }
)
"""Reasons for which a count did not follow its demand. Windows and steps are not among them: they are
how it follows.
"""


def judge(
    gate: Gate,
    decision: Decision,
    plan: Plan,
    outcomes: Iterable[Outcome],
    counts: Mapping[Region, RegionCount],
) -> Verdict:
    """The verdict of a tick that had a survey.

    In this order: paused; failed, if any action was refused, failed or is uncertain; scaled, if there
    was anything to do; held, if something kept the pool from following its demand, from getting
    what it should have or from letting go what it has too many of; else steady.
    """
    if gate.paused is not None:
        return Verdict.PAUSED
    if any(not isinstance(outcome.result, Applied | AlreadySo | NotSent) for outcome in outcomes):
        return Verdict.FAILED
    if plan.actions:
        return Verdict.SCALED
    held = any(_kept(entry) or _too_many(entry, gate, counts) for entry in decision.regions.values())
    stays = any(why.code is ReasonCode.STAYS for why in plan.warnings)
    held = held or (stays and any(_above(entry, counts) for entry in decision.regions.values()))
    return Verdict.HELD if plan.shortfall or held else Verdict.STEADY


def _kept(entry: Desired) -> bool:
    """A hold matters where the count is another than asked for; an idle region at 0 asks for nothing."""
    asked = entry.demand or 0
    return entry.desired != asked and not HOLDS.isdisjoint(why.code for why in entry.reasons)


def _too_many(entry: Desired, gate: Gate, counts: Mapping[Region, RegionCount]) -> bool:
    """More runs than desired, of somebody else's making maybe, and nothing may go in.

    A hold of one region does not keep what is leaving already; one of the whole pool does.
    """
    if gate.no_in:
        return _above(entry, counts)
    count = counts.get(entry.region, RegionCount())
    return entry.region in gate.hold_in and count.capacity - count.draining > entry.desired


def _above(entry: Desired, counts: Mapping[Region, RegionCount]) -> bool:
    return counts.get(entry.region, RegionCount()).capacity > entry.desired
