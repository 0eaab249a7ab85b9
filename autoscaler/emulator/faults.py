"""Trouble on request: what goes wrong, for whom, how often, and until when."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What goes wrong.

    Requests: `status` answers with `status` and `body`; `delay` waits `delay_s` first; `hang` never
    answers (or, with `delay_s`, closes the connection then); `drop` closes the connection before
    anything happened; `drop_after_commit` and `hang_after_commit` do what was asked and then do not say so.

    Lists: `empty_list`, `partial_list` (keeps `share`), `stale_list` (as it was `delay_s` ago, or at
    the moment of injection), `duplicate_list`; `error_region` leaves a region out of the organization's list.

    Platform: `region_full`, `host_full`, `host_lost`; `crash` ends a Machine `delay_s` after it
    started, with `exit_code` and `oom`; `stuck` keeps a Machine in the transient state it enters;
    `launch_failed` ends a created Machine before it starts.

    Metrics: `warnings` makes answers partial.
    """

    STATUS = "status"
    DELAY = "delay"
    HANG = "hang"
    DROP = "drop"
    DROP_AFTER_COMMIT = "drop_after_commit"
    HANG_AFTER_COMMIT = "hang_after_commit"
    EMPTY_LIST = "empty_list"
    PARTIAL_LIST = "partial_list"
    STALE_LIST = "stale_list"
    DUPLICATE_LIST = "duplicate_list"
    ERROR_REGION = "error_region"
    REGION_FULL = "region_full"
    HOST_FULL = "host_full"
    HOST_LOST = "host_lost"
    CRASH = "crash"
    STUCK = "stuck"
    LAUNCH_FAILED = "launch_failed"
    WARNINGS = "warnings"


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known of the moment that a fault may hit."""

    operation: str = ""
    app: str = ""
    region: str = ""
    machine: str = ""
    state: str = ""
    release: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One kind of trouble. Each of `operation` (several separated by commas), `app`, `region`,
    `machine`, `state` and `release` narrows it down; empty means any.

    It hits `count` times (None: until cleared), each time with `probability`, after letting `skip`
    occasions pass, for `for_s` seconds (None: without end).
    """

    kind: Kind
    operation: str = ""
    app: str = ""
    region: str = ""
    machine: str = ""
    state: str = ""
    release: str = ""
    count: int | None = None
    probability: float = 1.0
    skip: int = 0
    for_s: float | None = None
    status: int = 503
    body: Mapping[str, Any] | str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_s: float = 0.0
    share: float = 0.5
    exit_code: int = 1
    oom: bool = False

    def concerns(self, facts: Facts) -> bool:
        """Whether the narrowing fits."""
        return (
            (not self.operation or facts.operation in self.operation.split(","))
            and self.app in ("", facts.app)
            and self.region in ("", facts.region)
            and self.machine in ("", facts.machine)
            and self.state in ("", facts.state)
            and self.release in ("", facts.release)
        )


@dataclass(slots=True)
class Injected:
    """A fault in force, with what is left of it."""

    id: int
    fault: Fault
    since: float
    seen: int = 0
    hits: int = 0

    def expired(self, now: float) -> bool:
        """Its count or its time is used up."""
        spent = self.fault.count is not None and self.hits >= self.fault.count
        return spent or (self.fault.for_s is not None and now >= self.since + self.fault.for_s)


class FaultBook:
    """All faults in force. Chance comes from the seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(f"faults:{seed}")  # noqa: S311 - repeatable on purpose
        self._injected: dict[int, Injected] = {}
        self._count = 0

    def add(self, fault: Fault, now: float) -> Injected:
        """Put a fault in force."""
        self._count += 1
        injected = Injected(id=self._count, fault=fault, since=now)
        self._injected[injected.id] = injected
        return injected

    def remove(self, number: int | None = None) -> list[Injected]:
        """End one fault, or all of them; returns the ended ones."""
        numbers = list(self._injected) if number is None else [number]
        return [self._injected.pop(number) for number in numbers if number in self._injected]

    def __iter__(self) -> Iterator[Injected]:
        return iter(tuple(self._injected.values()))

    def hit(self, kinds: Kind | tuple[Kind, ...], facts: Facts, now: float) -> Injected | None:
        """The first fault of these kinds that strikes here; striking uses up one of its count."""
        if not self._injected:
            return None
        wanted = (kinds,) if isinstance(kinds, Kind) else kinds
        return next(
            (
                injected
                for injected in self
                if injected.fault.kind in wanted
                and injected.fault.concerns(facts)
                and self.strike(injected, now)
            ),
            None,
        )

    def strike(self, injected: Injected, now: float) -> bool:
        """Whether an occasion that concerns this fault is struck by it; uses up one of its count if so."""
        fault = injected.fault
        if injected.expired(now):
            return False
        injected.seen += 1
        if injected.seen <= fault.skip:
            return False
        if fault.probability < 1.0 and self.random.random() >= fault.probability:
            return False
        injected.hits += 1
        return True
