"""Everything a tick needs to know, asked for at once and never waited for too long."""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from autoscaler.domain.errors import UpstreamError
from autoscaler.domain.fleet import Machine, MachineState, Survey, Volume
from autoscaler.domain.instant import Instant
from autoscaler.domain.names import AppName, MachineId, MetricName
from autoscaler.domain.pool import Pool
from autoscaler.domain.reading import Absent, Answer, History, Query, Why
from autoscaler.policy.rules import FRESH_INTERVALS
from autoscaler.reconcile.ports import Machines, MetricSource

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """What the outside world said. `survey` is a text for people where there is none.

    `busy` is None where the pool asks no such question; `histories` and `destroyed`, Machines that are no
    more, are empty unless the past was asked for.
    """

    survey: Survey | str
    destroyed: tuple[Machine, ...]
    answers: Mapping[MetricName, Answer]
    busy: Answer | None
    histories: Mapping[MetricName, History]


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What of the past to ask for: the windows' history of every metric, and Machines that are no more."""

    metrics: bool = False
    destroyed: bool = False


async def gather(
    pool: Pool, machines: Machines, metrics: MetricSource, now: Instant, *, past: Past, seconds: float
) -> Gathered:
    """Ask for the survey, every metric, busy Machines and what is wanted of the past, together.

    What has not answered within `seconds` is unreachable; nothing of an upstream's making is raised.
    """
    queries = [*pool.metrics, *([pool.busy] if pool.busy is not None else [])]
    async with asyncio.TaskGroup() as tasks:
        survey = tasks.create_task(
            survey_within(pool.app, machines, seconds=seconds, include_deleted=past.destroyed)
        )
        answers = tasks.create_task(_answers(queries, metrics, seconds))
        histories = tasks.create_task(_histories(pool, metrics, now, seconds if past.metrics else 0.0))
    by_query = list(zip(queries, answers.result(), strict=True))
    present, destroyed = _parted(survey.result()) if past.destroyed else (survey.result(), ())
    return Gathered(
        survey=present,
        destroyed=destroyed,
        answers={query.name: answer for query, answer in by_query[: len(pool.metrics)]},
        busy=by_query[-1][1] if pool.busy is not None else None,
        histories={history.name: history for history in histories.result()},
    )


def _parted(survey: Survey | str) -> tuple[Survey | str, tuple[Machine, ...]]:
    """What there is apart from what there was."""
    if isinstance(survey, str):
        return survey, ()
    destroyed = tuple(machine for machine in survey.machines if machine.state is MachineState.DESTROYED)
    gone = {machine.id for machine in destroyed}
    present = tuple(machine for machine in survey.machines if machine.id not in gone)
    return replace(survey, machines=present), destroyed


async def survey_within(
    app: AppName, machines: Machines, *, seconds: float, include_deleted: bool = False
) -> Survey | str:
    """A survey, or why there is none."""
    try:
        async with asyncio.timeout(seconds):
            return await machines.survey(app, include_deleted=include_deleted)
    except UpstreamError as error:
        return str(error)
    except TimeoutError:
        return f"no answer within {seconds:.1f} s"


async def volumes_within(app: AppName, machines: Machines, *, seconds: float) -> tuple[Volume, ...] | None:
    """Every volume of the app, None if they cannot be read."""
    try:
        async with asyncio.timeout(seconds):
            return await machines.volumes(app)
    except (UpstreamError, TimeoutError):
        return None


async def gone(app: AppName, machines: Machines, ids: Sequence[MachineId], *, seconds: float) -> bool:
    """Whether the platform, asked for each of them, confirms that none of these Machines exists."""
    found = await looked_at(app, machines, ids, seconds=seconds)
    return len(found) == len(ids) and not any(_exists(machine) for machine in found.values())


def _exists(machine: Machine | None) -> bool:
    return machine is not None and machine.state is not MachineState.DESTROYED


async def looked_at(
    app: AppName, machines: Machines, ids: Sequence[MachineId], *, seconds: float
) -> Mapping[MachineId, Machine | None]:
    """What the platform says of each, None of one that does not exist; where it does not answer, nothing."""

    async def look(machine: MachineId) -> Machine | TimeoutError | UpstreamError | None:
        try:
            async with asyncio.timeout(seconds):
                return await machines.look(app, machine)
        except (UpstreamError, TimeoutError) as error:
            return error

    answers = zip(ids, await asyncio.gather(*map(look, ids)), strict=True)
    return {machine: found for machine, found in answers if not isinstance(found, Exception)}


async def _answers(queries: Sequence[Query], metrics: MetricSource, seconds: float) -> Sequence[Answer]:
    if not queries:
        return ()
    late = Absent(why=Why.UNREACHABLE, detail=f"no answer within {seconds:.1f} s")
    return await _within(seconds, metrics.read(queries, timeout_s=seconds), [late] * len(queries))


async def _histories(pool: Pool, metrics: MetricSource, now: Instant, seconds: float) -> Sequence[History]:
    span_s = max(pool.scale_in.window_s, pool.scale_out.window_s)
    if seconds <= 0 or span_s <= 0 or not pool.metrics:
        return ()
    # What comes before the window tells which zero in it is a first one, and what was known until then.
    start = now.wall - span_s - FRESH_INTERVALS * pool.interval_s
    asked = metrics.history(
        pool.metrics, start=start, end=now.wall, step_s=pool.interval_s, timeout_s=seconds
    )
    return await _within(seconds, asked, ())


async def _within(seconds: float, asked: Awaitable[T], otherwise: T) -> T:
    try:
        async with asyncio.timeout(seconds):
            return await asked
    except TimeoutError:
        return otherwise
