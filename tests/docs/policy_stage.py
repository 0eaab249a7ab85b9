"""A worked example of docs/policy.md, played: real settings, real policy, ticks in a row."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from autoscaler.domain.desired import OPEN_GATE, Decision, Gate, Override
from autoscaler.domain.fleet import Change, Fleet, RegionCount
from autoscaler.domain.instant import Instant
from autoscaler.domain.names import MetricName, Region
from autoscaler.domain.reading import Absent, Answer, History, Measured, Reading, Sample, Split, Why
from autoscaler.domain.reason import ReasonCode, reason
from autoscaler.policy.decide import decide
from autoscaler.policy.memory import Memory, initial, refill
from autoscaler.policy.rules import Policy
from autoscaler.service.configuration.notation import seconds
from autoscaler.service.settings import load
from tests.docs.policy_page import Row

MIDNIGHT = 1_767_225_600.0
"""1 January 2026, UTC: where the clocks of examples begin that name no date."""
ENVIRON = {
    "AUTOSCALER_API_TOKEN": "fo1_api",
    "AUTOSCALER_PROMETHEUS_TOKEN": "fo1_metrics",
    "AUTOSCALER_PROMETHEUS_URL": "https://api.fly.io/prometheus/my-org",
}
NO_IN = {"deploy": reason(ReasonCode.DEPLOY, signal="updating")}


def policy_of(toml: str) -> Policy:
    """The pool as the program itself would read it."""
    file = f'[pools.shop]\napp = "shop"\n{toml}'
    (policy,) = load({**ENVIRON, "AUTOSCALER_CONFIG_TOML": file}).policies
    return policy


@dataclass(slots=True, kw_only=True)
class Stage:
    """A pool while its example is played. `desired` is what the tick before decided."""

    policy: Policy
    origin: float | None = None
    clock_ahead_s: float = 0.0
    fleet: Fleet = field(default_factory=lambda: Fleet(by_region={}))
    desired: Mapping[Region, int] | None = None
    memory: Memory | None = None
    past: list[tuple[float, Mapping[MetricName, Answer]]] = field(default_factory=list)
    mono: float = 0.0

    def play(self, row: Row, at: float) -> Decision:
        """One tick."""
        fleet, event = row.cells["fleet"], row.cells["event"]
        self._survey(fleet)
        now = self._now(row, at, event)
        answers = {MetricName(name): answer(cell) for name, cell in row.metrics.items()}
        if self.memory is None or event in {"restart", "refill"}:
            self.memory = self._begin(now, event)
        decision, self.memory = decide(self.policy, answers, self.fleet, gate(event), self.memory, now)
        self.desired, self.mono = decision.desired, now.mono
        self.past.append((now.wall, answers))
        return decision

    def _now(self, row: Row, at: float, event: str) -> Instant:
        if self.origin is None:
            self.origin = at if row.absolute else MIDNIGHT
        if event.startswith("clock "):
            sign, length = event[6], seconds(event[7:])
            self.clock_ahead_s += (length or 0.0) * (1 if sign == "+" else -1)
        wall = at if row.absolute else self.origin + at
        return Instant(wall=wall + self.clock_ahead_s, mono=1000.0 + wall - self.origin)

    def _survey(self, cell: str) -> None:
        """What the survey finds: what the cell says, else that what was desired has come true."""
        changes = self.fleet.changes
        if cell:
            self.fleet = Fleet(by_region=counts(cell, self.policy.regions[0]), changes=changes)
        elif self.desired is not None:
            made = {
                region: count - self.fleet.by_region.get(region, RegionCount()).capacity
                for region, count in self.desired.items()
            }
            changes = (
                *changes,
                *(Change(region=region, mono=self.mono, machines=n) for region, n in made.items() if n),
            )
            running = {region: _running(count) for region, count in self.desired.items()}
            self.fleet = Fleet(by_region=running, changes=changes)

    def _begin(self, now: Instant, event: str) -> Memory:
        memory = initial(self.policy, self.fleet, now, hold=event in {"restart", "refill"})
        if event != "refill":
            return memory
        histories = {
            query.name: History(
                name=query.name,
                samples=tuple(Sample(at=at, answer=answers[query.name]) for at, answers in self.past),
            )
            for query in self.policy.pool.metrics
        }
        return refill(self.policy, memory, histories, now)


def gate(event: str) -> Gate:
    """What an event forbids or commands for its tick."""
    kind, _, machines = event.partition(" ")
    if kind in NO_IN:
        return Gate(no_in=(NO_IN[kind],))
    if kind == "pause":
        return Gate(paused=reason(ReasonCode.PAUSED, because="maintenance"))
    if kind in {"pin", "offset", "pause_in", "pause_out"}:
        return Gate(overrides=(Override(kind=kind, machines=int(machines or 0), because="sale"),))
    if kind not in {"", "restart", "refill", "clock"}:
        raise ValueError(f"{event!r} is no event")
    return OPEN_GATE


def answer(cell: str) -> Answer:
    """`73`, `73 partial`, a reason for absence such as `unreachable`, or `ord 90, ams 21` per region."""
    parts = re.findall(r"\b([a-z]{3}) ([^,]+)", cell)
    if parts and parts[0][0] in cell[:3]:
        return Split(by_label={region: reading(told) for region, told in parts})
    return reading(cell)


def reading(told: str) -> Reading:
    """One series' value, or why there is none."""
    value, _, partial = told.partition(" ")
    if value in set(Why):
        return Absent(why=Why(value), partial=partial == "partial")
    return Measured(value=float(value), partial=partial == "partial")


def counts(cell: str, only: Region) -> dict[Region, RegionCount]:
    """`4`, `ord 4, ams 2`, or with details `ord 4 (1 arriving, 2 stopped)`."""
    found = {}
    for region, count, details in re.findall(r"(?:([a-z]{3}) )?(\d+)(?: \(([^)]*)\))?(?:, |$)", cell):
        numbers = {word: int(number) for number, word in re.findall(r"(\d+) (\w+)", details)}
        found[Region(region) if region else only] = _running(int(count), numbers)
    return found


def machines(cell: str, only: Region) -> dict[Region, int | None]:
    """`8`, `ord 8, ams 2`; `?` is a demand nobody knows."""
    found = re.findall(r"(?:([a-z]{3}) )?(\d+|\?)(?:, |$)", cell)
    return {
        Region(region) if region else only: None if count == "?" else int(count) for region, count in found
    }


def _running(capacity: int, details: Mapping[str, int] | None = None) -> RegionCount:
    started = capacity - (details or {}).get("arriving", 0)
    return RegionCount(**{"capacity": capacity, "running": started, "ready": started, **(details or {})})
