"""What cannot be meant is found at start: all of it at once, each with its path and what would be right."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoscaler.domain.desired import Bounds
from autoscaler.domain.errors import ConfigurationError, Fault
from autoscaler.domain.names import MetricName, Region
from autoscaler.domain.pool import Damping, Expression, Leave, Pool, Schedule, Step, Utilization
from autoscaler.policy.limits import limits_under
from autoscaler.policy.misscheduled import misscheduled
from autoscaler.policy.rules import compile_pool
from tests.policy.scene import AMS, ORD, a_pool, per_machine, query, spec

BUSY = Utilization(metric=MetricName("load"), target=0.7)
TWO = {ORD: spec(2, 5), AMS: spec(1, 5)}


def faults(**changes: Any) -> tuple[Fault, ...]:
    with pytest.raises(ConfigurationError) as caught:
        compile_pool(a_pool(**changes))
    return caught.value.faults


def always(**changes: Any) -> Schedule:
    return replace(Schedule(start="0 0 * * *", end="59 23 * * *"), **changes)


@pytest.mark.parametrize(
    ("changes", "path", "problem"),
    [
        ({"regions": {Region("xyz"): spec()}}, "regions.xyz", "the platform has no region xyz"),
        (
            {"regions": {ORD: spec(4, 3)}, "total": Bounds(min=0, max=9)},
            "regions.ord",
            "the minimum 4 is above",
        ),
        (
            {"regions": {ORD: spec(-1, 3)}, "total": Bounds(min=0, max=9)},
            "regions.ord",
            "minimum -1 is negative",
        ),
        ({"regions": {ORD: spec(0, 3, weight=0.0)}}, "regions.ord.weight", "0.0 is no weight"),
        ({"total": Bounds(min=5, max=4)}, "total", "the minimum 5 is above the maximum 4"),
        ({"regions": TWO, "total": Bounds(min=0, max=2)}, "total", "minimums sum up to 3, above"),
        ({"regions": TWO, "total": Bounds(min=11, max=12)}, "total", "maximums sum up to 10, below"),
        ({"rules": ()}, "rules", "no rule asks for Machines"),
        (
            {"rules": (per_machine(metric="lode"), per_machine())},
            "rules[0].metric",
            "there is no metric lode",
        ),
        ({"rules": (per_machine(0.0),)}, "rules[0].per_machine", "0 is no target"),
        ({"rules": (per_machine(), replace(BUSY, target=-1.0))}, "rules[1].utilization", "-1 is no target"),
        ({"rules": (per_machine(), replace(BUSY, tolerance=1.0))}, "rules[1].tolerance", "1 is no tolerance"),
        ({"rules": (BUSY,)}, "regions.ord", "would never leave 0"),
        ({"metrics": (query(), query("idle"))}, "metrics.idle", "no rule uses this metric"),
        ({"metrics": (query(), query())}, "metrics.load", "the name is taken twice"),
        ({"metrics": (query(), query("ready"))}, "metrics.ready", "has a meaning of its own"),
        ({"metrics": (query(), query("or"))}, "metrics.or", "has a meaning of its own"),
        ({"metrics": (query(missing=float("nan")),)}, "metrics.load.missing", "nan is no number"),
        ({"spare": -1}, "spare", "-1 is too little"),
        ({"headroom": float("inf")}, "headroom", "inf is too little"),
        ({"failures": 0}, "failures", "0 is too little"),
        ({"on_absent": -2}, "on_absent", "-2 is no number of Machines"),
        ({"leave": Leave.DESTROY, "create": False}, "leave", "could never come back"),
        ({"scale_in": Damping(window_s=-1.0)}, "scale_in.window", "-1.0 is no duration"),
        (
            {"scale_out": Damping(window_s=0.0, step=Step(period_s=15.0, count=0))},
            "scale_out.step",
            "it allows no change at all",
        ),
    ],
)
def test_a_contradiction_is_found_with_its_path(changes: dict[str, Any], path: str, problem: str) -> None:
    (fault,) = [fault for fault in faults(**changes) if fault.path == path and problem in fault.problem]
    assert fault.remedy


def test_a_closed_region_is_told_its_successor() -> None:
    (fault,) = faults(regions={Region("hkg"): spec()})
    assert fault.remedy == "it was closed, use sin"


def test_a_mistake_in_an_expression_points_at_the_character() -> None:
    (fault,) = faults(rules=(per_machine(), Expression(text="load / (10")))
    assert str(fault) == (
        "rules[1].expression: the expression ends too early, at character 11\n    load / (10\n              ^"
    )


def test_an_unknown_name_in_an_expression_is_no_unused_metric_as_well() -> None:
    (fault,) = faults(rules=(Expression(text="lode / 10"),))
    assert fault.path == "rules[0].expression"
    assert "did you mean load?" in fault.problem


def test_everything_is_told_at_once() -> None:
    changes = {"regions": {ORD: spec(4, 3)}, "total": Bounds(min=3, max=9), "schedules": (always(),)}
    found = faults(rules=(per_machine(0.0),), spare=-1, **changes)
    assert [fault.path for fault in found] == ["regions.ord", "rules[0].per_machine", "spare", "schedules[0]"]


@pytest.mark.parametrize(
    ("schedule", "path", "problem"),
    [
        (always(start="0 25 * * *", min=4), "schedules[0].start", "is no crontab expression"),
        (always(end="0 8 31 2 *", min=4), "schedules[0].end", "never comes"),
        (always(start="0 8 1 * mon", min=4), "schedules[0].start", "set one of them"),
        (always(end="0  0 * * *", min=4), "schedules[0]", "never active"),
        (always(end="00 00 */1 * *", min=4), "schedules[0]", "never active"),
        (always(start="15 8 * * 6", end="*/5 8 * * fri-sun", min=4), "schedules[0]", "never active"),
        (always(timezone="Europe/Berlyn", min=4), "schedules[0].timezone", "no time zone 'Europe/Berlyn'"),
        (always(), "schedules[0]", "it changes nothing"),
        (always(regions=(Region("lhr"),), min=1), "schedules[0].regions", "the pool has no region lhr"),
        (always(min=4, max=3), "schedules[0]", "min 4 is above max 3"),
        (always(min=-1), "schedules[0].min", "-1 is negative"),
        (always(regions=(ORD,), min=2, max=5), "schedules[0]", "the pool's own bounds are as tight"),
        (always(min=3, max=10), "schedules[0]", "the pool's own bounds are as tight"),
        (always(min=1), "schedules[0]", "the pool's own bounds are as tight"),
        (always(regions=(ORD,), min=6), "schedules[0]", "minimum of ord (6) above the maximum (5)"),
        (always(regions=(ORD,), max=1), "schedules[0]", "minimum of ord (2) above the maximum (1)"),
        (always(max=2), "schedules[0]", "of all regions together (3) above the maximum (2)"),
        (always(min=11), "schedules[0]", "of all regions together (11) above the maximum (10)"),
    ],
)
def test_a_contradiction_in_a_schedule_is_found(schedule: Schedule, path: str, problem: str) -> None:
    (fault,) = faults(regions=TWO, schedules=(schedule,))
    assert (fault.path, problem in fault.problem, fault.remedy != "") == (path, True, True), fault


def test_a_schedule_may_not_bring_a_utilization_to_zero() -> None:
    found = faults(regions=TWO, rules=(BUSY,), schedules=(always(regions=(ORD,), min=0),))
    assert [fault.path for fault in found] == ["schedules[0].min"]


def test_a_schedule_may_not_open_a_region_for_a_utilization_that_starts_at_zero() -> None:
    regions = {ORD: spec(1, 5), AMS: spec(0, 0)}
    found = faults(regions=regions, rules=(BUSY,), schedules=(always(regions=(AMS,), max=4),))
    assert [fault.path for fault in found] == ["schedules[0].min"]


def test_every_schedules_faults_are_told_at_once() -> None:
    found = faults(
        regions=TWO,
        schedules=(
            always(start="0 25 * * *", timezone="Mars/Olympus", regions=(ORD,), min=6),
            always(end="00 00 * * *", regions=(Region("lhr"),), max=-1),
            always(min=2),
        ),
    )
    assert [fault.path for fault in found] == [
        "schedules[0].start",
        "schedules[0].timezone",
        "schedules[0]",
        "schedules[1]",
        "schedules[1].max",
        "schedules[1].regions",
        "schedules[2]",
    ]


@pytest.mark.parametrize(
    "others",
    [
        (always(regions=(ORD,), min=0),),
        (always(start="0 8 * * *", regions=(ORD,), min=2), always(regions=(ORD,), min=1)),
    ],
)
def test_a_schedule_of_the_pools_own_bounds_may_stand_against_another_one(
    others: tuple[Schedule, ...],
) -> None:
    restored = always(start="0 12 * * *", regions=(ORD,), min=2)
    policy = compile_pool(a_pool(regions=TWO, schedules=(*others, restored)))
    assert len(policy.calendars) == len(others) + 1


def test_a_schedule_of_the_total_may_matter_only_while_several_regions_are_moved() -> None:
    lowered = [
        always(timezone=zone, regions=(region,), min=1)
        for zone, region in (("Asia/Tokyo", ORD), ("UTC", AMS))
    ]
    raised = [always(regions=(region,), max=7) for region in (ORD, AMS)]
    regions = {ORD: spec(3, 5), AMS: spec(3, 5)}
    for schedules in ((*lowered, always(min=4)), (*raised, always(max=13))):
        assert len(compile_pool(a_pool(regions=regions, schedules=schedules)).calendars) == 3


NUMBERS = st.none() | st.integers(0, 6)
ONE_EACH = [
    st.builds(always, regions=st.just(where), min=NUMBERS, max=NUMBERS) for where in ((ORD,), (AMS,), ())
]
SCHEDULES = st.tuples(*ONE_EACH, *ONE_EACH[-1:]).map(list) | st.lists(
    st.one_of(ONE_EACH), min_size=1, max_size=4
)


@given(SCHEDULES, st.none() | st.just(Bounds(min=6, max=8)))
def test_no_schedule_that_matters_beside_any_others_is_said_to_change_nothing(
    schedules: list[Schedule], total: Bounds | None
) -> None:
    pool = a_pool(regions={ORD: spec(3, 5), AMS: spec(3, 5)}, total=total, schedules=tuple(schedules))
    for fault in misscheduled(pool):
        if "it changes nothing" in fault.problem:
            place = int(fault.path.removeprefix("schedules[").removesuffix("]"))
            others = schedules[:place] + schedules[place + 1 :]
            for active in subsets(others):
                assert moved(pool, (*active, schedules[place])) == moved(pool, active)


def subsets(schedules: Sequence[Schedule]) -> Iterator[tuple[Schedule, ...]]:
    for size in range(len(schedules) + 1):
        yield from combinations(schedules, size)


def moved(pool: Pool, active: Sequence[Schedule]) -> tuple[Mapping[Region, Bounds], Bounds]:
    limits = limits_under(pool, [("", schedule) for schedule in active])
    return limits.regions, limits.total


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("0 8 * * *", "0 8 * * mon"),
        ("0 8 * * *", "0 8 1 * *"),
        ("0 8 1 * *", "0 8 * * mon-sat"),
        ("*/5 8 * * *", "*/10 8 * * *"),
        ("0 8 29 2 *", "0 8 1-28 * *"),
    ],
)
def test_a_schedule_that_is_active_now_and_then_is_allowed(start: str, end: str) -> None:
    schedule = always(start=start, end=end, min=4)
    assert len(compile_pool(a_pool(regions=TWO, schedules=(schedule,))).calendars) == 1


def test_schedules_that_never_meet_may_contradict_each_other() -> None:
    day, night = always(regions=(ORD,), min=4), always(start="0 1 * * *", regions=(ORD,), max=3)
    assert len(compile_pool(a_pool(regions=TWO, schedules=(day, night))).calendars) == 2
