"""What is to be done about the difference between a fleet and its desired size."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from autoscaler.domain.names import InstanceId, MachineId, MachineName, Region, VolumeId
from autoscaler.domain.reason import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class _OnMachine:
    """An action upon one existing Machine."""

    kind: ClassVar[str]
    machine: MachineId
    region: Region
    reason: Reason
    instance_id: InstanceId = InstanceId("")
    """The version of the Machine that was looked at when this was planned."""

    @property
    def subject(self) -> str:
        """What the action is about: those about one subject are carried out one after the other."""
        return self.machine


@dataclass(frozen=True, slots=True, kw_only=True)
class Start(_OnMachine):
    """Start a stopped or suspended Machine.

    `home` is the region whose demand it serves from now on; None leaves that as it is.
    """

    kind: ClassVar[str] = "start"
    home: Region | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop(_OnMachine):
    """Stop a Machine the way its own stop configuration says."""

    kind: ClassVar[str] = "stop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspend(_OnMachine):
    """Suspend a Machine."""

    kind: ClassVar[str] = "suspend"


@dataclass(frozen=True, slots=True, kw_only=True)
class Destroy(_OnMachine):
    """Destroy a Machine; without force unless the operator allowed it."""

    kind: ClassVar[str] = "destroy"
    force: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Cordon(_OnMachine):
    """Take a Machine out of routing."""

    kind: ClassVar[str] = "cordon"


@dataclass(frozen=True, slots=True, kw_only=True)
class Uncordon(_OnMachine):
    """Put a Machine back into routing."""

    kind: ClassVar[str] = "uncordon"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark(_OnMachine):
    """Write metadata; a None value removes the key."""

    kind: ClassVar[str] = "mark"
    metadata: Mapping[str, str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Create:
    """Create a Machine under a name that only this pool gives, from an opaque configuration.

    `home` is the region whose demand it serves when it stands in for a full one. A Machine
    that is created `stopped` is not launched.
    """

    kind: ClassVar[str] = "create"
    region: Region
    name: MachineName
    config: Mapping[str, Any]
    reason: Reason
    home: Region
    stopped: bool = False
    volume: VolumeId | None = None
    machine: ClassVar[MachineId | None] = None

    @property
    def subject(self) -> str:
        """The name: only one Machine can bear it."""
        return self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateVolume:
    """Create a volume for a Machine to come; the next tick creates the Machine upon it.

    `size_gb` and `encrypted` None leave it to the platform; `compute` is the guest size of the
    Machine, a hint for placing both on one host. `known` are the volumes listed when this was planned:
    one of the kind beside them is what a lost answer made.
    """

    kind: ClassVar[str] = "create_volume"
    region: Region
    name: str
    reason: Reason
    size_gb: int | None = None
    encrypted: bool | None = None
    compute: Mapping[str, Any] | None = None
    known: frozenset[VolumeId] = frozenset()
    machine: ClassVar[MachineId | None] = None

    @property
    def subject(self) -> str:
        """The region: volumes of one region are made one after the other."""
        return f"volume in {self.region}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DestroyVolume:
    """Destroy a volume that this process made and that no Machine ever held."""

    kind: ClassVar[str] = "destroy_volume"
    region: Region
    volume: VolumeId
    reason: Reason
    machine: ClassVar[MachineId | None] = None

    @property
    def subject(self) -> str:
        """The volume."""
        return self.volume


Action = Start | Stop | Suspend | Destroy | Cordon | Uncordon | Mark | Create | CreateVolume | DestroyVolume


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortfall:
    """Machines a region should have and will not get in this tick, and why."""

    region: Region
    missing: int
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Actions in order of urgency, what cannot be had, and what an operator should know."""

    actions: tuple[Action, ...] = ()
    shortfall: tuple[Shortfall, ...] = ()
    warnings: tuple[Reason, ...] = ()


EMPTY_PLAN = Plan()
