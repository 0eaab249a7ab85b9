"""The endpoints tell what the loop knows, to anybody, without a secret or a script."""

import threading
from dataclasses import replace
from html.parser import HTMLParser

import httpx
import pytest

from autoscaler.adapters.telemetry import Telemetry
from autoscaler.domain.deferred import Deferred
from autoscaler.domain.instant import Instant
from autoscaler.domain.names import AppName
from autoscaler.domain.outcome import TickReport
from autoscaler.domain.reason import Reason, ReasonCode, reason
from autoscaler.service import endpoints
from autoscaler.service.board import Board
from tests.service.reports import NOW, blind, pool, scaled, steady

START = Instant(wall=1_800_000_000, mono=0)


class Stage:
    """The application with a clock to turn."""

    def __init__(self, *names: str, dry_run: bool = False) -> None:
        self.now = NOW
        self.telemetry = Telemetry()
        self.board = Board([pool(name) for name in names or ("shop",)], now=START)
        self.app = endpoints.build(self.board, self.telemetry.registry, lambda: self.now, dry_run=dry_run)

    async def get(self, path: str) -> httpx.Response:
        transport = httpx.ASGITransport(app=self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.get(path)


def told_in(threads: list[int]) -> TickReport:
    """A report that notes in which thread somebody reads why it decided so."""

    def read() -> tuple[Reason, ...]:
        threads.append(threading.get_ident())
        return (reason(ReasonCode.DEMAND),)

    report = scaled()
    assert report.decision is not None
    regions = {
        code: entry._replace(reasons=Deferred(read)) for code, entry in report.decision.regions.items()
    }
    return replace(report, decision=report.decision._replace(regions=regions))


@pytest.fixture
def stage() -> Stage:
    return Stage()


async def test_livez_is_200_while_every_pool_ticks_and_503_naming_the_silent_one():
    stage = Stage("shop", "mute")
    stage.now = replace(NOW, mono=50)
    assert (await stage.get("/livez")).status_code == 200
    stage.board.ended(steady("shop", replace(NOW, mono=60)))
    stage.now = replace(NOW, mono=100)
    answer = await stage.get("/livez")
    assert (answer.status_code, answer.text) == (503, "no tick for too long: mute\n")


async def test_readyz_waits_for_the_first_survey_of_every_pool(stage):
    assert (await stage.get("/readyz")).status_code == 503
    stage.board.ended(blind())
    answer = await stage.get("/readyz")
    assert (answer.status_code, answer.text) == (503, "no survey yet: shop\n")
    stage.board.ended(scaled())
    assert (await stage.get("/readyz")).status_code == 200


@pytest.mark.parametrize("path", ["/", "/api/pools", "/api/decisions"])
async def test_a_page_that_may_be_long_is_written_beside_the_loop_that_ticks(stage, path):
    threads: list[int] = []
    stage.board.ended(told_in(threads))
    assert (await stage.get(path)).status_code == 200
    assert threads
    assert threading.get_ident() not in threads


async def test_metrics_are_in_prometheus_text_format(stage):
    stage.telemetry.observe(scaled())
    answer = await stage.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert 'autoscaler_desired_machines{pool="shop",region="ord"} 5.0' in answer.text
    assert "_created" not in answer.text


async def test_api_pools_has_the_shape_of_plan(stage):
    stage.board.ended(scaled())
    document = (await stage.get("/api/pools")).json()
    assert document["at"] == "2027-01-15T08:00:00.250Z"
    assert [entry["pool"] for entry in document["pools"]] == ["shop"]
    assert document["pools"][0]["regions"][1]["desired"] == 5


async def test_api_decisions_are_newest_first_with_their_outcomes(stage):
    stage.board.ended(steady(at=START))
    stage.board.ended(scaled())
    decisions = (await stage.get("/api/decisions?pool=shop&limit=2")).json()["decisions"]
    assert [entry["verdict"] for entry in decisions] == ["scaled", "steady"]
    assert decisions[0]["outcomes"] == [
        {"kind": "start", "region": "ord", "result": "applied"},
        {"kind": "create", "region": "ord", "result": "refused"},
    ]


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("pool=nobody", 404),
        ("limit=0", 400),
        ("limit=-1", 400),
        ("limit=many", 400),
        ("limit=99999999999999999999", 400),
        ("limit=²", 400),
    ],
)
async def test_a_wrong_question_gets_one_sentence(stage, query, status):
    answer = await stage.get(f"/api/decisions?{query}")
    assert answer.status_code == status
    assert answer.json().keys() == {"error"}


async def test_writing_is_not_possible(stage):
    transport = httpx.ASGITransport(app=stage.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        for path in ("/", "/metrics", "/api/pools", "/api/decisions", "/livez"):
            for method in ("POST", "PUT", "DELETE", "PATCH"):
                assert (await client.request(method, path)).status_code == 405


class Page(HTMLParser):
    """Checks that tags close, and collects texts and references."""

    VOID = frozenset({"meta", "link", "br", "img", "input"})

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.texts: list[str] = []
        self.references: list[str] = []
        self.tags: set[str] = set()
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.references += [value or "" for name, value in attrs if name in {"href", "src"}]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


async def test_the_status_page_shows_pools_regions_bounds_demand_desired_counts_reasons_and_actions(stage):
    stage.board.ended(scaled())
    answer = await stage.get("/")
    page = Page(answer.text)
    text = " ".join(page.texts)
    for shown in (
        "shop",
        "shop-app · app",
        "scaled",
        "ord",
        "0–5",
        "7",
        "unknown",
        "rule value=61.5",
        "bound_max",
    ):
        assert shown in text
    assert "start ×1: demand" in text
    assert "applied 1, refused 1" in text
    assert "1 missing: parked until_s=300" in text
    assert "outside_regions machines=2" in text


async def test_the_status_page_needs_nothing_from_elsewhere_and_runs_no_script(stage):
    stage.board.ended(scaled())
    answer = await stage.get("/")
    page = Page(answer.text)
    assert all(reference.startswith("/") and not reference.startswith("//") for reference in page.references)
    assert "script" not in page.tags
    assert "default-src 'none'" in answer.headers["content-security-policy"]


async def test_the_status_page_says_that_a_pool_waits_or_decided_nothing():
    stage = Stage("shop", "late")
    stage.board.ended(blind())
    text = (await stage.get("/")).text
    assert "The first tick has not ended yet." in text
    assert "Nothing was decided in the last tick." in text
    assert "survey_failed status=503" in text


async def test_the_status_page_says_when_nothing_is_acted_upon():
    stage = Stage(dry_run=True)
    stage.board.ended(scaled(acted=False))
    text = " ".join(Page((await stage.get("/")).text).texts)
    assert "nothing is acted upon" in text
    assert "start ×1: demand (dry run)" in text


async def test_texts_of_others_are_escaped(stage):
    hostile = reason(ReasonCode.TICK_FAILED, detail="<script>alert(1)</script>")
    stage.board.ended(replace(scaled(), app=AppName("<b>"), warnings=(hostile,)))
    page = Page((await stage.get("/")).text)
    assert "script" not in page.tags
    assert "<script>alert(1)</script>" in " ".join(page.texts)
