"""The outside world in memory: ports that answer what a test told them and remember what they were asked."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace

from autoscaler.domain.desired import Override
from autoscaler.domain.errors import AutoscalerError, UpstreamError
from autoscaler.domain.fleet import Machine, Survey, Volume
from autoscaler.domain.names import AppName, MachineId, MetricName, PoolName
from autoscaler.domain.outcome import Applied, Result
from autoscaler.domain.plan import Action, Create
from autoscaler.domain.reading import Absent, Answer, History, Query, Why

Acting = Callable[[Action], Awaitable[Result]]


async def succeed(action: Action) -> Result:
    """The platform accepts whatever it is asked."""
    if isinstance(action, Create):
        return Applied(machine=MachineId(f"id-of-{action.name}"))
    return Applied(machine=action.machine)


class FakeMachines:
    """A platform whose list is a value and whose acting is a function."""

    def __init__(self, machines: Sequence[Machine] = (), acting: Acting = succeed) -> None:
        self.machines = tuple(machines)
        self.deleted: tuple[Machine, ...] = ()
        self.left_out: frozenset[MachineId] = frozenset()
        self.acting = acting
        self.survey_takes_s = 0.0
        self.survey_fails: UpstreamError | None = None
        self.deleted_fails: UpstreamError | None = None
        self.looks: dict[MachineId, Machine | UpstreamError | None] = {}
        self.looked: list[tuple[AppName, MachineId]] = []
        self.apps: set[AppName] = set()
        self.surveys: list[bool] = []
        self.acted: list[Action] = []
        self.untils: list[float | None] = []
        self.in_flight: list[Action] = []
        self.crowds: list[tuple[Action, ...]] = []

    async def survey(self, app: AppName, *, include_deleted: bool = False) -> Survey:
        self.surveys.append(include_deleted)
        await asyncio.sleep(self.survey_takes_s)
        failure = self.deleted_fails if include_deleted else self.survey_fails
        if failure is not None:
            raise failure
        listed = self.machines + self.deleted if include_deleted else self.machines
        if include_deleted:
            listed = tuple(machine for machine in listed if machine.id not in self.left_out)
        return Survey(app=app, at=0.0, machines=listed)

    async def look(self, app: AppName, machine: MachineId) -> Machine | None:
        self.looked.append((app, machine))
        found = self.looks.get(machine)
        if isinstance(found, UpstreamError):
            raise found
        return found

    async def act(self, app: AppName, action: Action, *, until: float | None = None) -> Result:
        self.apps.add(app)
        self.untils.append(until)
        self.acted.append(action)
        self.in_flight.append(action)
        self.crowds.append(tuple(self.in_flight))
        try:
            return await self.acting(action)
        finally:
            self.in_flight.remove(action)

    async def volumes(self, app: AppName) -> tuple[Volume, ...]:
        self.apps.add(app)
        return ()


class FakeMetrics:
    """A metric source that knows some answers, and is empty about the rest."""

    def __init__(self, answers: Mapping[str, Answer] | None = None) -> None:
        self.answers = dict(answers or {})
        self.histories: dict[str, History] = {}
        self.takes_s = 0.0
        self.reads: list[tuple[MetricName, ...]] = []
        self.past_reads: list[tuple[float, float, float]] = []
        self.patience: list[float] = []

    async def read(self, queries: Sequence[Query], *, timeout_s: float) -> Sequence[Answer]:
        self.patience.append(timeout_s)
        self.reads.append(tuple(query.name for query in queries))
        await asyncio.sleep(self.takes_s)
        return [self.answers.get(query.name, Absent(why=Why.EMPTY)) for query in queries]

    async def history(
        self, queries: Sequence[Query], *, start: float, end: float, step_s: float, timeout_s: float
    ) -> Sequence[History]:
        self.patience.append(timeout_s)
        self.past_reads.append((start, end, step_s))
        pasts = [self.histories.get(query.name, History(name=query.name)) for query in queries]
        return [
            replace(past, samples=tuple(sample for sample in past.samples if start <= sample.at <= end))
            for past in pasts
        ]


class FakeJournal:
    """What operators commanded: a value, or nothing that can be read."""

    def __init__(self, *overrides: Override, fails: AutoscalerError | None = None) -> None:
        self._overrides = overrides
        self._fails = fails
        self.asked: list[PoolName] = []

    def overrides(self, pool: PoolName) -> tuple[Override, ...]:
        self.asked.append(pool)
        if self._fails is not None:
            raise self._fails
        return self._overrides
