"""What we write into a Machine's metadata, and how it is read back.

The platform keeps these, so they survive this process: they say whose a Machine is, whom it serves and
that it is to leave. Metadata is not fenced by leases and changes no version.
"""

import math
from collections.abc import Mapping

from autoscaler.domain.fleet import Machine
from autoscaler.domain.names import PoolName
from autoscaler.reconcile import naming

PREFIX = "autoscaler"
"""Every key of ours begins so; none is inherited by a copy of ours."""

POOL = "autoscaler"
"""The pool that created the Machine, or the one that somebody copied it from."""
HOME = "autoscaler_home"
"""The region whose demand a Machine serves that runs in another one."""
DRAINING = "autoscaler_draining"
"""Unix seconds since when the Machine is to leave once it is idle."""
DRAINING_VERSION = "autoscaler_draining_version"
"""The version of the Machine that drains: another one has begun a new life and does not."""
DRAINING_MACHINE = "autoscaler_draining_machine"
"""The Machine that drains: somebody's copy of it, such as a deploy makes, inherits the mark and does not."""
DOOMED = "autoscaler_doomed"
"""Unix seconds since when the Machine is to be destroyed once it is stopped."""
ASLEEP = "autoscaler_asleep"
"""The Machine was created without being launched."""
PROTECT = "autoscaler_protect"
"""Written by people: hands off, unless it says `false`."""
BUSY_UNTIL = "autoscaler_busy_until"
"""Written by the worker itself: unix seconds until which it must not be stopped."""

NO_DRAIN: Mapping[str, str | None] = {DRAINING: None, DRAINING_VERSION: None, DRAINING_MACHINE: None}
NO_LEAVING: Mapping[str, str | None] = {**NO_DRAIN, DOOMED: None}


def drain(machine: Machine, wall: float) -> Mapping[str, str | None]:
    """The marks of a drain that begins now."""
    return {DRAINING: f"{wall:.0f}", DRAINING_VERSION: machine.instance_id, DRAINING_MACHINE: machine.id}


def doom(wall: float) -> Mapping[str, str | None]:
    """The mark of a Machine that is to be destroyed."""
    return {DOOMED: f"{wall:.0f}"}


def bears(machine: Machine, pool: PoolName) -> bool:
    """Whether the Machine bears the mark of this pool; so does somebody's copy of one that it created."""
    return machine.metadata.get(POOL) == pool


def made_by(machine: Machine, pool: PoolName) -> bool:
    """Whether this pool created the Machine: copies inherit the mark, but never the name."""
    return bears(machine, pool) and machine.name.startswith(naming.prefix(pool, machine.region))


def marked_draining(machine: Machine) -> bool:
    """Whether there is a drain mark of this Machine, even of another version: a cordon beside it is ours.

    On a Machine that has inherited the mark, a cordon is that of whoever copied it.
    """
    return DRAINING in machine.metadata and machine.metadata.get(DRAINING_MACHINE, machine.id) == machine.id


def draining_since(machine: Machine) -> float | None:
    """Unix seconds at which the drain in force began, None without one.

    A mark of another version or Machine is void: a deploy has replaced what was to drain. An unreadable time
    counts as a drain that has just begun, hence infinity.
    """
    if not marked_draining(machine):
        return None
    version = machine.metadata.get(DRAINING_VERSION, machine.instance_id)
    return _seconds(machine.metadata[DRAINING]) if version == machine.instance_id else None


def doomed(machine: Machine) -> bool:
    """Whether the Machine is to be destroyed."""
    return DOOMED in machine.metadata


def leaving(machine: Machine) -> bool:
    """Whether we have marked the Machine to leave, by a drain in force or for destruction."""
    return doomed(machine) or draining_since(machine) is not None


def protected(machine: Machine) -> bool:
    """Whether people have taken the Machine out of our hands."""
    return machine.metadata.get(PROTECT, "false").strip().lower() != "false"


def busy_until(machine: Machine) -> float | None:
    """Until when the worker asks not to be stopped, in unix seconds; for ever if it is unreadable."""
    value = machine.metadata.get(BUSY_UNTIL)
    return None if value is None else _seconds(value)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        return float("inf")
    return float("inf") if math.isnan(seconds) else seconds
