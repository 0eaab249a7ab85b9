"""A TickReport as metrics.

Gauges are read from each pool's last report when somebody scrapes, so a region, metric or warning that the
report no longer has is gone from the page as well. Counters and histograms are counted as reports arrive.
Labels are bounded: pools, platform regions and our own codes, never a text of an upstream. What each
metric means is written in `docs/metrics.md`.
"""

from collections import Counter as Tally
from collections.abc import Iterator, Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from autoscaler import __version__
from autoscaler.domain.desired import Decision
from autoscaler.domain.fleet import Machine, Survey, Volume
from autoscaler.domain.geography import REGIONS
from autoscaler.domain.names import AppName, MachineId, PoolName, Region
from autoscaler.domain.outcome import Result, TickReport, Verdict
from autoscaler.domain.plan import Action
from autoscaler.domain.reason import Reason, ReasonCode
from autoscaler.reconcile.ports import Machines

TICK_SECONDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60)
UPSTREAM_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)

_GAUGES = {
    "machines": ("Machines of the pool by home region and state.", ("region", "state")),
    "demand_machines": ("Machines the load asks for, before bounds.", ("region",)),
    "desired_machines": ("Machines the policy decided on.", ("region",)),
    "bound_machines": ("Bounds in force, schedules included.", ("region", "bound")),
    "metric_value": ("A metric as the policy used it; no region means pool-wide.", ("metric", "region")),
    "metric_age_seconds": ("Age of a metric's oldest sample, where known.", ("metric",)),
    "shortfall_machines": ("Machines a region should have and cannot get.", ("region",)),
    "region_parked": ("1 while a region is left alone because it refused Machines.", ("region",)),
    "last_tick_timestamp_seconds": ("When the last tick began, unix time.", ()),
    "running_cost_dollars_per_hour": ("List price of the started Machines.", ()),
}


class Telemetry:
    """The process's metrics, in a registry of their own."""

    def __init__(self, *, dry_run: bool = False) -> None:
        """Register every metric."""
        disable_created_metrics()  # type: ignore[no-untyped-call]  # the library left it without types
        self.registry = CollectorRegistry()
        self._reports = _LastReports()
        self.registry.register(self._reports)
        self._counted(self.registry)
        Gauge("autoscaler_build_info", "Which version runs.", ["version"], registry=self.registry).labels(
            __version__
        ).set(1)
        Gauge("autoscaler_dry_run", "1 if nothing is acted upon.", registry=self.registry).set(dry_run)

    def _counted(self, to: CollectorRegistry) -> None:
        name = "autoscaler_{}".format
        self._ticks = Counter(name("ticks"), "Ticks by verdict.", ["pool", "verdict"], registry=to)
        self._duration = Histogram(
            name("tick_duration_seconds"), "How long ticks take.", ["pool"], buckets=TICK_SECONDS, registry=to
        )
        self._delay = Gauge(
            name("tick_delay_seconds"), "How late the last tick began.", ["pool"], registry=to
        )
        self._absences = Counter(
            name("metric_absences"),
            "Readings without a usable value.",
            ["pool", "metric", "why"],
            registry=to,
        )
        self._reasons = Counter(name("reasons"), "Reasons given.", ["pool", "reason"], registry=to)
        labels = ["pool", "region", "action", "result"]
        self._actions = Counter(name("actions"), "Actions by result.", labels, registry=to)
        self._in_flight = Gauge(
            name("actions_in_flight"), "Actions sent and not answered.", ["pool"], registry=to
        )
        labels = ["upstream", "operation", "status"]
        self._requests = Counter(name("upstream_requests"), "Requests to others.", labels, registry=to)
        self._latency = Histogram(
            name("upstream_request_duration_seconds"),
            "How long others take to answer.",
            ["upstream", "operation"],
            buckets=UPSTREAM_SECONDS,
            registry=to,
        )

    def expect(self, pool: PoolName) -> None:
        """Show a pool's tick counters at zero before its first tick, so that rates have a beginning."""
        for verdict in Verdict:
            self._ticks.labels(pool, verdict)
        self._reasons.labels(pool, ReasonCode.TICK_FAILED)
        self._in_flight.labels(pool)

    def began(self, pool: PoolName, delay_s: float) -> None:
        """A tick begins `delay_s` seconds after it was due."""
        self._delay.labels(pool).set(max(0.0, delay_s))

    def observe(self, report: TickReport) -> None:
        """Count a report and show it until the pool's next one."""
        self._reports.add(report)
        self._ticks.labels(report.pool, report.verdict).inc()
        self._duration.labels(report.pool).observe(report.duration_s)
        for row in report.decision.metrics if report.decision else ():
            if row.absent:
                self._absences.labels(report.pool, row.name, row.absent).inc()
        for given in _reasons(report):
            self._reasons.labels(report.pool, given.code).inc()
        for outcome in report.outcomes:
            action = outcome.action
            self._actions.labels(report.pool, action.region, action.kind, outcome.result.result).inc()

    def upstream(self, upstream: str, operation: str, status: int | None, seconds: float) -> None:
        """One request to another system ended; no status means that no answer came."""
        self._requests.labels(upstream, operation, "none" if status is None else str(status)).inc()
        self._latency.labels(upstream, operation).observe(seconds)

    def watch(self, pool: PoolName, machines: Machines) -> Machines:
        """The same port, with this pool's actions in flight counted."""
        return _Watched(machines, self._in_flight.labels(pool))


