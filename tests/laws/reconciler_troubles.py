"""What may befall a fleet and its autoscaler, and the pools to which it happens."""

from contextlib import suppress
from typing import Any

from hypothesis import strategies as st

from autoscaler.domain.names import MetricName
from autoscaler.domain.pool import Budget, Damping, Expression, Leave, PerMachine, Spill, Step
from autoscaler.domain.reading import Query
from autoscaler.emulator import leasing, lifecycle
from autoscaler.emulator.deploys import Deploy
from autoscaler.emulator.errors import ApiError
from autoscaler.emulator.faults import Fault, Kind
from autoscaler.emulator.record import Machine
from autoscaler.emulator.seeding import seed
from autoscaler.emulator.world import World
from tests.scenarios.story import AMS, APP, FRA, ORD

REGIONS = (ORD, AMS, FRA)
WINDOW_S = 45.0
PATIENT_PHASES = 60
LIST_LIES_S = 60.0
LISTS_THAT_LIE = frozenset({Kind.EMPTY_LIST, Kind.PARTIAL_LIST, Kind.STALE_LIST})
WRITES = "create,start,stop,suspend,destroy,cordon,uncordon,metadata_merge,lease_acquire"
HANDS = st.sampled_from(["stop", "start", "destroy", "lease", "protect"])
LOADS = st.sampled_from([0.0, 4.0, 10.0, 25.0, 39.0, 80.0])

LOST_ANSWERS = st.builds(
    Fault,
    kind=st.sampled_from([Kind.DROP, Kind.DROP_AFTER_COMMIT, Kind.HANG, Kind.HANG_AFTER_COMMIT]),
    operation=st.sampled_from([WRITES, "create", "start", "stop,suspend,destroy", "list", "query"]),
    count=st.sampled_from([1, 3, None]),
)
STORMS = st.builds(
    Fault,
    kind=st.just(Kind.STATUS),
    operation=st.sampled_from(
        [WRITES, "create,start", "stop,suspend,destroy,lease_acquire", "list", "query"]
    ),
    status=st.sampled_from([429, 500, 503, 408]),
    probability=st.sampled_from([0.5, 1.0]),
)
LYING_LISTS = st.builds(
    Fault, kind=st.sampled_from(sorted({*LISTS_THAT_LIE, Kind.DUPLICATE_LIST})), delay_s=st.just(LIST_LIES_S)
)
FULL_PLACES = st.builds(
    Fault,
    kind=st.sampled_from([Kind.REGION_FULL, Kind.HOST_FULL]),
    region=st.sampled_from([str(region) for region in REGIONS]),
)
SICK_MACHINES = st.one_of(
    st.builds(
        Fault, kind=st.just(Kind.CRASH), delay_s=st.sampled_from([2.0, 30.0]), probability=st.just(0.5)
    ),
    st.builds(
        Fault,
        kind=st.sampled_from([Kind.LAUNCH_FAILED, Kind.STUCK, Kind.HOST_LOST]),
        region=st.sampled_from([str(region) for region in REGIONS]),
        count=st.sampled_from([1, 3]),
    ),
)
HALF_ANSWERS = st.builds(Fault, kind=st.just(Kind.WARNINGS))
DELAYS = st.builds(
    Fault, kind=st.just(Kind.DELAY), delay_s=st.sampled_from([1.0, 7.0]), operation=st.just(WRITES)
)

POOLS: st.SearchStrategy[dict[str, Any]] = st.builds(
    dict,
    leave=st.sampled_from(Leave),
    spill=st.sampled_from(Spill),
    busy=st.sampled_from([None, Query(name=MetricName("busy"), promql="busy", label="instance")]),
    drain_s=st.sampled_from([None, 60.0]),
    reserve=st.sampled_from([0, 1]),
    budget=st.sampled_from([None, Budget(count=5)]),
    rules=st.sampled_from(
        [
            (PerMachine(metric=MetricName("load"), target=10.0),),
            (Expression(text="load / 10 + 0 * running"),),
        ]
    ),
    scale_in=st.sampled_from(
        [Damping(window_s=WINDOW_S), Damping(window_s=WINDOW_S, step=Step(period_s=60.0, count=1))]
    ),
)


def stand_by(world: World) -> frozenset[str]:
    """Machines of the same app that are nobody's business: of another group, a standby, one on a schedule."""
    unmanaged = {"fly_platform_version": None}
    peculiar: list[tuple[str, str, dict[str, Any]]] = [
        ("cron", "started", {}),
        ("app", "stopped", {"standbys": ["148e000000000a"], "metadata": unmanaged}),
        ("app", "stopped", {"schedule": "daily", "metadata": unmanaged}),
    ]
    made = [
        seed(world, app=str(APP), group=group, regions=(str(ORD),), count=1, state=state, config=config)
        for group, state, config in peculiar
    ]
    return frozenset(machine.id for machines in made for machine in machines)


def lay_hands(world: World, machine: Machine, verb: str) -> None:
    """Somebody else does something to a Machine, if the platform lets them."""
    protected = {**machine.config, "metadata": {**machine.metadata, "autoscaler_protect": "yes"}}
    deeds = {
        "stop": lambda: lifecycle.stop(world, machine),
        "start": lambda: lifecycle.start(world, machine),
        "destroy": lambda: lifecycle.destroy(world, machine, force=True),
        "lease": lambda: leasing.acquire(world, machine, owner="person@example.com", ttl_s=120.0),
        "protect": lambda: world.change(machine, config=protected),
    }
    try:
        deeds[verb]()
    except ApiError:
        return


def go_on(deploy: Deploy) -> None:
    """A deploy's next phase. One that waits for long takes away what it made, where the platform lets it."""
    if deploy.phase == "done":
        return
    deploy.step()
    if deploy.phases[-PATIENT_PHASES:] == ["waiting"] * PATIENT_PHASES:
        deploy.phase = "done"
        deploy.release_leases()
        for machine in deploy.members():
            if machine.cordoned and machine.metadata.get("fly_release_version") == str(deploy.release):
                with suppress(ApiError):
                    lifecycle.destroy(deploy.world, machine, force=True)


def let_go(world: World, machine: Machine) -> None:
    """Nothing keeps a Machine any more: neither the platform nor people."""
    metadata = {key: value for key, value in machine.metadata.items() if key != "autoscaler_protect"}
    freed = world.change(machine, config={**machine.config, "metadata": metadata})
    if freed.stuck:
        world.free(machine.id)
