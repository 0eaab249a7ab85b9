"""What comes back from a metric server is a number that may be used, or has the name of why it may not."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoscaler.adapters.http.client import HttpClient
from autoscaler.adapters.http.exchange import Reply, encoded
from autoscaler.adapters.prometheus.judgement import answer as judged
from autoscaler.adapters.prometheus.series import instant
from autoscaler.adapters.prometheus.source import PrometheusSource
from autoscaler.domain.errors import UpstreamError
from autoscaler.domain.names import MetricName
from autoscaler.domain.reading import Absent, Answer, Measured, Query, Reading, Split, Why
from tests.adapters.http.wire import Answer as OnTheWire
from tests.adapters.http.wire import answer, hang, hang_up, wire

NOW = 1_700_000_000.0
LOAD = Query(name=MetricName("load"), promql="load")
FILLED = Query(name=MetricName("load"), promql="load", missing=0.0)

Series = tuple[Mapping[str, str], str]


def success(result: object, kind: str = "vector", **beside: object) -> dict[str, object]:
    return {"status": "success", "data": {"resultType": kind, "result": result}, **beside}


def vector(*series: Series, at: float = NOW, **beside: object) -> dict[str, object]:
    return success([{"metric": labels, "value": [at, value]} for labels, value in series], **beside)


async def ask(body: OnTheWire, query: Query = LOAD) -> Answer:
    async with wire(body) as server, HttpClient("prometheus", server.url) as http:
        return (await PrometheusSource(http, clock=lambda: NOW).read([query], timeout_s=2.0))[0]


async def told(body: object, query: Query = LOAD) -> Answer:
    return await ask(answer(200, body), query)


def why(found: Answer) -> Why | None:
    return found.why if isinstance(found, Absent) else None


async def test_a_lost_connection_is_unreachable() -> None:
    assert why(await ask(hang_up)) is Why.UNREACHABLE


async def test_silence_is_unreachable() -> None:
    async with wire(hang) as server, HttpClient("prometheus", server.url) as http:
        found = await PrometheusSource(http).read([LOAD], timeout_s=0.1)
    assert found == [Absent(why=Why.UNREACHABLE, detail="no answer within 0.1 s")]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (408, Why.UNREACHABLE),
        (500, Why.UNREACHABLE),
        (502, Why.UNREACHABLE),
        (503, Why.UNREACHABLE),
        (401, Why.REFUSED),
        (403, Why.REFUSED),
        (404, Why.REFUSED),
        (422, Why.REFUSED),
        (429, Why.REFUSED),
        (302, Why.MALFORMED),
    ],
)
async def test_a_status_that_is_no_success_says_why(status: int, expected: Why) -> None:
    assert why(await ask(answer(status, {"error": "words"}, {"Retry-After": "9"}))) is expected


async def test_a_refusal_carries_the_words_of_the_server() -> None:
    body = {"status": "error", "errorType": "bad_data", "error": "parse error: unclosed left parenthesis"}
    expected = Absent(why=Why.REFUSED, detail="400 parse error: unclosed left parenthesis")
    assert await ask(answer(400, body)) == expected


async def test_what_cannot_be_shown_does_not_get_past_a_label_or_an_error() -> None:
    found = await told(vector(({"region": "\ud800"}, "1"), ({"region": "ord\x1b[31m"}, "2")))
    assert isinstance(found, Split)
    assert sorted(found.by_label) == ["ord\ufffd[31m", "\ufffd"]
    refused = await ask(answer(400, {"status": "error", "error": "bad \ud800 \x1b[31mred"}))
    assert refused == Absent(why=Why.REFUSED, detail="400 bad \ufffd \ufffd[31mred")


async def test_an_error_inside_a_success_is_refused() -> None:
    assert await told({"status": "error", "error": "no"}) == Absent(why=Why.REFUSED, detail="no")


async def test_a_token_that_the_server_repeats_is_not_passed_on() -> None:
    body = answer(200, {"status": "error", "error": "who is s3cr3t?"})
    async with wire(body) as server, HttpClient("prometheus", server.url, token="s3cr3t") as http:
        found = await PrometheusSource(http).read([LOAD], timeout_s=2.0)
    assert found == [Absent(why=Why.REFUSED, detail="who is ***?")]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>login</html>",
        b"[" * 100_000,
        b" " * (16 * 1024 * 1024 + 1),
        {},
        [],
        None,
        {"status": "success"},
        {"status": "success", "data": None},
        {"status": "success", "data": []},
        {"data": {"resultType": "vector", "result": []}},
        success(None),
        success({}),
        success(None, "scalar"),
        success([NOW, "x"], "string"),
        success([], "matrix"),
        success([], "streams"),
        success([None]),
        success([{"metric": {}}]),
        success([{"value": [NOW, "1"]}]),
        success([{"metric": None, "value": [NOW, "1"]}]),
        success([{"metric": {"region": 7}, "value": [NOW, "1"]}]),
        success([{"metric": {}, "value": None}]),
        success([{"metric": {}, "value": [NOW]}]),
        success([{"metric": {}, "value": [NOW, None]}]),
        success([{"metric": {}, "value": [NOW, 1]}]),
        success([{"metric": {}, "value": ["now", "1"]}]),
        success([{"metric": {}, "value": [True, "1"]}]),
        success([{"metric": {}, "value": [NOW, "many"]}]),
        success([{"metric": {}, "value": [NOW, "1_000"]}]),
        success([{"metric": {}, "value": [10**400, "1"]}]),
        success([{"metric": {}, "histogram": [NOW, {"count": "1"}]}]),
    ],
)
async def test_what_nobody_can_read_is_malformed(body: object) -> None:
    assert why(await told(body)) is Why.MALFORMED


async def test_an_empty_vector_is_empty_and_never_zero() -> None:
    assert await told(vector()) == Absent(why=Why.EMPTY)


async def test_what_is_empty_or_unusable_is_called_so_whatever_a_metric_says_of_silence() -> None:
    assert await told(vector(), FILLED) == Absent(why=Why.EMPTY)
    assert why(await ask(hang_up, FILLED)) is Why.UNREACHABLE
    assert why(await told(vector(({}, "NaN")), FILLED)) is Why.NOT_A_NUMBER
    assert why(await told({}, FILLED)) is Why.MALFORMED


@pytest.mark.parametrize("value", ["NaN", "+Inf", "-Inf", "1e999"])
async def test_what_is_no_finite_number_is_not_a_number(value: str) -> None:
    assert why(await told(vector(({}, value)))) is Why.NOT_A_NUMBER
    assert why(await told(success([NOW, value], "scalar"))) is Why.NOT_A_NUMBER


async def test_a_negative_value_is_passed_on_for_the_rule_to_judge() -> None:
    assert await told(vector(({}, "-3"))) == Measured(value=-3.0)


async def test_a_scalar_is_pool_wide() -> None:
    assert await told(success([NOW, "42"], "scalar")) == Measured(value=42.0)


async def test_series_without_the_label_are_pool_wide() -> None:
    assert await told(vector(({"app": "a", "instance": "b"}, "1.5"))) == Measured(value=1.5)
    assert await told(vector(({"region": ""}, "1.5"))) == Measured(value=1.5)


async def test_series_with_the_label_are_split_by_it() -> None:
    body = vector(({"region": "ord"}, "1"), ({"region": "ams", "app": "a"}, "2"))
    expected: Mapping[str, Reading] = {"ord": Measured(value=1.0), "ams": Measured(value=2.0)}
    assert await told(body) == Split(by_label=expected)


async def test_another_label_can_split() -> None:
    query = Query(name=MetricName("busy"), promql="busy", label="instance")
    body = vector(({"instance": "a", "region": "ord"}, "1"), ({"instance": "b", "region": "ord"}, "0"))
    assert await told(body, query) == Split(by_label={"a": Measured(value=1.0), "b": Measured(value=0.0)})


async def test_several_series_without_the_label_are_ambiguous() -> None:
    assert why(await told(vector(({"app": "a"}, "1"), ({"app": "b"}, "1")))) is Why.AMBIGUOUS


async def test_some_series_with_the_label_and_some_without_are_ambiguous() -> None:
    assert why(await told(vector(({"region": "ord"}, "1"), ({}, "1")))) is Why.AMBIGUOUS


async def test_two_series_of_one_region_are_ambiguous_there_alone() -> None:
    body = vector(
        ({"region": "ord", "app": "a"}, "1"), ({"region": "ams"}, "2"), ({"region": "ord", "app": "b"}, "3")
    )
    assert await told(body) == Split(
        by_label={
            "ord": Absent(why=Why.AMBIGUOUS, detail="several series for ord"),
            "ams": Measured(value=2.0),
        }
    )


def split_by(label: str, values: int) -> dict[str, object]:
    return vector(*(({label: f"{label}-{number}"}, "1") for number in range(values)))


async def test_a_label_with_more_values_than_there_are_regions_names_none() -> None:
    by_customer = Query(name=MetricName("load"), promql="load", label="customer")
    kept = await told(split_by("customer", 100), by_customer)
    assert isinstance(kept, Split)
    assert len(kept.by_label) == 100
    assert await told(split_by("customer", 101), by_customer) == Absent(
        why=Why.AMBIGUOUS,
        detail="101 values of customer, such as customer-0 and customer-1: check region_label",
    )


async def test_a_label_that_names_machines_may_have_as_many_values_as_there_are() -> None:
    busy = Query(name=MetricName("busy"), promql="busy", label="instance", by_region=False)
    found = await told(split_by("instance", 2000), busy)
    assert isinstance(found, Split)
    assert len(found.by_label) == 2000


async def test_one_bad_region_leaves_the_others_alone() -> None:
    found = await told(vector(({"region": "ord"}, "NaN"), ({"region": "ams"}, "2")))
    assert isinstance(found, Split)
    assert why(found.by_label["ord"]) is Why.NOT_A_NUMBER
    assert found.by_label["ams"] == Measured(value=2.0)


@pytest.mark.parametrize(
    ("age_s", "stale"),
    [
        (0, ""),
        (180, ""),
        (180.5, "180 s old"),
        (86400, "86400 s old"),
        (-30, ""),
        (-30.5, "30 s ahead of our clock"),
    ],
)
async def test_an_answer_that_is_too_old_or_from_the_future_is_stale(age_s: float, stale: str) -> None:
    found = await told(vector(({}, "1"), at=NOW - age_s))
    assert found == (Absent(why=Why.STALE, detail=f"the answer is {stale}") if stale else Measured(value=1.0))


@pytest.mark.parametrize("beside", [{"warnings": ["a store was slow"]}, {"isPartial": True}])
async def test_a_partial_answer_is_marked_so(beside: dict[str, object]) -> None:
    assert await told(vector(({}, "1"), **beside)) == Measured(value=1.0, partial=True)
    assert await told(vector(**beside), FILLED) == Absent(why=Why.EMPTY, partial=True)
    readings: Mapping[str, Reading] = {"ord": Measured(value=1.0, partial=True)}
    expected = Split(by_label=readings, partial=True)
    assert await told(vector(({"region": "ord"}, "1"), **beside)) == expected
    assert await told(success([NOW, "1"], "scalar", **beside)) == Measured(value=1.0, partial=True)


@pytest.mark.parametrize("beside", [{"warnings": []}, {"isPartial": False}, {"infos": ["a counter?"]}])
async def test_a_whole_answer_is_not_marked_partial(beside: dict[str, object]) -> None:
    assert await told(vector(({}, "1"), **beside)) == Measured(value=1.0)


values = st.floats(allow_nan=True).map(str) | st.text(max_size=8) | st.none() | st.integers()
labels = st.dictionaries(st.sampled_from(["region", "app"]), st.sampled_from(["", "ord", "ams"]))
points = st.lists(st.floats(allow_nan=False, allow_infinity=False) | values, max_size=3)
results = st.lists(
    st.fixed_dictionaries({"metric": labels | st.none(), "value": points | st.tuples(st.just(NOW), values)}),
    max_size=4,
)


@given(result=results, kind=st.sampled_from(["vector", "scalar", "matrix"]), missing=st.none() | st.just(0.0))
def test_whatever_comes_is_an_answer_or_an_error_of_ours(
    result: list[object], kind: str, missing: float | None
) -> None:
    reply = Reply(status=200, body=encoded(success(result, kind)))
    try:
        found = judged(Query(name=MetricName("m"), promql="m", missing=missing), instant(reply), now=NOW)
    except UpstreamError:
        return
    for reading in found.by_label.values() if isinstance(found, Split) else [found]:
        assert isinstance(reading, Absent) or abs(reading.value) < float("inf")
