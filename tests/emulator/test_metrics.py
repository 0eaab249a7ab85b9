"""The metric source: loads over time, and the PromQL it understands."""

import math

import pytest

from autoscaler.emulator.clock import MIDNIGHT
from autoscaler.emulator.faults import Fault, Kind
from autoscaler.emulator.loads import Constant, Load, Recorded
from tests.emulator.client import Fly

QUERY = "/prometheus/personal/api/v1/query"
RANGE = "/prometheus/personal/api/v1/query_range"


def loaded(**regions: float) -> Fly:
    """queue_depth per region, set ten minutes ago."""
    fly = Fly()
    for region, value in regions.items():
        labels = {"app": "demo", "region": region}
        fly.world.loads.set("queue_depth", labels, Load(shape=Constant(value=value), since=MIDNIGHT))
    fly.pass_time(600)
    return fly


def values(result):
    return {row["metric"].get("region", ""): float(row["value"][1]) for row in result}


@pytest.mark.parametrize(
    ("promql", "expected"),
    [
        ("queue_depth", {"ord": 5, "ams": 20, "fra": 0}),
        ('queue_depth{region="ams"}', {"ams": 20}),
        ('queue_depth{region!="ams",app="demo"}', {"ord": 5, "fra": 0}),
        ('queue_depth{region=~"a.*|f.."}', {"ams": 20, "fra": 0}),
        ('queue_depth{region!~"a"}', {"ord": 5, "ams": 20, "fra": 0}),
        ('{__name__=~"queue_.*",region="ord",}', {"ord": 5}),
        ('queue_depth{absent=""} + 1', {"ord": 6, "ams": 21, "fra": 1}),
        ("sum(queue_depth)", {"": 25}),
        ("max by (region) (queue_depth)", {"ord": 5, "ams": 20, "fra": 0}),
        ("sum(queue_depth) by (app)", {"": 25}),
        ("min without (region) (queue_depth)", {"": 0}),
        ("avg(queue_depth)", {"": 25 / 3}),
        ("count(queue_depth)", {"": 3}),
        ("group by (region) (queue_depth)", {"ord": 1, "ams": 1, "fra": 1}),
        ("topk(1, queue_depth)", {"ams": 20}),
        ("bottomk(2, queue_depth)", {"ord": 5, "fra": 0}),
        ("max by (region) (queue_depth) / 10 + 1", {"ord": 1.5, "ams": 3, "fra": 1}),
        ("100 - max by (region) (queue_depth)", {"ord": 95, "ams": 80, "fra": 100}),
        ("queue_depth / on (region) queue_depth", {"ord": 1, "ams": 1, "fra": math.nan}),
        ("queue_depth * ignoring (app) max by (region) (queue_depth)", {"ord": 25, "ams": 400, "fra": 0}),
        ("sum(queue_depth) / count(queue_depth)", {"": 25 / 3}),
        ("-queue_depth", {"ord": -5, "ams": -20, "fra": 0}),
        ("queue_depth % 3 ^ 2", {"ord": 5, "ams": 2, "fra": 0}),
        ("queue_depth > 4", {"ord": 5, "ams": 20}),
        ("4 < queue_depth", {"ord": 5, "ams": 20}),
        ("queue_depth > bool 4", {"ord": 1, "ams": 1, "fra": 0}),
        ("queue_depth == queue_depth", {"ord": 5, "ams": 20, "fra": 0}),
        ("sum(nothing) or vector(0)", {"": 0}),
        ('queue_depth and queue_depth{region="ord"}', {"ord": 5}),
        ("queue_depth unless on (region) (queue_depth > 4)", {"fra": 0}),
        ("nothing", {}),
        ("absent(nothing)", {"": 1}),
        ("absent(queue_depth)", {}),
        ('absent(nothing{region="nrt"})', {"nrt": 1}),
        ("vector(scalar(sum(queue_depth)))", {"": 25}),
        ("vector(time() - 600)", {"": MIDNIGHT}),
        ("timestamp(queue_depth) - 600", {"ord": MIDNIGHT, "ams": MIDNIGHT, "fra": MIDNIGHT}),
        ("clamp_max(queue_depth, 6)", {"ord": 5, "ams": 6, "fra": 0}),
        ("ceil(queue_depth / 7) + floor(queue_depth / 7)", {"ord": 1, "ams": 5, "fra": 0}),
        ("clamp(queue_depth, 1, 6)", {"ord": 5, "ams": 6, "fra": 1}),
        ("clamp_min(round(queue_depth / 2), 1)", {"ord": 3, "ams": 10, "fra": 1}),
        ("abs(-queue_depth)", {"ord": 5, "ams": 20, "fra": 0}),
        ("max_over_time(queue_depth[5m])", {"ord": 5, "ams": 20, "fra": 0}),
        ("count_over_time(queue_depth[5m])", {"ord": 20, "ams": 20, "fra": 20}),
        ("sum(max_over_time(sum(queue_depth)[5m:1m]))", {"": 25}),
        ("queue_depth offset 5m", {"ord": 5, "ams": 20, "fra": 0}),
        ("queue_depth offset 1h", {}),
        ("max_over_time(queue_depth[5m] offset 1h)", {}),
        (
            'max by (region) (label_replace(queue_depth, "region", "${1}x$9", "region", "(o).*"))',
            {"ox": 5, "ams": 20, "fra": 0},
        ),
        ("sum(queue_depth) # a comment", {"": 25}),
    ],
)
async def test_it_answers_what_prometheus_would(promql, expected):
    answer = values(await loaded(ord=5, ams=20, fra=0).query(promql))
    assert answer == pytest.approx(expected, nan_ok=True)


