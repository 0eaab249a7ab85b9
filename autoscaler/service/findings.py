"""What `check` finds, and what of it can be told from the configuration alone."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from autoscaler.domain.names import Region
from autoscaler.domain.pool import Pool
from autoscaler.policy.memory import refillable
from autoscaler.policy.rules import Policy

OWN_SERIES = re.compile(r"\bfly_(?:instance|app)_\w+")
ANY_SERIES = re.compile(r"\b[a-zA-Z_:][\w:]*(?=\s*[{\[])")


class Grade(StrEnum):
    """How bad it is."""

    FINE = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One sentence about one pool, or about the whole configuration."""

    grade: Grade
    subject: str
    sentence: str

    def __str__(self) -> str:
        """One line."""
        return f"{self.grade:<8}{self.subject}: {self.sentence}"


def on_policy(policy: Policy) -> Iterator[Finding]:
    """What a pool is, and what its configuration will lead to although nothing in it is wrong."""
    pool, name = policy.pool, f"pool {policy.pool.name}"
    regions = ", ".join(
        f"{region} {spec.bounds.min}..{spec.bounds.max}" for region, spec in sorted(pool.regions.items())
    )
    rules = f"{len(pool.rules)} rule{'s' if len(pool.rules) > 1 else ''}"
    sentence = f"app {pool.app}, {regions}, total {pool.bounds.min}..{pool.bounds.max}, {rules}"
    yield Finding(grade=Grade.FINE, subject=name, sentence=sentence)
    if not refillable(policy):
        sentence = (
            f"after a restart it will not go in for {pool.scale_in.window_s:g} s: its rules use the fleet's"
            " own counts, so the past of the metrics does not tell what it wanted"
        )
        yield Finding(grade=Grade.WARNING, subject=name, sentence=sentence)
    if asleep := sleepers(pool):
        sentence = (
            f"{', '.join(asleep)} may go to 0, and its metrics come from its own Machines: once there,"
            " nothing reports a load and 0 is for ever; give it a minimum of 1, or a metric from elsewhere"
        )
        yield Finding(grade=Grade.WARNING, subject=name, sentence=sentence)


def sleepers(pool: Pool) -> list[Region]:
    """Regions that can go to 0 while only their own Machines could ask for more."""
    own = bool(pool.metrics) and all(reports_only_itself(query.promql) for query in pool.metrics)
    if pool.proxy or not own:
        return []
    return [region for region, spec in sorted(pool.regions.items()) if spec.bounds.min == 0 < spec.bounds.max]


def reports_only_itself(promql: str) -> bool:
    """Whether a query reads nothing but what the platform measures of running Machines."""
    names = ANY_SERIES.findall(promql)
    return bool(names) and all(OWN_SERIES.fullmatch(name) for name in names)
