"""From readings to demand: each kind of rule, and what stands in for silence."""

import pytest

from autoscaler.domain.desired import MetricRow
from autoscaler.domain.names import MetricName
from autoscaler.domain.pool import AbsentAction, Expression, Utilization
from autoscaler.domain.reading import Absent, Answer, Reading, Split, Why
from autoscaler.domain.reason import Numbers, Reason, ReasonCode
from tests.policy.scene import (
    AMS,
    FRA,
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
    running,
    spec,
    split,
)

CPU = Utilization(metric=MetricName("load"), target=0.5)
EVERYWHERE = {ORD: spec(), AMS: spec(), FRA: spec()}


@pytest.mark.parametrize(
    ("value", "machines"),
    [(0, 0), (0.1, 1), (10, 1), (10.1, 2), (99, 10), (30.000000001, 3), (30.001, 4)],
)
def test_per_machine_rounds_up_and_forgives_the_last_digits(value: float, machines: int) -> None:
    scene = Scene(pool=a_pool())
    scene.tick(value)
    assert scene.decision.regions[ORD].demand == machines


@pytest.mark.parametrize(
    ("value", "machines"),
    [
        # 10 ready, target 0.5: 10 * value / 0.5, content with 10 from 0.45 to 0.5.
        (0.44, 9),
        (0.45, 10),
        (0.5, 10),
        (0.51, 11),
        (1.0, 20),
    ],
)
def test_utilization_asks_for_what_brings_the_mean_to_its_target(value: float, machines: int) -> None:
    pool = a_pool(regions={ORD: spec(1, 30)}, rules=(CPU,))
    scene = Scene(pool=pool, fleet=a_fleet(ord=10))
    scene.tick(value)
    assert scene.decision.regions[ORD].demand == machines


def test_utilization_counts_those_that_are_coming_as_help_already_under_way() -> None:
    pool = a_pool(regions={ORD: spec(1, 30)}, rules=(CPU,))
    coming = running(4, capacity=8, arriving=4)
    scene = Scene(pool=pool, fleet=a_fleet(ord=coming))
    assert scene.tick(0.55)[ORD] == 8
    assert scene.codes()[:2] == [ReasonCode.RULE, ReasonCode.TOLERANCE]


def test_headroom_counts_before_rounding_and_before_tolerance() -> None:
    scene = Scene(pool=a_pool(headroom=0.2))
    # 7.3 * 1.2 = 8.76
    assert scene.tick(73)[ORD] == 9
    scene = Scene(pool=a_pool(regions={ORD: spec(1, 30)}, rules=(CPU,), headroom=0.2), fleet=a_fleet(ord=10))
    # 10 * 0.45 / 0.5 * 1.2 = 10.8
    assert scene.tick(0.45)[ORD] == 11


def test_an_expression_sees_the_fleet_of_its_region_or_of_the_pool() -> None:
    count = running(3, ready=2, stopped=4, suspended=1)
    rule = Expression(text="running + 10 * ready + 100 * stopped + 1000 * total + 0 * load")
    pool = a_pool(regions={ORD: spec(0, 99_999)}, rules=(rule,))
    scene = Scene(pool=pool, fleet=a_fleet(ord=count))
    # Three run, two are ready, four are stopped; eight there are with the suspended one.
    assert scene.tick(split(ord=1))[ORD] == 8423
    pool = a_pool(regions={ORD: spec(0, 99_999), AMS: spec(0, 0)}, rules=(rule,))
    scene = Scene(pool=pool, fleet=a_fleet(ord=count, ams=running(1)))
    assert scene.tick(1)[ORD] == 8423 + 1 + 10 + 1000


def test_an_expression_rounds_up_and_asks_for_nothing_below_zero() -> None:
    scene = Scene(pool=a_pool(rules=(Expression(text="load / 4"),)))
    assert scene.tick(9)[ORD] == 3
    scene = Scene(pool=a_pool(rules=(Expression(text="load - 100"),)))
    assert scene.tick(9)[ORD] == 0


def test_an_expression_that_names_a_regional_metric_is_regional_and_sees_the_pools_metrics() -> None:
    rule = Expression(text="load / 10 + boost")
    pool = a_pool(regions={ORD: spec(), AMS: spec()}, rules=(rule,), metrics=(query(), query("boost")))
    scene = Scene(pool=pool)
    assert scene.tick({"load": split(ord=20, ams=30), "boost": measured(2)}) == {AMS: 5, ORD: 4}


