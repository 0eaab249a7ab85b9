"""The demonstration's day and its score."""

from hypothesis import given
from hypothesis import strategies as st

from autoscaler.domain.names import Region
from autoscaler.service.demo.load import BURST_FROM, BURST_REGION, NOON, PER_MACHINE, Day
from autoscaler.service.demo.score import Score

ORD, AMS = Region("ord"), Region("ams")


def test_each_region_has_its_noon_when_the_others_have_less() -> None:
    day = Day(length_s=120)
    for region, noon in NOON.items():
        at = {other: day.requests(other, noon * 120) for other in NOON}
        assert max(at, key=lambda name: at[name]) == region


def test_the_burst_lifts_one_region_at_once() -> None:
    day = Day(length_s=100)
    before = day.requests(BURST_REGION, BURST_FROM * 100 - 0.01)
    after = day.requests(BURST_REGION, BURST_FROM * 100 + 0.01)
    assert after > before + 40


@given(st.floats(0, 10_000), st.floats(1, 1000))
def test_a_fixed_fleet_of_peak_size_serves_every_moment(t: float, length: float) -> None:
    day = Day(length_s=length)
    for region in NOON:
        assert day.requests(region, t) <= day.peak_machines(region) * PER_MACHINE + 0.5


def test_unserved_load_of_one_region_is_not_served_by_another() -> None:
    score = Score().after(
        dt=2.0, load={ORD: 30, AMS: 0}, machines={ORD: 1, AMS: 9}, fixed={ORD: 3, AMS: 1}, per_machine=10
    )
    assert score == Score(
        seconds=2.0, load=60.0, unserved=40.0, machine_seconds=20.0, fixed_machine_seconds=8.0
    )
    assert round(score.unserved_percent, 1) == 66.7
    assert score.of_fixed_percent == 250.0


def test_an_empty_score_divides_by_nothing() -> None:
    assert (Score().unserved_percent, Score().of_fixed_percent) == (0.0, 0.0)
