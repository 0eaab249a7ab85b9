"""The order of a decision, one tick at a time."""

from autoscaler.domain.desired import Bounds
from autoscaler.domain.reason import ReasonCode
from tests.policy.scene import AMS, ORD, Scene, a_fleet, a_pool, absent, spec, split


def test_demand_is_followed_out_at_once() -> None:
    scene = Scene(pool=a_pool())
    assert scene.tick(73) == {ORD: 8}
    assert scene.codes() == [ReasonCode.RULE, ReasonCode.POOL_DEMAND, ReasonCode.SHARED]


def test_an_outage_of_the_metric_keeps_the_last_desired_count_and_replaces_what_is_lost() -> None:
    scene = Scene(pool=a_pool())
    scene.tick(50)
    assert scene.tick(absent(), fleet=a_fleet(ord=2)) == {ORD: 5}
    assert scene.decision.regions[ORD].demand is None


def test_a_new_process_holds_what_runs_for_one_window_and_then_goes_in() -> None:
    scene = Scene(pool=a_pool(), fleet=a_fleet(ord=6), hold=True)
    assert scene.tick(10) == {ORD: 6}
    assert ReasonCode.RESTART_HOLD in scene.codes()
    counts = [scene.tick(10)[ORD] for _ in range(19)]
    assert counts[:-1] == [6] * 18
    assert counts[-1] == 3


def test_each_region_follows_its_own_load_within_its_bounds() -> None:
    scene = Scene(pool=a_pool(regions={ORD: spec(1, 3), AMS: spec(0, 5)}))
    assert scene.tick(split(ord=90, ams=21)) == {AMS: 3, ORD: 3}
    assert scene.decision.regions[ORD].demand == 9


def test_the_total_takes_from_the_region_furthest_above_its_base() -> None:
    pool = a_pool(regions={ORD: spec(0, 10), AMS: spec(0, 10)}, total=Bounds(min=0, max=6))
    scene = Scene(pool=pool, fleet=a_fleet(ord=6, ams=0))
    assert scene.tick(split(ord=10, ams=40)) == {AMS: 4, ORD: 2}
