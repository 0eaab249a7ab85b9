"""Small values for the tests of the acting half: a pool, its Machines, and what happened to them."""

from dataclasses import replace
from typing import Any

from autoscaler.domain.desired import Bounds
from autoscaler.domain.fleet import Machine, MachineState
from autoscaler.domain.instant import Instant
from autoscaler.domain.names import AppName, GroupName, InstanceId, MachineId, MachineName, PoolName, Region
from autoscaler.domain.outcome import Applied, Outcome, Refusal, Refused, Result
from autoscaler.domain.plan import Action, Create, Start, Stop
from autoscaler.domain.pool import Pool, RegionSpec
from autoscaler.domain.reason import ReasonCode, reason

APP = AppName("shop")
POOL = PoolName("web")
ORD = Region("ord")
AMS = Region("ams")
FRA = Region("fra")
WALL = 1_800_000_000.0
WANTED = reason(ReasonCode.DEMAND, desired=3)
SURPLUS = reason(ReasonCode.SURPLUS, surplus=1)


def at(mono: float) -> Instant:
    """The moment `mono` seconds into a test, on both clocks."""
    return Instant(wall=WALL + mono, mono=mono)


def a_pool(**changes: Any) -> Pool:
    regions = {region: RegionSpec(bounds=Bounds(min=0, max=10)) for region in (ORD, AMS, FRA)}
    return replace(Pool(name=POOL, app=APP, regions=regions, total=Bounds(min=0, max=30)), **changes)


def a_machine(label: str, state: MachineState = MachineState.STARTED, **changes: Any) -> Machine:
    known = Machine(
        id=MachineId(label),
        name=MachineName(f"name-of-{label}"),
        state=state,
        region=ORD,
        instance_id=InstanceId("v1"),
        group=GroupName("app"),
    )
    return replace(known, **changes)


def start(machine: str, region: Region = ORD) -> Start:
    return Start(machine=MachineId(machine), region=region, reason=WANTED)


def stop(machine: str, why: ReasonCode = ReasonCode.SURPLUS) -> Stop:
    return Stop(machine=MachineId(machine), region=ORD, reason=reason(why))


def create(number: int, region: Region = ORD, **changes: Any) -> Create:
    name = MachineName(f"as-0-{region}-{number}")
    return replace(Create(region=region, name=name, config={}, reason=WANTED, home=region), **changes)


def done(action: Action) -> Outcome:
    made = MachineId(f"id-of-{action.name}") if isinstance(action, Create) else action.machine
    return Outcome(action=action, result=Applied(machine=made))


def so(action: Action, result: Result) -> Outcome:
    return Outcome(action=action, result=result)


def refused(action: Action, refusal: Refusal) -> Outcome:
    return Outcome(action=action, result=Refused(refusal=refusal, detail="no"))
