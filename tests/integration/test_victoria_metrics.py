"""A real VictoriaMetrics answers as the readings say; where Prometheus answers otherwise, a test says so."""

import itertools
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from autoscaler.adapters.http.client import HttpClient
from autoscaler.adapters.http.exchange import Call
from autoscaler.adapters.prometheus.series import instant
from autoscaler.domain.reading import Absent, Measured, Split, Why
from tests.integration.metric_servers import ask, import_samples, past, query, victoria_metrics

NUMBERS = itertools.count()


@pytest.fixture(scope="module")
def url(server_binary: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("victoria")
    with victoria_metrics(server_binary("victoria-metrics"), folder) as address:
        yield address


@pytest.fixture
def depth(url: str) -> Callable[..., str]:
    """Give a fresh metric one sample of so many seconds ago; returns its name."""
    name = f"depth_{next(NUMBERS)}"

    def give(value: float, *, ago_s: float = 2.0, **labels: str) -> str:
        import_samples(url, {"__name__": name, **labels}, {time.time() - ago_s: value})
        return name

    return give


async def test_values_are_split_by_region(url: str, depth: Callable[..., str]) -> None:
    depth(5, region="ord", app="shop")
    name = depth(7.5, region="ams", app="shop")
    expected = Split(by_label={"ord": Measured(value=5.0), "ams": Measured(value=7.5)})
    assert await ask(url, query(name + '{app="shop"}')) == expected


async def test_a_sum_is_pool_wide_and_scalars_come_as_a_series_without_labels(
    url: str, depth: Callable[..., str]
) -> None:
    depth(5, region="ord")
    name = depth(7, region="ams")
    assert await ask(url, query(f"sum({name})")) == Measured(value=12.0)
    assert await ask(url, query(f"scalar(sum({name})) * 2")) == Measured(value=24.0)


async def test_several_series_are_ambiguous_where_they_meet(url: str, depth: Callable[..., str]) -> None:
    depth(5, region="ord", app="a")
    depth(5, region="ord", app="b")
    name = depth(7, region="ams")
    found = await ask(url, query(name))
    assert isinstance(found, Split)
    assert found.by_label["ams"] == Measured(value=7.0)
    assert found.by_label["ord"] == Absent(why=Why.AMBIGUOUS, detail="several series for ord")
    mixed = await ask(url, query(f"{name} or vector(1)"))
    assert isinstance(mixed, Absent)
    assert mixed.why is Why.AMBIGUOUS


async def test_the_newest_samples_are_seen_although_the_server_hides_them_by_default(
    url: str, depth: Callable[..., str]
) -> None:
    name = depth(5, ago_s=2.0)
    assert await ask(url, query(name)) == Measured(value=5.0)
    async with HttpClient("victoria", url) as http:
        call = Call(operation="query", method="POST", path="/api/v1/query", form={"query": name})
        assert instant(await http.read(call)).series == ()


async def test_an_old_sample_is_seen_within_max_age_and_only_age_query_tells_its_age(
    url: str, depth: Callable[..., str]
) -> None:
    name = depth(5, ago_s=120.0, region="ord")
    assert await ask(url, query(name)) == Split(by_label={"ord": Measured(value=5.0)})
    found = await ask(url, query(name, age_promql=f"time() - timestamp({name})"))
    assert isinstance(found, Split)
    reading = found.by_label["ord"]
    assert isinstance(reading, Measured)
    assert reading.age_s == pytest.approx(120, abs=15)
    assert await ask(url, query(name, max_age_s=60.0)) == Absent(why=Why.EMPTY)


async def test_a_sample_older_than_max_age_is_empty(url: str, depth: Callable[..., str]) -> None:
    name = depth(5, ago_s=200.0)
    assert await ask(url, query(name)) == Absent(why=Why.EMPTY)
    assert await ask(url, query(name, missing=0.0)) == Absent(why=Why.EMPTY)


async def test_an_age_above_max_age_is_stale(url: str, depth: Callable[..., str]) -> None:
    found = await ask(url, query(depth(5), age_promql="500"))
    assert isinstance(found, Absent)
    assert found.why is Why.STALE


@pytest.mark.parametrize(
    ("promql", "why"),
    [
        ("sum(depth", Why.REFUSED),
        ("nosuchfunction(1)", Why.REFUSED),
        ("0/0", Why.EMPTY),  # Prometheus: not a number
        ("1/0", Why.NOT_A_NUMBER),
        ('"text"', Why.EMPTY),  # Prometheus: malformed
        ("nosuchseries", Why.EMPTY),
    ],
)
async def test_questions_that_cannot_be_answered_say_why(url: str, promql: str, why: Why) -> None:
    found = await ask(url, query(promql))
    assert isinstance(found, Absent)
    assert found.why is why


async def test_a_range_instead_of_an_instant_is_malformed(url: str, depth: Callable[..., str]) -> None:
    found = await ask(url, query(f"{depth(5)}[1m]"))
    assert isinstance(found, Absent)
    assert found.why is Why.MALFORMED


async def test_an_error_comes_with_422_and_its_words(url: str) -> None:
    found = await ask(url, query("sum(depth"))
    assert isinstance(found, Absent)
    assert found.detail.startswith("422 ")  # Prometheus: 400
    assert "sum(depth" in found.detail


async def test_the_past_is_told_and_its_newest_minute_repeats_an_older_value(url: str) -> None:
    now = float(int(time.time()))
    name = f"depth_{next(NUMBERS)}"
    import_samples(
        url, {"__name__": name, "region": "ord"}, {now - 15 * ago: 100.0 - ago for ago in range(40)}
    )
    found = await past(url, query(name), start=now - 300, end=now, step_s=15.0)
    assert [sample.at for sample in found.samples] == [now - 300 + 15 * index for index in range(21)]
    values = [sample.answer for sample in found.samples]
    assert values[:16] == [Split(by_label={"ord": Measured(value=80.0 + index)}) for index in range(16)]
    assert values[-1] == values[-2] != Split(by_label={"ord": Measured(value=100.0)})  # Prometheus: 100


async def test_a_past_of_too_many_points_is_empty(url: str) -> None:
    now = time.time()
    found = await past(url, query("depth"), start=now - 40_000, end=now, step_s=1.0)
    assert found.samples == ()
