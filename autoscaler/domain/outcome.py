"""What became of each action, and the report that seals a tick."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from autoscaler.domain.desired import Decision
from autoscaler.domain.fleet import RegionCount
from autoscaler.domain.instant import Instant
from autoscaler.domain.names import AppName, GroupName, MachineId, PoolName, Region, VolumeId
from autoscaler.domain.plan import EMPTY_PLAN, Action, Plan
from autoscaler.domain.reason import Reason


class Refusal(StrEnum):
    """The platform's ways of saying no, by what they mean for the next tick."""

    REGION_FULL = "region_full"
    HOST_FULL = "host_full"
    ORG_LIMIT = "org_limit"
    VOLUME = "volume"
    INVALID = "invalid"
    IMAGE = "image"
    WRONG_STATE = "wrong_state"
    NOT_FOUND = "not_found"
    NAME_TAKEN = "name_taken"
    LEASED = "leased"
    CONFLICT = "conflict"
    RATE_LIMITED = "rate_limited"
    UNAUTHORIZED = "unauthorized"


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """The platform accepted the action. For a create, `machine` or `volume` is the new one."""

    machine: MachineId | None = None
    volume: VolumeId | None = None
    result = "applied"


@dataclass(frozen=True, slots=True, kw_only=True)
class AlreadySo:
    """Nothing to do: neither success nor error. `machine` names the one that already exists."""

    machine: MachineId | None = None
    result = "already_so"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """The platform said no, and nothing was changed. `detail` is its text, cut, without secrets."""

    refusal: Refusal
    detail: str = ""
    result = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The action was certainly not carried out (never sent, or rejected for another reason)."""

    detail: str = ""
    result = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Uncertain:
    """Nobody knows whether it was carried out: the next survey tells. It is never repeated blindly."""

    detail: str = ""
    result = "uncertain"


@dataclass(frozen=True, slots=True, kw_only=True)
class NotSent:
    """The tick's deadline came first; the next tick plans anew."""

    result = "not_sent"


Result = Applied | AlreadySo | Refused | Failed | Uncertain | NotSent


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One action and its result."""

    action: Action
    result: Result
    duration_s: float = 0.0


class Verdict(StrEnum):
    """A tick in one word.

    Failed: an action was refused, failed or is uncertain, or the tick itself failed, by a fault of ours.
    """

    STEADY = "steady"
    SCALED = "scaled"
    HELD = "held"
    BLIND = "blind"
    PAUSED = "paused"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class TickReport:
    """All that one tick of one pool saw, decided and did.

    Logs, metrics, pages and commands are projections of it; none computes anything again.
    `counts` is empty when the survey failed, `decision` is None when none was made.
    """

    pool: PoolName
    app: AppName
    group: GroupName
    at: Instant
    verdict: Verdict
    duration_s: float = 0.0
    counts: Mapping[Region, RegionCount] = field(default_factory=dict)
    decision: Decision | None = None
    plan: Plan = EMPTY_PLAN
    outcomes: tuple[Outcome, ...] = ()
    warnings: tuple[Reason, ...] = ()
    parked: tuple[Region, ...] = ()
    acted: bool = True
    """False in a dry run: the plan was made and not carried out."""
    dollars_per_hour: float | None = None
    """What the pool's started Machines cost (`domain.prices`), None when the survey failed."""

    @property
    def surveyed(self) -> bool:
        """Whether the platform told this tick which Machines there are: without that nothing is decided."""
        return self.decision is not None

    @property
    def notices(self) -> tuple[Reason, ...]:
        """Every warning of the tick, the decision's and the plan's included, each once."""
        decided = self.decision.warnings if self.decision else ()
        return tuple(dict.fromkeys((*self.warnings, *decided, *self.plan.warnings)))
