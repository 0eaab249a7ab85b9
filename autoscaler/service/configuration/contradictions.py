"""Keys of a pool that are right one by one and wrong together; the policy finds those of its own."""

from collections.abc import Iterable, Iterator

from autoscaler.domain.errors import Fault
from autoscaler.domain.pool import Pool
from autoscaler.service.configuration.pool_table import PoolTable
from autoscaler.service.configuration.templates import uses_group


def contradictions(table: PoolTable) -> Iterator[Fault]:
    """Faults with paths relative to the pool."""
    if table.match and "group" in table.model_fields_set:
        yield Fault(
            path="match", problem="stands beside group", remedy="keep the one that names the pool's Machines"
        )
    if table.match:
        yield from _group_in_queries(table)


def without_effect(table: PoolTable) -> Iterator[tuple[str, str]]:
    """Keys that do nothing beside the others, each with a clause that says why."""
    if table.reserve and table.leave != "destroy" and not table.proxy:
        yield "reserve", "has no effect unless leave is destroy or proxy is true"
    if "drain" in table.model_fields_set and table.busy is None:
        yield "drain", "has no effect without a busy query"
    if table.allow_in and table.on_absent == "hold":
        yield "allow_in", "has no effect while on_absent is hold"
    if table.proxy and not table.create:
        yield "proxy", "has little effect with create = false: no spare Machine can be made"


def duplicates(pools: Iterable[tuple[str, Pool]]) -> Iterator[Fault]:
    """Pools that claim the same Machines, each given with the path to blame."""
    seen: list[tuple[str, Pool]] = []
    for path, pool in pools:
        twin = next((other for other, known in seen if _overlap(known, pool)), None)
        if twin is not None:
            yield Fault(
                path=path,
                problem=f"claims the same Machines as {twin}",
                remedy="give every pool an app, group or match of its own",
            )
        seen.append((path, pool))


def _overlap(one: Pool, other: Pool) -> bool:
    if one.app != other.app or bool(one.match) != bool(other.match):
        return False
    if not one.match:
        return one.group == other.group
    return all(other.match.get(key, value) == value for key, value in one.match.items())


def _group_in_queries(table: PoolTable) -> Iterator[Fault]:
    queries = {f"metrics.{name}.query": metric.query for name, metric in table.metrics.items()}
    queries |= {f"metrics.{name}.age_query": metric.age_query or "" for name, metric in table.metrics.items()}
    for index, rule in enumerate(table.rules):
        queries |= {
            f"rules[{index}].query": rule.query or "",
            f"rules[{index}].age_query": rule.age_query or "",
        }
    for path, query in (queries | {"busy": table.busy or ""}).items():
        if uses_group(query):
            yield Fault(
                path=path,
                problem="asks for $group in a pool chosen by match",
                remedy="name the group in the query",
            )
