"""TickReports for people: a table per pool on a terminal, plain aligned lines anywhere else."""

from collections import Counter
from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from autoscaler.domain.desired import Desired, MetricRow
from autoscaler.domain.fleet import RegionCount
from autoscaler.domain.outcome import Refused, TickReport, Verdict
from autoscaler.domain.reason import figure
from autoscaler.service.plan_json import NOBODY

PLAIN_WIDTH = 240
COLUMNS = ("region", "min", "max", "started", "arriving", "stopped", "suspended", "demand", "desired")
STYLES = {
    Verdict.STEADY: "green",
    Verdict.SCALED: "cyan",
    Verdict.HELD: "yellow",
    Verdict.PAUSED: "yellow",
    Verdict.BLIND: "red",
    Verdict.FAILED: "red",
}


def show(reports: Sequence[TickReport], *, console: Console | None = None) -> None:
    """Write every report to `console`, by default stdout."""
    console = console or on_stdout()
    for index, report in enumerate(reports):
        if index:
            console.print()
        _show_pool(report, console)


def on_stdout() -> Console:
    """A console that neither wraps nor colours where nobody looks."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=PLAIN_WIDTH, no_color=True)


def _show_pool(report: TickReport, console: Console) -> None:
    where = f"app {report.app}, group {report.group}" if report.group else f"app {report.app}, no group"
    console.print(
        Text.assemble(
            (report.pool, "bold"), "  ", (report.verdict.value, STYLES[report.verdict]), (f"  {where}", "dim")
        )
    )
    if report.decision is not None:
        console.print(_table(report, boxed=console.is_terminal))
    for line in lines(report):
        console.print(Text(f"  {line}"), soft_wrap=True)


def _table(report: TickReport, *, boxed: bool) -> Table:
    table = Table(border_style="dim") if boxed else Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in COLUMNS:
        table.add_column(name, justify="left" if name == "region" else "right")
    for region, entry in sorted(report.decision.regions.items() if report.decision else ()):
        table.add_row(*_cells(entry, report.counts.get(region, NOBODY)))
    return table


def _cells(entry: Desired, count: RegionCount) -> Iterator[str]:
    demand = "unknown" if entry.demand is None else str(entry.demand)
    numbers = (entry.bounds.min, entry.bounds.max, count.running, count.arriving, count.stopped)
    yield from (entry.region, *map(str, numbers), str(count.suspended), demand, str(entry.desired))


def lines(report: TickReport) -> Iterator[str]:
    """What the table has no room for: metrics, reasons, actions and their results, shortfall, warnings."""
    decision = report.decision
    yield from (_metric(row) for row in (decision.metrics if decision else ()))
    for region, entry in sorted(decision.regions.items() if decision else ()):
        first, *steps = map(str, entry.reasons or ("no change",))
        yield f"why {region}: {first}"
        yield from (f"    -> {step}" for step in steps)
    planned = "would" if not report.acted else "to"
    for action in report.plan.actions:
        subject = f" {action.machine}" if action.machine else ""
        yield f"{planned} {action.kind}{subject} in {action.region}: {action.reason}"
    if report.decision is not None and not report.plan.actions:
        yield "nothing to do"
    yield from _results(report)
    for gap in report.plan.shortfall:
        yield f"shortfall {gap.region}: {gap.missing} missing, {gap.reason}"
    yield from (f"warning: {warning}" for warning in report.notices)


def _metric(row: MetricRow) -> str:
    name = f"{row.name} of {row.region}" if row.region else row.name
    if row.absent is not None or row.value is None:
        return f"metric {name}: {row.absent.value if row.absent else 'unknown'}"
    age = "" if row.age_s is None else f" ({row.age_s:.0f} s old)"
    return f"metric {name}: {figure(row.value)}{age}"


def _results(report: TickReport) -> Iterator[str]:
    results = Counter(outcome.result.result for outcome in report.outcomes)
    if results:
        yield "results: " + ", ".join(f"{times} {name}" for name, times in sorted(results.items()))
    for outcome in report.outcomes:
        detail = getattr(outcome.result, "detail", "")
        kind = f"{outcome.result.refusal.value} " if isinstance(outcome.result, Refused) else ""
        if kind or detail:
            action = outcome.action
            yield f"{action.kind} in {action.region} {outcome.result.result}: {kind}{detail}".rstrip()
