"""What a pool's reconciler remembers from tick to tick, as one value.

Nothing here is durable truth: a process that starts with `EMPTY` must still never harm a fleet.
All times are monotonic seconds unless a name says otherwise.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from autoscaler.domain.fleet import Change
from autoscaler.domain.names import InstanceId, MachineId, MachineName, Region, VolumeId
from autoscaler.domain.plan import Create, CreateVolume, Start
from autoscaler.domain.reason import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class OnTheWay:
    """A Machine whose start or create was answered with success and that no survey has shown yet."""

    machine: MachineId | None
    name: MachineName | None
    region: Region
    home: Region
    since: float
    stopped: bool = False
    """It was created without being launched, so it adds nothing to the capacity."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """A Machine that we stopped or suspended at `since`, running since unix time `started_at` until then.

    `starting` if it was not up yet: the time is then that of an earlier run.
    """

    since: float
    started_at: float | None
    starting: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """How many times in a row a Machine was told to leave and did not, the last time at `last`.

    Where the answer was lost it may have left after all, whatever a list shows. `runs` if the platform, asked
    for this Machine alone, has said since that it did not.
    """

    times: int
    last: float
    runs: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Something left alone until `until`, for `delay_s` this time, because it refused.

    An entry outlives its `until`, so that the next refusal waits longer: compare before use.
    """

    until: float
    delay_s: float
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A Machine as the last survey showed it: for collapse, for stuck states, for drains.

    `since` is when it was first seen in its present state.
    """

    state: str
    since: float
    instance_id: InstanceId
    region: Region
    before_s: float = 0.0
    """How long before `since` it had been unchanged already, as the platform told when it was new to us."""
    served: bool = True
    """It was started when last seen in a state other than `replacing` or `updating`, or was never seen so."""
    started_at: float | None = None
    """When it was last started, in unix seconds, as far as the platform said."""
    host_lost_since: float | None = None
    """Since when its host is not `ok`; None while it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """See the fields. Functions that fold a survey or a tick's outcomes into it live beside it."""

    on_the_way: tuple[OnTheWay, ...] = ()
    departures: Mapping[MachineId, Departure] = field(default_factory=dict)
    """Machines we stopped lately, which a list that is behind still shows as running."""
    stays: Mapping[MachineId, Stay] = field(default_factory=dict)
    """Machines that run although they were told to leave."""
    uncertain: tuple[Start | Create, ...] = ()
    """Starts and creates of unknown result: repeated first if the next survey does not show them."""
    parked: Mapping[Region, Backoff] = field(default_factory=dict)
    """Regions that are full (or forbidden) for now."""
    passed_over: Mapping[MachineId, Backoff] = field(default_factory=dict)
    """Machines whose start was refused by a full host, or that crash."""
    passed_volumes: Mapping[VolumeId, Backoff] = field(default_factory=dict)
    """Volumes whose host had no room for a new Machine."""
    crashes: Mapping[MachineId, int] = field(default_factory=dict)
    """Crashes within 60 s of our start, counted."""
    our_starts: Mapping[MachineId, float] = field(default_factory=dict)
    """When we last started a Machine, in unix seconds (compared with the platform's exit times)."""
    idle: Mapping[MachineId, int] = field(default_factory=dict)
    """Idle readings in a row of Machines that drain."""
    seen: Mapping[MachineId, Seen] = field(default_factory=dict)
    """The last full survey's Machines of this pool, and since when they are in their state."""
    vanished: frozenset[MachineId] = frozenset()
    """Machines that disappeared in a collapse that lasts."""
    expected_gone: frozenset[MachineId] = frozenset()
    """Machines we destroyed ourselves: their absence is no collapse."""
    signals: Mapping[str, float] = field(default_factory=dict)
    """Signals of a deploy and when each was first seen."""
    drains: Mapping[MachineId, float] = field(default_factory=dict)
    """When each drain in progress began; it may have begun before this process did."""
    made_volumes: frozenset[VolumeId] = frozenset()
    """Volumes we created and have not seen attached since; while there are any, volumes are read."""
    missing_volumes: Mapping[VolumeId, float] = field(default_factory=dict)
    """Those of them that the list of volumes leaves out, and since when; soon they count as destroyed."""
    uncertain_volumes: tuple[CreateVolume, ...] = ()
    """Volumes whose making has an unknown result, until a list of volumes tells; it is read therefore."""
    creations: Mapping[MachineId | MachineName, float] = field(default_factory=dict)
    """When we created a Machine lately: for the creation budget, should the platform's list leave it out or
    our wall clock be wrong. One whose answer was lost goes by its name.
    """
    doubts: Mapping[str, Reason] = field(default_factory=dict)
    """Kinds of action that the last tick was refused in a way that concerns all of them."""
    changes: tuple[Change, ...] = ()
    """Our own starts and stops of the last minutes, for step limits."""


EMPTY = Ledger()
