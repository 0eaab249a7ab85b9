"""The syntax tree of a query."""

import re
from dataclasses import dataclass


class QueryError(ValueError):
    """The query cannot be understood (`bad_data`) or not be carried out (`execution`)."""

    def __init__(self, text: str, *, kind: str = "bad_data") -> None:
        self.kind = kind
        super().__init__(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A literal."""

    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A quoted string, only as an argument of functions."""

    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Matcher:
    """One condition on a label; `op` is = != =~ or !~."""

    label: str
    op: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Selector:
    """The series that meet all conditions; the name is one of them, under `__name__`."""

    matchers: tuple[Matcher, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Over:
    """The past `seconds` of an expression, every `step` seconds (None: as scraped)."""

    inner: "Node"
    seconds: float
    step: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shifted:
    """An expression as it was `seconds` ago."""

    inner: "Node"
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Grouping:
    """`by` keeps only these labels, `without` drops them."""

    keep: bool
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Aggregation:
    """Many series into one per group; `parameter` for topk and bottomk."""

    op: str
    inner: "Node"
    grouping: Grouping
    parameter: "Node | None"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A function."""

    name: str
    arguments: tuple["Node", ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Binary:
    """Two expressions; `matching` pairs their series, `boolean` turns a filter into 0 and 1."""

    op: str
    left: "Node"
    right: "Node"
    boolean: bool = False
    matching: Grouping | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Negated:
    """A minus sign."""

    inner: "Node"


Node = Number | Text | Selector | Over | Shifted | Aggregation | Call | Binary | Negated


def expression(pattern: str) -> re.Pattern[str]:
    """A regular expression. QueryError for what is none."""
    try:
        return re.compile(pattern)
    except re.error as error:
        raise QueryError(f"{pattern!r} is no regular expression: {error}") from error
