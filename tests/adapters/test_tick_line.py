"""One canonical line per pool and tick."""

from dataclasses import replace
from typing import Any, cast

from structlog.testing import CapturingLogger
from structlog.typing import FilteringBoundLogger

from autoscaler.adapters import tick_line
from autoscaler.domain.outcome import TickReport
from autoscaler.domain.reason import ReasonCode, reason
from tests.service.reports import blind, scaled, steady


def all_written(*reports: TickReport) -> list[tuple[str, dict[str, Any]]]:
    log = CapturingLogger()
    lines = tick_line.TickLines(cast(FilteringBoundLogger, log))
    for report in reports:
        lines.write(report)
    assert {call.args for call in log.calls} == {(tick_line.TICK_DONE,)}
    return [(call.method_name, call.kwargs) for call in log.calls]


def written(report: TickReport) -> tuple[str, dict[str, Any]]:
    (line,) = all_written(report)
    return line


def levels(*reports: TickReport) -> list[str]:
    return [level for level, _ in all_written(*reports)]


def test_a_tick_that_acted_tells_before_demand_desired_actions_reasons_and_duration():
    level, line = written(scaled())
    assert level == "warning"
    assert line == {
        "pool": "shop",
        "app": "shop-app",
        "group": "app",
        "verdict": "scaled",
        "dry_run": False,
        "before": {"ord": 2, "ams": 1},
        "demand": {"ord": 7, "ams": None},
        "desired": {"ord": 5, "ams": 1},
        "actions": {"ord": {"start": 1, "create": 1}},
        "results": {"applied": 1, "refused": 1},
        "failures": ["create ord refused: region_full: could not find a candidate host"],
        "shortfall": ["ord 1 parked until_s=300"],
        "reasons": {"ord": ["rule value=61.5", "bound_max max=5"], "ams": ["hold"]},
        "warnings": ["outside_regions machines=2"],
        "duration_s": 0.457,
    }


def test_a_quiet_tick_has_the_same_keys_and_is_no_warning():
    level, line = written(steady())
    assert level == "info"
    assert line.keys() == written(scaled())[1].keys()
    assert line["reasons"] == {}


def test_a_blind_tick_is_a_warning():
    level, line = written(blind())
    assert (level, line["verdict"], line["warnings"]) == ("warning", "blind", ["survey_failed status=503"])


def test_what_is_true_of_a_configuration_in_every_tick_is_told_without_raising_the_level():
    lasting = replace(steady(), warnings=(reason(ReasonCode.TWO_MASTERS, machines=2),))
    level, line = written(lasting)
    assert (level, line["warnings"]) == ("info", ["two_masters machines=2"])
    news = replace(steady(), warnings=(reason(ReasonCode.STUCK, machines=1),))
    assert written(news)[0] == "warning"


def test_trouble_that_lasts_is_a_warning_once():
    assert levels(blind(), blind(), steady(), blind()) == ["warning", "info", "info", "warning"]
    assert levels(blind("shop"), blind("jobs"), blind("shop")) == ["warning", "warning", "info"]


def test_other_trouble_is_a_warning_again_and_other_figures_are_not():
    def absent(metric: str, detail: str) -> TickReport:
        warning = reason(ReasonCode.METRIC_ABSENT, metric=metric, why="unreachable", detail=detail)
        return replace(steady(), warnings=(warning,))

    assert levels(absent("load", "5.0 s"), absent("load", "4.2 s"), absent("jobs", "4.2 s")) == [
        "warning",
        "info",
        "warning",
    ]
    assert levels(scaled(), scaled()) == ["warning", "info"]


def test_what_a_parked_region_is_refused_again_is_no_news():
    resting = replace(scaled(), outcomes=())
    assert levels(scaled(), resting, scaled()) == ["warning", "info", "info"]
    assert levels(scaled(), steady(), scaled()) == ["warning", "info", "warning"]


def test_other_trouble_that_comes_back_while_a_region_is_parked_is_news():
    def stuck(machine: str) -> TickReport:
        return replace(scaled(), outcomes=(), warnings=(reason(ReasonCode.STUCK, machine=machine),))

    quiet = replace(scaled(), outcomes=())
    assert levels(scaled(), stuck("m1"), quiet, stuck("m1")) == ["warning", "warning", "info", "warning"]
