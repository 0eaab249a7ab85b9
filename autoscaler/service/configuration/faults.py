"""From a validation error to faults that an operator can act on, and the last guard of secrets."""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from autoscaler.domain.errors import Fault
from autoscaler.service.configuration.declaration import Declared, declared, model_at
from autoscaler.service.configuration.spelling import MistakeError, closest, kind, listed, shown

Location = tuple[str | int, ...]
Namer = Callable[[Location], tuple[str, str]]
"""Gives the path of a location, and what the place is called if the path is only near it."""

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_FLY_TOKEN = re.compile(r"(?:FlyV1\s+\S+|fm[12][ar]?_[^\s\"']+|fo1_[^\s\"']+)")
_SHORTEST_SECRET = 4
_SHORTEST_PART = 8


def dotted(location: Iterable[str | int]) -> str:
    """A location as a path: `pools.shop.rules[1].query`."""
    path = ""
    for part in location:
        if isinstance(part, int):
            path += f"[{part}]"
        else:
            key = part if _BARE_KEY.fullmatch(part) else json.dumps(part[:60])
            path += f".{key}" if path else key
    return path


def faults_of(error: ValidationError, model: type[BaseModel], name: Namer) -> Iterator[Fault]:
    """Every mistake in a validation error. `name` turns a location into the path an operator knows."""
    for entry in error.errors(include_url=False):
        location = tuple(part for part in entry["loc"] if part != "[key]")
        problem, remedy = _sentence(entry, model, location, name)
        path, inner = name(location)
        named_already = not inner or problem.startswith(shown(inner))
        yield Fault(path=path, problem=problem if named_already else f"{inner}: {problem}", remedy=remedy)


def masked(faults: Iterable[Fault], secrets: Iterable[str]) -> tuple[Fault, ...]:
    """The same faults, each once, with every secret and everything that looks like one struck out."""
    whole = {secret for secret in secrets if len(secret) >= _SHORTEST_SECRET}
    parts = {part for secret in whole for part in re.split(r"[\s,=]+", secret)}
    words = whole | {part for part in parts if len(part) >= _SHORTEST_PART}
    ordered = sorted(words | {json.dumps(word)[1:-1] for word in words}, key=len, reverse=True)

    def clean(text: str) -> str:
        for word in ordered:
            text = text.replace(word, "***")
        return _FLY_TOKEN.sub("***", text)

    return tuple(
        dict.fromkeys(
            Fault(path=clean(fault.path), problem=clean(fault.problem), remedy=clean(fault.remedy))
            for fault in faults
        )
    )


def _sentence(
    entry: ErrorDetails, model: type[BaseModel], location: Location, name: Namer
) -> tuple[str, str]:
    cause = entry.get("ctx", {}).get("error")
    if isinstance(cause, MistakeError):
        return cause.problem, cause.remedy
    table = model_at(model, location[:-1])
    if entry["type"] == "extra_forbidden":
        return "is not a key of this table", _key_remedy(str(location[-1]), table)
    if entry["type"] == "missing":
        return "is missing", _missing_remedy(_declaration(table, location), name(location)[0])
    wanted = "a list" if entry["type"] == "list_type" else "a table"
    example = _declaration(table, location)
    remedy = f"write {wanted}" + (f", such as {example.example}" if example else "")
    return f"is {kind(entry['input'])}, not {wanted}", remedy


def _key_remedy(key: str, table: type[BaseModel] | None) -> str:
    known = list(table.model_fields) if table else []
    guess = closest(key, known)
    return f"did you mean {guess}?" if guess else f"its keys are {listed(known, 'and')}"


def _declaration(table: type[BaseModel] | None, location: Sequence[str | int]) -> Declared | None:
    entries = declared(table) if table else iter(())
    return next((entry for entry in entries if entry.path == (location[-1],)), None)


def _missing_remedy(entry: Declared | None, path: str) -> str:
    if entry is None:
        return "add it"
    if entry.secret:
        return f"set it as a secret: {entry.reason.rstrip('.')}"
    if path == entry.variable:
        return f"set it, for example to {entry.variable_example}"
    return f"add {entry.path[-1]} = {entry.example}"