@pytest.mark.parametrize(
    ("promql", "value"),
    [
        ("1 + 2 * 3", "7"),
        ("2 ^ 3 ^ 2", "512"),
        ("-2 ^ 2", "-4"),
        ("1 / 0", "+Inf"),
        ("-1 / 0", "-Inf"),
        ("0 / 0", "NaN"),
        ("1 > bool 2", "0"),
        ("0x10", "16"),
        ("1e3", "1000"),
        ("0.5", "0.5"),
        ("inf", "+Inf"),
    ],
)
async def test_scalars_are_scalars(promql, value):
    fly = Fly()
    answer = (await fly.http.get(QUERY, params={"query": promql})).json()
    assert answer == {
        "status": "success",
        "data": {"resultType": "scalar", "result": [fly.clock.now(), value]},
    }


@pytest.mark.parametrize(
    ("promql", "status", "text"),
    [
        ("", 400, "query is missing"),
        ("sum(", 400, "parse error"),
        ("queue_depth{", 400, "parse error"),
        ('queue_depth{region=~"("}', 400, "no regular expression"),
        ("{}", 400, "at least one condition"),
        ("histogram_quantile(0.9, x)", 400, "unknown function 'histogram_quantile'"),
        ("a * on (region) group_left () b", 400, "parse error"),
        ("quantile(0.5, queue_depth)", 400, "unknown function 'quantile'"),
        ("queue_depth[5m]", 400, "a range is no result"),
        ('"text"', 400, "a string is no result"),
        ("rate(queue_depth)", 400, "takes a range"),
        ("sum(queue_depth)[5m]", 400, "a range needs a selector"),
        ("1 > 2", 400, "must use bool"),
        ("sum(1)", 400, "expected a vector"),
        ("1 and 2", 400, "expected a vector"),
        ("vector(queue_depth)", 400, "expected a scalar"),
        ("topk(0 / 0, queue_depth)", 400, "not a number of series"),
        ('label_replace(queue_depth, "a", "\\ud800", "", "")', 400, "no string"),
        ("abs()", 400, "takes 1 argument(s), not 0"),
        ("topk(queue_depth)", 400, "takes 2 argument(s), not 1"),
        ("label_replace(queue_depth, 1, 2, 3, 4)", 400, "four strings"),
        ('label_replace(queue_depth, "a", "b", "c", "(")', 400, "no regular expression"),
        ("avg_over_time(queue_depth[9y])", 400, "more than 11000 points"),
        ("queue_depth + ignoring (region) queue_depth", 422, "aggregate both sides first"),
    ],
)
async def test_what_it_does_not_know_is_told_clearly(promql, status, text):
    fly = loaded(ord=1, ams=2)
    answer = await fly.http.post(QUERY, data={"query": promql})
    assert answer.status_code == status, answer.text
    assert answer.json()["status"] == "error"
    assert answer.json()["errorType"] == ("execution" if status == 422 else "bad_data")
    assert text in answer.json()["error"]


@pytest.mark.parametrize(
    ("value", "written"), [(math.nan, "NaN"), (math.inf, "+Inf"), (-math.inf, "-Inf"), (-3, "-3")]
)
async def test_unusual_numbers_are_written_as_prometheus_does(value, written):
    ((row,),) = [await loaded(ord=value).query("queue_depth")]
    assert row["value"][1] == written
    assert row["metric"] == {"__name__": "queue_depth", "app": "demo", "region": "ord"}


async def test_rates_are_taken_from_the_loads_function_of_time():
    fly = Fly()
    points = tuple((float(t), 2.0 * t) for t in range(0, 1200, 60))
    fly.world.loads.set("jobs_total", {}, Load(shape=Recorded(points=points, linear=True), since=MIDNIGHT))
    fly.pass_time(600)
    (row,) = await fly.query("rate(jobs_total[2m])")
    assert float(row["value"][1]) == pytest.approx(2.0)
    (row,) = await fly.query("increase(jobs_total[2m])")
    assert float(row["value"][1]) == pytest.approx(2.0 * 105)
    (row,) = await fly.query("delta(jobs_total[2m])")
    assert float(row["value"][1]) == pytest.approx(2.0 * 105)


