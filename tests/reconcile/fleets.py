"""Fleets to plan for: Machines by their region and state, the counts wanted, and the plan that follows."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from autoscaler.domain.desired import OPEN_GATE, Decision, Desired, Gate
from autoscaler.domain.fleet import Fleet, Machine, MachineState, Survey, Volume
from autoscaler.domain.instant import Instant
from autoscaler.domain.names import GroupName, MachineId, Region, VolumeId
from autoscaler.domain.plan import Mark, Plan
from autoscaler.domain.pool import Pool
from autoscaler.domain.reading import Answer, Measured, Split
from autoscaler.reconcile import deploys
from autoscaler.reconcile.counting import PoolView, count, ours
from autoscaler.reconcile.ledger import EMPTY, Ledger
from autoscaler.reconcile.planner import make_plan
from tests.reconcile.samples import APP, ORD, WALL, a_machine, at

NOW = at(1000.0)
STARTED, STOPPED = MachineState.STARTED, MachineState.STOPPED
CONFIG: Mapping[str, Any] = {
    "image": "registry.fly.io/shop:1",
    "env": {"MODE": "worker"},
    "metadata": {"fly_process_group": "app", "fly_release_version": "7"},
    "guest": {"cpu_kind": "shared", "cpus": 1, "memory_mb": 256},
}


def member(label: str, state: MachineState = STARTED, region: Region = ORD, **changes: Any) -> Machine:
    """A healthy Machine of the pool's group that could be copied; `meta` is its metadata."""
    meta = {"fly_release_version": "7", **changes.pop("meta", {})}
    known: dict[str, Any] = {
        "group": GroupName("app"),
        "region": region,
        "config": CONFIG,
        "image": "registry.fly.io/shop:1@sha256:aa",
        "created_at": WALL - 86_400.0,
        "updated_at": WALL - 86_400.0,
        "started_at": WALL - 3600.0,
        "metadata": meta,
    }
    return a_machine(label, state, **{**known, **changes})


def viewed(
    pool: Pool, machines: Sequence[Machine], *, own: str | None = None, now: Instant = NOW
) -> PoolView:
    survey = Survey(app=APP, at=now.wall, machines=tuple(machines))
    return ours(pool, survey, MachineId(own) if own is not None else None)


def counted(pool: Pool, machines: Sequence[Machine], ledger: Ledger = EMPTY, now: Instant = NOW) -> Fleet:
    return count(viewed(pool, machines, now=now), ledger, now)


def observed(view: PoolView, ledger: Ledger = EMPTY, now: Instant = NOW) -> Ledger:
    """The ledger with the signs of a deploy that the view shows, seen now for the first time or before."""
    seen = ledger.signals
    return replace(ledger, signals={name: seen.get(name, now.mono) for name in deploys.signals(view, now)})


def decided(pool: Pool, wanted: Mapping[Region, int], *, regional: bool = False) -> Decision:
    """A decision for these counts; regions that are not named want nothing."""
    return Decision(
        regions={
            region: Desired(
                region=region,
                bounds=spec.bounds,
                demand=wanted.get(region, 0),
                desired=wanted.get(region, 0),
            )
            for region, spec in sorted(pool.regions.items())
        },
        total=pool.bounds,
        regional=regional,
    )


def planned(
    pool: Pool,
    machines: Sequence[Machine],
    wanted: Mapping[Region, int],
    *,
    gate: Gate = OPEN_GATE,
    ledger: Ledger = EMPTY,
    busy: Answer | None = None,
    created: int | None = 0,
    volumes: Sequence[Volume] | None = None,
    mounted: frozenset[VolumeId] | None = None,
    now: Instant = NOW,
    regional: bool = False,
) -> Plan:
    """The plan for a fleet that should have `wanted` Machines per region."""
    view = viewed(pool, machines, now=now)
    return make_plan(
        view,
        decided(pool, wanted, regional=regional),
        gate,
        observed(view, ledger, now),
        busy=busy,
        created_recently=created,
        now=now,
        volumes=None if volumes is None else tuple(volumes),
        mounted=mounted,
    )


def brief(plan: Plan) -> list[str]:
    """The plan's actions as `kind subject`, in order."""
    return [f"{action.kind} {action.subject}" for action in plan.actions]


def lacks(plan: Plan) -> dict[tuple[str, str], int]:
    """The plan's shortfall by region and code."""
    found: dict[tuple[str, str], int] = {}
    for entry in plan.shortfall:
        key = (str(entry.region), str(entry.reason.code))
        found[key] = found.get(key, 0) + entry.missing
    return found


def warned(plan: Plan) -> list[str]:
    """The codes of the plan's warnings."""
    return [str(why.code) for why in plan.warnings]


def written(plan: Plan) -> dict[str, Mapping[str, str | None]]:
    """The metadata the plan writes, by Machine."""
    return {action.machine: action.metadata for action in plan.actions if isinstance(action, Mark)}


def jobs(**values: float) -> Split:
    """The answer to the question for busy Machines, by Machine."""
    return Split(by_label={machine: Measured(value=value) for machine, value in values.items()})
