"""From a pool's table to the domain's Pool, and every mistake in it on the way."""

import re
from dataclasses import dataclass

from pydantic import ValidationError

from autoscaler.domain.errors import ConfigurationError, Fault
from autoscaler.domain.names import PoolName
from autoscaler.domain.pool import Pool
from autoscaler.policy.rules import Policy, compile_pool
from autoscaler.service.configuration.building import build
from autoscaler.service.configuration.contradictions import contradictions, without_effect
from autoscaler.service.configuration.environment import RawPool
from autoscaler.service.configuration.faults import Location, Namer, faults_of
from autoscaler.service.configuration.mending import STAND_INS, mend
from autoscaler.service.configuration.pool_table import PoolTable

_PART = re.compile(r"([^.\[\]]+)|\[(\d+)\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadPool:
    """What came of one pool's table. With faults, `pool` has stand-ins at `lost` places and elsewhere."""

    pool: Pool
    policy: Policy | None
    faults: tuple[Fault, ...]
    lost: frozenset[Location]
    without_effect: tuple[tuple[str, str], ...]
    """Keys that do nothing, each with a clause that says why."""


def read_pool(name: str, raw: RawPool, interval_s: float, named: Namer) -> ReadPool:
    """Read one pool. `named` turns a location inside the pool into the path an operator knows."""
    table, faults, lost = _judge(raw, named)
    pool = build(PoolName(name), table, interval_s)
    policy, complaints = _compile(pool)
    for fault in (*contradictions(table), *complaints):
        location = _location(fault.path)
        if not any(location[: len(place)] == place for place in lost):
            faults.append(_renamed(fault, location, named))
    return ReadPool(
        pool=pool,
        policy=None if faults else policy,
        faults=tuple(faults),
        lost=lost,
        without_effect=tuple(without_effect(table)),
    )


def _judge(raw: RawPool, named: Namer) -> tuple[PoolTable, list[Fault], frozenset[Location]]:
    """The table with stand-ins for whatever is wrong, the faults, and the places that are lost."""
    faults = list(raw.faults)
    mistakes: list[Location] = [(key,) for key in sorted(raw.broken)]
    absent = {key: value for key, value in STAND_INS.items() if key in raw.broken}
    try:
        table = PoolTable.model_validate(absent | dict(raw.table))
    except ValidationError as error:
        faults += faults_of(error, PoolTable, named)
        mistakes += [entry["loc"] for entry in error.errors(include_url=False)]
    else:
        if not mistakes:
            return table, faults, frozenset()
    mended = mend(raw.table, mistakes)
    return PoolTable.model_validate(mended.table), faults, mended.lost


def _compile(pool: Pool) -> tuple[Policy | None, tuple[Fault, ...]]:
    try:
        return compile_pool(pool), ()
    except ConfigurationError as error:
        return None, error.faults


def _location(path: str) -> Location:
    parts = [match[1] or int(match[2]) for match in _PART.finditer(path)]
    return tuple(parts) or ("",)


def _renamed(fault: Fault, location: Location, named: Namer) -> Fault:
    path, inner = named(location)
    return Fault(
        path=path, problem=f"{inner}: {fault.problem}" if inner else fault.problem, remedy=fault.remedy
    )
