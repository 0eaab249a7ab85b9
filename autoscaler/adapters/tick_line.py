"""A TickReport as the one canonical log line of its pool and tick."""

from collections import Counter as Tally
from collections.abc import Iterator, Mapping
from typing import Any

from structlog.typing import FilteringBoundLogger

from autoscaler.domain.names import PoolName
from autoscaler.domain.outcome import AlreadySo, Applied, Outcome, Refused, TickReport, Verdict
from autoscaler.domain.reason import ReasonCode

TICK_DONE = "tick.done"
FAILURES_QUOTED = 5
LASTING = frozenset({ReasonCode.OUTSIDE_REGIONS, ReasonCode.TWO_MASTERS})
"""True of a configuration: in every line, but never a reason to raise its level."""
SUBJECTS = frozenset({"metric", "region", "why", "machine", "signal", "action", "refusal", "error"})
"""The figures of a warning that tell what it is about."""


class TickLines:
    """Writes one line per pool and tick: a warning when trouble begins, else information.

    Trouble that lasts is in every line; a warning in every tick would say nothing new.
    """

    def __init__(self, log: FilteringBoundLogger) -> None:
        """Lines go to `log`."""
        self._log = log
        self._known: dict[PoolName, Mapping[str, bool]] = {}

    def write(self, report: TickReport) -> None:
        """Log a report."""
        known, present = self._known.get(report.pool, {}), dict(_troubles(report))
        # While a region is parked, what it was refused is still so, and comes up again now and then.
        kept = {trouble: True for trouble, recurs in known.items() if recurs} if report.parked else {}
        self._known[report.pool] = kept | present
        news = present.keys() - known.keys()
        level = self._log.warning if news else self._log.info
        level(TICK_DONE, **canonical(report))


def _troubles(report: TickReport) -> Iterator[tuple[str, bool]]:
    """What is wrong in a tick, without figures that change, and whether it comes and goes with refusals.

    Such trouble names no Machine: it is remembered for as long as a region is parked, which may be for ever.
    """
    if report.verdict in {Verdict.BLIND, Verdict.FAILED}:
        yield report.verdict, True
    for notice in report.notices:
        if notice.code not in LASTING:
            about = (str(value) for name, value in notice.numbers if name in SUBJECTS)
            yield " ".join((notice.code, *about)), notice.code is ReasonCode.REFUSED
    for outcome in report.outcomes:
        result = outcome.result
        if not isinstance(result, Applied | AlreadySo):
            refusal = result.refusal.value if isinstance(result, Refused) else ""
            yield f"{outcome.action.kind} {outcome.action.region} {result.result} {refusal}", True


def canonical(report: TickReport) -> dict[str, Any]:
    """The keys of the one line per pool and tick: always the same, regions by code."""
    regions = report.decision.regions if report.decision else {}
    actions: dict[str, Tally[str]] = {}
    for action in report.plan.actions:
        actions.setdefault(action.region, Tally())[action.kind] += 1
    return {
        "pool": report.pool,
        "app": report.app,
        "group": report.group,
        "verdict": report.verdict.value,
        "dry_run": not report.acted,
        "before": {region: count.capacity for region, count in report.counts.items()},
        "demand": {region: entry.demand for region, entry in regions.items()},
        "desired": {region: entry.desired for region, entry in regions.items()},
        "actions": {region: dict(tally) for region, tally in actions.items()},
        "results": dict(Tally(outcome.result.result for outcome in report.outcomes)),
        "failures": [text for outcome in report.outcomes if (text := _failure(outcome))][:FAILURES_QUOTED],
        "shortfall": [f"{entry.region} {entry.missing} {entry.reason}" for entry in report.plan.shortfall],
        "reasons": {region: [str(why) for why in entry.reasons] for region, entry in regions.items()},
        "warnings": [str(warning) for warning in report.notices],
        "duration_s": round(report.duration_s, 3),
    }


def _failure(outcome: Outcome) -> str:
    result, action = outcome.result, outcome.action
    if isinstance(result, Applied | AlreadySo):
        return ""
    said = (
        (result.refusal.value, result.detail)
        if isinstance(result, Refused)
        else (getattr(result, "detail", ""),)
    )
    subject = f"{action.kind} {action.machine or action.region} {result.result}"
    return ": ".join((subject, *filter(None, said)))
