"""How values arrive and how they are quoted back to people."""

import difflib
import json
from collections.abc import Iterable

LONGEST_QUOTE = 60
_CLOSE_ENOUGH = 0.75


class Word(str):
    """A value as the environment gives it: always text, whatever it stands for.

    A file distinguishes `1` from `"1"`, an environment cannot; parsers accept numbers and
    booleans as text only in a Word.
    """

    __slots__ = ()


class MistakeError(ValueError):
    """A value that is not understood: what is wrong with it, and what would be right."""

    def __init__(self, problem: str, remedy: str) -> None:
        """Both are clauses of one sentence, without path and full stop."""
        self.problem = problem
        self.remedy = remedy
        super().__init__(f"{problem}; {remedy}")


def shown(value: object) -> str:
    """A value in the words of an error: short scalars in full, everything else only by its kind.

    Long text is never cut, only described: half a secret could not be recognised and masked.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        if len(value) <= LONGEST_QUOTE:
            return json.dumps(str(value), ensure_ascii=not value.isprintable())
        return f"a text of {len(value)} characters"
    if isinstance(value, int):
        return str(value) if abs(value) < 10**LONGEST_QUOTE else "an enormous number"
    if isinstance(value, float):
        return f"{value:g}"
    return kind(value)


def kind(value: object) -> str:
    """What a file's value is, in a word."""
    if isinstance(value, bool):
        return "a boolean"
    names = {str: "a text", int: "a number", float: "a number", list: "a list", dict: "a table"}
    return next((name for base, name in names.items() if isinstance(value, base)), "a date or time")


def closest(word: str, known: Iterable[str]) -> str | None:
    """The known word that this one was probably meant to be, None if it resembles none."""
    found = difflib.get_close_matches(word, sorted(known), n=1, cutoff=_CLOSE_ENOUGH)
    return found[0] if found else None


def listed(words: Iterable[str], last: str = "or") -> str:
    """`a`, `a or b`, `a, b or c`."""
    *head, tail = words
    return f"{', '.join(head)} {last} {tail}" if head else tail
