"""Generated pools, answers and ticks for the laws of the policy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from hypothesis import strategies as st

from autoscaler.domain.desired import OPEN_GATE, Bounds, Decision
from autoscaler.domain.fleet import Fleet
from autoscaler.domain.instant import Instant
from autoscaler.domain.names import MetricName, Region
from autoscaler.domain.pool import Damping, Elsewhere, Expression, PerMachine, Pool, RegionSpec, Rule, Step
from autoscaler.domain.reading import Absent, Answer, Measured, Query, Reading, Split, Why
from autoscaler.policy.decide import decide
from autoscaler.policy.memory import Memory, initial
from autoscaler.policy.rules import Policy, compile_pool
from tests.policy.scene import AMS, FRA, LHR, ORD, SYD, TICK_S, UNDAMPED, WALL, a_pool, running

HOMES = (AMS, FRA, LHR, ORD)
ABROAD = (*HOMES, SYD, Region("zzz"))
NAMES = ("load", "queue", "age")
LARGEST = 12

MONOTONE = ("ceil(queue / 7)", "load / 9 + queue", "max(load, queue) / 4", "load > 50 ? 9 : 2")
"""Expressions that never fall while a metric rises."""

counts = st.integers(0, LARGEST)
sane = st.floats(0, 300, allow_nan=False).map(lambda value: round(value, 1))
wild = st.one_of(st.floats(), st.sampled_from([1e308, -1e308, 5e-324, -0.0, 1e18]))
absences = st.builds(Absent, why=st.sampled_from(Why))


def readings(values: st.SearchStrategy[float]) -> st.SearchStrategy[Reading]:
    return st.builds(Measured, value=values, partial=st.just(False))


def split(values: st.SearchStrategy[Reading], where: Sequence[Region] = HOMES) -> st.SearchStrategy[Answer]:
    return st.dictionaries(st.sampled_from(where), values, max_size=len(where)).map(
        lambda d: Split(by_label=d)
    )


sane_answers = st.one_of(readings(sane), split(readings(sane)))
any_reading = st.one_of(st.builds(Measured, value=wild, partial=st.booleans()), absences)
any_answers = st.one_of(any_reading, split(any_reading, ABROAD))


@st.composite
def bounds(draw: st.DrawFn) -> Bounds:
    low = draw(counts)
    return Bounds(min=low, max=low + draw(counts))


specs = st.builds(RegionSpec, bounds=bounds(), weight=st.sampled_from([0.5, 1.0, 2.0, 3.0]))
metric_names = st.sampled_from(NAMES).map(MetricName)
rules = st.one_of(
    st.builds(
        PerMachine, metric=st.sampled_from(NAMES).map(MetricName), target=st.sampled_from([1.0, 7.0, 40.0])
    ),
    st.builds(Expression, text=st.sampled_from(MONOTONE)),
)
steps = st.one_of(
    st.none(),
    st.builds(Step, period_s=st.just(60.0), fraction=st.sampled_from([0.1, 0.5, 1.0])),
    st.builds(Step, period_s=st.just(15.0), count=st.integers(1, 4)),
)
dampings = st.builds(Damping, window_s=st.sampled_from([0.0, 30.0, 60.0, 300.0]), step=steps)


def used(rule: Rule) -> set[str]:
    return {name for name in NAMES if name in (rule.text if isinstance(rule, Expression) else rule.metric)}


def with_rules(pool: Pool, asked: tuple[Rule, ...]) -> Pool:
    """The pool with these rules and only the metrics they name."""
    names = sorted(set().union(*map(used, asked)))
    return replace(pool, rules=asked, metrics=tuple(Query(name=MetricName(n), promql=n) for n in names))


def undamped(pool: Pool) -> Pool:
    """The pool without windows and steps."""
    return replace(pool, scale_in=UNDAMPED, scale_out=UNDAMPED)


@st.composite
def pools(draw: st.DrawFn, **fixed: object) -> Pool:
    """A pool that no start error speaks against."""
    regions = draw(st.dictionaries(st.sampled_from(HOMES), specs, min_size=1))
    least = sum(spec.bounds.min for spec in regions.values())
    most = sum(spec.bounds.max for spec in regions.values())
    low = draw(st.integers(least, most))
    drawn: dict[str, object] = {
        "total": Bounds(min=low, max=draw(st.integers(max(1, low), max(1, most, low)))),
        "spare": draw(st.integers(0, 3)),
        "headroom": draw(st.sampled_from([0.0, 0.2, 1.0])),
        "scale_in": draw(dampings),
        "scale_out": draw(dampings),
        "elsewhere": draw(st.sampled_from(Elsewhere)),
    }
    asked = tuple(draw(st.lists(rules, min_size=1, max_size=3)))
    return with_rules(a_pool(regions=regions, **{**drawn, **fixed}), asked)


def answers_to(pool: Pool, each: st.SearchStrategy[Answer]) -> st.SearchStrategy[Mapping[MetricName, Answer]]:
    return st.fixed_dictionaries({query.name: each for query in pool.metrics})


def fleets(pool: Pool) -> st.SearchStrategy[Fleet]:
    each = st.fixed_dictionaries({region: counts.map(running) for region in pool.regions})
    return each.map(lambda by_region: Fleet(by_region=by_region))


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """A policy in the middle of its life."""

    policy: Policy
    memory: Memory
    fleet: Fleet
    now: Instant

    @property
    def last(self) -> Mapping[Region, int]:
        """The counts desired last."""
        return {region: trace.desired for region, trace in self.memory.traces.items()}

    def tick(self, answers: Mapping[MetricName, Answer], fleet: Fleet | None = None) -> Decision:
        return self.step(answers, fleet)[0]

    def step(
        self, answers: Mapping[MetricName, Answer], fleet: Fleet | None = None
    ) -> tuple[Decision, "Moment"]:
        """One tick later."""
        now = Instant(wall=self.now.wall + TICK_S, mono=self.now.mono + TICK_S)
        seen = fleet or self.fleet
        decision, memory = decide(self.policy, answers, seen, OPEN_GATE, self.memory, now)
        obeyed = Fleet(by_region={region: running(count) for region, count in decision.desired.items()})
        return decision, replace(self, memory=memory, now=now, fleet=obeyed)


def begun(pool: Pool, fleet: Fleet, *, hold: bool = False) -> Moment:
    policy, now = compile_pool(pool), Instant(wall=WALL, mono=1000.0)
    return Moment(policy=policy, memory=initial(policy, fleet, now, hold=hold), fleet=fleet, now=now)


@st.composite
def moments(
    draw: st.DrawFn, pool: Pool, each: st.SearchStrategy[Answer] = any_answers, *, most: int = 4
) -> Moment:
    """The pool after a few ticks of any kind."""
    moment = begun(pool, draw(fleets(pool)), hold=draw(st.booleans()))
    for answers in draw(st.lists(answers_to(pool, each), max_size=most)):
        _, moment = moment.step(answers)
    return moment
