"""Loads as functions of time."""

import pytest

from autoscaler.emulator.loads import Constant, Load, Recorded, Wave, parse_csv


def test_a_wave_swings_around_its_base_and_never_below_its_floor():
    wave = Wave(base=10, amplitude=20, period_s=60, phase_s=15)
    assert [wave.at(t) for t in (0, 15, 30, 60)] == pytest.approx([30, 10, 0, 30])


def test_a_recording_is_read_compressed_scaled_and_repeated():
    points = parse_csv("t,value\n0,1\n60,5\n120,3\n")
    assert list(points) == [(0, 1), (60, 5), (120, 3)]
    steps = Recorded(points=points, speed=60, scale=2)
    assert [steps.at(t) for t in (0, 0.5, 1, 2, 99)] == [2, 2, 10, 6, 6]
    lines = Recorded(points=points, linear=True)
    assert [lines.at(t) for t in (30, 90, -1)] == [3, 4, None]
    around = Recorded(points=points, repeat=True)
    assert [around.at(t) for t in (60, 119, 120, 180)] == [5, 5, 1, 5]


@pytest.mark.parametrize("text", ["", "t,value\n", "a,b\nc,d\n"])
def test_a_recording_without_numbers_is_refused(text):
    with pytest.raises(ValueError, match=r"points|could not convert"):
        parse_csv(text)


@pytest.mark.parametrize("speed", [0, -1])
def test_a_recording_goes_forward(speed):
    with pytest.raises(ValueError, match="speed must be positive"):
        Recorded(points=((0, 1),), speed=speed)


def test_samples_are_not_of_the_future():
    with pytest.raises(ValueError, match="lag_s must not be negative"):
        Load(shape=Constant(value=1), since=0, lag_s=-1)
