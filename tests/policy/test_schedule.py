"""Schedules move the bounds by what the clock on their wall shows, and by nothing else."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoscaler.domain.desired import Bounds
from autoscaler.domain.pool import Schedule
from autoscaler.domain.reason import ReasonCode
from autoscaler.policy.crontab import WEEKDAYS, Moments, parse
from autoscaler.policy.schedule import compile_schedule, timetable
from tests.policy.scene import AMS, ORD, Scene, a_fleet, a_pool, spec

BERLIN = ZoneInfo("Europe/Berlin")
OFFICE = Schedule(start="0 8 * * mon-fri", end="0 18 * * mon-fri", timezone="Europe/Berlin", min=4)
HOUR = 3600.0


def berlin(text: str, fold: int = 0) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN, fold=fold).timestamp()


def active(schedule: Schedule, wall: float) -> bool:
    return compile_schedule(schedule, "schedules[0]").active(wall)


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-03-27T07:59:59", False),
        ("2026-03-27T08:00:00", True),
        ("2026-03-27T17:59:59", True),
        ("2026-03-27T18:00:00", False),
        ("2026-03-28T12:00:00", False),
        ("2026-03-30T07:59:59", False),
        ("2026-03-30T08:00:00", True),
        ("2026-10-26T17:59:59", True),
        ("2026-10-26T18:00:00", False),
    ],
)
def test_office_hours_are_office_hours_in_winter_and_in_summer(moment: str, expected: bool) -> None:
    assert active(OFFICE, berlin(moment)) is expected


def test_a_start_that_summer_time_skips_is_over_when_the_hour_is() -> None:
    night = Schedule(start="30 2 * * *", end="0 18 * * *", timezone="Europe/Berlin", min=1)
    assert not active(night, berlin("2026-03-29T01:59:59"))
    assert active(night, berlin("2026-03-29T03:00:00"))


def test_an_hour_that_is_lived_twice_counts_once() -> None:
    early = Schedule(start="0 2 * * *", end="30 2 * * *", timezone="Europe/Berlin", min=1)
    assert [active(early, berlin("2026-10-25T02:15:00", fold=fold)) for fold in (0, 1)] == [True, False]
    assert [active(early, berlin("2026-10-25T02:45:00", fold=fold)) for fold in (0, 1)] == [False, False]
    late = Schedule(start="30 2 * * *", end="0 3 * * *", timezone="Europe/Berlin", min=1)
    assert [active(late, berlin("2026-10-25T02:15:00", fold=fold)) for fold in (0, 1)] == [False, True]
    assert not active(late, berlin("2026-10-25T03:00:00"))


def test_a_schedule_that_has_ended_takes_no_machines_when_the_clock_is_put_back() -> None:
    night = Schedule(start="0 22 * * *", end="30 2 * * *", timezone="Europe/Berlin", regions=(ORD,), max=1)
    pool = a_pool(regions={ORD: spec(0, 10)}, schedules=(night,))
    scene = Scene(pool=pool, fleet=a_fleet(ord=1), wall=berlin("2026-10-25T02:00:00"))
    served = [scene.tick(100, after=300.0)[ORD] for _ in range(36)]
    assert served == [1] * 5 + [10] * 31


def test_a_day_that_a_zone_skips_has_passed_when_the_next_one_comes() -> None:
    skipped = Schedule(start="0 8 30 12 *", end="0 8 31 12 *", timezone="Pacific/Apia", min=1)
    eve = datetime(2011, 12, 30, 9, 59, 59, tzinfo=UTC).timestamp()
    assert [active(skipped, eve + passed) for passed in (0.0, 1.0, 8 * HOUR, 8 * HOUR + 1)] == [
        False,
        True,
        True,
        False,
    ]


def test_a_schedule_over_midnight_is_active_on_both_sides() -> None:
    night = Schedule(start="0 22 * * *", end="0 6 * * *", min=1)
    assert [active(night, hour * HOUR) for hour in (21, 22, 24, 29, 30)] == [False, True, True, True, False]


def test_a_schedule_that_has_not_started_for_a_year_is_inactive() -> None:
    leap = Schedule(start="0 0 29 2 *", end="0 0 2 3 *", max=1)
    assert not active(leap, berlin("2026-03-01T12:00:00"))
    assert active(leap, berlin("2028-02-29T12:00:00"))


ZONES = ("Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Africa/Casablanca", "Antarctica/Troll")
HOURS = st.sampled_from(["*", "1-3", "2", "*/5", "0,23"])
CRONTABS = st.builds("{} {} * * {}".format, st.integers(0, 59), HOURS, st.sampled_from(["*", "0", "sat-sun"]))


def names(moments: Moments, clock: datetime) -> bool:
    return (
        clock.minute in moments.minutes
        and clock.hour in moments.hours
        and (clock.month, clock.day) in moments.dates
        and WEEKDAYS[clock.isoweekday() % 7] in moments.weekdays
    )


def furthest(wall: float, zone: ZoneInfo) -> datetime:
    """The latest time that a clock on the wall has shown so far, looked at every minute for a day."""
    return max(
        datetime.fromtimestamp(wall - 60 * minutes, zone).replace(tzinfo=None) for minutes in range(1441)
    )


def walked_back(schedule: Schedule, wall: float) -> bool:
    """Whether a clock that only goes forward shows a start before an end, turned back minute by minute."""
    start, end = parse(schedule.start).moments, parse(schedule.end).moments
    shown = furthest(wall, ZoneInfo(schedule.timezone))
    for minutes in range(8 * 1440):
        clock = shown - timedelta(minutes=minutes)
        if names(start, clock) or names(end, clock):
            return not names(end, clock)
    return False


@st.composite
def moments(draw: st.DrawFn) -> tuple[str, float]:
    """A zone and a time, often within hours of one at which its clocks are set."""
    zone, wall = draw(st.sampled_from(ZONES)), 1_767_225_600.0 + draw(st.integers(0, 400 * 86_400))
    if draw(st.booleans()):
        return zone, wall
    return zone, draw(st.sampled_from(settings_of(zone))) + draw(st.integers(-3 * 3600, 5 * 3600))


@lru_cache
def settings_of(zone: str) -> list[int]:
    """When a zone's clocks are set in 2026."""
    halves = range(1_767_225_600, 1_798_761_600, 1800)
    offsets = [datetime.fromtimestamp(at, ZoneInfo(zone)).utcoffset() for at in halves]
    return [
        at for at, before, after in zip(halves[1:], offsets, offsets[1:], strict=False) if before != after
    ]


