"""Parsers of plain values: each takes what a file or the environment says, and raises MistakeError."""

import math
import re
from collections.abc import Callable
from typing import TypeVar

from pydantic import PlainValidator

from autoscaler.service.configuration.spelling import MistakeError, Word, closest, listed, shown

T = TypeVar("T")

_INTEGER = re.compile(r"[+-]?[0-9]{1,15}")
_NUMBER = re.compile(r"[+-]?([0-9]{1,15}(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,2})?")
LARGEST_NUMBER = 1e15


def leaf(parse: Callable[[object], T]) -> PlainValidator:
    """Let a model's field be read by `parse`; an empty text is a mistake of its own."""

    def read(value: object) -> T:
        if value == "":
            raise MistakeError("is empty", "give it a value or take it away")
        return parse(value)

    return PlainValidator(read)


def whole(low: int, high: int) -> Callable[[object], int]:
    """An integer between two bounds, both allowed."""

    def parse(value: object) -> int:
        number = _as_integer(value)
        if number is None:
            raise MistakeError(f"{shown(value)} is not a whole number", f"give one from {low} to {high}")
        if not low <= number <= high:
            raise MistakeError(
                f"{shown(number)} is out of range", f"give a whole number from {low} to {high}"
            )
        return number

    return parse


def number(
    low: float = -LARGEST_NUMBER, *, above: float | None = None, below: float = LARGEST_NUMBER
) -> Callable[[object], float]:
    """A finite number: at least `low`, strictly above `above`, strictly below `below`."""
    limits = [f"above {above:g}"] if above is not None else []
    limits += [f"of at least {low:g}"] if low > -LARGEST_NUMBER else []
    limits += [f"below {below:g}"] if below < LARGEST_NUMBER else []
    remedy = "give a number" + (f" {listed(limits, 'and')}" if limits else "")

    def parse(value: object) -> float:
        found = _as_number(value)
        if found is None:
            raise MistakeError(f"{shown(value)} is not a finite number", remedy)
        if not low <= found < below or (above is not None and found <= above):
            raise MistakeError(f"{shown(value)} is out of range", remedy)
        return found

    return parse


def flag(value: object) -> bool:
    """`true` or `false`: nothing else, lest `no` or `off` be read as yes."""
    if isinstance(value, bool):
        return value
    if isinstance(value, Word) and value in {"true", "false"}:
        return value == "true"
    quotes = "" if isinstance(value, Word) or not isinstance(value, str) else ", without quotes"
    raise MistakeError(f"{shown(value)} is not a boolean", f"write true or false{quotes}")


def choice(*words: str) -> Callable[[object], str]:
    """One of the given words."""

    def parse(value: object) -> str:
        if isinstance(value, str) and value in words:
            return str(value)
        guess = closest(value.lower(), words) if isinstance(value, str) else None
        hint = f"did you mean {guess}? " if guess else ""
        raise MistakeError(f"{shown(value)} is not one of its words", f"{hint}write {listed(words)}")

    return parse


def text(pattern: str, what: str, remedy: str) -> Callable[[object], str]:
    """A text that matches the whole pattern."""
    compiled = re.compile(pattern, re.ASCII)

    def parse(value: object) -> str:
        if isinstance(value, str) and compiled.fullmatch(value):
            return str(value)
        raise MistakeError(f"{shown(value)} is not {what}", remedy)

    return parse


def _as_integer(value: object) -> int | None:
    if isinstance(value, Word):
        return int(value) if _INTEGER.fullmatch(value) else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _as_number(value: object) -> float | None:
    if isinstance(value, Word):
        return float(value) if _NUMBER.fullmatch(value) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if abs(value) <= LARGEST_NUMBER and math.isfinite(value) else None
