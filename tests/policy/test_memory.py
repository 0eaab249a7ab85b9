"""A new process: what it takes for desired, how long it holds, and what it can learn from the past."""

from autoscaler.domain.instant import Instant
from autoscaler.domain.names import MetricName
from autoscaler.domain.pool import Damping, Expression, PerMachine, Schedule
from autoscaler.domain.reading import Answer, History, Sample
from autoscaler.domain.reason import ReasonCode
from autoscaler.policy.memory import initial, refill, refillable
from autoscaler.policy.rules import compile_pool
from tests.policy.scene import (
    AMS,
    LOAD,
    ORD,
    WALL,
    Scene,
    a_fleet,
    a_pool,
    absent,
    measured,
    query,
    running,
    spec,
    split,
)


def past(*answers: Answer, step_s: float = 15.0, name: MetricName = LOAD) -> dict[MetricName, History]:
    """Answers up to now, oldest first."""
    start = WALL - step_s * (len(answers) - 1)
    samples = tuple(Sample(at=start + step_s * index, answer=answer) for index, answer in enumerate(answers))
    return {name: History(name=name, samples=samples)}


def loads(*values: float) -> list[Answer]:
    return [measured(value) for value in values]


def restarted(scene: Scene, histories: dict[MetricName, History]) -> Scene:
    scene.memory = refill(scene.policy, scene.memory, histories, scene.now)
    return scene


def test_what_runs_was_desired_moved_inside_the_bounds_and_without_those_that_leave() -> None:
    policy = compile_pool(a_pool(regions={ORD: spec(0, 6), AMS: spec(2, 6)}))
    fleet = a_fleet(ord=running(5, capacity=9, draining=2), ams=0)
    memory = initial(policy, fleet, Instant(wall=WALL, mono=0.0))
    assert {region: trace.desired for region, trace in memory.traces.items()} == {AMS: 2, ORD: 6}


def test_the_bounds_of_a_start_are_those_of_the_schedule_then() -> None:
    night = Schedule(start="0 0 * * *", end="0 6 * * *", regions=(ORD,), max=3)
    policy = compile_pool(a_pool(schedules=(night,)))
    memory = initial(policy, a_fleet(ord=8), Instant(wall=WALL + 60.0, mono=0.0))
    assert memory.traces[ORD].desired == 3


def test_a_start_holds_for_one_window_and_not_against_bounds() -> None:
    scene = Scene(pool=a_pool(regions={ORD: spec(0, 6)}), fleet=a_fleet(ord=9), hold=True)
    assert scene.tick(0, after=0.0)[ORD] == 6
    assert scene.tick(0, after=299.0)[ORD] == 6
    assert scene.numbers(ReasonCode.RESTART_HOLD) == {"seconds": 1}


def test_only_rules_that_do_not_ask_about_the_fleet_have_a_past() -> None:
    assert refillable(compile_pool(a_pool()))
    fleet_bound = Expression(text="load + running")
    assert not refillable(compile_pool(a_pool(rules=(fleet_bound,))))


def test_a_past_that_covers_the_window_lifts_the_hold_and_fills_the_window() -> None:
    scene = restarted(Scene(pool=a_pool(), fleet=a_fleet(ord=9), hold=True), past(*loads(70, *[20] * 20)))
    assert scene.tick(20, after=0.0)[ORD] == 7
    assert scene.numbers(ReasonCode.WINDOW_IN)["highest"] == 7


def test_a_past_that_is_too_short_or_has_a_hole_lifts_nothing_but_fills_what_it_can() -> None:
    short = restarted(Scene(pool=a_pool(), fleet=a_fleet(ord=9), hold=True), past(*loads(*[20] * 10)))
    assert short.tick(20, after=0.0)[ORD] == 9
    histories = past(*loads(*[20] * 25))
    holed = [sample for sample in histories[LOAD].samples if not WALL - 200 < sample.at < WALL - 100]
    history = {LOAD: History(name=LOAD, samples=tuple(holed))}
    assert (
        restarted(Scene(pool=a_pool(), fleet=a_fleet(ord=9), hold=True), history).tick(20, after=0.0)[ORD]
        == 9
    )
    ended = {LOAD: History(name=LOAD, samples=histories[LOAD].samples[:-4])}
    assert (
        restarted(Scene(pool=a_pool(), fleet=a_fleet(ord=9), hold=True), ended).tick(20, after=0.0)[ORD] == 9
    )


def test_no_past_lifts_nothing() -> None:
    scene = restarted(Scene(pool=a_pool(), fleet=a_fleet(ord=9), hold=True), {LOAD: History(name=LOAD)})
    assert scene.tick(20, after=0.0)[ORD] == 9


