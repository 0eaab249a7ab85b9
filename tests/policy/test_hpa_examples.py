"""What the documentation of Kubernetes' horizontal pod autoscaler says of it, with the equivalent pool.

The facts are those of its page "Horizontal Pod Autoscaling" and of the proposal that brought windows and
policies ("Configurable scale up/down velocity", its user stories). A policy of so many pods per period is a
step `n/period`, one of so many percent `p%/period`, two of them with selectPolicy Max `"p% or n/period"`.
"""

from typing import Any

import pytest

from autoscaler.domain.desired import Gate, Override
from autoscaler.domain.pool import Damping, Utilization
from autoscaler.domain.reason import ReasonCode
from autoscaler.service.configuration.notation import parse_step
from tests.policy.scene import (
    LOAD,
    ORD,
    UNDAMPED,
    Scene,
    a_fleet,
    a_pool,
    absent,
    measured,
    per_machine,
    query,
    spec,
)

MINUTE_S = 60.0
PAUSED_IN = Gate(overrides=(Override(kind="pause_in", because="no scale down"),))


def a_scene(start: int, low: int = 1, high: int = 1000, **changes: Any) -> Scene:
    """One Machine per 1 of `load`, so that the load is the recommendation; `start` Machines run."""
    settings = {"rules": (per_machine(1.0),), "interval_s": MINUTE_S, **changes}
    return Scene(pool=a_pool(regions={ORD: spec(low, high)}, **settings), fleet=a_fleet(ord=start))


def two_metrics(start: int) -> Scene:
    return a_scene(
        start,
        metrics=(query("load"), query("other")),
        rules=(per_machine(1.0), per_machine(1.0, metric="other")),
        scale_in=UNDAMPED,
    )


def by_mean(start: int, mean: float, target: float) -> int:
    """What one tick makes of `start` Machines whose mean is this."""
    rule = Utilization(metric=LOAD, target=target)
    scene = Scene(
        pool=a_pool(regions={ORD: spec(1, 100)}, rules=(rule,), scale_in=UNDAMPED),
        fleet=a_fleet(ord=start),
    )
    return scene.tick(mean)[ORD]


def minutes(scene: Scene, *loads: float) -> list[int]:
    return [scene.tick(load, after=MINUTE_S)[ORD] for load in loads]


def stepped(window_s: float, step: str) -> Damping:
    return Damping(window_s=window_s, step=parse_step(step))


@pytest.mark.parametrize(
    ("mean", "machines"),
    [
        (200.0, 8),  # 200 / 100 = 2: doubled, 4 * 2 = 8
        (50.0, 2),  # 50 / 100 = 0.5: halved, 4 * 0.5 = 2
    ],
)
def test_the_count_follows_the_ratio_of_mean_and_target(mean: float, machines: int) -> None:
    assert by_mean(4, mean, 100.0) == machines


@pytest.mark.parametrize(
    ("mean", "machines"),
    [
        (0.95, 20),  # 0.95 is within 0.1 of 1: nothing happens, though 20 * 0.95 = 19
        (0.90, 20),  # exactly at the edge, which belongs to it
        (0.89, 18),  # 20 * 0.89 = 17.8
        (1.00, 20),
    ],
)
def test_a_ratio_a_little_below_one_changes_nothing(mean: float, machines: int) -> None:
    assert by_mean(20, mean, 1.0) == machines


def test_unlike_there_a_ratio_a_little_above_one_is_followed() -> None:
    # There 1.05 is within the tolerance; here too little is never tolerated: 20 * 1.05 = 21.
    assert by_mean(20, 1.05, 1.0) == 21


def test_the_largest_of_several_metrics_is_chosen() -> None:
    scene = two_metrics(start=1)
    assert scene.tick({"load": measured(3), "other": measured(7)})[ORD] == 7


def test_a_metric_that_cannot_be_read_forbids_scaling_down_and_not_up() -> None:
    scene = two_metrics(start=5)
    assert scene.tick({"load": measured(3), "other": absent()})[ORD] == 5
    assert scene.tick({"load": measured(8), "other": absent()})[ORD] == 8


def test_the_default_window_considers_five_minutes_and_takes_the_highest() -> None:
    scene = a_scene(10, scale_in=Damping(window_s=300.0))
    # At 6:00 the 10 of 0:00 is 6 minutes old; the highest of what is left is the 6 of 3:00.
    assert minutes(scene, 10, 4, 4, 6, 4, 4, 4) == [10, 10, 10, 10, 10, 10, 6]
    assert scene.numbers(ReasonCode.WINDOW_IN)["highest"] == 6


