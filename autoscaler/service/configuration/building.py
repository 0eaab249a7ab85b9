"""From a pool's table, every value of which is right, to the domain's Pool."""

from autoscaler.domain.names import AppName, GroupName, MetricName, PoolName, Region
from autoscaler.domain.pool import (
    Damping,
    Elsewhere,
    Leave,
    Pool,
    RegionSpec,
    Rule,
    Schedule,
    Spill,
    Volumes,
)
from autoscaler.domain.reading import Query
from autoscaler.service.configuration.metric_tables import Belief
from autoscaler.service.configuration.pool_table import PoolTable
from autoscaler.service.configuration.schedule_table import ScheduleTable
from autoscaler.service.configuration.templates import fill

BUSY = MetricName("busy")


def build(name: PoolName, table: PoolTable, interval_s: float) -> Pool:
    """The pool that a table describes; `interval_s` is the time between ticks in seconds."""
    regions = {
        Region(code): RegionSpec(bounds=region.range, weight=region.weight)
        for code, region in table.regions.items()
    }
    metrics, rules = _rules(table)
    return Pool(
        name=name,
        app=AppName(table.app),
        group=_group(table),
        match=dict(table.match),
        regions=regions,
        total=table.total,
        metrics=metrics,
        rules=rules,
        create=table.create,
        leave=Leave(table.leave),
        reserve=table.reserve,
        proxy=table.proxy,
        volumes=Volumes(table.volumes) if table.volumes else None,
        busy=_busy(table),
        drain_s=table.drain,
        force=table.force,
        spare=table.spare,
        headroom=table.headroom,
        on_absent=table.on_absent,
        failures=table.failures,
        allow_in=table.allow_in,
        elsewhere=Elsewhere(table.elsewhere),
        spill=Spill(table.spill) if table.spill else None,
        schedules=tuple(_schedule(schedule) for schedule in table.schedules),
        scale_in=Damping(window_s=table.scale_in.window, step=table.scale_in.step),
        scale_out=Damping(window_s=table.scale_out.window, step=table.scale_out.step),
        budget=table.budget,
        interval_s=interval_s,
    )


def _group(table: PoolTable) -> GroupName:
    return GroupName("") if table.match else GroupName(table.group)


def _rules(table: PoolTable) -> tuple[tuple[Query, ...], tuple[Rule, ...]]:
    metrics = [
        _query(MetricName(name), metric.query, metric, table) for name, metric in table.metrics.items()
    ]
    rules = []
    for index, rule in enumerate(table.rules):
        metric = MetricName(rule.metric or f"rules[{index}]")
        if rule.query is not None:
            metrics.append(_query(metric, rule.query, rule, table))
        rules.append(rule.rule(metric))
    return tuple(metrics), tuple(rules)


def _query(name: MetricName, promql: str, belief: Belief, table: PoolTable) -> Query:
    return Query(
        name=name,
        promql=_filled(promql, table),
        label=belief.region_label,
        missing=belief.missing,
        max_age_s=belief.max_age,
        age_promql=None if belief.age_query is None else _filled(belief.age_query, table),
    )


def _busy(table: PoolTable) -> Query | None:
    if table.busy is None:
        return None
    return Query(name=BUSY, promql=_filled(table.busy, table), label="instance", by_region=False)


def _filled(promql: str, table: PoolTable) -> str:
    return fill(promql, app=table.app, group=_group(table))


def _schedule(table: ScheduleTable) -> Schedule:
    return Schedule(
        start=table.start,
        end=table.end,
        timezone=table.timezone,
        regions=tuple(table.regions),
        min=table.min,
        max=table.max,
        freeze_in=table.freeze_in,
    )
