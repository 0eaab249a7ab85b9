"""The status page: one card per pool, written on the server, without scripts or anything from elsewhere."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from html import escape
from importlib import resources

from autoscaler import __version__
from autoscaler.domain.desired import Desired
from autoscaler.domain.fleet import RegionCount
from autoscaler.domain.instant import Instant
from autoscaler.domain.outcome import TickReport
from autoscaler.domain.pool import Pool
from autoscaler.service.board import Board
from autoscaler.service.plan_json import NOBODY

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
REFRESH_S = 5
COLUMNS = ("region", "bounds", "demand", "desired", "started", "arriving", "stopped", "suspended", "")


def render(board: Board, *, now: Instant, dry_run: bool) -> str:
    """The whole page as HTML."""
    cards = "".join(_card(board.pools[name], report, now=now) for name, report in board.latest().items())
    dry = '<span class="badge dry">dry run: nothing is acted upon</span>' if dry_run else ""
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>autoscaler</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="{REFRESH_S}"><style>{_style()}</style></head><body>
<header><h1>autoscaler</h1><span class="soft">{escape(__version__)} · {_moment(now.wall)}</span>{dry}
<nav><a href="/metrics">metrics</a> · <a href="/api/pools">pools</a> ·
<a href="/api/decisions">decisions</a></nav></header>
{cards}</body></html>
"""


@cache
def _style() -> str:
    return resources.files(__package__).joinpath("status.css").read_text(encoding="utf-8")


def _moment(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _card(pool: Pool, report: TickReport | None, *, now: Instant) -> str:
    where = f"{pool.app} · {pool.group or 'no group'}"
    verdict = report.verdict.value if report else "waiting"
    ago = f"tick {now.mono - report.at.mono:.0f} s ago, took {report.duration_s:.2f} s" if report else ""
    body = _body(report) if report else '<p class="soft">The first tick has not ended yet.</p>'
    return (
        f'<section class="card"><div class="title"><h2>{escape(pool.name)}</h2>'
        f'<span class="badge {verdict}">{verdict}</span>'
        f'<span class="soft">{escape(where)}</span><span class="soft">{ago}</span></div>{body}</section>'
    )


def _body(report: TickReport) -> str:
    lines = "".join(_lines(report))
    return _table(report) + (f"<ul>{lines}</ul>" if lines else "")


def _table(report: TickReport) -> str:
    if report.decision is None:
        return '<p class="soft">Nothing was decided in the last tick.</p>'
    head = "".join(f"<th>{name}</th>" for name in COLUMNS)
    rows = "".join(
        _row(entry, report.counts.get(region, NOBODY))
        for region, entry in sorted(report.decision.regions.items())
    )
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'


def _row(entry: Desired, count: RegionCount) -> str:
    bounds = f"{entry.bounds.min}–{entry.bounds.max}"
    demand = "unknown" if entry.demand is None else str(entry.demand)
    numbers = (bounds, demand, entry.desired, count.running, count.arriving, count.stopped, count.suspended)
    cells = "".join(f"<td>{number}</td>" for number in numbers)
    return f'<tr><td>{escape(entry.region)}</td>{cells}<td class="bar">{_bar(entry, count)}</td></tr>'


def _bar(entry: Desired, count: RegionCount) -> str:
    """What is started, filled, against the maximum; a mark where it is wanted to be."""
    most = max(1, entry.bounds.max, count.running, entry.desired)
    title = f"{count.running} started, {entry.desired} desired, at most {entry.bounds.max}"
    return (
        f'<div class="track" role="img" title="{title}" aria-label="{title}">'
        f'<i style="width:{100 * count.running / most:.1f}%"></i>'
        f'<b style="left:{100 * entry.desired / most:.1f}%"></b></div>'
    )


def _lines(report: TickReport) -> Iterator[str]:
    for region, entry in sorted(report.decision.regions.items() if report.decision else ()):
        if entry.reasons:
            yield _line(region, " → ".join(str(why) for why in entry.reasons))
    plural = Counter((action.region, action.kind, action.reason.code.value) for action in report.plan.actions)
    for (region, kind, code), times in plural.items():
        done = "" if report.acted else " (dry run)"
        yield _line(region, f"{kind} ×{times}: {code}{done}")
    results = Counter(outcome.result.result for outcome in report.outcomes)
    if results:
        yield _line("results", ", ".join(f"{name} {times}" for name, times in results.items()))
    for gap in report.plan.shortfall:
        yield _line(gap.region, f"{gap.missing} missing: {gap.reason}", kind="warning")
    for warning in report.notices:
        yield _line("warning", str(warning), kind="warning")


def _line(subject: str, text: str, *, kind: str = "") -> str:
    mark = f' class="{kind}"' if kind else ""
    return f"<li{mark}><b>{escape(subject)}</b> {escape(text)}</li>"
