"""What is put together works as one, over HTTP."""

import asyncio
from dataclasses import replace

import structlog

from autoscaler.emulator.faults import Fault, Kind
from autoscaler.service.daemon import read_clocks
from autoscaler.service.settings import load
from autoscaler.service.wiring import assemble
from tests.service.conftest import APP, TOKEN

POOLS = """
[pools.a]
app = "{app}"
regions = {{ ord = "1..5" }}
rules = [{{ expression = "2" }}]
[pools.b]
app = "{app}"
group = "other"
regions = {{ ord = "1..5" }}
rules = [{{ expression = "2" }}]
"""


REGIONAL = """
[pools.a]
app = "{app}"
regions = {{ ord = "1..5", ams = "1..5" }}
rules = [{{ query = 'sum by (region) (queue_depth{{app="$app"}})', per_machine = 10 }}]
"""


async def regions_asked(fly, ticks, apart_s=15.0):
    """How often the platform was asked for its regions in so many ticks, all of which see everything."""
    began = read_clocks()
    settings = load(
        {
            "AUTOSCALER_CONFIG_TOML": REGIONAL.format(app=APP),
            "AUTOSCALER_API_URL": fly.url,
            "AUTOSCALER_API_TOKEN": TOKEN,
            "AUTOSCALER_PROMETHEUS_URL": f"{fly.url}/prometheus/personal",
            "AUTOSCALER_PROMETHEUS_TOKEN": TOKEN,
        }
    )
    async with assemble(settings, log=structlog.get_logger(), act=False) as assembly:
        for number in range(ticks):
            later_s = number * apart_s
            now = replace(began, wall=began.wall + later_s, mono=began.mono + later_s)
            report = await assembly.jobs[0].tick(now)
            assert report.decision is not None
    return [entry.operation for entry in fly.gateway.log].count("regions")


async def test_the_platform_is_asked_for_its_regions_once_demand_comes_from_one_that_is_new(fly, loads):
    loads(ord=10, ams=10, lhr=10)
    assert await regions_asked(fly, ticks=2) == 0
    loads(ber=10)
    assert await regions_asked(fly, ticks=3) == 1


async def test_the_platform_is_asked_again_a_day_later_as_regions_open(fly, loads):
    loads(ber=10)
    assert await regions_asked(fly, ticks=5, apart_s=6 * 3600.0) == 2


async def test_a_platform_that_does_not_tell_its_regions_is_asked_again_in_the_next_tick(fly, loads):
    loads(ber=10)
    refusal = Fault(kind=Kind.STATUS, operation="regions", status=403, count=2)
    fly.run(lambda world: world.inject(refusal))
    assert await regions_asked(fly, ticks=5) == 3


async def test_pools_of_one_app_share_a_survey_and_their_next_ticks_have_another(fly):
    settings = load(
        {
            "AUTOSCALER_CONFIG_TOML": POOLS.format(app=APP),
            "AUTOSCALER_API_URL": fly.url,
            "AUTOSCALER_API_TOKEN": TOKEN,
            "AUTOSCALER_INTERVAL": "1s",
        }
    )
    async with assemble(settings, log=structlog.get_logger(), act=False) as assembly:
        for surveys in (1, 2):
            now = read_clocks()
            await asyncio.gather(*(job.tick(now) for job in assembly.jobs))
            assert [entry.operation for entry in fly.gateway.log].count("list") == surveys
            # The first two ticks of a process are at least half an interval apart.
            await asyncio.sleep(settings.interval_s / 2)
