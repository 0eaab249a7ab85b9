"""Trouble with an upstream is one sentence that says what to do, once."""

from dataclasses import replace
from typing import Any, cast

import pytest
from structlog.testing import CapturingLogger
from structlog.typing import FilteringBoundLogger

from autoscaler.domain.names import AppName
from autoscaler.domain.outcome import Refusal, TickReport, Verdict
from autoscaler.domain.plan import Plan, Shortfall
from autoscaler.domain.reading import Why
from autoscaler.domain.reason import Reason, ReasonCode, reason
from autoscaler.reconcile.troubles import FOR_PEOPLE
from autoscaler.service import advice, events
from autoscaler.service.running import Adviser
from tests.service.reports import ORD, blind, steady


@pytest.mark.parametrize(
    ("detail", "advised"),
    [
        ("401 Authenticate: token validation error", "fly tokens create deploy -a shop"),
        ("403 unauthorized", "no access to app shop"),
        ("404 app not found", "no app shop"),
        ("400 could not find App", "no app shop"),
        ("404 page not found", "correct AUTOSCALER_API_URL"),
        ("404 <html><body>no such app</body></html>", "correct AUTOSCALER_API_URL"),
        ("404", "correct AUTOSCALER_API_URL"),
        ("429 slow down", "it is asked again, and less often with a longer AUTOSCALER_INTERVAL"),
        ("408 deadline_exceeded", "it is asked again at the next tick"),
        ("500", "it is asked again at the next tick"),
        ("502 <html>bad gateway</html>", "it is asked again at the next tick"),
        ("503 try again", "it is asked again at the next tick"),
        ("400 unsupported path", "is AUTOSCALER_API_URL right?"),
        ("302 (a redirect or the like; is the address right?)", "is AUTOSCALER_API_URL right?"),
        ("fly: All connection attempts failed", "AUTOSCALER_API_URL"),
        ("", "AUTOSCALER_API_URL"),
    ],
)
def test_why_an_app_cannot_be_listed_is_told_apart_by_status(detail, advised):
    sentence = advice.on_platform(AppName("shop"), detail)
    assert advised in sentence
    assert detail in sentence
    assert "\n" not in sentence


@pytest.mark.parametrize(
    ("detail", "advised"),
    [
        ("401 unauthorized", "AUTOSCALER_PROMETHEUS_TOKEN"),
        ("403 forbidden", "AUTOSCALER_PROMETHEUS_TOKEN"),
        ("404 page not found", "AUTOSCALER_PROMETHEUS_URL"),
        ("429 slow down", "AUTOSCALER_INTERVAL"),
        ("400 parse error", "try the query"),
        ("bad_data: parse error", "try the query"),
    ],
)
def test_why_a_query_is_refused_is_told_apart_by_status(detail, advised):
    assert advised in advice.on_metric(Why.REFUSED, detail)


@pytest.mark.parametrize(
    ("detail", "advised"),
    [
        ("503 <html>busy</html>", "it is asked again at the next tick"),
        ("no answer within 5 s", "is AUTOSCALER_PROMETHEUS_URL right"),
        ("", "is AUTOSCALER_PROMETHEUS_URL right"),
    ],
)
def test_a_metric_source_that_answered_was_reached(detail, advised):
    assert advised in advice.on_metric(Why.UNREACHABLE, detail)


@pytest.mark.parametrize("why", list(Why))
def test_every_absence_has_its_advice(why):
    assert len(advice.on_metric(why, "what was said")) > 20


@pytest.mark.parametrize(
    ("detail", "advised"),
    [
        ("the answer is 400 s old", "is it still scraped?"),
        ("the answer is 400 s ahead of our clock", "compare the clocks"),
        ("age_query is stale: the answer is 400 s ahead of our clock", "compare the clocks"),
    ],
)
def test_a_sample_of_the_future_is_told_from_an_old_one(detail, advised):
    sentence = advice.on_metric(Why.STALE, detail)
    assert advised in sentence
    assert detail in sentence


def test_a_first_zero_is_no_trouble():
    first_zero = reason(ReasonCode.METRIC_ABSENT, metric="load", why="unconfirmed")
    assert advice.on_report(replace(steady(), warnings=(first_zero,))) == {}


