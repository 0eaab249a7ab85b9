"""The order in which rules, metrics, regions, schedules and series are written down decides nothing."""

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from hypothesis import given
from hypothesis import strategies as st

from autoscaler.domain.desired import OPEN_GATE, Bounds, Decision, Gate, Override
from autoscaler.domain.fleet import Fleet
from autoscaler.domain.names import MetricName, Region
from autoscaler.domain.pool import (
    AbsentAction,
    Damping,
    Elsewhere,
    Expression,
    PerMachine,
    Pool,
    RegionSpec,
    Rule,
    Schedule,
    Utilization,
)
from autoscaler.domain.reading import Absent, Answer, Measured, Query, Reading, Split, Why
from autoscaler.policy.rules import compile_pool
from tests.policy.scene import AMS, FRA, LHR, ORD, SYD, TICK_S, Scene, a_pool, percent, running

REGIONS = (ORD, AMS, SYD)
LABELS = (*REGIONS, LHR, FRA, Region("xyz"))
METRICS = tuple(MetricName(name) for name in ("queue", "cpu", "jobs"))
RULES: tuple[Rule, ...] = (
    PerMachine(metric=METRICS[0], target=10.0),
    PerMachine(metric=METRICS[1], target=7.0),
    Utilization(metric=METRICS[1], target=3.0),
    Expression(text="jobs / 4 + (queue > 40 ? 1 : 0)"),
    Expression(text="max(jobs ?? 0, running - 1) / 3"),
)
SCHEDULES = (
    Schedule(start="0 0 * * *", end="0 12 * * *", regions=(AMS,), min=3),
    Schedule(start="0 0 * * *", end="0 11 * * *", regions=(ORD, AMS), max=3),
    Schedule(start="0 1 * * *", end="0 2 * * *", freeze_in=True),
)
BOUNDS = (Bounds(min=1, max=4), Bounds(min=1, max=12), Bounds(min=2, max=7))
GATES = (
    OPEN_GATE,
    Gate(overrides=(Override(kind="offset", machines=2),)),
    Gate(overrides=(Override(kind="offset", machines=-3),)),
    Gate(overrides=(Override(kind="pin", machines=7),)),
)

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What one tick is given."""

    answers: Mapping[MetricName, Answer]
    fleet: Fleet
    gate: Gate
    after_s: float


NUMBERS = (0.0, 0.0, 3.0, 11.0, 40.0, 57.5, 90.0, 120.0, 1e308, -1.0, math.nan, math.inf)
READINGS: st.SearchStrategy[Reading] = st.sampled_from(
    [
        *(Measured(value=number) for number in NUMBERS),
        *(Measured(value=number, partial=True) for number in (0.0, 25.0, 70.0)),
        *(Absent(why=why) for why in (Why.EMPTY, Why.UNREACHABLE, Why.STALE)),
    ]
)
ANSWERS: st.SearchStrategy[Answer] = st.one_of(
    READINGS,
    st.builds(Split, by_label=st.dictionaries(st.sampled_from(LABELS), READINGS, max_size=4)),
)
COUNTS = st.sampled_from(
    [
        running(0),
        running(1, stopped=3),
        running(3),
        running(4, ready=0),
        running(6, running=4, ready=3, arriving=2),
        running(9, stopped=1),
    ]
)


@st.composite
def pools(draw: st.DrawFn) -> Pool:
    regions = {
        region: RegionSpec(
            bounds=draw(st.sampled_from(BOUNDS)),
            weight=draw(st.sampled_from([1.0, 1.0, 2.0, 0.7])),
        )
        for region in REGIONS
    }
    least = sum(each.bounds.min for each in regions.values())
    rules = tuple(draw(st.lists(st.sampled_from(RULES), min_size=1, max_size=4, unique=True)))
    step = draw(st.sampled_from([None, percent(50)]))
    return a_pool(
        regions=regions,
        rules=rules,
        metrics=tuple(
            Query(name=name, promql=name, missing=draw(st.sampled_from([None, 0.0, 12.0])))
            for name in METRICS
            if any(name in mentioned(rule) for rule in rules)
        ),
        total=Bounds(min=least + draw(st.integers(0, 3)), max=least + draw(st.integers(5, 30))),
        schedules=tuple(draw(st.lists(st.sampled_from(SCHEDULES), max_size=3, unique=True))),
        spare=draw(st.integers(0, 2)),
        headroom=draw(st.sampled_from([0.0, 0.2])),
        failures=draw(st.integers(1, 3)),
        on_absent=draw(st.sampled_from([AbsentAction.HOLD, AbsentAction.MAX, 2])),
        allow_in=draw(st.booleans()),
        elsewhere=draw(st.sampled_from(Elsewhere)),
        scale_in=Damping(window_s=draw(st.sampled_from([0.0, 30.0])), step=step),
        scale_out=Damping(window_s=draw(st.sampled_from([0.0, 15.0]))),
    )


@st.composite
def moments(draw: st.DrawFn) -> Moment:
    return Moment(
        answers={name: draw(ANSWERS) for name in METRICS},
        fleet=Fleet(by_region={region: draw(COUNTS) for region in REGIONS}),
        gate=draw(st.sampled_from(GATES)),
        after_s=draw(st.sampled_from([TICK_S, TICK_S, TICK_S, 60.0])),
    )


def mentioned(rule: Rule) -> Sequence[str]:
    """The metrics of a rule."""
    if isinstance(rule, Expression):
        return [name for name in METRICS if name in rule.text]
    return [rule.metric]


class Shuffler:
    """Puts things into another order, the same one for the same seed."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def items(self, items: Sequence[Item]) -> tuple[Item, ...]:
        return tuple(self._random.sample(items, len(items)))

    def mapping(self, mapping: Mapping[Any, Item]) -> dict[Any, Item]:
        return dict(self.items(list(mapping.items())))

    def pool(self, pool: Pool) -> Pool:
        return replace(
            pool,
            regions=self.mapping(pool.regions),
            metrics=self.items(pool.metrics),
            rules=self.items(pool.rules),
            schedules=self.items(pool.schedules),
        )

    def answer(self, answer: Answer) -> Answer:
        return Split(by_label=self.mapping(answer.by_label)) if isinstance(answer, Split) else answer

    def moment(self, moment: Moment) -> Moment:
        answers = {name: self.answer(answer) for name, answer in moment.answers.items()}
        return replace(
            moment,
            answers=self.mapping(answers),
            fleet=replace(moment.fleet, by_region=self.mapping(moment.fleet.by_region)),
        )


