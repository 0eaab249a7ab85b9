"""What a metric source said, judged: a number that may be used, or the name of why there is none.

No data is never zero. Everything that cannot be believed becomes an `Absent` before any
arithmetic sees it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from autoscaler.domain.names import MetricName


class Why(StrEnum):
    """The reasons for which a metric has no usable value."""

    UNREACHABLE = "unreachable"
    REFUSED = "refused"
    MALFORMED = "malformed"
    EMPTY = "empty"
    NOT_A_NUMBER = "not_a_number"
    NEGATIVE = "negative"
    AMBIGUOUS = "ambiguous"
    STALE = "stale"
    UNCONFIRMED = "unconfirmed"
    NONE_READY = "none_ready"
    """Not the metric's fault: a mean per Machine says nothing while no Machine is ready."""


AHEAD = "ahead of our clock"
"""In the detail of what is STALE because it comes from the future; there nothing helps but right clocks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A finite value. `age_s` is the sample's true age in seconds, None where it cannot be known.

    A `partial` value came with warnings: good enough to go out, never to go in.
    """

    value: float
    age_s: float | None = None
    partial: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Absent:
    """No usable value. `detail` is a short text of the upstream, without secrets, for people.

    A `partial` one came with warnings, and so did whatever value is taken in its place.
    """

    why: Why
    detail: str = ""
    partial: bool = False


Reading = Measured | Absent


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """One reading per value of the label that splits the metric (a region code, an instance id).

    A `partial` one came with warnings: what it does not list may be missing from it.
    """

    by_label: Mapping[str, Reading]
    partial: bool = False


Answer = Reading | Split
"""A whole metric: pool-wide (a Reading) or split by a label."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A question to a metric source, ready to be sent.

    `label` names the label that splits the answer (`region`, `instance`); `by_region` tells whether its
    values are to be regions, which are few. `missing` is what the policy takes an empty answer for; a source
    calls it empty. `max_age_s` is the oldest sample believed, in seconds; `age_promql`, if any, yields the
    sample's age in seconds.
    """

    name: MetricName
    promql: str
    label: str = "region"
    by_region: bool = True
    missing: float | None = None
    max_age_s: float = 180.0
    age_promql: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One point of a metric's past: its answer at unix time `at`."""

    at: float
    answer: Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """A metric's past, oldest first, on a regular grid; empty where the source could not tell."""

    name: MetricName
    samples: tuple[Sample, ...] = field(default=())
