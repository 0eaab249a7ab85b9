"""A TickReport becomes metrics, and what it no longer has disappears from them."""

from dataclasses import replace
from typing import Any, cast

from prometheus_client import generate_latest

from autoscaler.adapters.telemetry import Telemetry
from autoscaler.domain.names import AppName, MachineId, PoolName
from autoscaler.domain.outcome import Applied
from autoscaler.domain.plan import Start
from autoscaler.domain.reason import ReasonCode, reason
from autoscaler.reconcile.ports import Machines
from tests.service.reports import AMS, ORD, blind, scaled


def lines(telemetry: Telemetry) -> dict[str, float]:
    text = generate_latest(telemetry.registry).decode()
    return {
        line.rpartition(" ")[0]: float(line.rpartition(" ")[2])
        for line in text.splitlines()
        if line[0] != "#"
    }


def test_a_report_sets_the_gauges_of_its_pool():
    telemetry = Telemetry()
    telemetry.observe(scaled())
    seen = lines(telemetry)
    assert seen['autoscaler_machines{pool="shop",region="ord",state="started"}'] == 2
    assert seen['autoscaler_machines{pool="shop",region="ams",state="suspended"}'] == 1
    assert seen['autoscaler_demand_machines{pool="shop",region="ord"}'] == 7
    assert seen['autoscaler_desired_machines{pool="shop",region="ord"}'] == 5
    assert seen['autoscaler_bound_machines{bound="max",pool="shop",region="ams"}'] == 5
    assert seen['autoscaler_metric_value{metric="load",pool="shop",region="ord"}'] == 61.5
    assert seen['autoscaler_metric_age_seconds{metric="load",pool="shop"}'] == 12
    assert seen['autoscaler_shortfall_machines{pool="shop",region="ord"}'] == 1
    assert seen['autoscaler_shortfall_machines{pool="shop",region="ams"}'] == 0
    assert seen['autoscaler_region_parked{pool="shop",region="ord"}'] == 1
    assert seen['autoscaler_region_parked{pool="shop",region="ams"}'] == 0
    assert seen['autoscaler_last_tick_timestamp_seconds{pool="shop"}'] == 1_800_000_000.25
    assert seen['autoscaler_running_cost_dollars_per_hour{pool="shop"}'] == 0.0125


def test_a_report_counts_verdict_reasons_absences_and_actions():
    telemetry = Telemetry()
    telemetry.observe(scaled())
    telemetry.observe(scaled())
    seen = lines(telemetry)
    assert seen['autoscaler_ticks_total{pool="shop",verdict="scaled"}'] == 2
    assert seen['autoscaler_tick_duration_seconds_bucket{le="0.5",pool="shop"}'] == 2
    assert seen['autoscaler_metric_absences_total{metric="load",pool="shop",why="empty"}'] == 2
    assert seen['autoscaler_reasons_total{pool="shop",reason="bound_max"}'] == 2
    assert seen['autoscaler_reasons_total{pool="shop",reason="parked"}'] == 2
    assert seen['autoscaler_reasons_total{pool="shop",reason="outside_regions"}'] == 2
    assert seen['autoscaler_actions_total{action="start",pool="shop",region="ord",result="applied"}'] == 2
    assert seen['autoscaler_actions_total{action="create",pool="shop",region="ord",result="refused"}'] == 2


def test_an_unknown_demand_is_not_shown_as_zero():
    telemetry = Telemetry()
    telemetry.observe(scaled())
    assert 'autoscaler_demand_machines{pool="shop",region="ams"}' not in lines(telemetry)
    assert 'autoscaler_metric_value{metric="load",pool="shop",region="ams"}' not in lines(telemetry)


def test_label_values_that_are_no_regions_do_not_become_regions():
    telemetry = Telemetry()
    telemetry.observe(scaled())
    assert not [line for line in lines(telemetry) if "warehouse" in line]


def test_a_region_that_left_the_configuration_leaves_the_page():
    telemetry = Telemetry()
    report = scaled()
    assert report.decision is not None
    telemetry.observe(report)
    telemetry.observe(
        replace(
            report,
            counts={ORD: report.counts[ORD]},
            decision=report.decision._replace(
                regions={ORD: report.decision.regions[ORD]},
                metrics=report.decision.metrics[:1],
            ),
        )
    )
    assert AMS in report.counts
    assert not [line for line in lines(telemetry) if 'region="ams"' in line]


def test_a_blind_tick_hides_what_it_could_not_see_and_keeps_what_stays_in_force():
    telemetry = Telemetry()
    telemetry.observe(scaled())
    telemetry.observe(blind())
    seen = lines(telemetry)
    assert not [line for line in seen if line.startswith(("autoscaler_machines", "autoscaler_demand"))]
    assert seen['autoscaler_desired_machines{pool="shop",region="ord"}'] == 5
    assert seen['autoscaler_ticks_total{pool="shop",verdict="blind"}'] == 1


def test_an_expected_pool_counts_from_zero_and_an_unexpected_delay_is_never_negative():
    telemetry = Telemetry(dry_run=True)
    telemetry.expect(PoolName("shop"))
    telemetry.began(PoolName("shop"), -3600.0)
    seen = lines(telemetry)
    assert seen['autoscaler_ticks_total{pool="shop",verdict="failed"}'] == 0
    assert seen['autoscaler_reasons_total{pool="shop",reason="tick_failed"}'] == 0
    assert seen['autoscaler_tick_delay_seconds{pool="shop"}'] == 0
    assert seen["autoscaler_dry_run"] == 1


def test_requests_to_others_are_counted_with_and_without_an_answer():
    telemetry = Telemetry()
    telemetry.upstream("fly", "list", 200, 0.2)
    telemetry.upstream("fly", "list", None, 5.0)
    seen = lines(telemetry)
    for status in ("200", "none"):
        line = f'autoscaler_upstream_requests_total{{operation="list",status="{status}",upstream="fly"}}'
        assert seen[line] == 1
    assert seen['autoscaler_upstream_request_duration_seconds_count{operation="list",upstream="fly"}'] == 2


async def test_an_action_is_in_flight_until_it_is_answered():
    telemetry = Telemetry()
    in_flight = 'autoscaler_actions_in_flight{pool="shop"}'
    during: list[Any] = []

    class Platform:
        async def act(self, app, action, *, until):
            during.append((app, action.machine, until, lines(telemetry)[in_flight]))
            return Applied()

    action = Start(machine=MachineId("m1"), region=ORD, reason=reason(ReasonCode.DEMAND))
    watched = telemetry.watch(PoolName("shop"), cast(Machines, Platform()))
    assert await watched.act(AppName("shop-app"), action, until=7.0) == Applied()
    assert during == [("shop-app", "m1", 7.0, 1)]
    assert lines(telemetry)[in_flight] == 0