@settings(max_examples=40)
@given(CRONTABS, CRONTABS, moments())
def test_a_schedule_is_active_when_the_clock_showed_its_start_last(
    start: str, end: str, moment: tuple[str, float]
) -> None:
    zone, wall = moment
    schedule = Schedule(start=start, end=end, timezone=zone, min=1)
    calendar = compile_schedule(schedule, "schedules[0]")
    now = calendar.active(wall)
    assert now == walked_back(schedule, wall)
    until = calendar.changes_after(wall)
    assert wall < until <= wall + 86_400.0
    assert all(calendar.active(at) == now for at in (wall + (until - wall) / 2, max(wall, until - 1.0)))


def test_a_start_is_forgotten_in_the_very_minute_in_which_it_is_too_long_ago() -> None:
    leap = compile_schedule(Schedule(start="0 1 29 2 *", end="0 0 29 2 *", max=1), "schedules[0]")
    last = datetime(2029, 3, 1, 1, 0, tzinfo=UTC).timestamp()
    assert [leap.active(last), leap.active(last + 60)] == [True, False]
    assert leap.changes_after(last - HOUR) == last + 60


@settings(max_examples=20)  # each one searches calendars many times
@given(st.integers(min_value=0, max_value=400 * 86_400), st.lists(st.integers(1, 3 * 86_400), max_size=6))
def test_a_timetable_that_is_kept_says_what_a_new_one_says(start: int, steps: list[int]) -> None:
    pool = a_pool(
        regions={ORD: spec(1, 10)},
        schedules=(OFFICE, Schedule(start="30 2 * * *", end="0 3 * * *", timezone="Europe/Berlin", max=6)),
    )
    calendars = [compile_schedule(one, f"schedules[{index}]") for index, one in enumerate(pool.schedules)]
    wall = 1_767_225_600.0 + start
    kept = timetable(pool, calendars, wall)
    for step in steps:
        wall += step
        kept = timetable(pool, calendars, wall, kept)
        assert kept.limits == timetable(pool, calendars, wall).limits


