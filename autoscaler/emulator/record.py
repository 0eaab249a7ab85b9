"""What the emulated platform remembers. Values are replaced, never changed, so that the past stays true."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]

GONE = frozenset({"destroyed"})
IDLE = frozenset({"stopped", "failed", "launch_failed", "destroying", "destroyed"})
"""States in which a Machine reserves nothing on its host."""


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """An app of an organization."""

    id: str
    number: int
    name: str
    org: str
    network: str = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One line of a Machine's history; `at` in unix seconds."""

    id: str
    type: str
    status: str
    source: str
    at: float
    request: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """An exclusive hold; `version` is the Machine's instance id when it was taken."""

    nonce: str
    owner: str
    description: str
    expires_at: float
    version: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Machine:
    """One Machine at one moment. `generation` grows with every change of state and outdates what was planned.

    `checks` is the status all its health checks report, empty while they report nothing.
    `events` are newest first; `restarts` the times of its recent ones; times are unix seconds.
    """

    id: str
    app: str
    name: str
    region: str
    host: str
    state: str
    config: Json
    image_ref: Json
    instance_id: str
    private_ip: str
    created_at: float
    updated_at: float
    host_status: str = "ok"
    cordoned: bool = False
    stuck: bool = False
    generation: int = 0
    checks: str = ""
    checked_at: float = 0.0
    events: tuple[Event, ...] = ()
    versions: tuple[tuple[str, Json], ...] = ()
    restarts: tuple[float, ...] = ()
    stopped_at: float | None = None
    started_at: float | None = None
    memory_limit_mb: int | None = None

    @property
    def metadata(self) -> dict[str, str]:
        """The metadata of its configuration."""
        found: dict[str, str] = self.config.get("metadata") or {}
        return found

    @property
    def live(self) -> bool:
        """Not destroyed: its name is taken."""
        return self.state not in GONE

    @property
    def reserves(self) -> bool:
        """It takes a place on its host."""
        return self.state not in IDLE


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """A disk on one host. `released_at` is when its Machine was destroyed, unix seconds."""

    id: str
    app: str
    name: str
    region: str
    host: str
    size_gb: int
    created_at: float
    state: str = "created"
    machine: str | None = None
    released_at: float | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    snapshots: tuple[Json, ...] = ()
