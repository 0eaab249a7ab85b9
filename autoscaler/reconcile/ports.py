"""What a tick needs from the outside, each port as small as its use.

There is no clock here: `now` is a value. Implementations live in `autoscaler.adapters`.
"""

from collections.abc import Sequence
from typing import Protocol

from autoscaler.domain.desired import Override
from autoscaler.domain.fleet import Machine, Survey, Volume
from autoscaler.domain.names import AppName, MachineId, PoolName
from autoscaler.domain.outcome import Result
from autoscaler.domain.plan import Action
from autoscaler.domain.reading import Answer, History, Query


class MetricSource(Protocol):
    """Numbers about the load."""

    async def read(self, queries: Sequence[Query], *, timeout_s: float) -> Sequence[Answer]:
        """Answer every query, in order, all asked together within `timeout_s` seconds.

        Trouble is an `Absent` in its place; nothing of the upstream's making is raised.
        """
        ...

    async def history(
        self, queries: Sequence[Query], *, start: float, end: float, step_s: float, timeout_s: float
    ) -> Sequence[History]:
        """The past of every query between two unix times, in order; empty where it cannot be told."""
        ...


class Machines(Protocol):
    """The platform that runs Machines."""

    async def survey(self, app: AppName, *, include_deleted: bool = False) -> Survey:
        """List every Machine of the app. Raises UpstreamError: a partial or unreadable list is an error."""
        ...

    async def look(self, app: AppName, machine: MachineId) -> Machine | None:
        """One Machine, or None if the platform says that it does not exist. Raises UpstreamError."""
        ...

    async def act(self, app: AppName, action: Action, *, until: float | None = None) -> Result:
        """Carry out one action, once. Every trouble is a Result; nothing of the upstream's making is raised.

        Stop, suspend and destroy take a lease of at most 20 seconds and always give it back. `until`, a
        moment of the event loop's clock, is the last at which anything is sent: an action whose turn in
        the platform's rate limit comes later is NotSent.
        """
        ...

    async def volumes(self, app: AppName) -> tuple[Volume, ...]:
        """Every volume of the app. Raises UpstreamError."""
        ...


class Journal(Protocol):
    """What operators commanded."""

    def overrides(self, pool: PoolName) -> tuple[Override, ...]:
        """The overrides in force. Raises AutoscalerError if they cannot be read, which means paused."""
        ...
