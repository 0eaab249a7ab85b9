"""Demand from where the pool may not run: who serves it, and what it may not do to those who do."""

from autoscaler.domain.geography import REGIONS
from autoscaler.domain.names import MetricName, Region
from autoscaler.domain.pool import Elsewhere, Expression
from autoscaler.domain.reading import Answer
from autoscaler.domain.reason import ReasonCode
from autoscaler.policy.rules import on_map
from tests.policy.scene import AMS, FRA, ORD, UNDAMPED, Scene, a_fleet, a_pool, absent, query, spec, split


def test_demand_from_elsewhere_is_added_before_rounding() -> None:
    pool = a_pool(regions={ORD: spec(), AMS: spec()})
    scene = Scene(pool=pool)
    # lhr and fra are nearest to ams: 0.4 + 0.3 + 0.3 is one Machine, not three.
    assert scene.tick(split(ord=10, ams=4, lhr=3, fra=3)) == {AMS: 1, ORD: 1}


def test_a_negative_demand_takes_nothing_away_from_that_of_another_region() -> None:
    rule = Expression(text="load > 20 ? load / 10 : -3")
    scene = Scene(pool=a_pool(regions={ORD: spec(), AMS: spec()}, rules=(rule,)))
    assert scene.tick(split(ord=50, ams=50, lhr=1, fra=1)) == {AMS: 5, ORD: 5}
    assert scene.numbers(ReasonCode.ELSEWHERE, AMS)["asked"] == 0
    assert scene.tick(split(ord=50, ams=1, lhr=60, fra=1))[AMS] == 6
    assert scene.numbers(ReasonCode.RULE, AMS)["asked"] == 6


def test_a_region_closed_to_the_pool_passes_its_demand_on() -> None:
    pool = a_pool(regions={ORD: spec(), AMS: spec(), FRA: spec(0, 0)})
    scene = Scene(pool=pool)
    assert scene.tick(split(ord=10, ams=10, fra=30)) == {AMS: 4, FRA: 0, ORD: 1}


def test_demand_from_elsewhere_counts_even_where_the_home_is_silent_but_lets_nothing_go_in() -> None:
    pool = a_pool(regions={AMS: spec()}, scale_in=UNDAMPED)
    scene = Scene(pool=pool, fleet=a_fleet(ams=0))
    assert scene.tick(split(lhr=30)) == {AMS: 3}
    assert scene.tick(split(lhr=10)) == {AMS: 3}


def test_a_rule_that_cannot_be_told_elsewhere_is_ignored_there() -> None:
    scene = Scene(pool=a_pool(regions={AMS: spec()}, scale_in=UNDAMPED))
    assert scene.tick(split(ams=20, lhr=float("nan"))) == {AMS: 2}
    assert scene.tick(split(ams=10, lhr=absent())) == {AMS: 1}


def test_a_metric_that_is_silent_elsewhere_counts_there_as_missing_says() -> None:
    rule = Expression(text="load / 10 + (oldest > 300 ? 2 : 0)")
    metrics = (query("load"), query("oldest", 0.0))
    scene = Scene(pool=a_pool(regions={AMS: spec()}, metrics=metrics, rules=(rule,), scale_in=UNDAMPED))
    load, oldest = MetricName("load"), MetricName("oldest")
    told: dict[MetricName, Answer] = {load: split(ams=10, lhr=44), oldest: split(ams=5)}
    silent: dict[MetricName, Answer] = {load: split(ams=10, lhr=94), oldest: absent()}
    assert [scene.tick(answers)[AMS] for answers in (told, silent)] == [6, 6]


def test_ignored_demand_from_elsewhere_is_dropped() -> None:
    pool = a_pool(regions={AMS: spec()}, elsewhere=Elsewhere.IGNORE)
    assert Scene(pool=pool).tick(split(ams=20, lhr=50)) == {AMS: 2}


def test_a_region_that_has_opened_since_is_served_from_nearby_once_the_platform_tells_of_it() -> None:
    scene = Scene(pool=a_pool(regions={ORD: spec(weight=2.0), AMS: spec()}))
    assert scene.tick(split(ord=10, ams=10, ber=25)) == {ORD: 4, AMS: 1}
    scene.policy = on_map(scene.policy, {Region("ber"): REGIONS[FRA]})
    assert scene.tick(split(ord=10, ams=10, ber=25))[AMS] == 4
    assert scene.decision.warnings == ()


def test_demand_from_a_place_on_no_map_goes_where_the_weight_is_and_warns() -> None:
    pool = a_pool(regions={AMS: spec(), ORD: spec(weight=2.0)})
    scene = Scene(pool=pool)
    assert scene.tick(split(ams=10, ord=10, mars=20)) == {AMS: 1, ORD: 3}
    assert [dict(why.numbers)["counted_in"] for why in scene.decision.warnings] == [ORD]
