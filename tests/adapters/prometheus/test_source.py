"""A source asks every question once, all at once, and tells ages and the past."""

import asyncio
from dataclasses import replace
from urllib.parse import parse_qs

import pytest

from autoscaler.adapters.http.client import HttpClient
from autoscaler.adapters.prometheus.source import PrometheusSource
from autoscaler.domain.names import MetricName
from autoscaler.domain.reading import Absent, Answer, History, Measured, Query, Sample, Split, Why
from tests.adapters.http.wire import answer, hang_up, wire
from tests.adapters.prometheus.test_readings import NOW, success, vector

AGED = Query(name=MetricName("load"), promql="load", age_promql="age")


def query(name: str, promql: str) -> Query:
    return Query(name=MetricName(name), promql=promql)


async def test_the_question_goes_as_a_form_and_asks_for_fresh_data() -> None:
    async with wire(answer(200, vector())) as server, HttpClient("prometheus", server.url + "/org/") as http:
        await PrometheusSource(http).read([replace(AGED, age_promql=None, max_age_s=90.2)], timeout_s=2.0)
    seen = server.seen[0]
    assert (seen.method, seen.path) == ("POST", "/org/api/v1/query")
    assert parse_qs(seen.body.decode()) == {
        "query": ["load"],
        "nocache": ["1"],
        "lookback_delta": ["91s"],
        "max_lookback": ["91s"],
    }


async def test_shared_questions_are_asked_once_and_answers_keep_their_order() -> None:
    queries = [
        query("a", "one"),
        query("b", "two"),
        query("c", "one"),
        replace(query("d", "one"), missing=5.0),
    ]
    async with wire(answer(200, vector())) as server, HttpClient("prometheus", server.url) as http:
        answers = await PrometheusSource(http).read(queries, timeout_s=2.0)
    assert sorted(parse_qs(seen.body.decode())["query"][0] for seen in server.seen) == ["one", "two"]
    assert list(answers) == [Absent(why=Why.EMPTY)] * 4


async def test_the_same_question_with_another_age_is_another_question() -> None:
    queries = [query("a", "one"), replace(query("b", "one"), max_age_s=60.0)]
    async with wire(answer(200, vector())) as server, HttpClient("prometheus", server.url) as http:
        await PrometheusSource(http).read(queries, timeout_s=2.0)
    assert len(server.seen) == 2


async def test_questions_are_asked_at_the_same_time() -> None:
    together = asyncio.Barrier(10)

    async def once_all_are_here(writer: asyncio.StreamWriter) -> None:
        await together.wait()
        writer.write(answer(200, vector(({}, "1"))))

    async with wire(once_all_are_here) as server, HttpClient("prometheus", server.url) as http:
        queries = [query(f"m{number}", f"q{number}") for number in range(10)]
        answers = await PrometheusSource(http, clock=lambda: NOW).read(queries, timeout_s=2.0)
    assert list(answers) == [Measured(value=1.0)] * 10


async def test_trouble_with_one_question_leaves_the_others_alone() -> None:
    async def by_question(writer: asyncio.StreamWriter) -> None:
        bad = b"query=bad" in server.seen[-1].body
        writer.write(answer(400, {"error": "bad"}) if bad else answer(200, vector(({}, "1"))))

    async with wire(by_question) as server, HttpClient("prometheus", server.url) as http:
        source = PrometheusSource(http, clock=lambda: NOW)
        answers = await source.read([query("a", "bad"), query("b", "good")], timeout_s=2.0)
    assert list(answers) == [Absent(why=Why.REFUSED, detail="400 bad"), Measured(value=1.0)]


async def test_a_question_is_repeated_once_after_an_error() -> None:
    async with wire(hang_up, answer(200, vector(({}, "1")))) as server, HttpClient("p", server.url) as http:
        answers = await PrometheusSource(http, clock=lambda: NOW).read([query("a", "a")], timeout_s=2.0)
    assert list(answers) == [Measured(value=1.0)]


async def test_no_questions_are_no_requests() -> None:
    async with HttpClient("prometheus", "http://127.0.0.1:1") as http:
        assert list(await PrometheusSource(http).read([], timeout_s=1.0)) == []


async def aged(load: object, age: object, asked: Query = AGED) -> Answer:
    async def by_question(writer: asyncio.StreamWriter) -> None:
        writer.write(answer(200, age if b"query=age" in server.seen[-1].body else load))

    async with wire(by_question) as server, HttpClient("prometheus", server.url) as http:
        return (await PrometheusSource(http, clock=lambda: NOW).read([asked], timeout_s=2.0))[0]


async def test_an_age_is_told_with_the_value() -> None:
    assert await aged(vector(({}, "1")), vector(({}, "75"))) == Measured(value=1.0, age_s=75.0)


