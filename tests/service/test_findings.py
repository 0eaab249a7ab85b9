"""What `check` can tell from a configuration alone, and from the answers of the outside world."""

from dataclasses import replace

import pytest

from autoscaler.domain.desired import Bounds
from autoscaler.domain.names import MetricName
from autoscaler.domain.pool import Elsewhere, PerMachine, Pool, RegionSpec
from autoscaler.domain.reading import Absent, Answer, Measured, Query, Split, Why
from autoscaler.service.findings import Grade, reports_only_itself, sleepers
from autoscaler.service.observations import on_answer
from tests.service.reports import AMS, ORD, pool

LOAD = MetricName("load")


@pytest.mark.parametrize(
    ("promql", "only"),
    [
        ('sum by (region) (fly_app_concurrency{app="shop"})', True),
        ('sum(rate(fly_instance_cpu{mode!="idle"}[60s])) by (instance)', True),
        ('sum(fly_edge_http_responses_count{app="shop"})', False),
        ('max(queue_depth{app="shop"})', False),
        ('max(queue_depth{app="a"}) + sum(fly_app_concurrency{app="a"})', False),
        ("vector(1)", False),
    ],
)
def test_a_query_reports_only_itself_if_it_reads_nothing_but_running_machines(promql, only):
    assert reports_only_itself(promql) is only


def asleep(promql: str, **changes: object) -> list[str]:
    base = replace(
        pool(),
        regions={ORD: RegionSpec(bounds=Bounds(min=1, max=5)), AMS: RegionSpec(bounds=Bounds(min=0, max=3))},
        metrics=(Query(name=LOAD, promql=promql),),
        rules=(PerMachine(metric=LOAD, target=10),),
    )
    changed: Pool = replace(base, **changes)
    return list(sleepers(changed))


def test_a_region_that_may_go_to_zero_and_could_not_come_back_is_named():
    assert asleep("fly_app_concurrency{}") == ["ams"]
    assert asleep("queue_depth{}") == []
    assert asleep("fly_app_concurrency{}", proxy=True) == []
    assert asleep("fly_app_concurrency{}", regions={AMS: RegionSpec(bounds=Bounds(min=0, max=0))}) == []


@pytest.mark.parametrize(
    ("answer", "grade", "told"),
    [
        (Measured(value=25), Grade.FINE, "25, one value for the whole pool"),
        (Measured(value=1_000_001), Grade.FINE, "1000001, one value"),
        (Split(by_label={"ord": Measured(value=1_000_001)}), Grade.FINE, "ord 1000001"),
        (Measured(value=2.5, age_s=42.3), Grade.FINE, "2.5 (42 s old), one value"),
        (Split(by_label={"ord": Measured(value=3), "ams": Measured(value=1)}), Grade.FINE, "ams 1, ord 3"),
        (
            Split(by_label={"ord": Measured(value=3), "gru": Measured(value=1)}),
            Grade.FINE,
            "load of gru is served by the nearest region",
        ),
        (Split(by_label={"ord": Absent(why=Why.AMBIGUOUS)}), Grade.ERROR, "that of ord has several series"),
        (Split(by_label={"ord": Absent(why=Why.NOT_A_NUMBER)}), Grade.WARNING, "that of ord is not a finite"),
        (Split(by_label={"ord": Absent(why=Why.AMBIGUOUS)}), Grade.ERROR, "by region: no value; that of ord"),
        (
            Split(by_label={"ams": Absent(why=Why.NOT_A_NUMBER), "ord": Absent(why=Why.AMBIGUOUS)}),
            Grade.ERROR,
            "that of ord has several series",
        ),
        (Absent(why=Why.EMPTY), Grade.WARNING, "no series at all"),
        (Absent(why=Why.REFUSED, detail="401 no"), Grade.ERROR, "AUTOSCALER_PROMETHEUS_TOKEN"),
        (Absent(why=Why.UNREACHABLE), Grade.ERROR, "AUTOSCALER_PROMETHEUS_URL"),
    ],
)
def test_an_answer_is_told_with_its_split_or_with_what_to_do(answer: Answer, grade: Grade, told: str):
    query = Query(name=LOAD, promql="load")
    home = replace(
        pool(),
        regions={ORD: RegionSpec(bounds=Bounds(min=0, max=1)), AMS: RegionSpec(bounds=Bounds(min=0, max=1))},
    )
    finding = on_answer(home, query, answer)
    assert finding.grade is grade
    assert told in finding.sentence


def test_an_empty_answer_is_fine_where_the_metric_says_what_it_counts_as():
    finding = on_answer(pool(), Query(name=LOAD, promql="load", missing=0.0), Absent(why=Why.EMPTY))
    assert (finding.grade, finding.sentence) == (Grade.FINE, "no series at all, which counts as 0")


def test_demand_elsewhere_that_is_ignored_is_said_to_be():
    answer = Split(by_label={"gru": Measured(value=1)})
    finding = on_answer(replace(pool(), elsewhere=Elsewhere.IGNORE), Query(name=LOAD, promql="load"), answer)
    assert "load of gru is left out" in finding.sentence


def test_many_regions_are_counted_rather_than_listed():
    answer = Split(by_label={f"r{number}": Measured(value=1) for number in range(9)})
    assert "and 4 more" in on_answer(pool(), Query(name=LOAD, promql="load"), answer).sentence