class _Watched:
    """A Machines port that counts what is under way."""

    def __init__(self, machines: Machines, in_flight: Gauge) -> None:
        self._machines = machines
        self._in_flight = in_flight

    async def survey(self, app: AppName, *, include_deleted: bool = False) -> Survey:
        return await self._machines.survey(app, include_deleted=include_deleted)

    async def look(self, app: AppName, machine: MachineId) -> Machine | None:
        return await self._machines.look(app, machine)

    async def act(self, app: AppName, action: Action, *, until: float | None = None) -> Result:
        with self._in_flight.track_inprogress():
            return await self._machines.act(app, action, until=until)

    async def volumes(self, app: AppName) -> tuple[Volume, ...]:
        return await self._machines.volumes(app)


class _LastReports(Collector):
    """Gauges, taken from the last report of each pool.

    What a tick could not see (counts without a survey, demand without a decision) is not shown at all; the
    last decision's bounds and desired counts stay, because they stay in force.
    """

    def __init__(self) -> None:
        self._last: dict[PoolName, TickReport] = {}
        self._decided: dict[PoolName, Decision] = {}

    def add(self, report: TickReport) -> None:
        self._last[report.pool] = report
        if report.decision is not None:
            self._decided[report.pool] = report.decision

    def describe(self) -> Iterator[Metric]:
        yield from _families().values()

    def collect(self) -> Iterator[Metric]:
        families = _families()
        for pool, report in list(self._last.items()):
            for name, labels, value in _rows(report, self._decided.get(pool)):
                families[name].add_metric([pool, *labels], value)
        yield from families.values()


def _families() -> dict[str, GaugeMetricFamily]:
    return {
        name: GaugeMetricFamily(f"autoscaler_{name}", text, labels=["pool", *labels])
        for name, (text, labels) in _GAUGES.items()
    }


Row = tuple[str, Sequence[str], float]


def _rows(report: TickReport, decided: Decision | None) -> Iterator[Row]:
    yield "last_tick_timestamp_seconds", (), report.at.wall
    if report.dollars_per_hour is not None:
        yield "running_cost_dollars_per_hour", (), report.dollars_per_hour
    for region, count in report.counts.items():
        yield "machines", (region, "started"), count.running
        for state in ("ready", "arriving", "stopped", "suspended", "draining"):
            yield "machines", (region, state), getattr(count, state)
    if report.decision is not None:
        yield from _seen_rows(report, report.decision)
    if decided is not None:
        yield from _decided_rows(decided)


def _seen_rows(report: TickReport, decision: Decision) -> Iterator[Row]:
    missing: Tally[Region] = Tally()
    for shortfall in report.plan.shortfall:
        missing[shortfall.region] += shortfall.missing
    for region, entry in decision.regions.items():
        if entry.demand is not None:
            yield "demand_machines", (region,), entry.demand
        yield "shortfall_machines", (region,), missing[region]
        yield "region_parked", (region,), region in report.parked
    yield from _metric_rows(decision)


def _decided_rows(decision: Decision) -> Iterator[Row]:
    for region, entry in decision.regions.items():
        yield "desired_machines", (region,), entry.desired
        yield "bound_machines", (region, "min"), entry.bounds.min
        yield "bound_machines", (region, "max"), entry.bounds.max


def _metric_rows(decision: Decision) -> Iterator[Row]:
    known = {*REGIONS, *decision.regions}
    ages: dict[str, float] = {}
    for row in decision.metrics:
        # An answer may be split by any label its query left in; only regions become labels of ours.
        if row.value is not None and (row.region is None or row.region in known):
            yield "metric_value", (row.name, row.region or ""), row.value
        if row.age_s is not None:
            ages[row.name] = max(row.age_s, ages.get(row.name, 0.0))
    for name, age in ages.items():
        yield "metric_age_seconds", (name,), age


def _reasons(report: TickReport) -> Iterator[Reason]:
    for entry in report.decision.regions.values() if report.decision else ():
        yield from entry.reasons
    for planned in (*report.plan.actions, *report.plan.shortfall):
        yield planned.reason
    yield from report.notices
