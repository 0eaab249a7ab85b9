"""A real Prometheus that scrapes a real metrics page answers as the readings say."""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from autoscaler.adapters.http.client import HttpClient
from autoscaler.adapters.prometheus.source import PrometheusSource
from autoscaler.domain.reading import Absent, Measured, Split, Why
from tests.integration.metric_servers import (
    Exporter,
    Exposed,
    ask,
    exporting,
    past,
    prometheus,
    query,
    until,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scraped:
    """A Prometheus and the page it scrapes."""

    url: str
    exporter: Exporter

    def expose(self, *samples: Exposed) -> None:
        """Change the page, and wait until the server knows (a marker tells)."""
        marker = self.number("marker") + 1
        self.exporter.samples = (*samples, Exposed(name="marker", value=marker))
        until(lambda: self.number("marker") == marker)

    @property
    def version(self) -> tuple[int, ...]:
        text = httpx.get(f"{self.url}/api/v1/status/buildinfo").json()["data"]["version"]
        return tuple(int(part) for part in text.split("+")[0].split("-")[0].split("."))

    def number(self, promql: str) -> float:
        answer = httpx.post(f"{self.url}/api/v1/query", data={"query": promql}).json()
        result = answer["data"]["result"]
        return float(result[0]["value"][1]) if result else 0.0


@pytest.fixture(scope="module")
def server(
    server_binary: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Scraped]:
    binary, folder = server_binary("prometheus"), tmp_path_factory.mktemp("prometheus")
    with exporting() as exporter, prometheus(binary, folder, exporter) as url:
        yield Scraped(url=url, exporter=exporter)


def depth(region: str, value: float, *, app: str = "shop") -> Exposed:
    return Exposed(name="depth", value=value, labels={"region": region, "app": app})


async def test_values_are_split_by_region_and_follow_the_page(server: Scraped) -> None:
    server.expose(depth("ord", 5), depth("ams", 7.5))
    expected = Split(by_label={"ord": Measured(value=5.0), "ams": Measured(value=7.5)})
    assert await ask(server.url, query('depth{app="shop"}')) == expected
    server.expose(depth("ord", 6))
    assert await ask(server.url, query('depth{app="shop"}')) == Split(by_label={"ord": Measured(value=6.0)})


async def test_a_sum_and_a_scalar_are_pool_wide(server: Scraped) -> None:
    server.expose(depth("ord", 5), depth("ams", 7))
    assert await ask(server.url, query("sum(depth)")) == Measured(value=12.0)
    assert await ask(server.url, query("scalar(sum(depth)) * 2")) == Measured(value=24.0)


async def test_nan_and_infinity_are_not_numbers_in_their_region_alone(server: Scraped) -> None:
    server.expose(depth("ord", math.nan), depth("ams", math.inf), depth("fra", 1))
    found = await ask(server.url, query("depth"))
    assert isinstance(found, Split)
    assert found.by_label["fra"] == Measured(value=1.0)
    for region in ("ord", "ams"):
        reading = found.by_label[region]
        assert isinstance(reading, Absent)
        assert reading.why is Why.NOT_A_NUMBER


async def test_a_series_that_leaves_the_page_is_empty_at_once(server: Scraped) -> None:
    server.expose(depth("ord", 5))
    server.expose()
    assert await ask(server.url, query("depth")) == Absent(why=Why.EMPTY)
    assert await ask(server.url, query("depth", missing=0.0)) == Absent(why=Why.EMPTY)


async def test_several_series_are_ambiguous_where_they_meet(server: Scraped) -> None:
    server.expose(depth("ord", 5), depth("ord", 6, app="other"), depth("ams", 1))
    found = await ask(server.url, query("depth"))
    assert isinstance(found, Split)
    assert found.by_label["ams"] == Measured(value=1.0)
    assert found.by_label["ord"] == Absent(why=Why.AMBIGUOUS, detail="several series for ord")
    mixed = await ask(server.url, query("depth or vector(1)"))
    assert isinstance(mixed, Absent)
    assert mixed.why is Why.AMBIGUOUS


async def test_an_old_sample_is_seen_within_max_age_and_only_age_query_tells_its_age(server: Scraped) -> None:
    server.expose(Exposed(name="slow", value=5, labels={"region": "ord"}, at=time.time() - 120))
    assert await ask(server.url, query("slow")) == Split(by_label={"ord": Measured(value=5.0)})
    found = await ask(server.url, query("slow", age_promql="time() - timestamp(slow)"))
    assert isinstance(found, Split)
    reading = found.by_label["ord"]
    assert isinstance(reading, Measured)
    assert reading.age_s == pytest.approx(120, abs=15)


async def test_a_sample_older_than_max_age_is_empty_only_where_the_server_takes_the_wish(
    server: Scraped,
) -> None:
    server.expose(Exposed(name="slower", value=5, at=time.time() - 120))
    # Before 2.43 every question looks back five minutes; age_query is the way to be sure there.
    seen = Absent(why=Why.EMPTY) if server.version >= (2, 43) else Measured(value=5.0)
    assert await ask(server.url, query("slower", max_age_s=60.0)) == seen
    sure = await ask(server.url, query("slower", max_age_s=60.0, age_promql="time() - timestamp(slower)"))
    assert isinstance(sure, Absent)
    assert sure.why in {Why.EMPTY, Why.STALE}


async def test_an_age_above_max_age_is_stale(server: Scraped) -> None:
    server.expose(depth("ord", 5), Exposed(name="updated", value=time.time() - 500, labels={"region": "ord"}))
    found = await ask(server.url, query("depth", age_promql="time() - updated"))
    assert isinstance(found, Split)
    reading = found.by_label["ord"]
    assert isinstance(reading, Absent)
    assert reading.why is Why.STALE


@pytest.mark.parametrize(
    ("promql", "why"),
    [
        ("sum(depth", Why.REFUSED),
        ("nosuchfunction(1)", Why.REFUSED),
        ("label_replace(marker or depth, 'a', 'x', '', '') * on(a) group_left depth", Why.REFUSED),
        ("0/0", Why.NOT_A_NUMBER),
        ("1/0", Why.NOT_A_NUMBER),
        ('"text"', Why.MALFORMED),
        ("marker[1m]", Why.MALFORMED),
        ("nosuchseries", Why.EMPTY),
    ],
)
async def test_questions_that_cannot_be_answered_say_why(server: Scraped, promql: str, why: Why) -> None:
    server.expose(depth("ord", 5), depth("ams", 5))
    found = await ask(server.url, query(promql))
    assert isinstance(found, Absent)
    assert found.why is why


async def test_the_words_of_an_error_reach_the_operator(server: Scraped) -> None:
    found = await ask(server.url, query("sum(depth"))
    assert isinstance(found, Absent)
    assert found.detail.startswith("400 ")
    assert "unclosed left parenthesis" in found.detail


async def test_a_wrong_path_is_refused(server: Scraped) -> None:
    found = await ask(f"{server.url}/wrong", query("depth"))
    assert isinstance(found, Absent)
    assert found.why is Why.REFUSED


async def test_the_past_reaches_to_this_moment(server: Scraped) -> None:
    server.expose(depth("ord", 5))
    now = time.time()
    found = await past(server.url, query("depth", max_age_s=10.0), start=now - 3600, end=now, step_s=15.0)
    assert len(found.samples) == 241
    assert found.samples[-1].answer == Split(by_label={"ord": Measured(value=5.0)})
    assert found.samples[0].answer == Absent(why=Why.EMPTY)


async def test_a_past_of_too_many_points_is_empty(server: Scraped) -> None:
    now = time.time()
    found = await past(server.url, query("depth"), start=now - 11_001, end=now, step_s=1.0)
    assert found.samples == ()


async def test_a_batch_is_answered_in_order(server: Scraped) -> None:
    server.expose(depth("ord", 5))
    queries = [query("sum(depth)"), query("nosuchseries"), query("sum(depth) + 1")]
    async with HttpClient("prometheus", server.url) as http:
        answers = await PrometheusSource(http).read(queries, timeout_s=5.0)
    assert list(answers) == [Measured(value=5.0), Absent(why=Why.EMPTY), Measured(value=6.0)]
