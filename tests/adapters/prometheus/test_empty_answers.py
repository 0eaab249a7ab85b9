"""What silence of the metric server does to a pool: adapter and policy together, from answer to counts."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from autoscaler.adapters.prometheus.judgement import answer
from autoscaler.adapters.prometheus.past import history
from autoscaler.adapters.prometheus.series import Point, Result, Series
from autoscaler.domain.names import Region
from autoscaler.domain.reading import Query
from autoscaler.domain.reason import ReasonCode
from autoscaler.policy.memory import refill
from tests.policy.scene import (
    AMS,
    LOAD,
    ORD,
    TICK_S,
    UNDAMPED,
    WALL,
    Scene,
    a_fleet,
    a_pool,
    query,
    spec,
)


def told(*, partial: bool = False, **loads: float) -> Result:
    """One series per region, or one without a region's label for `load`."""
    series = (
        Series(labels={} if name == "load" else {"region": name}, points=(Point(at=WALL, value=value),))
        for name, value in loads.items()
    )
    return Result(series=tuple(series), partial=partial)


@dataclass(slots=True, kw_only=True)
class Wired:
    """A pool in two regions, one Machine per 10 of load, undamped, and what a server says to its query."""

    query: Query
    scene: Scene = field(init=False)

    def __post_init__(self) -> None:
        pool = a_pool({ORD: spec(), AMS: spec()}, metrics=(self.query,), scale_in=UNDAMPED)
        self.scene = Scene(pool=pool, fleet=a_fleet(ord=0, ams=0))

    def tick(self, *, partial: bool = False, **loads: float) -> Mapping[Region, int]:
        return self.scene.tick(answer(self.query, told(partial=partial, **loads), now=WALL))


def wired(missing: float | None = None) -> Wired:
    return Wired(query=query(missing=missing))


def test_the_first_silence_of_a_metric_by_region_is_not_believed_to_be_zero() -> None:
    pool = wired(missing=0.0)
    assert pool.tick(ord=50, ams=30) == {AMS: 3, ORD: 5}
    assert pool.tick() == {AMS: 3, ORD: 5}
    assert pool.scene.decision.regional
    for region in (ORD, AMS):
        assert pool.scene.numbers(ReasonCode.UNKNOWN, region)["why"] == "unconfirmed"
    assert pool.tick() == {AMS: 0, ORD: 0}


def test_silence_of_a_metric_by_region_is_filled_in_region_by_region() -> None:
    pool = wired(missing=20.0)
    assert pool.tick(ord=50) == {AMS: 2, ORD: 5}
    assert pool.tick() == {AMS: 2, ORD: 2}
    assert pool.scene.decision.regional


def test_silence_with_warnings_lets_nothing_go_in() -> None:
    whole = wired(missing=0.0)
    assert whole.tick(load=80) == {AMS: 4, ORD: 4}
    assert [whole.tick(partial=True) for _ in range(3)] == [{AMS: 4, ORD: 4}] * 3
    assert whole.tick() == {AMS: 0, ORD: 0}
    split = wired(missing=20.0)
    assert split.tick(ord=50, ams=30) == {AMS: 3, ORD: 5}
    assert split.tick(partial=True) == {AMS: 3, ORD: 5}
    assert ReasonCode.PARTIAL in split.scene.codes(ORD)
    assert split.tick() == {AMS: 2, ORD: 2}


def test_a_region_that_is_silent_in_an_answer_with_warnings_does_not_go_in() -> None:
    pool = wired(missing=0.0)
    assert pool.tick(ord=50, ams=30) == {AMS: 3, ORD: 5}
    assert [pool.tick(ord=50, partial=True) for _ in range(3)] == [{AMS: 3, ORD: 5}] * 3
    assert pool.tick(ord=50) == {AMS: 0, ORD: 5}


def test_a_first_zero_is_not_believed_when_the_metric_ceases_to_be_regional() -> None:
    pool = wired()
    assert pool.tick(ord=40, ams=40) == {AMS: 4, ORD: 4}
    assert [pool.tick(load=0) for _ in range(2)] == [{AMS: 4, ORD: 4}, {AMS: 0, ORD: 0}]


def test_a_first_zero_is_not_believed_when_the_metric_becomes_regional() -> None:
    pool = wired()
    assert pool.tick(load=80) == {AMS: 4, ORD: 4}
    assert [pool.tick(ord=0, ams=0) for _ in range(2)] == [{AMS: 4, ORD: 4}, {AMS: 0, ORD: 0}]


def test_a_past_that_fell_silent_is_replayed_region_by_region() -> None:
    pool = wired(missing=20.0)
    points = tuple(Point(at=WALL + TICK_S * step, value=50.0) for step in range(3))
    past = Result(series=(Series(labels={"region": "ord"}, points=points),))
    scene = pool.scene
    scene.wall += TICK_S * 4
    read = history(pool.query, past, start=WALL, end=scene.wall, step_s=TICK_S)
    scene.memory = refill(scene.policy, scene.memory, {LOAD: read}, scene.now)
    assert scene.memory.recall.seen[LOAD].regional
    assert pool.tick() == {AMS: 2, ORD: 2}
