"""What other autoscalers did to fleets, once each, and what this one does in the same place.

The system in brackets is the one whose users told the story.
"""

import math

import pytest

from autoscaler.domain.desired import Bounds
from autoscaler.domain.pool import Damping, Step
from autoscaler.domain.reading import History, Sample, Split, Why
from autoscaler.domain.reason import ReasonCode
from autoscaler.policy.memory import initial, refill, refillable
from tests.policy.scene import (
    AMS,
    LOAD,
    ORD,
    TICK_S,
    UNDAMPED,
    Scene,
    a_fleet,
    a_pool,
    absent,
    measured,
    percent,
    query,
    running,
    spec,
    split,
)

WINDOW_S = 300.0
WINDOW_TICKS = int(WINDOW_S / TICK_S)
NO_VALUE = [absent(why) for why in Why if why not in {Why.EMPTY, Why.UNCONFIRMED, Why.NONE_READY}]
HOUR_S = 3600.0


def busy_scene(load: float = 80.0, **changes) -> Scene:
    """Eight Machines for a load of 80, free to shrink at once if anything lets them."""
    scene = Scene(pool=a_pool(**{"scale_in": UNDAMPED, **changes}))
    scene.tick(load)
    return scene


@pytest.mark.parametrize("missing", [None, 0.0])
@pytest.mark.parametrize("answer", NO_VALUE, ids=lambda answer: answer.why)
def test_an_outage_of_the_metric_is_not_a_load_of_zero(answer, missing) -> None:
    """[KEDA] Errors read as 0 emptied fleets at peak. `missing` is about empty answers, not about errors."""
    scene = busy_scene(metrics=(query(missing=missing),))
    assert {scene.tick(answer)[ORD] for _ in range(2 * WINDOW_TICKS)} == {8}


def test_an_empty_answer_is_not_a_load_of_zero() -> None:
    """[KEDA] A query that found no series counted as 0."""
    scene = busy_scene()
    assert {scene.tick(empty)[ORD] for empty in [absent(Why.EMPTY), Split(by_label={})] * 20} == {8}


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_moves_nothing(value: float) -> None:
    """[fly-autoscaler] NaN meant the maximum. [nomad-autoscaler] +Inf meant fewer."""
    scene = busy_scene()
    assert {scene.tick(measured(value))[ORD] for _ in range(40)} == {8}
    assert scene.numbers(ReasonCode.UNKNOWN)["why"] == Why.NOT_A_NUMBER


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_in_one_region_moves_nothing_there(value: float) -> None:
    scene = Scene(pool=a_pool(regions={ORD: spec(), AMS: spec()}, scale_in=UNDAMPED))
    scene.tick(split(ord=80, ams=30))
    assert scene.tick(split(ord=measured(value), ams=20)) == {ORD: 8, AMS: 2}


def test_a_restart_shrinks_nothing_that_would_have_stayed() -> None:
    """[HPA] The window was lost with the process, and the first low reading counted."""
    scene = Scene(pool=a_pool(), fleet=a_fleet(ord=8), hold=True)
    counts = [scene.tick(10)[ORD] for _ in range(WINDOW_TICKS)]
    assert set(counts[:-1]) == {8}
    assert counts[-1] < 8


def test_a_restart_in_the_middle_of_an_outage_keeps_what_runs() -> None:
    scene = Scene(pool=a_pool(scale_in=UNDAMPED), fleet=a_fleet(ord=8), hold=True)
    assert {scene.tick(absent())[ORD] for _ in range(2 * WINDOW_TICKS)} == {8}


