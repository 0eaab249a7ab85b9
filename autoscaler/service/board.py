"""What the endpoints may know of the loop: the last reports of every pool, and when it last ticked."""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from autoscaler.domain.instant import Instant
from autoscaler.domain.names import PoolName
from autoscaler.domain.outcome import TickReport
from autoscaler.domain.plan import Create
from autoscaler.domain.pool import Pool
from autoscaler.reconcile.deadline import tick_seconds

REPORTS_KEPT = 2000
REPORTS_PER_POOL = 120
INTERVALS_UNTIL_DEAD = 3


class Listener(Protocol):
    """Whoever wants to know about ticks."""

    def began(self, pool: PoolName, delay_s: float) -> None:
        """A tick begins, so many seconds after it was due."""
        ...

    def ended(self, report: TickReport) -> None:
        """A tick ended, well or badly."""
        ...


class Board:
    """A bounded ring of reports per pool."""

    def __init__(self, pools: Sequence[Pool], *, now: Instant) -> None:
        """Nothing has ticked yet; the time until something must have is counted from `now`."""
        keep = max(2, min(REPORTS_PER_POOL, REPORTS_KEPT // max(1, len(pools))))
        self.pools: Mapping[PoolName, Pool] = {pool.name: pool for pool in pools}
        self._rings: dict[PoolName, deque[TickReport]] = {pool.name: deque(maxlen=keep) for pool in pools}
        self._ticked = {pool.name: now.mono for pool in pools}
        self._unseen = set(self.pools)

    def began(self, pool: PoolName, delay_s: float) -> None:
        """Nothing to show until the tick has ended."""

    def ended(self, report: TickReport) -> None:
        """Keep a report."""
        self._rings[report.pool].append(light(report))
        self._ticked[report.pool] = report.at.mono + report.duration_s
        if report.surveyed:
            self._unseen.discard(report.pool)

    def latest(self) -> Mapping[PoolName, TickReport | None]:
        """The last report of every pool, in the order of the configuration."""
        return {name: ring[-1] if ring else None for name, ring in self._rings.items()}

    def decisions(self, pool: PoolName | None, limit: int) -> list[TickReport]:
        """The newest reports first, of one pool or of all. KeyError for a pool nobody configured."""
        rings: Iterable[deque[TickReport]] = self._rings.values() if pool is None else (self._rings[pool],)
        # A ring may grow meanwhile, for pages are written in threads.
        reports = sorted(
            (report for ring in rings for report in tuple(ring)), key=lambda report: report.at.mono
        )
        return reports[::-1][:limit]

    def silent(self, now: Instant) -> list[PoolName]:
        """Pools whose loop has not ticked within three intervals and one tick's deadline."""
        return [
            name
            for name, pool in self.pools.items()
            if now.mono - self._ticked[name]
            > INTERVALS_UNTIL_DEAD * pool.interval_s + tick_seconds(pool.interval_s)
        ]

    def unseen(self) -> list[PoolName]:
        """Pools that no survey has shown yet."""
        return sorted(self._unseen)


def light(report: TickReport) -> TickReport:
    """The report without the configurations in its creations: they would keep whole surveys alive."""
    actions = tuple(
        replace(action, config={}) if isinstance(action, Create) else action for action in report.plan.actions
    )
    outcomes = tuple(
        replace(outcome, action=replace(outcome.action, config={}))
        if isinstance(outcome.action, Create)
        else outcome
        for outcome in report.outcomes
    )
    return replace(report, plan=replace(report.plan, actions=actions), outcomes=outcomes)
