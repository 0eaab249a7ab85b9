"""Generated pools, fleets, memories and wishes for the planner."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import strategies as st

from autoscaler.domain.desired import Bounds, Decision, Desired, Gate
from autoscaler.domain.fleet import Exit, HostStatus, Lease, Machine, MachineState, Survey
from autoscaler.domain.instant import Instant
from autoscaler.domain.names import (
    AppName,
    GroupName,
    InstanceId,
    MachineId,
    MachineName,
    MetricName,
    PoolName,
    Region,
)
from autoscaler.domain.plan import Create, Plan, Start
from autoscaler.domain.pool import Budget, Leave, Pool, RegionSpec, Spill
from autoscaler.domain.reading import Absent, Answer, Measured, Query, Split, Why
from autoscaler.domain.reason import ReasonCode, reason
from autoscaler.reconcile.counting import AT_REST, PoolView, ours
from autoscaler.reconcile.ledger import Backoff, Ledger, OnTheWay, Seen
from autoscaler.reconcile.naming import prefix
from autoscaler.reconcile.planner import make_plan

NOW = Instant(wall=1_800_000_000.0, mono=50_000.0)
POOL = PoolName("web")
OWN = MachineId("own")
HERE = tuple(Region(code) for code in ("ams", "fra", "ord"))
ELSEWHERE = Region("syd")
WHY = reason(ReasonCode.DEMAND)
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


# Strategies are made once: making one costs more than drawing from it.
BOOLEANS, SMALL, BUDGETS = st.booleans(), st.integers(0, 5), st.none() | st.integers(0, 9)
REGIONS = st.sampled_from(HERE)
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
    plain = Machine(
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
    return replace(plain, **changes)


ONE_EACH = tuple(machines(label) for label in (OWN, *(f"m{number}" for number in range(8))))
FLEETS = st.integers(1, len(ONE_EACH)).flatmap(lambda size: st.tuples(*ONE_EACH[:size]))
"""Machines of every kind, among them always the one this process runs on."""


def decision(pool: Pool, wishes: Sequence[int], *, regional: bool) -> Decision:
    """Counts that a policy may decide for such wishes: within every bound, and the pool's max in sum."""
    left = pool.total.max - sum(spec.bounds.min for spec in pool.regions.values())
    regions = {}
    for wish, (region, spec) in zip(wishes, sorted(pool.regions.items()), strict=True):
        more = min(wish, left, spec.bounds.max - spec.bounds.min)
        left -= more
        desired = spec.bounds.min + more
        regions[region] = Desired(region=region, bounds=spec.bounds, demand=desired, desired=desired)
    return Decision(regions=regions, total=pool.total, regional=regional)


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


BACKOFFS = st.builds(
    Backoff,
    until=st.sampled_from([NOW.mono - 5, NOW.mono + 60]),
    delay_s=st.just(300.0),
    reason=st.sampled_from(
        [ReasonCode.REGION_FULL, ReasonCode.STUCK, ReasonCode.INVALID_CONFIG, ReasonCode.CRASH_LOOP]
    ).map(reason),
)
PARKED = st.one_of(st.just({}), st.just({}), st.dictionaries(REGIONS, BACKOFFS, max_size=2))
SIGHTS = st.sampled_from([(0.0, True), (10.0, True), (90.0, False), (400.0, True)])
"""For how long a Machine has been in its state, and whether it served before."""
NAMES = tuple(MachineName(f"{prefix(POOL, region)}{number}") for region in HERE for number in (1, 2, 11))
UNLISTED = st.lists(st.tuples(st.sampled_from(NAMES), REGIONS), unique_by=lambda pair: pair[0], max_size=4)


@st.composite
def ledgers(draw: st.DrawFn, fleet: tuple[Machine, ...]) -> Ledger:
    """What may be remembered of such a fleet, once it has observed the survey."""
    live = {machine.name for machine in fleet if machine.state is not MachineState.DESTROYED}
    unlisted = [(name, home) for name, home in draw(UNLISTED) if name not in live]
    started = [one for one in fleet if one.state in AT_REST and draw(SMALL) == 0]
    return Ledger(
        on_the_way=(
            *(_awaited(name, home, stopped=draw(BOOLEANS)) for name, home in unlisted[:2]),
            *(_starting(machine) for machine in started[:1]),
        ),
        uncertain=(
            *(_create(name, home) for name, home in unlisted[2:]),
            *(Start(machine=one.id, region=one.region, reason=WHY) for one in started[1:]),
        ),
        parked=draw(PARKED),
        passed_over={machine.id: draw(BACKOFFS) for machine in fleet if draw(SMALL) == 0},
        idle={machine.id: draw(SMALL) for machine in fleet},
        seen={machine.id: _seen(machine, *draw(SIGHTS)) for machine in fleet},
    )


def _seen(machine: Machine, seconds: float, served: bool) -> Seen:
    return Seen(
        state=machine.state,
        since=NOW.mono - seconds,
        instance_id=machine.instance_id,
        region=machine.region,
        served=served,
        host_lost_since=None if machine.host is HostStatus.OK else NOW.mono - seconds,
    )


def _region_of(name: MachineName) -> Region:
    return Region(name.split("-")[2])


def _create(name: MachineName, home: Region) -> Create:
    return Create(region=_region_of(name), name=name, config={}, reason=WHY, home=home)


def _awaited(name: MachineName, home: Region, *, stopped: bool) -> OnTheWay:
    since = NOW.mono - 5
    return OnTheWay(machine=None, name=name, region=_region_of(name), home=home, since=since, stopped=stopped)


def _starting(machine: Machine) -> OnTheWay:
    region, since = machine.region, NOW.mono - 5
    return OnTheWay(machine=machine.id, name=None, region=region, home=region, since=since)


READINGS = st.sampled_from(
    [None, Measured(value=0.0), Measured(value=0.0), Measured(value=2.0), Absent(why=Why.STALE)]
)
WISHES, CREATED = (
    st.tuples(*[st.sampled_from([0, 0, 0, 1, 2, 6])] * 3),
    st.sampled_from([None, 0, 0, 0, 1, 2, 5, 9, 12]),
)


@st.composite
def cases(draw: st.DrawFn, *, proxy: bool | None = None) -> Case:
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