def test_a_restart_that_can_read_the_past_decides_as_if_it_had_never_happened() -> None:
    loads = [80.0, 20.0, 50.0, 20.0, 20.0, 30.0]
    through = Scene(pool=a_pool(scale_in=Damping(window_s=90.0)))
    for load in loads:
        through.tick(load)
    again = Scene(pool=through.pool, fleet=through.fleet, wall=through.wall + TICK_S, mono=5.0)
    assert refillable(again.policy)
    past = tuple(
        Sample(at=through.wall - TICK_S * age, answer=measured(load))
        for age, load in zip(reversed(range(len(loads))), loads, strict=True)
    )
    # The uninterrupted process began when the past does, so the time before it was quiet in both.
    before = tuple(
        Sample(at=past[0].at - TICK_S * age, answer=measured(0.0)) for age in reversed(range(1, 8))
    )
    history = History(name=LOAD, samples=before + past)
    fresh = initial(again.policy, again.fleet, again.now, hold=True)
    again.memory = refill(again.policy, fresh, {LOAD: history}, again.now)
    assert again.tick(20.0, after=0.0) == through.tick(20.0)
    for load in [20.0, 20.0, *[10.0] * 7]:
        assert again.tick(load) == through.tick(load)
    assert again.decision.desired[ORD] == 1


def test_one_scrape_does_not_confirm_its_own_first_zero_after_a_restart() -> None:
    """A process that has just started sees the scrape of this moment in the past and in the present."""
    scene = Scene(pool=a_pool(scale_in=Damping(window_s=90.0)), fleet=a_fleet(ord=5))
    past = [(scene.wall - TICK_S * age, 20.0 if age else 0.0) for age in range(10, -1, -1)]
    history = History(name=LOAD, samples=tuple(Sample(at=at, answer=measured(load)) for at, load in past))
    fresh = initial(scene.policy, scene.fleet, scene.now, hold=True)
    scene.memory = refill(scene.policy, fresh, {LOAD: history}, scene.now)
    assert scene.tick(0, after=0.0)[ORD] == 5
    assert scene.numbers(ReasonCode.UNKNOWN)["why"] == "unconfirmed"


def test_a_load_that_flaps_within_the_window_starts_and_stops_nothing() -> None:
    """[HPA, before it had a window] Fleets followed every twitch."""
    scene = Scene(pool=a_pool(scale_in=Damping(window_s=WINDOW_S)))
    counts = {scene.tick(load)[ORD] for load in [80, 30, 60, 20] * 30}
    assert counts == {8}


@pytest.mark.parametrize("share", [1, 10, 49])
def test_percent_steps_get_every_fleet_down_to_nothing(share: float) -> None:
    """[several] 10 % of 4 was 0, for ever."""
    scene = Scene(pool=a_pool(scale_in=Damping(window_s=0.0, step=percent(share))), fleet=a_fleet(ord=4))
    counts = [scene.tick(0)[ORD] for _ in range(13)]
    assert counts[0] < 4
    assert counts[-1] == 0


@pytest.mark.parametrize("share", [1, 10, 49])
def test_percent_steps_get_every_fleet_up_from_nothing(share: float) -> None:
    scene = Scene(pool=a_pool(scale_out=Damping(window_s=0.0, step=percent(share, period_s=15.0))))
    assert [scene.tick(40)[ORD] for _ in range(4)] == [1, 2, 3, 4]


def test_a_step_of_one_tenth_of_a_large_fleet_is_what_it_says() -> None:
    # 10 - ceil(1.0) = 9: floating-point arithmetic does not make 2 of it.
    step = Step(period_s=60.0, fraction=0.1)
    scene = Scene(pool=a_pool(scale_in=Damping(window_s=0.0, step=step)), fleet=a_fleet(ord=10))
    assert scene.tick(0)[ORD] == 9


def test_a_region_whose_series_is_missing_is_held_and_harms_no_other() -> None:
    """[fly-autoscaler] A region without series was a region without load."""
    scene = Scene(pool=a_pool(regions={ORD: spec(), AMS: spec()}, scale_in=UNDAMPED))
    scene.tick(split(ord=80, ams=50))
    assert {tuple(scene.tick(split(ord=20)).items()) for _ in range(40)} == {((AMS, 5), (ORD, 2))}
    assert scene.tick(split(ord=20, ams=10)) == {ORD: 2, AMS: 1}


def test_a_single_zero_is_not_believed() -> None:
    """[DataDog WPA] A counter that was reset, or one bad scrape, emptied a fleet for a tick."""
    scene = busy_scene()
    counts = [scene.tick(load)[ORD] for load in (0, 80, 0, 80, 80, 0, 0)]
    assert counts == [8, 8, 8, 8, 8, 8, 0]


