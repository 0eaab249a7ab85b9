"""Generated memories of the reconciler: what may be on its way, uncertain, parked, passed over."""

from hypothesis import strategies as st

from autoscaler.domain.fleet import HostStatus, Machine, MachineState
from autoscaler.domain.names import MachineName, Region
from autoscaler.domain.plan import Create, Start
from autoscaler.domain.reason import ReasonCode, reason
from autoscaler.reconcile.counting import AT_REST
from autoscaler.reconcile.ledger import Backoff, Ledger, OnTheWay, Seen, Stay
from autoscaler.reconcile.naming import prefix
from tests.laws.setting import BOOLEANS, HERE, NOW, POOL, REGIONS, SMALL

WHY = reason(ReasonCode.DEMAND)

BACKOFFS = st.builds(
    Backoff,
    until=st.sampled_from([NOW.mono - 5, NOW.mono + 60]),
    delay_s=st.just(300.0),
    reason=st.sampled_from(
        [ReasonCode.REGION_FULL, ReasonCode.STUCK, ReasonCode.INVALID_CONFIG, ReasonCode.CRASH_LOOP]
    ).map(reason),
)
PARKED: st.SearchStrategy[dict[Region, Backoff]] = st.one_of(
    st.just({}), st.just({}), st.dictionaries(REGIONS, BACKOFFS, max_size=2)
)
SIGHTS = st.sampled_from([(0.0, True), (10.0, True), (90.0, False), (400.0, True)])
"""For how long a Machine has been in its state, and whether it served before."""
STAYS = st.builds(
    Stay,
    times=st.integers(1, 4),
    last=st.sampled_from([NOW.mono - 15, NOW.mono - 150, NOW.mono - 400]),
    runs=st.booleans(),
)
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
        stays={machine.id: draw(STAYS) for machine in fleet if draw(SMALL) == 0},
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
