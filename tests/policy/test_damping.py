"""Windows remember extremes, steps limit a period."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoscaler.domain.fleet import Change, RegionCount
from autoscaler.domain.pool import Step
from autoscaler.policy.damping import Entries, least_after_step, most_after_step, push_high, push_low
from tests.policy.scene import ORD

NOW = 1000.0
HALF = Step(period_s=60.0, fraction=0.5)
FOUR = Step(period_s=15.0, count=4)
EITHER = Step(period_s=15.0, fraction=1.0, count=4)
TWO_PERIODS = Step(period_s=60.0, fraction=0.1, count=4, count_period_s=15.0)


def counted(capacity: int, draining: int = 0) -> RegionCount:
    return RegionCount(capacity=capacity, draining=draining)


def change(machines: int, ago: float) -> Change:
    return Change(region=ORD, mono=NOW - ago, machines=machines)


@pytest.mark.parametrize(
    ("step", "count", "changes", "least", "began"),
    [
        # 50 % of 10, rounded up; then of 9: 4.5, so 5.
        (HALF, counted(10), (), 5, 10),
        (HALF, counted(9), (), 4, 9),
        # At least one, or a fleet of one would be for ever.
        (HALF, counted(1), (), 0, 1),
        (Step(period_s=60.0, fraction=0.1), counted(3), (), 2, 3),
        # What left in this period was there when it began: 5 + 5 = 10, minus 5.
        (HALF, counted(5), (change(-5, 30),), 5, 10),
        (HALF, counted(5), (change(-5, 60),), 2, 5),
        # What we added is no loss; what drains has left already: 10 - 4 = 6, minus 3.
        (HALF, counted(10), (change(4, 10),), 5, 10),
        (HALF, counted(10, draining=4), (), 3, 6),
        (HALF, counted(10, draining=4), (change(-4, 10),), 5, 10),
        # Whichever allows more, each with its own period.
        (TWO_PERIODS, counted(80), (), 72, 80),
        (TWO_PERIODS, counted(30), (), 26, 30),
        (TWO_PERIODS, counted(26), (change(-4, 20),), 22, 26),
    ],
)
def test_in_goes_so_far_from_where_the_period_began(
    step: Step, count: RegionCount, changes: tuple[Change, ...], least: int, began: int
) -> None:
    assert least_after_step(step, count, changes, NOW) == (least, began)


@pytest.mark.parametrize(
    ("step", "count", "changes", "most", "began"),
    [
        (FOUR, counted(10), (), 14, 10),
        (FOUR, counted(14), (change(4, 10),), 14, 10),
        (FOUR, counted(14), (change(4, 15),), 18, 14),
        (EITHER, counted(2), (), 6, 2),
        (EITHER, counted(10), (), 20, 10),
        (EITHER, counted(0), (), 4, 0),
        (Step(period_s=60.0, fraction=0.5), counted(0), (), 1, 0),
        (FOUR, counted(10), (change(-3, 5),), 14, 10),
    ],
)
def test_out_goes_so_far_from_where_the_period_began(
    step: Step, count: RegionCount, changes: tuple[Change, ...], most: int, began: int
) -> None:
    assert most_after_step(step, count, changes, NOW) == (most, began)


ticks = st.lists(st.tuples(st.floats(min_value=0, max_value=40), st.integers(0, 9)), min_size=1, max_size=40)


@given(ticks, st.sampled_from([0.0, 15.0, 60.0]))
def test_a_window_knows_its_extremes_as_if_it_kept_everything(
    steps: list[tuple[float, int]], window_s: float
) -> None:
    at, highs, lows = 0.0, Entries(), Entries()
    everything: list[tuple[float, int]] = []
    for later, machines in steps:
        at += later
        everything.append((at, machines))
        highs, lows = push_high(highs, at, machines, window_s), push_low(lows, at, machines, window_s)
        inside = [count for moment, count in everything if moment >= at - window_s]
        assert (highs[0][1], lows[0][1]) == (max(inside), min(inside))


def test_a_window_is_as_long_as_the_load_has_levels_and_not_as_the_time() -> None:
    highs = Entries()
    for tick in range(10_000):
        highs = push_high(highs, 15.0 * tick, 40 - tick % 40, 86_400.0)
    assert len(highs) <= 40
