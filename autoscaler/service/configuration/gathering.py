"""Environment and file brought together: the process's settings, the pools, and what is wrong with either."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from autoscaler.domain.errors import ConfigurationError, Fault
from autoscaler.service.configuration.contradictions import duplicates
from autoscaler.service.configuration.document import read_document
from autoscaler.service.configuration.environment import RawPool, pool_from, pool_variables, variable_in
from autoscaler.service.configuration.faults import Location, Namer, dotted, faults_of
from autoscaler.service.configuration.pool_table import POOL_NAME
from autoscaler.service.configuration.pools import ReadPool, read_pool
from autoscaler.service.configuration.process import Process
from autoscaler.service.configuration.sources import is_said, read_process, variable_behind
from autoscaler.service.configuration.spelling import MistakeError, closest, kind, listed

_IDENTITY = frozenset({"app", "group", "match"})
_USUAL_INTERVAL_S = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """All that was said. `process` is None if something about it is wrong."""

    tables: Mapping[str, Any]
    process: Process | None
    pools: tuple[ReadPool, ...]
    faults: tuple[Fault, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Candidate:
    """A pool as it was said, under its name, with the words for places in it."""

    name: str
    raw: RawPool
    named: Namer


def gather(environ: Mapping[str, str]) -> Gathered:
    """Read everything; nothing is raised for an operator's mistake."""
    tables, unreadable = _read_tables(environ)
    process, found = _read_process(environ, tables)
    # What an unreadable file might have said is not missing.
    faults = [*unreadable, *_top_level(tables)]
    faults += [fault for fault in found if fault.path in environ] if unreadable else found
    candidates, found = _candidates(environ, tables, complete=not unreadable)
    interval_s = process.daemon.interval if process else _USUAL_INTERVAL_S
    pools = [(one, read_pool(one.name, one.raw, interval_s, one.named)) for one in candidates]
    faults += [*found, *(fault for _, read in pools for fault in read.faults), *_twins(pools)]
    if not unreadable and not is_said("prometheus", "url", environ, tables):
        faults += _without_source(candidates)
    return Gathered(
        tables=tables,
        process=process,
        pools=tuple(read for _, read in pools),
        faults=tuple(faults),
        warnings=tuple(_warnings(pools)),
    )


def _read_tables(environ: Mapping[str, str]) -> tuple[Mapping[str, Any], tuple[Fault, ...]]:
    try:
        return read_document(environ) or {}, ()
    except ConfigurationError as error:
        return {}, error.faults


def _top_level(tables: Mapping[str, Any]) -> Iterator[Fault]:
    known = [*Process.model_fields, "pools"]
    for key, value in tables.items():
        if key not in known:
            guess = closest(key, known)
            remedy = f"did you mean {guess}?" if guess else f"the file has the tables {listed(known, 'and')}"
            yield Fault(path=dotted((key,)), problem="is not a table of the file", remedy=remedy)
        elif not isinstance(value, dict):
            remedy = "write [pools.NAME]" if key == "pools" else f"write [{key}] and its keys below"
            yield Fault(path=key, problem=f"is {kind(value)}, not a table", remedy=remedy)


def _read_process(
    environ: Mapping[str, str], tables: Mapping[str, Any]
) -> tuple[Process | None, list[Fault]]:
    def named(location: Location) -> tuple[str, str]:
        return variable_behind(location, environ, tables) or dotted(location), ""

    try:
        return read_process(environ, tables), []
    except ValidationError as error:
        return None, list(faults_of(error, Process, named))


def _candidates(
    environ: Mapping[str, str], tables: Mapping[str, Any], *, complete: bool
) -> tuple[list[_Candidate], list[Fault]]:
    variables = pool_variables(environ)
    pools = tables.get("pools")
    if isinstance(pools, dict) and pools:
        candidates, faults = _from_file(pools)
        return candidates, faults + ([_both(variables)] if variables else [])
    if variables or (complete and not tables):
        name = environ.get("AUTOSCALER_APP", "").strip() or "app"
        return [_Candidate(name=name, raw=pool_from(environ), named=variable_in(environ))], []
    if not complete or ("pools" in tables and not isinstance(pools, dict)):
        return [], []
    remedy = "add a table [pools.NAME] to the file, or set AUTOSCALER_APP and the other variables of a pool"
    return [], [Fault(path="pools", problem="there is none", remedy=remedy)]


def _from_file(pools: Mapping[str, Any]) -> tuple[list[_Candidate], list[Fault]]:
    candidates, faults = [], []
    for name, table in pools.items():
        path = dotted(("pools", name))
        try:
            POOL_NAME(name)
        except MistakeError as mistake:
            faults.append(Fault(path=path, problem=mistake.problem, remedy=mistake.remedy))
        if isinstance(table, dict):
            candidates.append(_Candidate(name=name, raw=RawPool(table=table), named=_place_in(name)))
        else:
            faults.append(
                Fault(
                    path=path, problem=f"is {kind(table)}, not a table", remedy=f"write [{path}] and its keys"
                )
            )
    return candidates, faults


def _place_in(name: str) -> Namer:
    return lambda location: (dotted(("pools", name, *location)), "")


def _both(variables: list[str]) -> Fault:
    return Fault(
        path=", ".join(variables),
        problem="describes a pool in the environment beside the pools of the file",
        remedy="say it in the file and take the variables away",
    )


def _twins(pools: list[tuple[_Candidate, ReadPool]]) -> Iterator[Fault]:
    return duplicates(
        (one.named(("app",))[0].removesuffix(".app"), read.pool)
        for one, read in pools
        if _IDENTITY.isdisjoint(place[0] for place in read.lost)
    )


def _without_source(candidates: list[_Candidate]) -> Iterator[Fault]:
    for one in candidates:
        if _asks(one.raw.table):
            yield Fault(
                path="AUTOSCALER_PROMETHEUS_URL",
                problem="is not set, and there are queries to ask",
                remedy="set it, for example to https://api.fly.io/prometheus/my-org",
            )
            return


def _asks(table: Mapping[str, Any]) -> bool:
    rules = table.get("rules")
    inline = isinstance(rules, list) and any(isinstance(rule, dict) and "query" in rule for rule in rules)
    return inline or bool(table.get("metrics")) or "busy" in table


def _warnings(pools: list[tuple[_Candidate, ReadPool]]) -> Iterator[str]:
    for one, read in pools:
        for key, clause in read.without_effect:
            yield f"{one.named((key,))[0]} {clause}"
