"""Generated pools, fleets and wishes for the planner."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import strategies as st

from autoscaler.domain.desired import OPEN_GATE, Bounds, Decision, Desired, Gate
from autoscaler.domain.fleet import Exit, HostStatus, Lease, Machine, MachineState, Survey
from autoscaler.domain.names import (
    AppName,
    GroupName,
    InstanceId,
    MachineId,
    MachineName,
    MetricName,
    Region,
)
from autoscaler.domain.plan import Plan
from autoscaler.domain.pool import Budget, Leave, Pool, RegionSpec, Spill
from autoscaler.domain.reading import Absent, Answer, Measured, Query, Split, Why
from autoscaler.domain.reason import ReasonCode, reason
from autoscaler.reconcile.counting import PoolView, ours
from autoscaler.reconcile.ledger import Ledger
from autoscaler.reconcile.naming import prefix
from autoscaler.reconcile.planner import make_plan
from tests.laws.memories import ledgers
from tests.laws.setting import BOOLEANS, ELSEWHERE, HERE, NOW, OWN, POOL, REGIONS, SMALL

CLOSED = (reason(ReasonCode.DEPLOY),)
STATES = (*[MachineState.STARTED] * 16, *[MachineState.STOPPED] * 12, *MachineState)
DOOMED = (("autoscaler_doomed", "1"),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Everything one plan is made from."""

    pool: Pool
    machines: tuple[Machine, ...]
    decision: Decision
    gate: Gate
    ledger: Ledger
    busy: Answer | None
    created: int | None

    @property
    def view(self) -> PoolView:
        return ours(self.pool, Survey(app=self.pool.app, at=NOW.wall, machines=self.machines), OWN)

    @property
    def by_id(self) -> Mapping[MachineId, Machine]:
        return {machine.id: machine for machine in self.machines}

    def plan(self) -> Plan:
        return make_plan(
            self.view,
            self.decision,
            self.gate,
            self.ledger,
            busy=self.busy,
            created_recently=self.created,
            now=NOW,
        )


BUDGETS = st.none() | st.integers(0, 9)
PLACES = st.sampled_from([*HERE * 3, ELSEWHERE])
LEAVES, SPILLS = st.sampled_from(Leave), st.sampled_from([None, *Spill])
QUERY = Query(name=MetricName("busy"), promql="jobs", label="instance")


@st.composite
def pools(draw: st.DrawFn, *, proxy: bool) -> Pool:
    """A pool in three regions, with manners of every kind."""
    regions = {}
    for region in HERE:
        least, more = draw(SMALL) // 2, draw(SMALL) + 1
        regions[region] = RegionSpec(bounds=Bounds(min=least, max=least + more))
    least = sum(spec.bounds.min for spec in regions.values())
    count = draw(BUDGETS)
    return Pool(
        name=POOL,
        app=AppName("shop"),
        regions=regions,
        total=Bounds(min=0, max=least + 2 + draw(SMALL) + draw(SMALL)),
        create=draw(SMALL) > 0,
        leave=draw(LEAVES),
        reserve=draw(SMALL) // 2,
        proxy=proxy,
        busy=QUERY if draw(BOOLEANS) else None,
        drain_s=600.0 if draw(BOOLEANS) else None,
        spill=draw(SPILLS),
        budget=None if count is None else Budget(count=count),
    )


MARKS: Mapping[str, tuple[str, ...]] = {
    "fly_release_version": ("8",),
    "autoscaler": (POOL, "other"),
    "autoscaler_home": (*HERE, ELSEWHERE),
    "autoscaler_draining": (str(NOW.wall - 60), str(NOW.wall - 1200), "soon"),
    "autoscaler_draining_version": ("v1", "v0"),
    "autoscaler_doomed": ("1",),
    "autoscaler_asleep": ("true",),
    "autoscaler_protect": ("1", "false"),
    "autoscaler_busy_until": (str(NOW.wall - 5), str(NOW.wall + 5)),
}
WRITTEN = tuple((key, value) for key, values in MARKS.items() for value in values)
DRAINED = (("autoscaler_draining", str(NOW.wall - 700)), ("autoscaler_draining_version", "v1"))
PECULIAR: tuple[Mapping[str, Any], ...] = (
    {"group": GroupName("web")},
    {"host": HostStatus.UNREACHABLE, "config": None},
    {"last_exit": Exit(at=NOW.wall - 30, code=1)},
    {"cordoned": True},
    {"critical": True},
    {"lease": Lease(owner="flyctl", expires_at=NOW.wall + 10)},
    {"has_services": True},
    {"standby": True},
    {"scheduled": True},
    {"auto_destroy": True},
    {"config": None},
    {"created_at": NOW.wall - 30},
    {"started_at": NOW.wall - 30, "updated_at": NOW.wall - 30},
)


STATES_DRAWN = st.sampled_from(STATES)
PLAIN = st.just(())
MARKS_DRAWN = st.one_of(
    *[PLAIN] * 4, st.just(DRAINED), st.just(DOOMED), st.lists(st.sampled_from(WRITTEN), max_size=3).map(tuple)
)
PECULIARITIES = st.one_of(*[PLAIN] * 3, st.lists(st.sampled_from(PECULIAR), max_size=2).map(tuple))