def played(pool: Pool, story: Sequence[Moment]) -> list[Decision]:
    """What is decided, tick by tick."""
    scene = Scene(pool=pool, fleet=story[0].fleet, hold=False)
    decisions = []
    for moment in story:
        scene.tick(moment.answers, after=moment.after_s, gate=moment.gate, fleet=moment.fleet)
        decisions.append(scene.decision)
    return decisions


def essence(decision: Decision) -> dict[str, Any]:
    """A decision without the order and the places of what was written down."""
    return {
        "regions": {
            region: (entry.bounds, entry.demand, entry.desired, sorted(why.code for why in entry.reasons))
            for region, entry in decision.regions.items()
        },
        "total": decision.total,
        "regional": decision.regional,
        "metrics": sorted(map(str, decision.metrics)),
        "warnings": sorted(map(str, decision.warnings)),
    }


@given(pool=pools(), story=st.lists(moments(), min_size=1, max_size=3), seed=st.integers(0, 10_000))
def test_another_order_of_everything_decides_the_same(pool: Pool, story: list[Moment], seed: int) -> None:
    shuffler = Shuffler(seed)
    other = [shuffler.moment(moment) for moment in story]
    assert [essence(one) for one in played(shuffler.pool(pool), other)] == [
        essence(one) for one in played(pool, story)
    ]


@given(pool=pools(), seed=st.integers(0, 10_000))
def test_another_order_is_compiled_to_the_same_regions(pool: Pool, seed: int) -> None:
    one, other = compile_pool(pool), compile_pool(Shuffler(seed).pool(pool))
    assert (one.regions, one.nearest, one.heaviest) == (other.regions, other.nearest, other.heaviest)
    assert set(one.unsigned) == set(other.unsigned)


@given(pool=pools(), story=st.lists(moments(), min_size=1, max_size=3))
def test_a_rule_said_twice_decides_the_same(pool: Pool, story: list[Moment]) -> None:
    twice = replace(pool, rules=(*pool.rules, pool.rules[0]))
    assert [one.desired for one in played(twice, story)] == [one.desired for one in played(pool, story)]