def test_a_window_of_one_minute_scales_down_after_it() -> None:
    scene = a_scene(10, scale_in=Damping(window_s=60.0), interval_s=15.0)
    counts = [scene.tick(load)[ORD] for load in (10, 4, 4, 4, 4, 4)]
    assert counts == [10, 10, 10, 10, 10, 4]


def test_default_policies_scale_down_to_the_minimum_at_once_after_the_window() -> None:
    # 100 % of what runs may go in one period.
    scene = a_scene(60, low=3, scale_in=stepped(0.0, "100%/15s"))
    assert minutes(scene, 1) == [3]


def test_default_policies_scale_up_by_four_or_double_every_fifteen_seconds() -> None:
    # 1 + 4 = 5; 5 + max(4, 5) = 10; 10 + 10 = 20; 20 + 20 = 40; 40 + 40 = 80, but 50 are asked for.
    scene = a_scene(1, scale_out=stepped(0.0, "100% or 4/15s"), interval_s=15.0)
    assert [scene.tick(50)[ORD] for _ in range(5)] == [5, 10, 20, 40, 50]


def test_of_four_pods_or_ten_percent_per_minute_the_larger_change_is_chosen() -> None:
    # 80: 10 % is 8. 72: 7.2 is rounded up to 8. 64: 6.4 to 7. 57: 5.7 to 6. 51: 5.1 to 6. 45: 4.5 to 5.
    # 40 and below: 10 % is 4 or less, so 4 at a time, until 10 are reached.
    scene = a_scene(80, scale_in=stepped(0.0, "10% or 4/1m"))
    counts = minutes(scene, *[10] * 15)
    assert counts == [72, 64, 57, 51, 45, 40, 36, 32, 28, 24, 20, 16, 12, 10, 10]


def test_ten_percent_per_minute_alone_never_gets_stuck() -> None:
    # 12 - ceil(1.2) = 10; 10 - 1 = 9; then one a minute.
    scene = a_scene(12, low=0, scale_in=stepped(0.0, "10%/1m"))
    assert minutes(scene, *[0] * 12) == [10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0]


def test_a_period_is_the_time_in_which_the_policy_holds() -> None:
    # Nothing more within the minute in which 8 went.
    scene = a_scene(80, scale_in=stepped(0.0, "10% or 4/1m"), interval_s=15.0)
    assert [scene.tick(10)[ORD] for _ in range(5)] == [72, 72, 72, 72, 64]


def test_nine_hundred_percent_per_minute_multiplies_by_ten() -> None:
    scene = a_scene(1, scale_out=stepped(0.0, "900%/1m"))
    assert minutes(scene, 1000, 1000, 1000) == [10, 100, 1000]


def test_one_pod_per_ten_minutes_scales_down_very_gradually() -> None:
    scene = a_scene(1000, scale_in=stepped(0.0, "1/10m"))
    assert minutes(scene, *[10] * 11) == [999] * 10 + [998]


def test_one_pod_per_minute_scales_up_very_gradually() -> None:
    scene = a_scene(1, scale_out=stepped(0.0, "1/1m"))
    assert minutes(scene, 50, 50, 50) == [2, 3, 4]


def test_scaling_down_can_be_disabled() -> None:
    # There by a policy; here by a schedule that freezes, or an operator's pause.
    scene = a_scene(10, scale_in=UNDAMPED)
    assert scene.tick(2, gate=PAUSED_IN)[ORD] == 10
    assert scene.tick(20, gate=PAUSED_IN)[ORD] == 20


def test_the_story_of_ten_recommendations_scales_down_to_the_highest_of_them() -> None:
    # A window of 9 minutes holds ten readings, one a minute. The 10 of the first minute keeps 10 Machines;
    # when it has left, the highest is 9.
    scene = a_scene(10, scale_in=stepped(540.0, "5/1m"))
    assert minutes(scene, 10, 9, 8, 9, 9, 8, 9, 8, 9, 8) == [10] * 10
    assert minutes(scene, 7) == [9]


def test_the_story_of_six_recommendations_scales_up_to_the_lowest_of_them() -> None:
    # A window of 5 minutes holds six readings. The 2 of the first minute keeps 2; then the lowest is 3.
    scene = a_scene(2, scale_out=stepped(300.0, "20/1m"))
    assert minutes(scene, 2, 3, 19, 10, 3, 4) == [2] * 6
    assert minutes(scene, 7) == [3]


def test_bounds_are_kept_whatever_is_recommended() -> None:
    scene = a_scene(4, low=2, high=5, scale_in=UNDAMPED)
    assert minutes(scene, 80, 1) == [5, 2]
