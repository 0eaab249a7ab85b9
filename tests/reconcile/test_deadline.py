"""A tick ends well before the next one begins, and always has time to act."""

import pytest

from autoscaler.reconcile.deadline import reading_seconds, tick_seconds


@pytest.mark.parametrize(
    ("interval_s", "expected_s"),
    [(1.0, 10.0), (12.5, 10.0), (15.0, 12.0), (30.0, 24.0), (75.0, 60.0), (3600.0, 60.0)],
)
def test_a_tick_takes_four_fifths_of_its_interval_between_ten_and_sixty_seconds(
    interval_s: float, expected_s: float
):
    assert tick_seconds(interval_s) == pytest.approx(expected_s)


def test_reading_takes_at_most_half_of_it():
    assert reading_seconds(15.0) == pytest.approx(6.0)
