"""A survey, a look and the other reads tell what is, or raise; none of them guesses."""

import asyncio

import httpx
import pytest

from autoscaler.domain.errors import GarbledError, RefusedError, UnreachableError, UpstreamError
from autoscaler.domain.names import AppName, MachineId, Region
from tests.adapters.fly_machines.platform import APP, Answer, platform
from tests.adapters.fly_machines.recorded import CREATED

pytestmark = pytest.mark.looptime

M1 = MachineId("m1")
AMS = {"code": "ams", "name": "Amsterdam", "latitude": 52.3, "longitude": 4.9, "deprecated": False}


async def test_a_survey_asks_for_leases_and_for_the_deleted_only_when_told() -> None:
    async with platform() as (fly, machines):
        fly.on("GET /machines", (200, [CREATED]))
        survey = await machines.survey(APP)
        await machines.survey(APP, include_deleted=True)
    assert [machine.id for machine in survey.machines] == [CREATED["id"]]
    assert survey.app == APP
    assert [dict(request.url.params) for request in fly.requests] == [
        {"include_leases": "true"},
        {"include_leases": "true", "include_deleted": "true"},
    ]


async def test_a_survey_is_dated_by_the_clock_it_was_given() -> None:
    async with platform(clock=lambda: 1234.5) as (fly, machines):
        fly.on("GET /machines", (200, []))
        survey = await machines.survey(APP)
    assert (survey.at, survey.machines) == (1234.5, ())


async def test_a_survey_is_repeated_once_after_an_error() -> None:
    async with platform() as (fly, machines):
        fly.on("GET /machines", (502, "bad gateway"), (200, [CREATED]))
        assert len((await machines.survey(APP)).machines) == 1
        fly.on("GET /machines", httpx.ConnectError("refused"))
        with pytest.raises(UnreachableError):
            await machines.survey(APP)
    assert len(fly.calls) == 4


async def test_a_survey_that_hangs_is_not_repeated() -> None:
    async with platform() as (fly, machines):
        fly.on("GET /machines", asyncio.Event().wait)
        with pytest.raises(UnreachableError, match="no answer within 20 s"):
            await machines.survey(APP)
    assert len(fly.calls) == 1


@pytest.mark.parametrize(
    ("trouble", "kind"),
    [
        ((200, "null"), GarbledError),
        ((200, "{}"), GarbledError),
        ((200, "[{}]"), GarbledError),
        ((401, {"error": "Authenticate: token validation error"}), RefusedError),
        ((403, {"error": "unauthorized"}), RefusedError),
        ((404, {"error": "app not found"}), RefusedError),
        ((500, ""), UnreachableError),
        (httpx.ReadError("reset"), UnreachableError),
    ],
)
async def test_a_survey_that_fails_is_an_error_and_never_an_empty_fleet(
    trouble: Answer, kind: type[UpstreamError]
) -> None:
    async with platform() as (fly, machines):
        fly.on("GET /machines", trouble)
        with pytest.raises(kind):
            await machines.survey(APP)


async def test_surveys_keep_to_the_platforms_pace() -> None:
    async with platform() as (fly, machines):
        fly.on("GET /machines", (200, []))
        began = asyncio.get_running_loop().time()
        await asyncio.gather(*(machines.survey(APP) for _ in range(6)))
        assert asyncio.get_running_loop().time() - began == pytest.approx(3.0)


async def test_a_survey_after_a_429_waits_for_its_turn() -> None:
    async with platform() as (fly, machines):
        fly.on("GET /machines", (429, {"error": "rate limit exceeded"}), (200, []))
        began = asyncio.get_running_loop().time()
        await machines.survey(APP)
        assert asyncio.get_running_loop().time() - began == pytest.approx(2.0, abs=0.1)


async def test_a_look_finds_a_machine_or_the_platforms_word_that_there_is_none() -> None:
    async with platform() as (fly, machines):
        fly.on("GET /machines/m1", (200, CREATED), (404, {"error": "machine not found"}))
        found = await machines.look(APP, M1)
        assert found is not None
        assert found.id == CREATED["id"]
        assert await machines.look(APP, M1) is None


@pytest.mark.parametrize(
    "trouble",
    [(404, "404 page not found"), (403, ""), (500, ""), (200, "null"), (200, "{}"), (200, "<html>")],
)
async def test_a_look_that_fails_says_nothing_about_the_machine(trouble: Answer) -> None:
    async with platform() as (fly, machines):
        fly.on("GET /machines/m1", trouble)
        with pytest.raises(UpstreamError):
            await machines.look(APP, M1)


async def test_volumes_are_listed_or_it_is_an_error() -> None:
    volume = {"id": "vol_1", "name": "data", "region": "ord", "state": "created", "size_gb": 1}
    async with platform() as (fly, machines):
        fly.on("GET /volumes", (200, [volume]), (200, "null"), (200, [{}]), (200, [None]))
        assert [(found.id, found.name) for found in await machines.volumes(APP)] == [("vol_1", "data")]
        for _ in range(3):
            with pytest.raises(GarbledError):
                await machines.volumes(APP)


async def test_an_app_exists_if_the_platform_says_so() -> None:
    async with platform() as (fly, machines):
        fly.on("GET ", (200, {"name": "shop"}), (404, {"error": "app not found"}))
        assert await machines.app_exists(APP)
        assert not await machines.app_exists(APP)


@pytest.mark.parametrize(
    "trouble", [(401, ""), (403, {"error": "unauthorized"}), (404, "404 page not found")]
)
async def test_a_refusal_says_nothing_about_an_app(trouble: Answer) -> None:
    async with platform() as (fly, machines):
        fly.on("GET ", trouble)
        with pytest.raises(RefusedError):
            await machines.app_exists(APP)


async def test_regions_are_the_platforms_own() -> None:
    async with platform() as (fly, machines):
        fly.on("GET /v1/platform/regions", (200, {"Regions": [AMS], "Nearest": "iad"}))
        assert set(await machines.regions()) == {Region("ams")}


async def test_every_request_carries_the_token() -> None:
    async with platform() as (fly, machines):
        fly.on("GET /machines", (200, []))
        await machines.survey(APP)
    assert fly.requests[0].headers["authorization"] == "FlyV1 fm2_a"


async def test_the_name_of_an_app_cannot_leave_its_place_in_the_path() -> None:
    async with platform() as (fly, machines):
        fly.on("GET /v1/apps/../x?y/machines", (200, []))
        await machines.survey(AppName("../x?y"))
    assert fly.requests[0].url.raw_path.startswith(b"/v1/apps/..%2Fx%3Fy/machines?")
