"""The laws of the policy that speak of many ticks, in the numbers of the specification."""

from hypothesis import given
from hypothesis import strategies as st

from autoscaler.domain.instant import Instant
from autoscaler.domain.pool import Damping, Schedule
from autoscaler.domain.reading import History, Sample
from autoscaler.policy.memory import initial, refill
from tests.laws.policies import (
    answers_to,
    begun,
    counts,
    fleets,
    pools,
    sane,
    sane_answers,
)
from tests.policy.scene import ORD, TICK_S, WALL, Scene, a_fleet, a_pool, spec


@given(st.lists(sane, min_size=1, max_size=40), st.sampled_from([0.0, 30.0, 60.0, 300.0]), counts)
def test_law_6_nothing_moves_against_the_demand_or_below_the_windows_highest(loads, window_s, before):
    pool = a_pool(scale_in=Damping(window_s=window_s), regions={ORD: spec(0, 60)})
    scene = Scene(pool=pool, fleet=a_fleet(ord=before))
    asked: list[int] = []
    last = before
    for load in loads:
        desired = scene.tick(load)[ORD]
        shown = scene.decision.regions[ORD].demand
        asked.append(asked[-1] if shown is None else shown)
        if shown is None:
            assert desired >= last
        else:
            window = asked[-1 - int(window_s / TICK_S) :]
            assert desired >= min(last, max(window))
            assert min(last, shown) <= desired <= max(last, shown)
        last = desired


@given(st.data())
def test_law_8_constant_load_reaches_a_fixed_point(data):
    pool = data.draw(pools())
    moment = begun(pool, data.draw(fleets(pool)), hold=data.draw(st.booleans()))
    answers = data.draw(answers_to(pool, sane_answers))
    seen = []
    for _ in range(120):
        decision, moment = moment.step(answers)
        seen.append(decision.desired)
    assert seen[-1] == seen[-2] == seen[-30]


@given(sane, counts)
def test_law_8_from_zero_and_to_zero(load, before):
    scene = Scene(pool=a_pool(regions={ORD: spec(0, 40)}), fleet=a_fleet(ord=before))
    assert [scene.tick(load) for _ in range(60)][-1] == {ORD: -(-int(load * 10) // 100)}
    assert [scene.tick(0) for _ in range(60)][-1] == {ORD: 0}


@given(sane, sane, st.integers(1, 19))
def test_law_9_a_square_wave_shorter_than_the_window_causes_no_in(one, other, ticks):
    low, high = sorted((one, other))
    scene = Scene(pool=a_pool(regions={ORD: spec(0, 40)}))
    reached = scene.tick(high)[ORD]
    for _ in range(4):
        for load in [low] * ticks + [high]:
            assert scene.tick(load)[ORD] >= reached


@given(
    st.lists(st.floats(1.0, 40_000.0), max_size=6),
    st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]),
    st.floats(0, 366 * 86_400),
)
def test_law_12_skipped_ticks_do_not_change_what_a_schedule_says(gaps, zone, start):
    schedule = Schedule(start="30 8 * * mon-fri", end="0 18 * * *", timezone=zone, regions=(ORD,), min=4)
    pool = a_pool(schedules=(schedule,))
    scene = Scene(pool=pool, wall=WALL + start)
    scene.tick(0)
    for gap in gaps:
        scene.tick(0, after=gap)
        bounds = scene.decision.regions[ORD].bounds
        fresh = initial(scene.policy, scene.fleet, scene.now)
        assert bounds == fresh.times.limits.regions[ORD]


def test_a_time_that_does_not_pass_changes_nothing_about_the_same_answer():
    scene = Scene(pool=a_pool())
    first = scene.tick(73)
    assert scene.tick(73, after=0.0) == first
    assert scene.now == Instant(wall=WALL + TICK_S, mono=1000.0 + TICK_S)


@given(st.data())
def test_law_24_reading_the_past_at_a_start_moves_no_last_desired_count(data):
    pool = data.draw(pools())
    begin = begun(pool, data.draw(fleets(pool)), hold=True)
    past = [WALL - 15.0 * n for n in range(24, -1, -1)]
    histories = {
        query.name: History(
            name=query.name, samples=tuple(Sample(at=at, answer=data.draw(sane_answers)) for at in past)
        )
        for query in pool.metrics
    }
    filled = refill(begin.policy, begin.memory, histories, begin.now)
    assert {region: trace.desired for region, trace in filled.traces.items()} == begin.last
    assert filled.hold_until == begin.now.mono
