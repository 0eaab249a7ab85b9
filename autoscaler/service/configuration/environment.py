"""The environment: which variables there are, and one pool's worth of them as a pool's table."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from autoscaler.domain.errors import Fault
from autoscaler.service.configuration.declaration import Declared, declared
from autoscaler.service.configuration.faults import Location, Namer
from autoscaler.service.configuration.pool_table import EnvironmentOnly, PoolTable
from autoscaler.service.configuration.process import Process
from autoscaler.service.configuration.spelling import Word, closest, listed

PREFIX = "AUTOSCALER_"


def _by_variable(*models: type[BaseModel]) -> dict[str, Declared]:
    entries = [entry for model in models for entry in declared(model)]
    return {entry.variable: entry for entry in reversed(entries) if entry.variable}


POOL_VARIABLES = _by_variable(PoolTable)
METRIC_VARIABLE = "AUTOSCALER_METRIC"
QUERY_VARIABLE = "AUTOSCALER_QUERY"
USUAL_METRIC = Word("load")
KNOWN_VARIABLES = {*POOL_VARIABLES, *_by_variable(Process), *_by_variable(EnvironmentOnly)}
_SUFFIXES = {name.removeprefix(PREFIX) for name in KNOWN_VARIABLES}
_VARIABLE_AT = {entry.path: entry.variable for entry in declared(PoolTable) if entry.variable}
_RULE_VARIABLES = {kind: _VARIABLE_AT["rules", kind] for kind in ("per_machine", "utilization", "expression")}


@dataclass(frozen=True, slots=True, kw_only=True)
class RawPool:
    """A pool's table as it was said, before any value was looked at.

    `faults` were found while putting it together; they concern the keys in `broken`. Of these `table`
    has only what else can be judged of them.
    """

    table: Mapping[str, Any]
    faults: tuple[Fault, ...] = ()
    broken: frozenset[str] = field(default_factory=frozenset)


def _meant(suffix: str) -> list[str]:
    """What somebody may have had in mind: the variable spelt nearly so, else those with all of its words."""
    if guess := closest(suffix, _SUFFIXES):
        return [guess]
    words = set(suffix.split("_"))
    return [known for known in sorted(_SUFFIXES) if words <= set(known.split("_"))]


def misspelt(environ: Mapping[str, str]) -> Iterator[Fault]:
    """Variables with our prefix that do not exist."""
    for name in sorted(environ):
        if name.upper().startswith(PREFIX) and name not in KNOWN_VARIABLES:
            meant = [PREFIX + suffix for suffix in _meant(name.upper().removeprefix(PREFIX))]
            remedy = f"did you mean {listed(meant)}?" if meant else "docs/configuration.md lists them all"
            yield Fault(path=name, problem="is not a variable of this program", remedy=remedy)


def not_text(environ: Mapping[str, str]) -> Iterator[Fault]:
    """Our variables with bytes in them that are no UTF-8: nobody could be sent or shown them."""
    for name in sorted(environ):
        if name.startswith(PREFIX) and not _is_text(environ[name]):
            yield Fault(path=name, problem="contains bytes that are not UTF-8", remedy="write it as UTF-8")


def pool_variables(environ: Mapping[str, str]) -> list[str]:
    """The variables that describe a pool and are set, an empty group included."""
    return sorted(name for name in (*POOL_VARIABLES, METRIC_VARIABLE) if name in environ)


def pool_from(environ: Mapping[str, str]) -> RawPool:
    """The one pool that the environment describes, in the shape of a file's table."""
    said = {name: Word(environ[name].strip()) for name in pool_variables(environ)}
    table: dict[str, Any] = {}
    for name, entry in POOL_VARIABLES.items():
        if name in said and entry.path[0] not in {"metrics", "rules"}:
            _put(table, entry.path, said[name])
    faults = []
    broken = set()
    if "regions" in table:
        table["regions"], found = _regions(table["regions"])
        faults += found
        if found:
            broken.add("regions")
            del table["regions"]
    metric = {key: said[name] for key, name in _metric_variables() if name in said}
    if _lacks_query(said, metric):
        faults.append(_no_query())
        broken.add("metrics")
        metric["query"] = USUAL_METRIC  # so that the rest of the metric can be judged
    if metric:
        table["metrics"] = {said.get(METRIC_VARIABLE, USUAL_METRIC): metric}
    if len(kinds := _kinds(said)) == 1:
        table["rules"] = [_rule(said, kinds[0])]
    else:
        faults.append(_not_one_rule(kinds))
        broken.add("rules")
    return RawPool(table=table, faults=tuple(faults), broken=frozenset(broken))