def test_the_past_of_two_metrics_is_put_together_by_its_moments() -> None:
    rules = (PerMachine(metric=LOAD, target=10.0), PerMachine(metric=MetricName("jobs"), target=1.0))
    regions, metrics = {ORD: spec(), AMS: spec()}, (query(), query("jobs"))
    pool = a_pool(regions=regions, rules=rules, metrics=metrics, scale_in=Damping(window_s=300.0))
    histories = {
        **past(*[split(ord=40, ams=10)] * 21),
        **past(*loads(*[2] * 21), name=MetricName("jobs")),
    }
    scene = restarted(Scene(pool=pool, fleet=a_fleet(ord=9, ams=9), hold=True), histories)
    assert scene.tick({"load": split(ord=20, ams=10), "jobs": measured(2)}, after=0.0) == {AMS: 1, ORD: 4}


def test_a_longer_window_for_going_out_is_refilled_as_well() -> None:
    pool = a_pool(scale_in=Damping(window_s=60.0), scale_out=Damping(window_s=300.0))
    seen = [*[20.0] * 20, *[90.0] * 12]
    alive = Scene(pool=pool, fleet=a_fleet(ord=2))
    assert [alive.tick(value)[ORD] for value in seen][-1] == 2
    scene = restarted(Scene(pool=pool, fleet=a_fleet(ord=2), hold=True), past(*loads(*seen)))
    assert scene.tick(90, after=0.0)[ORD] == 2
    assert scene.numbers(ReasonCode.WINDOW_OUT)["lowest"] == 2


def test_a_past_that_covers_the_way_in_lifts_the_hold_however_long_the_way_out_looks_back() -> None:
    pool = a_pool(scale_in=Damping(window_s=60.0), scale_out=Damping(window_s=300.0))
    scene = restarted(Scene(pool=pool, fleet=a_fleet(ord=9), hold=True), past(*loads(*[20] * 6)))
    assert scene.tick(20, after=0.0)[ORD] == 2
    histories = past(*loads(*[20] * 25))
    early = [sample for sample in histories[LOAD].samples if sample.at < WALL - 60]
    history = {LOAD: History(name=LOAD, samples=tuple(early))}
    assert restarted(Scene(pool=pool, fleet=a_fleet(ord=9), hold=True), history).tick(20, after=0.0)[ORD] == 9


def test_an_outage_in_the_past_counts_as_what_was_known_before_it() -> None:
    answers = [*loads(*[60] * 10), *[absent()] * 2, *loads(*[20] * 9)]
    scene = restarted(Scene(pool=a_pool(), fleet=a_fleet(ord=9), hold=True), past(*answers))
    assert scene.tick(20, after=0.0)[ORD] == 6


def test_the_last_reading_of_the_past_decides_whether_a_zero_is_the_first() -> None:
    scene = restarted(Scene(pool=a_pool(), fleet=a_fleet(ord=2), hold=True), past(*loads(*[20] * 21)))
    scene.tick(0)
    assert ReasonCode.UNKNOWN in scene.codes()


def test_trouble_of_the_past_does_not_bring_on_absent_nearer() -> None:
    pool = a_pool(on_absent=9, failures=2)
    scene = restarted(Scene(pool=pool, fleet=a_fleet(ord=2), hold=True), past(*loads(20), *[absent()] * 20))
    assert [scene.tick(absent())[ORD] for _ in range(2)] == [2, 9]


def test_a_wall_clock_that_jumps_holds_for_one_window_in_either_direction() -> None:
    for jump_s in (3600.0, -3600.0):
        scene = Scene(pool=a_pool(), fleet=a_fleet(ord=6))
        for _ in range(21):
            scene.tick(60)
        scene.wall += jump_s
        scene.tick(20)
        assert [why.code for why in scene.decision.warnings] == [ReasonCode.CLOCK_JUMP]
        counts = [scene.tick(20)[ORD] for _ in range(21)]
        assert counts[18] == 6
        assert counts[20] == 3


def test_a_wall_clock_that_is_nudged_changes_nothing() -> None:
    scene = Scene(pool=a_pool(), fleet=a_fleet(ord=6))
    scene.wall += 29.0
    scene.tick(60)
    assert scene.decision.warnings == ()


def test_after_a_silence_of_more_than_three_intervals_the_last_desired_count_enters_the_window() -> None:
    scene = Scene(pool=a_pool())
    scene.tick(60)
    assert scene.tick(20, after=400.0)[ORD] == 6
    counts = [scene.tick(20)[ORD] for _ in range(21)]
    assert (counts[19], counts[20]) == (6, 3)
