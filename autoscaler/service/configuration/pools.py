"""From a pool's table to the domain's Pool, and every mistake in it on the way."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from autoscaler.domain.errors import ConfigurationError, Fault
from autoscaler.domain.names import PoolName
from autoscaler.domain.pool import Pool
from autoscaler.policy.rules import Policy, compile_pool
from autoscaler.service.configuration.building import build
from autoscaler.service.configuration.contradictions import contradictions, without_effect
from autoscaler.service.configuration.environment import RawPool
from autoscaler.service.configuration.faults import Location, Namer, faults_of
from autoscaler.service.configuration.pool_table import PoolTable

# What stands in for a required key that is missing or wrong, so that the rest is judged all the same.
_STAND_INS: Mapping[str, Any] = {
    "app": "app",
    "regions": {"ord": "1..1"},
    "rules": [{"expression": "1"}],
}
# Keys that mean nothing without another one that is wrong.
_DEPENDENTS = {"regions": ("total", "schedules"), "metrics": ("rules",), "rules": ("metrics",)}
_PART = re.compile(r"([^.\[\]]+)|\[(\d+)\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadPool:
    """What came of one pool's table. With faults, `pool` has stand-ins for the keys in `lost`."""

    pool: Pool
    policy: Policy | None
    faults: tuple[Fault, ...]
    lost: frozenset[str]
    without_effect: tuple[tuple[str, str], ...]
    """Keys that do nothing, each with a clause that says why."""


def read_pool(name: str, raw: RawPool, interval_s: float, named: Namer) -> ReadPool:
    """Read one pool. `named` turns a location inside the pool into the path an operator knows."""
    table, faults, broken = _judge(raw, named)
    lost = _with_dependents(broken)
    pool = build(PoolName(name), table, interval_s)
    policy, complaints = _compile(pool)
    for fault in (*contradictions(table), *complaints):
        location = _location(fault.path)
        if location[0] not in lost:
            faults.append(_renamed(fault, location, named))
    return ReadPool(
        pool=pool,
        policy=None if faults else policy,
        faults=tuple(faults),
        lost=lost,
        without_effect=tuple(without_effect(table)),
    )


def _judge(raw: RawPool, named: Namer) -> tuple[PoolTable, list[Fault], frozenset[str]]:
    """The table with stand-ins for whatever is wrong, the faults, and the keys that were wrong."""
    faults, broken = list(raw.faults), raw.broken
    absent = {key: value for key, value in _STAND_INS.items() if key in broken}
    try:
        table = PoolTable.model_validate(absent | dict(raw.table))
    except ValidationError as error:
        faults += faults_of(error, PoolTable, named)
        broken |= {str(entry["loc"][0]) for entry in error.errors(include_url=False)}
    else:
        if not broken:
            return table, faults, broken
    return PoolTable.model_validate(_sound(raw.table, broken)), faults, broken


def _sound(table: Mapping[str, Any], broken: Iterable[str]) -> dict[str, Any]:
    lost = _with_dependents(broken)
    kept = {key: value for key, value in table.items() if key not in lost}
    return kept | {key: value for key, value in _STAND_INS.items() if key in lost}


def _with_dependents(broken: Iterable[str]) -> frozenset[str]:
    return frozenset(key for root in broken for key in (root, *_DEPENDENTS.get(root, ())))


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