@pytest.mark.parametrize(("region", "where"), [("ord", "has no result in ord"), (None, "has no result;")])
def test_a_rule_without_a_result_is_named(region: str | None, where: str):
    undefined = reason(ReasonCode.RULE_UNDEFINED, rule="rules[1]", region=region)
    (sentence,) = advice.on_report(replace(steady(), warnings=(undefined,))).values()
    assert sentence.startswith("rules[1]")
    assert where in sentence


def advised(*reports: TickReport) -> list[tuple[str, str, dict[str, Any]]]:
    log = CapturingLogger()
    adviser = Adviser(cast(FilteringBoundLogger, log))
    for report in reports:
        adviser.ended(report)
    return [(call.method_name, call.args[0], call.kwargs) for call in log.calls]


def test_a_daemon_gives_its_advice_when_trouble_begins_and_says_when_it_is_over():
    lines = advised(steady(), blind(), blind(), blind(), steady(), steady())
    assert [(level, event) for level, event, _ in lines] == [
        ("error", events.POOL_TROUBLE),
        ("info", events.POOL_WELL),
    ]
    assert lines[0][2]["pool"] == "shop"


def test_a_change_of_figures_is_no_new_trouble_and_another_metric_is():
    def absent(metric: str, detail: str) -> TickReport:
        warning = reason(ReasonCode.METRIC_ABSENT, metric=metric, why="unreachable", detail=detail)
        return replace(steady(), warnings=(warning,))

    assert len(advised(absent("load", "within 5.0 s"), absent("load", "within 4.2 s"))) == 1
    assert len(advised(absent("load", ""), absent("jobs", ""))) == 2


def test_a_fault_of_ours_asks_to_be_reported():
    failed = replace(
        steady(), verdict=Verdict.FAILED, warnings=(reason(ReasonCode.TICK_FAILED, error="ValueError"),)
    )
    ((level, _, keys),) = advised(failed)
    assert level == "warning"
    assert "ValueError" in keys["advice"]
    assert "report it" in keys["advice"]


def refused(refusal: Refusal) -> TickReport:
    why = reason(ReasonCode.REFUSED, action="create", refusal=refusal.value, detail="422 no {more}")
    return replace(steady(), warnings=(why,))


def lacking(why: Reason) -> TickReport:
    return replace(steady(), plan=Plan(shortfall=(Shortfall(region=ORD, missing=2, reason=why),)))


@pytest.mark.parametrize("refusal", FOR_PEOPLE)
def test_what_only_people_can_mend_is_told_in_the_platforms_words_and_with_what_to_do(refusal: Refusal):
    (sentence,) = advice.on_report(refused(refusal)).values()
    assert "422 no {more}" in sentence
    assert ";" in sentence


@pytest.mark.parametrize(
    ("refusal", "why"), [(Refusal.ORG_LIMIT, "org_limit"), (Refusal.INVALID, "invalid_config")]
)
def test_a_refusal_and_the_pause_that_follows_it_are_one_trouble(refusal: Refusal, why: str):
    parked = [lacking(reason(ReasonCode.PARKED, why=why, for_s=delay)) for delay in (300.0, 600.0)]
    lines = advised(refused(refusal), parked[0], refused(refusal), parked[1], steady())
    assert [event for _, event, _ in lines] == [events.POOL_TROUBLE, events.POOL_WELL]


@pytest.mark.parametrize(
    ("why", "advised_to"),
    [
        (reason(ReasonCode.NO_TEMPLATE, machines=0), "deploy one"),
        (reason(ReasonCode.VOLUMES), "`volumes`"),
        (reason(ReasonCode.BUDGET), "`budget`"),
        (reason(ReasonCode.CRASH_LOOP, machines=4, of=8), "logs"),
        (reason(ReasonCode.PARKED, why="region_full", for_s=300.0), "asked again"),
    ],
)
def test_what_cannot_be_had_is_told_once_with_what_to_do(why: Reason, advised_to: str):
    lines = advised(lacking(why), lacking(why))
    assert [advised_to in keys["advice"] for _, _, keys in lines] == [True]


@pytest.mark.parametrize("why", [reason(ReasonCode.VOLUMES, made=1), reason(ReasonCode.LEASED)])
def test_what_will_be_had_in_a_moment_is_no_trouble(why: Reason):
    assert advised(lacking(why)) == []