def test_a_single_zero_of_one_region_is_not_believed() -> None:
    scene = Scene(pool=a_pool(regions={ORD: spec(), AMS: spec()}, scale_in=UNDAMPED))
    scene.tick(split(ord=80, ams=30))
    assert scene.tick(split(ord=0, ams=20)) == {ORD: 8, AMS: 2}
    assert scene.tick(split(ord=80, ams=20)) == {ORD: 8, AMS: 2}


def test_a_zero_after_an_outage_has_to_be_confirmed_too() -> None:
    scene = busy_scene()
    counts = [scene.tick(answer)[ORD] for answer in (absent(), measured(0), measured(0))]
    assert counts == [8, 8, 0]


@pytest.mark.parametrize("ticks", [1, 3, 4, 10, 40])
def test_the_first_low_reading_after_an_outage_waits_for_the_window(ticks: int) -> None:
    """[HPA] A long outage emptied the window, and the first reading after it was the highest of one.

    Up to three intervals the last demand, 8, goes on entering the window; afterwards the last desired count,
    which is 8 as well. So the low reading has to stay for a whole window.
    """
    scene = Scene(pool=a_pool(scale_in=Damping(window_s=60.0)))
    scene.tick(80)
    for _ in range(ticks):
        assert scene.tick(absent())[ORD] == 8
    # The last unknown tick leaves the window after 60 s, so five readings that are low are needed.
    assert [scene.tick(10)[ORD] for _ in range(5)] == [8, 8, 8, 8, 1]


def test_the_first_low_reading_after_a_silence_of_the_process_waits_for_the_window() -> None:
    scene = Scene(pool=a_pool(scale_in=Damping(window_s=60.0)))
    scene.tick(80)
    assert scene.tick(10, after=HOUR_S)[ORD] == 8
    assert [scene.tick(10)[ORD] for _ in range(5)] == [8, 8, 8, 8, 1]


@pytest.mark.parametrize("jump_s", [-HOUR_S, -31.0, 31.0, HOUR_S, 400 * 86_400.0])
def test_a_jump_of_the_clock_shrinks_nothing_for_one_window(jump_s: float) -> None:
    scene = Scene(pool=a_pool(scale_in=Damping(window_s=60.0)))
    scene.tick(80)
    for _ in range(4):
        scene.tick(20)
    scene.wall += jump_s
    assert [scene.tick(20)[ORD] for _ in range(5)] == [8, 8, 8, 8, 2]


def test_a_clock_that_differs_a_little_changes_nothing() -> None:
    scene = Scene(pool=a_pool(scale_in=Damping(window_s=60.0)))
    scene.tick(80)
    for _ in range(4):
        scene.tick(20)
    scene.wall += 29.0
    assert scene.tick(20)[ORD] == 2
    assert ReasonCode.CLOCK_JUMP not in [why.code for why in scene.decision.warnings]


def test_machines_lost_during_an_outage_are_replaced() -> None:
    """[several] Holding meant holding what was left."""
    scene = busy_scene()
    for left in (7, 3, 0):
        assert scene.tick(absent(), fleet=a_fleet(ord=left))[ORD] == 8


def test_machines_that_still_boot_are_not_asked_for_twice() -> None:
    """[HPA] A mean over few ready Machines multiplied with all of them overshot."""
    scene = busy_scene()
    booting = running(8, running=2, ready=2, arriving=6)
    assert scene.tick(80, fleet=a_fleet(ord=booting))[ORD] == 8


def test_bounds_that_are_lowered_hold_even_when_nothing_can_be_read() -> None:
    """[nomad-autoscaler] Lost the check of bounds on the way without a metric."""
    pool = a_pool(regions={ORD: spec(1, 3)}, total=Bounds(min=1, max=3))
    scene = Scene(pool=pool, fleet=a_fleet(ord=8), hold=True)
    assert scene.tick(absent())[ORD] == 3
