"""What the demonstration shows: a live table on a terminal, one plain line per tick elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from autoscaler.domain.desired import Desired
from autoscaler.domain.fleet import RegionCount
from autoscaler.domain.names import Region
from autoscaler.domain.outcome import TickReport
from autoscaler.domain.reason import ReasonCode
from autoscaler.service.demo.load import BURST_FROM, BURST_REGION, JOBS_FROM, JOBS_TO
from autoscaler.service.demo.score import Score

if TYPE_CHECKING:
    from rich.table import Table

COLUMNS = ("region", "bounds", "load", "demand", "desired", "started", "arriving", "stopped", "last reason")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One region at one moment, ready to be printed; `load` in requests in flight."""

    region: Region
    bounds: str
    load: str
    demand: str
    desired: int
    count: RegionCount
    reason: str

    def cells(self) -> tuple[str, ...]:
        """The row in the order of COLUMNS."""
        count = (str(self.count.ready), str(self.count.arriving), str(self.count.stopped))
        return (self.region, self.bounds, self.load, self.demand, str(self.desired), *count, self.reason)


def wall(fraction: float) -> str:
    """What a clock shows when so much of the day has passed, from 0 to 1."""
    minutes = int(fraction * 24 * 60 + 1e-6)
    return f"{minutes // 60:02}:{minutes % 60:02}"


def agenda() -> str:
    """What will happen, and why a demand can be above what a region's own load asks for."""
    return (
        f"{wall(BURST_FROM)} a burst in {BURST_REGION}; "
        f"{wall(JOBS_FROM)} to {wall(JOBS_TO)} jobs that any region may do"
    )


def rows(report: TickReport, load: Mapping[Region, float]) -> tuple[Row, ...]:
    """A row per region of the report; none while there is no decision."""
    if report.decision is None:
        return ()
    return tuple(
        _row(entry, report.counts.get(region, RegionCount()), load.get(region, 0.0))
        for region, entry in sorted(report.decision.regions.items())
    )


def table(report: TickReport, load: Mapping[Region, float], score: Score | None, clock: str) -> "Table":
    """The live table, a line per region even on 80 columns; without a score, without its summary below."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    shown = Table(
        title=f"{report.pool}  {clock}  {report.verdict}",
        caption=summary(score) if score else None,
        box=SIMPLE_HEAD,
        show_edge=False,
        padding=0,
        expand=True,
    )
    for column in COLUMNS[:-1]:
        shown.add_column(column, justify="left" if column == "region" else "right", min_width=len(column))
    shown.add_column(COLUMNS[-1], ratio=1, no_wrap=True)
    for row in rows(report, load):
        shown.add_row(*row.cells())
    return shown


def line(report: TickReport, load: Mapping[Region, float], clock: str) -> str:
    """One tick on one line."""
    shown = rows(report, load)
    regions = " | ".join(
        f"{row.region} load {row.load} demand {row.demand} desired {row.desired} "
        f"started {row.count.ready} (+{row.count.arriving})"
        for row in shown
    )
    return f"{clock} {report.verdict:<7} {regions or 'no survey of the Machines yet'}"


def summary(score: Score) -> str:
    """How well the fleet has followed so far, and what a fixed fleet would have used."""
    return (
        f"unserved {score.unserved_percent:.1f}% of the load; {score.machine_seconds:.0f} Machine-seconds, "
        f"{score.of_fixed_percent:.0f}% of the {score.fixed_machine_seconds:.0f} of a fixed fleet"
    )


def nothing_seen(last: TickReport | None, url: str) -> str:
    """That the daemon saw nothing of an emulator at `url`, why by its last tick, and what to do."""
    told = dict(number for warning in last.notices for number in warning.numbers) if last else {}
    why = f" ({told['detail']})" if told.get("detail") else ""
    return (
        f"the daemon never saw the Machines of the emulated Fly{why};"
        f" see that programs on this machine may connect to {url}"
    )


def _row(entry: Desired, count: RegionCount, load: float) -> Row:
    told = [reason for reason in entry.reasons if reason.code is not ReasonCode.POOL_DEMAND]
    last = told[-1] if told else None
    return Row(
        region=entry.region,
        bounds=f"{entry.bounds.min}..{entry.bounds.max}",
        load=f"{load:.0f}",
        demand="?" if entry.demand is None else str(entry.demand),
        desired=entry.desired,
        count=count,
        reason=f"{last.code} {last.detail}" if last else "",
    )
