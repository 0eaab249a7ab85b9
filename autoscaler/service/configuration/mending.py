"""What stands in for whatever is wrong in a pool's table, so that the rest of it is judged all the same."""

from collections.abc import Collection, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

from autoscaler.service.configuration.faults import Location

STAND_INS: Mapping[str, Any] = {
    "app": "app",
    "regions": {"ord": "1..1"},
    "rules": [{"expression": "1"}],
}
"""For required keys."""
# Keys that mean nothing without another one that is wrong.
_DEPENDENTS = {"regions": ("total",), "metrics": ("rules",), "rules": ("metrics",)}
_RULE = {"expression": "1"}
_QUERY = {"query": "load"}
_HOURS = {"start": "0 0 * * *", "end": "0 12 * * *"}
_BOUNDS = {"min", "max", "freeze_in"}
_NAME = "[key]"
"""Where a validation error puts a mistake in a metric's name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mended:
    """A table of which every value is right. Faults in one of the `lost` places would be consequences."""

    table: Mapping[str, Any]
    lost: frozenset[Location]


def mend(table: Mapping[str, Any], mistakes: Collection[Location]) -> Mended:
    """Stand-ins in the place of mistakes: of single schedules, rules and metrics, otherwise of whole keys."""
    whole = {str(place[0]) for place in mistakes if not _is_within(place, table)}
    gone = {key for root in whole for key in (root, *_DEPENDENTS.get(root, ()))}
    sound = {key: value for key, value in table.items() if key not in gone}
    lost: set[Location] = {(key,) for key in gone}
    if "schedules" in sound:
        sound["schedules"] = _schedules(sound["schedules"], _entries("schedules", mistakes), gone)
    if "rules" in sound and (wrong := _entries("rules", mistakes)):
        sound["rules"] = [_RULE if index in wrong else rule for index, rule in enumerate(sound["rules"])]
        lost.add(("metrics",))
    if "metrics" in sound and (wrong := _entries("metrics", mistakes)):
        sound["metrics"] = _metrics(sound["metrics"], wrong)
        lost |= {("metrics", name) for name in wrong}
        if len(sound["metrics"]) < len(table["metrics"]):
            lost.add(("rules",))
    stand_ins = {key: value for key, value in STAND_INS.items() if key in gone}
    return Mended(table=sound | stand_ins, lost=frozenset(lost))


def _is_within(place: Location, table: Mapping[str, Any]) -> bool:
    if len(place) < 2 or place[0] not in {"schedules", "rules", "metrics"} or place[0] not in table:
        return False
    entries = table[place[0]]
    # A validation error writes a name that is no text in another way, so that its entry is not found.
    return not isinstance(entries, Mapping) or place[1] in entries


def _entries(key: str, mistakes: Iterable[Location]) -> dict[str | int, set[str]]:
    """The keys that are wrong in each entry of a list or table, and "" for one that is wrong as a whole."""
    found: dict[str | int, set[str]] = {}
    for root, *rest in mistakes:
        if root == key and rest:
            found.setdefault(rest[0], set()).add(str(rest[1]) if len(rest) > 1 else "")
    return found


def _metrics(table: Mapping[str, Any], wrong: Mapping[str | int, AbstractSet[str]]) -> dict[str, Any]:
    return {
        name: _QUERY if name in wrong else metric
        for name, metric in table.items()
        if _NAME not in wrong.get(name, ())
    }


def _schedules(
    entries: list[Any], wrong: Mapping[str | int, AbstractSet[str]], gone: AbstractSet[str]
) -> list[Any]:
    """Bounds cannot be judged where the regions they are to move are not known.

    Where the total is not, all but one thing can: whether it is moved at all.
    """
    unknown = {"regions"} if "regions" in gone else set()
    sound = [_schedule(entry, {*wrong.get(index, ()), *unknown}) for index, entry in enumerate(entries)]
    return [
        {**entry, "freeze_in": True} if "total" in gone and entry.keys() & {"min", "max"} else entry
        for entry in sound
    ]


def _schedule(entry: object, wrong: AbstractSet[str]) -> dict[str, Any]:
    """What can be judged of a schedule: its hours, unless one of the two is wrong; its bounds likewise."""
    if not isinstance(entry, dict):
        return {**_HOURS, "freeze_in": True}
    kept = {key: value for key, value in entry.items() if key not in wrong}
    if wrong & _HOURS.keys():
        kept |= _HOURS
    if wrong - _HOURS.keys() - {"timezone"}:
        kept = {key: value for key, value in kept.items() if key not in _BOUNDS} | {"freeze_in": True}
    return kept