def variable_for(location: Sequence[str | int]) -> tuple[str, str]:
    """The variable behind a place in the environment's pool, and what the place is called within it."""
    keys = [str(part) for part in location]
    if keys[0] in {"metrics", "rules"}:
        del keys[1:2]
    if keys in (["metrics"], ["rules", "metric"]):
        return METRIC_VARIABLE, ""
    for length in range(len(keys), 0, -1):
        if tuple(keys[:length]) in _VARIABLE_AT:
            inner = [key for key in keys[length:] if key != "range"]
            return _VARIABLE_AT[tuple(keys[:length])], ".".join(inner)
    return f"{PREFIX}{keys[0].upper()}", ""


def variable_in(environ: Mapping[str, str]) -> Namer:
    """`variable_for`, but a metric whose name nobody set is known by its query."""

    def named(location: Location) -> tuple[str, str]:
        variable, inner = variable_for(location)
        unset = variable == METRIC_VARIABLE and METRIC_VARIABLE not in environ
        return (QUERY_VARIABLE if unset else variable), inner

    return named


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _put(table: dict[str, Any], path: Sequence[str], value: Word) -> None:
    for key in path[:-1]:
        table = table.setdefault(key, {})
    table[path[-1]] = value


def _regions(text: Word) -> tuple[dict[str, Word], list[Fault]]:
    regions: dict[str, Word] = {}
    faults = []
    for part in text.split(","):
        code, equals, span = (piece.strip() for piece in part.partition("="))
        if not equals or not code or not span:
            problem, remedy = "is not a list of regions", "write region=min..max, such as ord=1..10, ams=0..5"
        elif code in regions:
            problem, remedy = f"names {code[:20]} twice", "name every region once"
        else:
            regions[code] = Word(span)
            continue
        faults.append(Fault(path="AUTOSCALER_REGIONS", problem=problem, remedy=remedy))
    return regions, list(dict.fromkeys(faults))


def _not_one_rule(kinds: Sequence[str]) -> Fault:
    path = ", ".join(_RULE_VARIABLES[kind] for kind in kinds) or _RULE_VARIABLES["per_machine"]
    problem = "are set together" if kinds else "is not set, nor is another rule"
    return Fault(path=path, problem=problem, remedy=f"set exactly one of {listed(_RULE_VARIABLES.values())}")


def _lacks_query(said: Mapping[str, Word], metric: Mapping[str, Word]) -> bool:
    needed = bool(metric) or METRIC_VARIABLE in said or any(kind != "expression" for kind in _kinds(said))
    return needed and "query" not in metric


def _no_query() -> Fault:
    remedy = "set it to PromQL between single quotes, such as 'max(queue_depth{app=\"$app\"})'"
    return Fault(path=QUERY_VARIABLE, problem="is not set", remedy=remedy)


def _rule(said: Mapping[str, Word], kind: str) -> dict[str, Word]:
    rule = {kind: said[_RULE_VARIABLES[kind]]}
    return rule if kind == "expression" else {**rule, "metric": said.get(METRIC_VARIABLE) or USUAL_METRIC}


def _kinds(said: Mapping[str, Word]) -> list[str]:
    return [kind for kind, name in _RULE_VARIABLES.items() if name in said]


def _metric_variables() -> list[tuple[str, str]]:
    return [(path[1], name) for path, name in _VARIABLE_AT.items() if path[0] == "metrics" and len(path) == 2]
