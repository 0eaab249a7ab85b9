"""Regions that a schedule closes for a while: what is asked for there, and what is remembered of it."""

from autoscaler.domain.names import Region
from autoscaler.domain.pool import Schedule
from autoscaler.domain.reason import ReasonCode
from tests.policy.scene import (
    AMS,
    LHR,
    ORD,
    TICK_S,
    UNDAMPED,
    WALL,
    Scene,
    a_fleet,
    a_pool,
    absent,
    spec,
    split,
)

HOUR = 3600.0


def before_eight(*closed: Region) -> Scene:
    """Three regions a second short of a tick before 8:00, from when until 18:00 some may have no Machine."""
    schedule = Schedule(start="0 8 * * *", end="0 18 * * *", regions=closed, max=0)
    regions = {region: spec() for region in (ORD, AMS, LHR)}
    pool = a_pool(regions=regions, schedules=(schedule,), scale_in=UNDAMPED)
    return Scene(pool=pool, fleet=a_fleet(ord=0), wall=WALL + 8 * HOUR - TICK_S - 1)


def test_a_region_that_a_schedule_closes_passes_its_demand_on_until_it_opens_again() -> None:
    scene = before_eight(AMS)
    load = split(ord=10, ams=44, lhr=26)
    assert scene.tick(load) == {AMS: 5, LHR: 3, ORD: 1}
    assert scene.tick(load) == {AMS: 0, LHR: 7, ORD: 1}
    assert scene.decision.regions[AMS].demand == 0
    assert scene.tick(load, after=10 * HOUR - 2 * TICK_S) == {AMS: 0, LHR: 7, ORD: 1}
    assert scene.tick(load, after=2 * TICK_S)[AMS] == 5


def test_what_was_last_known_stays_with_its_region_while_others_close_and_open() -> None:
    scene = before_eight(AMS)
    scene.tick(split(ord=10, ams=50, lhr=30))
    assert scene.tick(absent()) == {AMS: 0, LHR: 3, ORD: 1}
    assert [scene.decision.regions[region].demand for region in (LHR, ORD)] == [None, None]
    assert [scene.numbers(ReasonCode.LAST_KNOWN, region)["machines"] for region in (LHR, ORD)] == [3, 1]
    assert scene.tick(absent(), after=10 * HOUR) == {AMS: 0, LHR: 3, ORD: 1}
    assert scene.numbers(ReasonCode.LAST_KNOWN, AMS) == {"capacity": 0}


def test_a_pool_that_schedules_close_everywhere_has_no_demand_at_all() -> None:
    scene = before_eight(ORD, AMS, LHR)
    load = split(ord=30, ams=20, mars=10)
    assert scene.tick(load) == {AMS: 3, LHR: 0, ORD: 3}
    assert [scene.tick(answer) for answer in (load, absent())] == [{AMS: 0, LHR: 0, ORD: 0}] * 2
    assert {entry.demand for entry in scene.decision.regions.values()} == {0}
