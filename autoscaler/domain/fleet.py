"""The Machines of an app as one survey found them, and what a policy may know of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from autoscaler.domain.names import (
    AppName,
    GroupName,
    InstanceId,
    MachineId,
    MachineName,
    Region,
    VolumeId,
)


class MachineState(StrEnum):
    """The platform's states; a state this list does not know is read as `unknown`, a transient one."""

    CREATED = "created"
    STARTED = "started"
    STOPPED = "stopped"
    SUSPENDED = "suspended"
    FAILED = "failed"
    CREATING = "creating"
    STARTING = "starting"
    STOPPING = "stopping"
    RESTARTING = "restarting"
    SUSPENDING = "suspending"
    DESTROYING = "destroying"
    LAUNCH_FAILED = "launch_failed"
    UPDATING = "updating"
    REPLACING = "replacing"
    DESTROYED = "destroyed"
    REPLACED = "replaced"
    MIGRATED = "migrated"
    UNKNOWN = "unknown"


class HostStatus(StrEnum):
    """Health of the physical host below a Machine."""

    OK = "ok"
    UNKNOWN = "unknown"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """Somebody's exclusive hold on a Machine until unix time `expires_at`."""

    owner: str
    expires_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit:
    """How a Machine last ended: unix time, exit code, and whether somebody asked for it."""

    at: float
    code: int
    oom: bool = False
    requested: bool = False

    @property
    def crashed(self) -> bool:
        """True for an exit nobody asked for that was not clean."""
        return not self.requested and (self.oom or self.code != 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """One Machine as the platform described it.

    Times are unix seconds, None where the platform did not say. `config` is the platform's own
    JSON, kept opaque so that fields we do not know survive a copy; it is None when the host is
    not `ok` or when the survey left it out.
    """

    id: MachineId
    name: MachineName
    state: MachineState
    region: Region
    instance_id: InstanceId = InstanceId("")
    group: GroupName = GroupName("")
    metadata: Mapping[str, str] = field(default_factory=dict)
    host: HostStatus = HostStatus.OK
    created_at: float | None = None
    updated_at: float | None = None
    started_at: float | None = None
    last_exit: Exit | None = None
    cordoned: bool = False
    critical: bool = False
    """A health check of the Machine is critical."""
    lease: Lease | None = None
    has_services: bool = False
    proxied: bool = False
    """A service of it lets Fly Proxy start or stop it."""
    standby: bool = False
    scheduled: bool = False
    auto_destroy: bool = False
    has_mounts: bool = False
    stop_timeout_s: float = 5.0
    image: str = ""
    """The full image reference, pinned to its digest where the platform told one."""
    config: Mapping[str, Any] | None = None

    @property
    def ready(self) -> bool:
        """Started, no check critical, on a healthy host."""
        return self.state is MachineState.STARTED and not self.critical and self.host is HostStatus.OK

    @property
    def crashed(self) -> bool:
        """Its last end was a crash; it may run again since."""
        return self.last_exit is not None and self.last_exit.crashed

    def leased(self, wall: float) -> bool:
        """Somebody holds it at unix time `wall`."""
        return self.lease is not None and self.lease.expires_at > wall


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """A volume of the app. `attached_to` is None while no Machine holds it."""

    id: VolumeId
    name: str
    region: Region
    state: str
    attached_to: MachineId | None
    host: HostStatus
    created_at: float | None = None
    size_gb: int | None = None
    encrypted: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """Every Machine one list call returned for an app, at unix time `at`."""

    app: AppName
    at: float
    machines: tuple[Machine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionCount:
    """A pool's Machines of one home region, counted.

    `capacity` counts each Machine once that serves or is about to (started, starting, restarting,
    being replaced, freshly created, and ours on their way); `arriving` is the part of it that is
    not started yet; `draining` the part that is marked to leave.
    """

    running: int = 0
    ready: int = 0
    arriving: int = 0
    stopped: int = 0
    suspended: int = 0
    capacity: int = 0
    draining: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Machines this process added to (positive) or took from (negative) a region at monotonic `mono`."""

    region: Region
    mono: float
    machines: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """What the policy sees of a pool's Machines: counts per configured region, and our recent changes."""

    by_region: Mapping[Region, RegionCount]
    changes: tuple[Change, ...] = ()
