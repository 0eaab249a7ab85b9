"""The bounds in force at one moment: those of the configuration, as schedules have moved them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from autoscaler.domain.desired import Bounds
from autoscaler.domain.names import Region
from autoscaler.domain.reason import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds per region and for the sum, free of contradictions; where going in is frozen; and why."""

    regions: Mapping[Region, Bounds]
    total: Bounds
    frozen: frozenset[Region] = frozenset()
    reasons: Mapping[Region, tuple[Reason, ...]] = field(default_factory=dict)
    warnings: tuple[Reason, ...] = ()
