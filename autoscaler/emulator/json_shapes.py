"""The shapes that JSON in requests may have: judged before anything happens, as by a platform with types.

A shape is one of KINDS, or several of them joined by `|`; `[shape]` is a list of such, `{name: shape}` an
object whose named members are such, with `*` for any name. Members that are not named may be anything.
"""

import math
from collections.abc import Callable, Iterator, Mapping

from autoscaler.emulator import errors

Shape = str | list["Shape"] | Mapping[str, "Shape"]

KINDS: Mapping[str, Callable[[object], bool]] = {
    "null": lambda value: value is None,
    "bool": lambda value: isinstance(value, bool),
    "int": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: (
        isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    ),
    "string": lambda value: isinstance(value, str),
    "object": lambda value: isinstance(value, Mapping),
}
"""In the order in which a value is named in a complaint."""


def check(value: object, shape: Shape, place: str, *, nulls: bool = False) -> None:
    """ApiError 400 for the first part of `value` that does not fit. With `nulls`, null fits everywhere."""
    for where, kind, wanted in _misfits(value, shape, place, nulls):
        raise errors.refusal(400, f"json: cannot unmarshal {kind} into field {where} of type {wanted}")


def _misfits(value: object, shape: Shape, place: str, nulls: bool) -> Iterator[tuple[str, str, str]]:
    if nulls and value is None:
        return
    if isinstance(shape, str):
        if not any(KINDS[kind](value) for kind in shape.split("|")):
            yield place, _kind(value), shape.replace("|", " or ")
    elif isinstance(shape, list):
        yield from _in_list(value, shape[0], place, nulls)
    elif isinstance(value, Mapping):
        for name, member in value.items():
            wanted = shape.get(name, shape.get("*"))
            if wanted is not None:
                yield from _misfits(member, wanted, f"{place}.{name}", nulls)
    else:
        yield place, _kind(value), "object"


def _in_list(value: object, shape: Shape, place: str, nulls: bool) -> Iterator[tuple[str, str, str]]:
    if not isinstance(value, list):
        yield place, _kind(value), "array"
        return
    for number, member in enumerate(value):
        yield from _misfits(member, shape, f"{place}[{number}]", nulls)


def _kind(value: object) -> str:
    if isinstance(value, list):
        return "array"
    return next((name for name, fits in KINDS.items() if fits(value)), "number")