def test_the_largest_valid_demand_wins() -> None:
    pool = a_pool(rules=(per_machine(10), per_machine(3), per_machine(5)))
    assert Scene(pool=pool).tick(30)[ORD] == 10


def test_a_demand_beyond_all_numbers_is_a_very_large_one() -> None:
    scene = Scene(pool=a_pool(rules=(per_machine(1e-3),)))
    assert scene.tick(1e308)[ORD] == 10


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (measured(-1), Why.NEGATIVE),
        (measured(float("nan")), Why.NOT_A_NUMBER),
        (measured(float("inf")), Why.NOT_A_NUMBER),
        (Split(by_label={}), Why.EMPTY),
        (absent(Why.STALE), Why.STALE),
    ],
)
def test_what_cannot_be_used_is_shown_as_absent_and_holds(answer: Answer, why: Why) -> None:
    scene = Scene(pool=a_pool(scale_in=UNDAMPED))
    scene.tick(50)
    assert scene.tick(answer)[ORD] == 5
    assert [row.absent for row in scene.decision.metrics] == [why]
    assert scene.numbers(ReasonCode.UNKNOWN)["why"] == why


@pytest.mark.parametrize(
    ("answer", "blamed"),
    [
        (measured(0), (("rule", "rules[0]"),)),
        (split(ord=0), (("rule", "rules[0]"), ("region", "ord"))),
    ],
)
def test_a_rule_without_a_result_holds_and_is_named(answer: Answer, blamed: Numbers) -> None:
    pool = a_pool(rules=(Expression(text="50 / load"),), scale_in=UNDAMPED)
    scene = Scene(pool=pool)
    assert scene.tick(10)[ORD] == 5
    scene.tick(answer)
    assert scene.tick(answer)[ORD] == 5
    assert scene.decision.warnings == (Reason(ReasonCode.RULE_UNDEFINED, blamed),)
    assert scene.numbers(ReasonCode.UNKNOWN) == {"rule": "rules[0]", "why": Why.NOT_A_NUMBER}


def test_a_negative_reading_is_a_number_to_an_expression() -> None:
    scene = Scene(pool=a_pool(rules=(Expression(text="abs(load) / 10"),)))
    assert scene.tick(-30)[ORD] == 3
    assert scene.decision.metrics == (MetricRow(LOAD, None, -30.0, None, None),)


def test_a_first_zero_is_believed_a_tick_later_even_if_an_outage_comes_between() -> None:
    scene = Scene(pool=a_pool(scale_in=UNDAMPED))
    scene.tick(50)
    assert [scene.tick(answer)[ORD] for answer in (0, absent(), 0)] == [5, 5, 0]


def test_a_zero_that_missing_fills_in_is_a_first_zero_too() -> None:
    scene = Scene(pool=a_pool(metrics=(query(missing=0.0),), scale_in=UNDAMPED))
    scene.tick(50)
    assert [scene.tick(absent(Why.EMPTY))[ORD] for _ in range(2)] == [5, 0]


def test_missing_fills_a_silent_region_and_keeps_the_metric_regional() -> None:
    pool = a_pool(regions={ORD: spec(), AMS: spec()}, metrics=(query(missing=20.0),))
    scene = Scene(pool=pool)
    assert scene.tick(split(ord=50)) == {AMS: 2, ORD: 5}
    assert scene.tick(absent(Why.EMPTY)) == {AMS: 2, ORD: 5}
    assert scene.decision.regional


def test_the_warning_about_one_region_tells_what_its_reading_told() -> None:
    scene = Scene(pool=a_pool(regions={ORD: spec(), AMS: spec()}))
    scene.tick(split(ord=Absent(why=Why.STALE, detail="the answer is 400 s old"), ams=30))
    assert [str(why) for why in scene.decision.warnings] == [
        "metric_absent metric=load region=ord why=stale detail=the answer is 400 s old"
    ]


def test_a_negative_reading_of_no_use_warns_like_any_other_absence() -> None:
    scene = Scene(pool=a_pool(regions={ORD: spec(), AMS: spec()}))
    scene.tick(split(ord=-2.5, ams=30))
    assert [str(why) for why in scene.decision.warnings] == [
        "metric_absent metric=load region=ord why=negative"
    ]
    scene.tick(split(ord=20, ams=30))
    assert scene.decision.warnings == ()
    useful = Scene(pool=a_pool(rules=(Expression(text="5 - load"),)))
    useful.tick(-3)
    assert useful.decision.warnings == ()