@st.composite
def machines(draw: st.DrawFn, label: str) -> Machine:
    """A Machine of the pool, with up to two peculiarities and up to three marks."""
    region, state, marks = draw(PLACES), draw(STATES_DRAWN), draw(MARKS_DRAWN)
    changes: dict[str, Any] = {}
    for peculiarity in draw(PECULIARITIES):
        changes |= peculiarity
    return replace(_plain(label, region, state, marks), **changes)


def _plain(label: str, region: Region, state: MachineState, marks: Sequence[tuple[str, str]]) -> Machine:
    return Machine(
        id=MachineId(label),
        name=MachineName(f"{prefix(POOL, region)}{label[-1]}"),
        state=state,
        region=region,
        instance_id=InstanceId("v1"),
        group=GroupName("app"),
        metadata={"fly_release_version": "7", **dict(marks)},
        created_at=NOW.wall - 300,
        updated_at=NOW.wall - 7200,
        started_at=NOW.wall - 300,
        image="shop:1@sha256:aa",
        config={"image": "shop:1", "metadata": {"fly_process_group": "app", "fly_release_version": "7"}},
    )


ONE_EACH = tuple(machines(label) for label in (OWN, *(f"m{number}" for number in range(8))))
FLEETS = st.integers(1, len(ONE_EACH)).flatmap(lambda size: st.tuples(*ONE_EACH[:size]))
"""Machines of every kind, among them always the one this process runs on."""


def decision(pool: Pool, wishes: Sequence[int], *, regional: bool) -> Decision:
    """Counts that a policy may decide for such wishes: within every bound, and the pool's max in sum."""
    left = pool.bounds.max - sum(spec.bounds.min for spec in pool.regions.values())
    regions = {}
    for wish, (region, spec) in zip(wishes, sorted(pool.regions.items()), strict=True):
        more = min(wish, left, spec.bounds.max - spec.bounds.min)
        left -= more
        desired = spec.bounds.min + more
        regions[region] = Desired(region=region, bounds=spec.bounds, demand=desired, desired=desired)
    return Decision(regions=regions, total=pool.bounds, regional=regional)


@st.composite
def gates(draw: st.DrawFn) -> Gate:
    """Mostly open ones."""
    lot = draw(SMALL)
    held = [region for region in HERE if lot == 3 and draw(BOOLEANS)]
    return Gate(
        no_in=CLOSED if lot == 1 else (),
        no_create=CLOSED if lot == 2 else (),
        hold_in=dict.fromkeys(held, CLOSED),
    )


READINGS = st.sampled_from(
    [None, Measured(value=0.0), Measured(value=0.0), Measured(value=2.0), Absent(why=Why.STALE)]
)
WISHES, CREATED = (
    st.tuples(*[st.sampled_from([0, 0, 0, 1, 2, 6])] * 3),
    st.sampled_from([None, 0, 0, 0, 1, 2, 5, 9, 12]),
)


@st.composite
def wild_cases(draw: st.DrawFn, *, proxy: bool | None = None) -> Case:
    """Facts of every kind, for a plan of every kind."""
    pool = draw(pools(proxy=draw(SMALL) == 0 if proxy is None else proxy))
    fleet = draw(FLEETS)
    readings = {machine.id: draw(READINGS) for machine in fleet} if pool.busy is not None else {}
    known = {label: reading for label, reading in readings.items() if reading is not None}
    return Case(
        pool=pool,
        machines=fleet,
        decision=decision(pool, draw(WISHES), regional=draw(BOOLEANS)),
        gate=draw(gates()),
        ledger=draw(ledgers(fleet)),
        busy=Split(by_label=known) if pool.busy is not None else None,
        created=draw(CREATED),
    )


CALM = st.tuples(
    st.sampled_from([MachineState.STARTED, MachineState.STARTED, MachineState.STOPPED]),
    REGIONS,
    st.sampled_from([(), (), (), DRAINED, DOOMED, *((("autoscaler_home", home),) for home in HERE)]),
)
CALM_FLEETS = st.lists(CALM, min_size=1, max_size=8)


@st.composite
def calm_cases(draw: st.DrawFn, *, proxy: bool | None = None) -> Case:
    """Healthy fleets under tight limits: what stops a plan here is room, budget or reserve alone."""
    drawn = draw(pools(proxy=draw(SMALL) == 0 if proxy is None else proxy))
    regions = {region: RegionSpec(bounds=Bounds(min=0, max=1 + draw(SMALL) // 2)) for region in HERE}
    total = Bounds(min=0, max=1 + draw(SMALL))
    pool = replace(drawn, regions=regions, total=total, create=True, busy=None)
    fleet = tuple(
        _plain(f"m{number}", region, state, marks)
        for number, (state, region, marks) in enumerate(draw(CALM_FLEETS))
    )
    remembered = draw(ledgers(fleet))
    return Case(
        pool=pool,
        machines=fleet,
        decision=decision(pool, draw(WISHES), regional=False),
        gate=OPEN_GATE,
        ledger=replace(remembered, passed_over={}, parked=remembered.parked if draw(SMALL) == 0 else {}),
        busy=None,
        created=draw(SMALL),
    )


def cases(*, proxy: bool | None = None) -> st.SearchStrategy[Case]:
    """Wild ones and calm ones."""
    return calm_cases(proxy=proxy) | wild_cases(proxy=proxy)
