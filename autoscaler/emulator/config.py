"""What an emulated Fly is made of before the first request: one app, its Machines, delays and limits."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from autoscaler.domain.names import Region

IAD = Region("iad")


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenScope:
    """What a token may do. `kind` is `org` (everything), `deploy` (everything in `app`) or `readonly`
    (every GET of the organization, metrics included).
    """

    kind: str = "org"
    app: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EmulatorConfig:
    """An organization with one app. Durations are seconds of the emulator's clock; 0 means at once.

    `machines` is the app's total, dealt to `regions` in turn. Delays default to what was measured
    on the platform; `latency_s` is spent half before and half after a request takes effect.
    """

    app: str = "demo"
    group: str = "app"
    """Process group of the seeded Machines; empty for Machines without any group."""
    regions: tuple[Region, ...] = (Region("ord"), Region("ams"), Region("fra"))
    machines: int = 3
    state: str = "stopped"
    """State of the seeded Machines: created, started, stopped or suspended."""
    org: str = "personal"
    seed: int = 0
    latency_s: float = 0.0
    rate_limits: bool = True
    """One request a second with a burst of 3 for each action on each Machine or app, as the platform has."""
    tokens: Mapping[str, TokenScope] = field(default_factory=dict)
    """Accepted tokens; while empty, every token is one of the organization."""
    guest: Mapping[str, Any] = field(
        default_factory=lambda: {"cpu_kind": "shared", "cpus": 1, "memory_mb": 256}
    )
    services: bool = False
    """Seeded Machines have a service that Fly Proxy starts and stops."""
    machine_config: Mapping[str, Any] = field(default_factory=dict)
    """Laid over the configuration of every seeded Machine."""
    release: int = 63
    """Release version in the metadata of the seeded Machines."""
    nearest: Region = IAD
    """Where the caller is taken to be: the region of a create that names none."""
    hosts_per_region: int = 4
    host_capacity: int | None = None
    """Machines a host can hold that are not stopped; None means any number."""
    region_capacity: Mapping[Region, int] = field(default_factory=dict)
    """Machines a region can hold that are not stopped; a region not named holds any number."""

    create_s: float = 3.5
    """created -> starting"""
    image_prep_s: float = 9.0
    """created -> stopped, with skip_launch"""
    boot_s: float = 1.4
    """starting -> started"""
    resume_s: float = 0.4
    """starting -> started, from a snapshot"""
    stop_s: float = 1.3
    """stopping -> stopped"""
    settle_s: float = 0.4
    """After this the platform no longer thinks a stopped Machine is still active."""
    suspend_s: float = 3.0
    """suspending -> suspended"""
    update_s: float = 3.5
    """replacing -> what was asked for"""
    destroy_s: float = 1.0
    """destroying -> destroyed"""
    detach_s: float = 60.0
    """How long a volume still looks attached after its Machine was destroyed."""
    linger_s: float = 10.0
    """How long GET still shows a destroyed Machine."""
    checks_s: float = 0.0
    """Between started and the first result of the health checks."""
    list_lag_s: float = 0.0
    """How far lists are behind."""
    get_lag_s: float = 0.0
    """How far GETs are behind for callers that do not send back the affinity cookie."""
    lease_ttl_s: float = 30.0
    """Length of a lease whose caller names none."""
    lease_patience_s: float = 20.0
    """How long stop and destroy wait for somebody else's lease before they give up with 409."""