async def test_a_counter_that_starts_again_does_not_fall():
    fly = Fly()
    shape = Recorded(points=((0, 0), (300, 300), (301, 0), (600, 299)), linear=True)
    fly.world.loads.set("jobs_total", {}, Load(shape=shape, since=MIDNIGHT))
    fly.pass_time(600)
    (row,) = await fly.query("rate(jobs_total[10m])")
    assert float(row["value"][1]) == pytest.approx(1.0, rel=0.05)


async def test_a_range_query_answers_on_its_grid():
    fly = loaded(ord=5)
    fly.world.loads.set(
        "queue_depth", {"app": "demo", "region": "ord"}, Load(shape=Constant(value=9), since=MIDNIGHT + 300)
    )
    params = {
        "query": "queue_depth",
        "start": "2026-01-01T00:04:00Z",
        "end": str(MIDNIGHT + 360),
        "step": "1m",
    }
    for answer in (await fly.http.get(RANGE, params=params), await fly.http.post(RANGE, data=params)):
        data = answer.json()["data"]
        assert data["resultType"] == "matrix"
        (row,) = data["result"]
        assert row["values"] == [[MIDNIGHT + 240, "5"], [MIDNIGHT + 300, "9"], [MIDNIGHT + 360, "9"]]
    scalar = await fly.http.get(RANGE, params={**params, "query": "1"})
    assert len(scalar.json()["data"]["result"][0]["values"]) == 3


@pytest.mark.parametrize(
    "change",
    [
        {"step": "0"},
        {"step": "soon"},
        {"step": "NaN"},
        {"step": "inf"},
        {"end": "1"},
        {"end": "inf"},
        {"start": ""},
        {"start": "NaN"},
        {"step": "1ms"},
        {"start": "today"},
    ],
)
async def test_a_range_that_makes_no_sense_is_refused(change):
    params = {"query": "1", "start": "1767225600", "end": "1767229200", "step": "60", **change}
    assert (await Fly().http.get(RANGE, params=params)).status_code == 400


@pytest.mark.parametrize("moment", ["NaN", "inf", "-Inf", "1e999", "today"])
@pytest.mark.parametrize("name", ["time", "lookback_delta"])
async def test_a_moment_that_is_no_number_is_refused(name, moment):
    answer = await loaded(ord=1).http.get(QUERY, params={"query": "queue_depth", name: moment})
    assert answer.status_code == 400
    assert answer.json()["errorType"] == "bad_data"


async def test_before_it_was_set_a_load_has_no_past_unless_told_so():
    fly = Fly()
    fly.pass_time(600)
    for name, backfill in (("fresh", False), ("old", True)):
        load = Load(shape=Constant(value=1), since=fly.clock.now(), backfill=backfill)
        fly.world.loads.set(name, {}, load)
    assert await fly.query("fresh offset 5m") == []
    assert len(await fly.query("old offset 5m")) == 1
    assert await fly.query("fresh", time=str(MIDNIGHT + 10)) == []


async def test_old_samples_are_old_and_then_gone():
    fly = Fly()
    fly.world.loads.set("late", {}, Load(shape=Constant(value=1), since=MIDNIGHT, lag_s=90))
    fly.pass_time(600)
    (row,) = await fly.query("time() - timestamp(late)")
    assert float(row["value"][1]) == 90
    assert await fly.query("late", lookback_delta="1m") == []
    assert await fly.query("late", max_lookback="60") == []


async def test_ended_loads_are_absent_but_have_been():
    fly = loaded(ord=5, ams=6)
    assert fly.world.loads.end("queue_depth", {"region": "ord"}, fly.clock.now()) == 1
    assert values(await fly.query("queue_depth")) == {"ams": 6}
    assert values(await fly.query("max_over_time(queue_depth[5m])"))["ord"] == 5


async def test_started_machines_are_up_and_others_are_not_there():
    fly = Fly(machines=2, boot_s=0)
    one, _ = await fly.machines()
    assert await fly.query("fly_instance_up") == []
    fly.pass_time(100)
    await fly.act(one["id"], "start")
    fly.pass_time(100)
    (row,) = await fly.query('fly_instance_up{app="demo"}')
    assert row["metric"]["instance"] == one["id"]
    assert row["metric"]["region"] == "ord"
    assert row["metric"]["host"]
    (row,) = await fly.query("fly_instance_memory_mem_total")
    assert row["value"][1] == str(256 * 1024 * 1024)
    (row,) = await fly.query("count_over_time(fly_instance_up[200s])")
    assert float(row["value"][1]) == 7


async def test_warnings_make_an_answer_partial():
    fly = loaded(ord=1)
    fly.world.inject(Fault(kind=Kind.WARNINGS, count=1))
    assert (await fly.http.get(QUERY, params={"query": "1"})).json()["warnings"]
    assert "warnings" not in (await fly.http.get(QUERY, params={"query": "1"})).json()


async def test_faults_strike_the_metric_source_too():
    fly = loaded(ord=1)
    fly.world.inject(Fault(kind=Kind.STATUS, operation="query", status=200, body="not json"))
    assert (await fly.http.get(QUERY, params={"query": "1"})).text == "not json"