def at_noon(*schedules: Schedule, **changes: object) -> Scene:
    regions = {ORD: spec(1, 10), AMS: spec(0, 5)}
    pool = a_pool(regions=regions, schedules=schedules, **changes)
    return Scene(pool=pool, fleet=a_fleet(ord=1), wall=berlin("2026-03-27T12:00:00"))


def always(**changes: object) -> Schedule:
    return Schedule(start="0 0 * * *", end="59 23 * * *", **changes)


def test_a_schedule_takes_the_place_of_the_configured_bound() -> None:
    scene = at_noon(always(regions=(ORD,), min=0, max=3))
    assert scene.tick(500) == {AMS: 5, ORD: 3}
    assert scene.decision.regions[ORD].bounds == Bounds(min=0, max=3)


def test_of_several_schedules_the_highest_minimum_and_the_lowest_maximum_hold() -> None:
    schedules = [always(regions=(ORD,), min=low, max=high) for low, high in ((2, 8), (3, 9), (1, 7))]
    scene = at_noon(*schedules)
    scene.tick(0)
    assert scene.decision.regions[ORD].bounds == Bounds(min=3, max=7)


def test_where_schedules_contradict_each_other_the_minimum_wins_and_somebody_is_told() -> None:
    scene = at_noon(always(regions=(ORD,), min=6), always(regions=(ORD,), max=4))
    assert scene.tick(500)[ORD] == 6
    assert [why.code for why in scene.decision.warnings] == [ReasonCode.SCHEDULE_CONFLICT]


def test_a_schedule_without_regions_moves_the_total() -> None:
    scene = at_noon(always(min=6), total=Bounds(min=1, max=15))
    assert sum(scene.tick(0).values()) == 6
    assert scene.decision.total == Bounds(min=6, max=15)
    assert scene.numbers(ReasonCode.TOTAL_MIN)["min"] == 6


@pytest.mark.parametrize(
    ("changes", "figures"),
    [
        ({"min": 6}, "of=total min=6"),
        ({"max": 9, "regions": (ORD,)}, "of=region max=9"),
        ({"min": 0, "max": 9}, "of=total min=0 max=9"),
        ({"freeze_in": True}, "of=total"),
    ],
)
def test_a_schedule_is_told_with_those_bounds_alone_that_it_sets(
    changes: dict[str, Any], figures: str
) -> None:
    scene = at_noon(always(**changes))
    scene.tick(0)
    told = [why for why in scene.decision.regions[ORD].reasons if why.code is ReasonCode.SCHEDULE]
    assert [why.detail for why in told] == [f"schedule=schedules[0] {figures}"]


def test_minimums_above_the_total_are_told_without_a_region() -> None:
    scene = at_noon(always(regions=(ORD,), min=6), always(regions=(AMS,), min=4), total=Bounds(min=1, max=8))
    scene.tick(0)
    assert [why.detail for why in scene.decision.warnings] == ["min=10 max=8 used=10"]


def test_a_total_that_was_never_set_follows_the_regions() -> None:
    scene = at_noon(always(regions=(ORD,), max=20))
    assert scene.tick(500) == {AMS: 5, ORD: 20}


@pytest.mark.parametrize("schedule", [always(regions=(ORD,), max=20), always(regions=(ORD, AMS), min=0)])
def test_a_total_that_was_set_stays_also_where_it_is_what_the_regions_sum_up_to(schedule: Schedule) -> None:
    scene = at_noon(schedule, total=Bounds(min=1, max=15))
    assert [sum(scene.tick(load).values()) for load in (0, 500)] == [1, 15]
    assert scene.decision.total == Bounds(min=1, max=15)


def test_minimums_that_schedules_raise_above_the_total_beat_it() -> None:
    scene = at_noon(always(regions=(ORD,), min=6), always(regions=(AMS,), min=4), total=Bounds(min=1, max=8))
    assert scene.tick(0) == {AMS: 4, ORD: 6}
    assert scene.decision.total == Bounds(min=10, max=10)


def test_a_region_that_only_a_schedule_opens_takes_its_demand_from_then_on() -> None:
    pool = a_pool(regions={ORD: spec(1, 10), AMS: spec(0, 0)}, schedules=(always(regions=(AMS,), max=4),))
    scene = Scene(pool=pool, fleet=a_fleet(ord=1), wall=berlin("2026-03-27T12:00:00"))
    assert scene.tick(80) == {AMS: 4, ORD: 4}
