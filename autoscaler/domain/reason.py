"""Why a number became another number: an enum member and the numbers, never prose.

The wording lives here once, so that every projection (plan, log, status page) says the same.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple


class ReasonCode(StrEnum):
    """Stable codes: they appear in `plan --json`, in logs and as a metric label. Add, never rename."""

    # demand
    RULE = "rule"
    UNKNOWN = "unknown"
    PARTIAL = "partial"
    ELSEWHERE = "elsewhere"
    TOLERANCE = "tolerance"
    POOL_DEMAND = "pool_demand"
    SPARE = "spare"
    SHARED = "shared"
    LAST_KNOWN = "last_known"
    ON_ABSENT = "on_absent"
    # limits and damping
    SCHEDULE = "schedule"
    SCHEDULE_CONFLICT = "schedule_conflict"
    FREEZE_IN = "freeze_in"
    TOTAL_MIN = "total_min"
    TOTAL_MAX = "total_max"
    BOUND_MIN = "bound_min"
    BOUND_MAX = "bound_max"
    WINDOW_IN = "window_in"
    WINDOW_OUT = "window_out"
    STEP_IN = "step_in"
    STEP_OUT = "step_out"
    HOLD = "hold"
    RESTART_HOLD = "restart_hold"
    ARRIVING = "arriving"
    CLOCK_JUMP = "clock_jump"
    # guards
    PAUSED = "paused"
    PAUSE_IN = "pause_in"
    PAUSE_OUT = "pause_out"
    PIN = "pin"
    OFFSET = "offset"
    DEPLOY = "deploy"
    COLLAPSE = "collapse"
    OLD_LIST = "old_list"
    UNHEALTHY = "unhealthy"
    BUSY_COVERAGE = "busy_coverage"
    # acting
    DEMAND = "demand"
    SURPLUS = "surplus"
    RESERVE = "reserve"
    RESUME_DRAINING = "resume_draining"
    DRAINING = "draining"
    DRAINED = "drained"
    DRAIN_EXPIRED = "drain_expired"
    DOOMED = "doomed"
    SPILLED = "spilled"
    REPEAT = "repeat"
    # shortfall
    CREATE_OFF = "create_off"
    NO_TEMPLATE = "no_template"
    BUDGET = "budget"
    BUDGET_UNREADABLE = "budget_unreadable"
    REGION_FULL = "region_full"
    HOST_FULL = "host_full"
    PARKED = "parked"
    ORG_LIMIT = "org_limit"
    VOLUMES = "volumes"
    VOLUMES_UNREADABLE = "volumes_unreadable"
    INVALID_CONFIG = "invalid_config"
    CRASH_LOOP = "crash_loop"
    PASSED_OVER = "passed_over"
    LEASED = "leased"
    STOPPING = "stopping"
    AT_MAX = "at_max"
    # warnings
    METRIC_ABSENT = "metric_absent"
    RULE_UNDEFINED = "rule_undefined"
    TWO_MASTERS = "two_masters"
    OUTSIDE_REGIONS = "outside_regions"
    STUCK = "stuck"
    LOST_ON_THE_WAY = "lost_on_the_way"
    LONG_DRAIN = "long_drain"
    STAYS = "stays"
    ORPHAN_VOLUMES = "orphan_volumes"
    DEPLOY_LAPSED = "deploy_lapsed"
    SURVEY_FAILED = "survey_failed"
    REFUSED = "refused"
    TICK_FAILED = "tick_failed"
    DEADLINE = "deadline"


Number = float | int | str
Numbers = tuple[tuple[str, Number], ...]


class Reason(NamedTuple):
    """A code and its numbers, as (name, value) pairs in the order they should be read.

    A tick makes dozens, and a named tuple costs half of what a frozen dataclass does.
    """

    code: ReasonCode
    numbers: Numbers = ()

    @property
    def detail(self) -> str:
        """The numbers as one line for people, such as `capacity=4 window_s=300`."""
        return " ".join(_pairs(self.numbers))

    def __str__(self) -> str:
        """Code and numbers, such as `window_in capacity=4 window_s=300`."""
        return f"{self.code} {self.detail}".rstrip()


def reason(code: ReasonCode, **numbers: Number | None) -> Reason:
    """Build a Reason; keyword order is kept, and what is None is left out."""
    return Reason(code, tuple((name, value) for name, value in numbers.items() if value is not None))


def figure(value: float) -> str:
    """A value for people, in 12 digits: enough to recompute what is rounded up, too few for 0.1 + 0.2 to show
    how a computer counts.
    """
    return f"{value:.12g}"


def _pairs(numbers: Numbers) -> Iterator[str]:
    for name, value in numbers:
        yield f"{name}={figure(value)}" if isinstance(value, float) else f"{name}={value}"
