"""TickReports as the JSON that `plan --json` prints and the endpoints serve.

The shape is stable: keys are added, never renamed.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from autoscaler.domain.desired import Desired
from autoscaler.domain.fleet import RegionCount
from autoscaler.domain.outcome import TickReport
from autoscaler.domain.plan import Action, Shortfall
from autoscaler.domain.reason import Reason

NOBODY = RegionCount()


def document(reports: Sequence[TickReport], *, at: float) -> dict[str, Any]:
    """Several pools at unix time `at`."""
    return {"at": timestamp(at), "pools": [pool(report) for report in reports]}


def timestamp(at: float) -> str:
    """Unix seconds as RFC 3339 in UTC, to the millisecond."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def pool(report: TickReport) -> dict[str, Any]:
    """One pool's tick. Regions are listed as soon as a decision was made."""
    decision = report.decision
    return {
        "pool": report.pool,
        "app": report.app,
        "group": report.group,
        "verdict": report.verdict.value,
        "metrics": [
            {
                "name": row.name,
                "region": row.region,
                "value": row.value,
                "age_s": row.age_s,
                "absent": row.absent.value if row.absent else None,
            }
            for row in (decision.metrics if decision else ())
        ],
        "regions": [
            _region(entry, report.counts.get(region, NOBODY))
            for region, entry in sorted(decision.regions.items() if decision else ())
        ],
        "actions": [_action(action) for action in report.plan.actions],
        "shortfall": [_shortfall(entry) for entry in report.plan.shortfall],
        "warnings": [_reason(warning) for warning in report.notices],
    }


def _region(entry: Desired, count: RegionCount) -> dict[str, Any]:
    return {
        "region": entry.region,
        "min": entry.bounds.min,
        "max": entry.bounds.max,
        "started": count.running,
        "arriving": count.arriving,
        "stopped": count.stopped,
        "suspended": count.suspended,
        "demand": entry.demand,
        "desired": entry.desired,
        "reasons": [_reason(why) for why in entry.reasons],
    }


def _action(action: Action) -> dict[str, Any]:
    return {
        "kind": action.kind,
        "region": action.region,
        "machine": action.machine,
        "reason": action.reason.code.value,
        "detail": action.reason.detail,
    }


def _shortfall(entry: Shortfall) -> dict[str, Any]:
    return {
        "region": entry.region,
        "missing": entry.missing,
        "reason": entry.reason.code.value,
        "detail": entry.reason.detail,
    }


def _reason(why: Reason) -> dict[str, str]:
    return {"code": why.code.value, "detail": why.detail}
