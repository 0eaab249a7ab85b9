"""A TickReport as the one canonical log line of its pool and tick."""

from collections import Counter as Tally
from typing import Any

from structlog.typing import FilteringBoundLogger

from autoscaler.domain.outcome import AlreadySo, Applied, Outcome, Refused, TickReport, Verdict
from autoscaler.domain.reason import ReasonCode

TICK_DONE = "tick.done"
FAILURES_QUOTED = 5
LASTING = frozenset({ReasonCode.OUTSIDE_REGIONS, ReasonCode.TWO_MASTERS})
"""True of a configuration in every tick: in every line, but no reason to raise each one's level."""


def write(log: FilteringBoundLogger, report: TickReport) -> None:
    """Log a report: a warning if something went wrong in this tick, else information."""
    level = log.warning if _worrying(report) else log.info
    level(TICK_DONE, **canonical(report))


def _worrying(report: TickReport) -> bool:
    failed = any(not isinstance(outcome.result, Applied | AlreadySo) for outcome in report.outcomes)
    news = any(notice.code not in LASTING for notice in report.notices)
    return failed or news or report.verdict in {Verdict.BLIND, Verdict.FAILED}


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