def test_missing_does_not_stand_in_for_an_outage() -> None:
    scene = Scene(pool=a_pool(metrics=(query(missing=0.0),), scale_in=UNDAMPED))
    scene.tick(50)
    assert [scene.tick(absent(Why.UNREACHABLE))[ORD] for _ in range(2)] == [5, 5]


def test_silence_from_a_region_at_zero_warns_nobody_and_brings_no_on_absent() -> None:
    pool = a_pool(regions={ORD: spec(), AMS: spec()}, on_absent=3, failures=2)
    scene = Scene(pool=pool, fleet=a_fleet(ord=1, ams=0))
    assert [scene.tick(split(ord=10))[AMS] for _ in range(4)] == [0, 0, 0, 0]
    assert scene.decision.warnings == ()
    assert [scene.tick(absent())[AMS] for _ in range(2)] == [0, 3]


def test_machines_that_boot_are_no_outage() -> None:
    pool = a_pool(regions={ORD: spec(1, 10)}, rules=(CPU,), on_absent=AbsentAction.MAX, failures=2)
    scene = Scene(pool=pool, fleet=a_fleet(ord=running(0, capacity=1, arriving=1)))
    booting = a_fleet(ord=running(0, capacity=1, arriving=1))
    assert [scene.tick(0.9, fleet=booting)[ORD] for _ in range(5)] == [1] * 5
    assert scene.numbers(ReasonCode.UNKNOWN)["why"] == Why.NONE_READY


def test_machines_that_stay_unready_are_no_outage_and_a_lost_metric_still_is() -> None:
    pool = a_pool(regions={ORD: spec(1, 10)}, rules=(CPU,), on_absent=AbsentAction.MAX, failures=2)
    unready = a_fleet(ord=running(4, ready=0))
    scene = Scene(pool=pool, fleet=unready)
    assert [scene.tick(0.9, fleet=unready)[ORD] for _ in range(5)] == [4] * 5
    assert [scene.tick(absent(), fleet=unready)[ORD] for _ in range(2)] == [4, 10]


@pytest.mark.parametrize(
    ("action", "machines"), [(AbsentAction.MIN, 5), (AbsentAction.MAX, 9), (7, 7), (2, 5)]
)
def test_after_enough_failures_on_absent_says_how_many_but_never_fewer(
    action: AbsentAction | int, machines: int
) -> None:
    pool = a_pool(regions={ORD: spec(1, 9)}, on_absent=action, scale_in=UNDAMPED)
    scene = Scene(pool=pool)
    scene.tick(50)
    assert [scene.tick(absent())[ORD] for _ in range(4)] == [5, 5, machines, machines]


def test_a_failure_that_ends_is_forgotten() -> None:
    scene = Scene(pool=a_pool(on_absent=AbsentAction.MAX))
    answers: list[Reading] = [absent(), absent(), measured(20), absent(), absent()]
    assert [scene.tick(answer)[ORD] for answer in answers] == [0, 0, 2, 2, 2]


def test_a_partial_answer_may_raise_and_may_not_lower() -> None:
    scene = Scene(pool=a_pool(scale_in=UNDAMPED))
    counts = [scene.tick(measured(value, partial=True))[ORD] for value in (30, 60, 10)]
    assert counts == [3, 6, 6]
    assert scene.codes()[-2:] == [ReasonCode.PARTIAL, ReasonCode.HOLD]


@pytest.mark.parametrize(
    "reading", [Absent(why=Why.EMPTY, partial=True), measured(float("nan"), partial=True)]
)
def test_what_stands_in_for_a_partial_answer_may_not_lower_either(reading: Reading) -> None:
    scene = Scene(pool=a_pool(rules=(Expression(text="(load ?? 1) / 10"),), scale_in=UNDAMPED))
    assert [scene.tick(answer)[ORD] for answer in (measured(50), reading, Absent(why=Why.EMPTY))] == [5, 5, 1]


def test_a_spare_machine_does_not_breed_while_the_metric_is_gone_from_the_start() -> None:
    scene = Scene(pool=a_pool(regions=EVERYWHERE, spare=1), fleet=a_fleet(ord=2, ams=1))
    counts = [sum(scene.tick(absent()).values()) for _ in range(5)]
    assert counts == [3] * 5


def test_a_spare_machine_is_one_however_long_a_region_is_silent_at_zero() -> None:
    scene = Scene(pool=a_pool(regions=EVERYWHERE, spare=1), fleet=a_fleet(ord=2))
    counts = [sum(scene.tick(split(ord=20)).values()) for _ in range(5)]
    assert counts == [3] * 5