@pytest.mark.parametrize(
    ("age", "stale"), [("180", ""), ("181", "181 s old"), ("-30", ""), ("-31", "31 s ahead of our clock")]
)
async def test_a_sample_that_is_too_old_or_from_the_future_is_stale(age: str, stale: str) -> None:
    found = await aged(vector(({}, "1")), vector(({}, age)))
    assert found == (
        Absent(why=Why.STALE, detail=f"the sample is {stale}")
        if stale
        else Measured(value=1.0, age_s=max(0.0, float(age)))
    )


async def test_ages_are_matched_by_label() -> None:
    load = vector(({"region": "ord"}, "1"), ({"region": "ams"}, "2"), ({"region": "fra"}, "3"))
    ages = vector(({"region": "ams"}, "500"), ({"region": "ord"}, "5"))
    assert await aged(load, ages) == Split(
        by_label={
            "ord": Measured(value=1.0, age_s=5.0),
            "ams": Absent(why=Why.STALE, detail="the sample is 500 s old"),
            "fra": Absent(why=Why.STALE, detail="age_query is empty"),
        }
    )


async def test_one_age_holds_for_all_regions() -> None:
    found = await aged(vector(({"region": "ord"}, "1"), ({"region": "ams"}, "2")), vector(({}, "5")))
    assert found == Split(
        by_label={"ord": Measured(value=1.0, age_s=5.0), "ams": Measured(value=2.0, age_s=5.0)}
    )


async def test_a_value_whose_age_cannot_be_told_is_stale() -> None:
    for ages in (vector(), vector(({}, "NaN")), vector(({"region": "ord"}, "1")), {}):
        found = await aged(vector(({}, "1")), ages)
        assert isinstance(found, Absent)
        assert found.why is Why.STALE
        assert found.detail.startswith("age_query is ")


async def test_an_absent_value_keeps_its_own_name_whatever_its_age() -> None:
    assert await aged(vector(), vector(({}, "5"))) == Absent(why=Why.EMPTY)
    assert await aged(vector(), vector()) == Absent(why=Why.EMPTY)


async def past(body: object, asked: Query, *, end: float = NOW) -> History:
    async with wire(answer(200, body)) as server, HttpClient("prometheus", server.url) as http:
        found = await PrometheusSource(http).history(
            [asked], start=NOW - 30, end=end, step_s=15.0, timeout_s=2.0
        )
    assert server.seen[0].path == "/api/v1/query_range"
    sent = parse_qs(server.seen[0].body.decode())
    assert (sent["start"], sent["step"], sent["nocache"]) == ([f"{NOW - 30:.3f}"], ["15"], ["1"])
    return found[0]


async def test_the_past_is_told_on_a_regular_grid() -> None:
    series = {"metric": {"region": "ord"}, "values": [[NOW - 30.0, "1"], [NOW - 15.2, "2"], [NOW, "NaN"]]}
    found = await past(success([series], "matrix"), query("load", "load"))
    assert found == History(
        name=MetricName("load"),
        samples=(
            Sample(at=NOW - 30, answer=Split(by_label={"ord": Measured(value=1.0)})),
            Sample(at=NOW - 15, answer=Split(by_label={"ord": Measured(value=2.0)})),
            Sample(
                at=NOW,
                answer=Split(by_label={"ord": Absent(why=Why.NOT_A_NUMBER, detail="the value is nan")}),
            ),
        ),
    )


@pytest.mark.parametrize(("warnings", "partial"), [([], False), (["a store was slow"], True)])
async def test_holes_in_the_past_are_empty(warnings: list[str], partial: bool) -> None:
    hole = Absent(why=Why.EMPTY, partial=partial)
    body = success([{"metric": {}, "values": [[NOW - 15, "2"]]}], "matrix", warnings=warnings)
    answers = [sample.answer for sample in (await past(body, replace(AGED, missing=0.0))).samples]
    assert answers == [hole, Measured(value=2.0, partial=partial), hole]


async def test_series_collide_in_the_past_only_where_they_overlap() -> None:
    first = {"metric": {"app": "a"}, "values": [[NOW - 30, "1"], [NOW - 15, "1"]]}
    second = {"metric": {"app": "b"}, "values": [[NOW - 15, "2"], [NOW, "2"]]}
    samples = (await past(success([first, second], "matrix"), query("load", "load"))).samples
    assert [sample.answer for sample in samples] == [
        Measured(value=1.0),
        Absent(why=Why.AMBIGUOUS, detail="2 series without region"),
        Measured(value=2.0),
    ]


async def test_the_grid_ends_before_the_end_when_it_does_not_fit() -> None:
    found = await past(success([], "matrix"), query("load", "load"), end=NOW + 14.9)
    assert [sample.at for sample in found.samples] == [NOW - 30, NOW - 15, NOW]


@pytest.mark.parametrize("body", [{}, vector(), {"status": "error", "error": "too many points"}])
async def test_a_past_that_cannot_be_told_is_empty(body: object) -> None:
    assert await past(body, query("load", "load")) == History(name=MetricName("load"))
