"""What is in a plan, and what a platform that obeys would make of it."""

from collections.abc import Iterable
from dataclasses import replace

from autoscaler.domain.fleet import Exit, Machine, MachineState
from autoscaler.domain.names import GroupName, InstanceId, MachineId
from autoscaler.domain.plan import Action, Cordon, Create, Destroy, Mark, Plan, Start, Stop, Suspend, Uncordon
from autoscaler.reconcile import marks
from tests.laws.setting import NOW

RESULTS = {
    Start.kind: MachineState.STARTED,
    Stop.kind: MachineState.STOPPED,
    Suspend.kind: MachineState.SUSPENDED,
    Destroy.kind: MachineState.DESTROYED,
}


IN = Stop | Suspend | Destroy | Cordon


def goes_in(plan: Plan) -> list[MachineId]:
    """The Machines a plan stops, suspends, destroys, takes out of routing or marks to leave."""
    return [
        action.machine
        for action in plan.actions
        if isinstance(action, IN)
        or (isinstance(action, Mark) and {action.metadata.get(key) for key in marks.NO_LEAVING} - {None})
    ]


def creates(plan: Plan) -> list[Create]:
    """The Machines a plan creates."""
    return [action for action in plan.actions if isinstance(action, Create)]


def after(machines: Iterable[Machine], actions: Iterable[Action]) -> tuple[Machine, ...]:
    """The Machines once every action has had its effect. A name that lives is not given twice."""
    fleet = {machine.id: machine for machine in machines}
    for action in actions:
        if isinstance(action, Create):
            names = {
                machine.name for machine in fleet.values() if machine.state is not MachineState.DESTROYED
            }
            if action.name not in names:
                fleet[MachineId(action.name)] = made(action)
        elif action.machine in fleet:
            fleet[action.machine] = changed(fleet[action.machine], action)
    return tuple(fleet.values())


def made(create: Create) -> Machine:
    metadata = dict(create.config.get("metadata") or {})
    return Machine(
        id=MachineId(create.name),
        name=create.name,
        state=MachineState.STOPPED if create.stopped else MachineState.STARTED,
        region=create.region,
        instance_id=InstanceId("v1"),
        group=GroupName("app"),
        metadata={"autoscaler": "web", "autoscaler_home": create.home, **metadata},
        created_at=NOW.wall,
        image="shop:1@sha256:aa",
        config=create.config,
    )


def changed(machine: Machine, action: Action) -> Machine:
    if isinstance(action, Mark):
        merged = {**machine.metadata, **action.metadata}
        return replace(machine, metadata={key: value for key, value in merged.items() if value is not None})
    if isinstance(action, Cordon | Uncordon):
        return replace(machine, cordoned=isinstance(action, Cordon))
    asked = Exit(at=NOW.wall, code=0, requested=True) if isinstance(action, Stop) else machine.last_exit
    return replace(machine, state=RESULTS[action.kind], critical=False, last_exit=asked)
