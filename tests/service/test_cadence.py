"""Pools tick on the grid of their app."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from autoscaler.domain.names import AppName
from autoscaler.service.cadence import Cadence, phase_s

MOMENTS = st.floats(min_value=31_536_000, max_value=4_102_444_800).map(
    lambda at: datetime.fromtimestamp(at, UTC)
)
INTERVALS = st.floats(min_value=1.0, max_value=600.0)
NAMES = st.text(min_size=1).map(AppName)


@given(NAMES, INTERVALS)
def test_an_apps_phase_is_the_same_in_every_process_and_within_the_interval(name, interval_s):
    assert 0 <= phase_s(name, interval_s) < interval_s
    assert phase_s(AppName("shop"), 100.0) == 55.29786243973065


@given(NAMES, INTERVALS, MOMENTS)
def test_ticks_are_one_interval_apart(name, interval_s, now):
    cadence = Cadence(name, interval_s)
    first = cadence.get_next_fire_time(None, now)
    second = cadence.get_next_fire_time(first, first)
    assert abs((second - first).total_seconds() - interval_s) < 1e-4
    assert now < first <= now + timedelta(seconds=interval_s, microseconds=100)


@given(NAMES, INTERVALS, MOMENTS)
def test_after_a_first_tick_off_the_grid_the_second_is_half_to_one_and_a_half_intervals_away(
    name, interval_s, now
):
    gap = (Cadence(name, interval_s).get_next_fire_time(now, now) - now).total_seconds()
    assert 0.5 * interval_s - 1e-4 <= gap <= 1.5 * interval_s + 1e-4


def test_after_a_leap_of_years_one_tick_is_due_and_not_millions():
    cadence = Cadence(AppName("shop"), 15.0)
    before, after = datetime(1971, 1, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)
    assert after < cadence.get_next_fire_time(before, after) <= after + timedelta(seconds=15)


def test_apps_are_spread_over_the_interval():
    tenths = {int(phase_s(AppName(f"app-{n}"), 10.0)) for n in range(100)}
    assert tenths == set(range(10))
