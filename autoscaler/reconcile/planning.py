"""A plan from what is known already, and from what only some plans need to know."""

import asyncio
from dataclasses import dataclass, replace

from autoscaler.domain.desired import Decision, Gate
from autoscaler.domain.fleet import Survey, Volume
from autoscaler.domain.instant import Instant
from autoscaler.domain.names import VolumeId
from autoscaler.domain.plan import Create, CreateVolume, Plan
from autoscaler.domain.reading import Answer
from autoscaler.reconcile import template
from autoscaler.reconcile.budget import created_recently
from autoscaler.reconcile.counting import PoolView
from autoscaler.reconcile.gathering import survey_within, volumes_within
from autoscaler.reconcile.ledger import Ledger
from autoscaler.reconcile.planner import make_plan
from autoscaler.reconcile.ports import Machines


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What a plan is made from. `volumes` is None where they were not read."""

    view: PoolView
    decision: Decision
    gate: Gate
    ledger: Ledger
    busy: Answer | None
    volumes: tuple[Volume, ...] | None
    now: Instant


async def plan(known: Known, machines: Machines, *, seconds: float) -> Plan:
    """The plan. The creation budget and the volumes are read, within `seconds`, only if it creates.

    Whether it does is tried out as if there were no limit to creating: a plan that creates nothing
    even so is the same whatever the limit is.
    """
    unlimited = _made(known if known.volumes is not None else replace(known, volumes=()), 0)
    if not any(isinstance(action, Create | CreateVolume) for action in unlimited.actions):
        return unlimited
    pool = known.view.pool
    async with asyncio.TaskGroup() as tasks:
        everything = tasks.create_task(
            survey_within(pool.app, machines, seconds=seconds, include_deleted=True)
        )
        volumes = tasks.create_task(_volumes(known, machines, seconds))
    survey = everything.result()
    known = replace(known, volumes=volumes.result())
    if isinstance(survey, str):
        return _made(known, None)
    return _made(known, _creations(known, survey), _mounted(survey))


def _creations(known: Known, survey: Survey) -> int:
    """What either list calls recent and what we know that we made, each once.

    What is on its way and not in the list of the living is counted elsewhere, and so is what is repeated.
    """
    living = known.view.survey.machines
    recent = created_recently(known.view.pool, (*survey.machines, *living), known.now)
    ids: dict[str, str] = {machine.name: machine.id for machine in (*survey.machines, *living)}
    made = {ids.get(entry, entry) for entry in known.ledger.creations}
    listed = {machine.name for machine in living}
    awaited = {entry.machine for entry in known.ledger.on_the_way if entry.name not in {None, *listed}}
    repeated = {action.name for action in known.ledger.uncertain if isinstance(action, Create)}
    return len((recent | made) - awaited - repeated)


def _mounted(survey: Survey) -> frozenset[VolumeId] | None:
    """The volumes that Machines hold or, while they existed, held; None if not every Machine tells."""
    if any(machine.config is None for machine in survey.machines):
        return None
    return template.mounted(survey.machines)


async def _volumes(known: Known, machines: Machines, seconds: float) -> tuple[Volume, ...] | None:
    mounted = any(member.machine.has_mounts for member in known.view.members)
    if known.volumes is not None or known.view.pool.volumes is None or not mounted:
        return known.volumes
    return await volumes_within(known.view.pool.app, machines, seconds=seconds)


def _made(known: Known, created: int | None, mounted: frozenset[VolumeId] | None = None) -> Plan:
    return make_plan(
        known.view,
        known.decision,
        known.gate,
        known.ledger,
        busy=known.busy,
        created_recently=created,
        now=known.now,
        volumes=known.volumes,
        mounted=mounted,
    )
