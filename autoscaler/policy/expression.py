"""The operator's own arithmetic: parsed and checked once at start, evaluated in every tick.

An expression becomes a tree of closures over a mapping from name to value. Only floats go in and only a
finite float comes out; everything else (an absent name, a division by zero, an overflow) is an
`UndefinedError`, which the caller turns into an Unknown demand. Nothing here ever evaluates program text.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from typing import cast

from lark import Lark, Token, Transformer, UnexpectedCharacters, UnexpectedInput, UnexpectedToken

from autoscaler.policy import arithmetic
from autoscaler.policy.arithmetic import Code, Environment

MAX_LENGTH = 2000
MAX_DEPTH = 50
FLEET_NAMES = ("running", "ready", "stopped", "total")
"""What an expression may ask of the fleet, beside the names of metrics."""

GRAMMAR = r"""
    ?choice: either | either "?" choice ":" choice
    ?either: both ((_OR | "||") both)*
    ?both: negation ((_AND | "&&") negation)*
    ?negation: comparison | (_NOT | "!") negation -> negated
    ?comparison: sum (COMPARE sum)*
    ?sum: product (SIGN product)*
    ?product: signed (TIMES signed)*
    ?signed: power | SIGN signed
    ?power: fallback ("**" signed)?
    ?fallback: atom ("??" default)*
    ?default: atom | SIGN atom -> signed
    ?atom: NUMBER -> number
        | NAME -> name
        | NAME "(" choice ("," choice)* ")" -> call
        | "(" choice ")" -> group

    COMPARE: "<=" | ">=" | "==" | "!=" | "<" | ">"
    SIGN: "+" | "-"
    TIMES: /\*(?!\*)/ | "/" | "%"
    NUMBER: /(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?/
    NAME: /(?!(and|or|not)\b)[A-Za-z_][A-Za-z0-9_]*/
    _AND: "and" /\b/
    _OR: "or" /\b/
    _NOT: "not" /\b/
    %ignore /\s+/
"""


class ExpressionError(Exception):
    """The text is no expression. `offset` counts characters from 0; `problem` says what is wrong there."""

    def __init__(self, text: str, offset: int, problem: str) -> None:
        """Keep the place and draw a line that points at it."""
        self.text = text
        self.offset = offset
        self.problem = problem
        super().__init__(self._drawn())

    def _drawn(self) -> str:
        start = self.text.rfind("\n", 0, self.offset) + 1
        line = self.text[start:].split("\n", 1)[0]
        caret = " " * (self.offset - start) + "^"
        return f"{self.problem}, at character {self.offset + 1}\n    {line}\n    {caret}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """A parsed expression. `names` are those it mentions with the offset of the first mention, in order."""

    text: str
    names: Mapping[str, int]
    code: Code

    def evaluate(self, values: Environment) -> float:
        """The value for these numbers. Raises UndefinedError where it has none."""
        return arithmetic.finish(self.code, values)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Node:
    """A part of an expression. `place` is the offset of what lies deepest in it."""

    code: Code
    place: int
    depth: int = 1
    names: tuple[Token, ...] = ()


def parse(text: str) -> Expression:
    """Parse an expression. Raises ExpressionError that points at the character."""
    if len(text) > MAX_LENGTH:
        raise ExpressionError(text, MAX_LENGTH, f"longer than {MAX_LENGTH} characters")
    try:
        node = cast("_Node", _parser().parse(text))
    except _MisuseError as error:
        raise ExpressionError(text, error.offset, error.problem) from error
    except UnexpectedInput as error:
        raise _translated(text, error) from error
    names: dict[str, int] = {}
    for token in node.names:
        names.setdefault(str(token), token.start_pos or 0)
    return Expression(text=text, names=names, code=node.code)


def check_names(expression: Expression, known: Iterable[str]) -> None:
    """Refuse names that nothing stands for. Raises ExpressionError that points at the first one."""
    allowed = sorted({*known, *FLEET_NAMES})
    for name, offset in expression.names.items():
        if name in arithmetic.FUNCTIONS:
            raise ExpressionError(expression.text, offset, f"the function {name} needs parentheses")
        if name not in allowed:
            close = get_close_matches(name, allowed, n=1)
            hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(allowed)}"
            raise ExpressionError(expression.text, offset, f"nothing is called {name} ({hint})")


class _MisuseError(Exception):
    def __init__(self, offset: int, problem: str) -> None:
        super().__init__(problem)
        self.offset = offset
        self.problem = problem


def _translated(text: str, error: UnexpectedInput) -> ExpressionError:
    if isinstance(error, UnexpectedCharacters):
        offset = cast("int", error.pos_in_stream)  # the library declares it as None
        return ExpressionError(text, offset, f"the character {text[offset]!r} has no meaning here")
    if isinstance(error, UnexpectedToken) and error.token.type != "$END":
        place = error.token.start_pos or 0
        return ExpressionError(text, place, f"{str(error.token)!r} is not expected here")
    return ExpressionError(text, len(text), "the expression ends too early")


def _node(code: Code, *parts: _Node) -> _Node:
    deepest = max(parts, key=lambda part: part.depth)
    if deepest.depth == MAX_DEPTH:
        raise _MisuseError(deepest.place, f"nested deeper than {MAX_DEPTH} levels")
    names = tuple(name for part in parts for name in part.names)
    return _Node(code=code, place=deepest.place, depth=deepest.depth + 1, names=names)


class _Builder(Transformer[Token, _Node]):
    """Called by the parser from the inside out; the methods are named after the grammar's rules."""

    def number(self, children: list[Token]) -> _Node:
        value, place = float(children[0]), children[0].start_pos or 0
        if value == float("inf"):
            raise _MisuseError(place, "the number is too large")
        return _Node(code=lambda _: value, place=place)

    def name(self, children: list[Token]) -> _Node:
        token = children[0]
        return _Node(code=arithmetic.variable(str(token)), place=token.start_pos or 0, names=(token,))

    def group(self, children: list[_Node]) -> _Node:
        return _node(children[0].code, children[0])

    def call(self, children: list[Token | _Node]) -> _Node:
        token, arguments = children[0], [child for child in children[1:] if isinstance(child, _Node)]
        name = str(token)
        offset = (token.start_pos or 0) if isinstance(token, Token) else 0
        if name not in arithmetic.FUNCTIONS:
            known = ", ".join(sorted(arithmetic.FUNCTIONS))
            raise _MisuseError(offset, f"there is no function {name} (known are {known})")
        if name not in arithmetic.VARIADIC and len(arguments) != 1:
            raise _MisuseError(offset, f"{name} takes one value, not {len(arguments)}")
        return _node(arithmetic.call(name, [part.code for part in arguments]), *arguments)

    def fallback(self, children: list[_Node]) -> _Node:
        return _node(arithmetic.fallback([part.code for part in children]), *children)

    def power(self, children: list[_Node]) -> _Node:
        return _node(arithmetic.power(children[0].code, children[1].code), *children)

    def signed(self, children: list[Token | _Node]) -> _Node:
        part = children[-1]
        assert isinstance(part, _Node)  # noqa: S101 - the grammar puts the operand last
        return _node(arithmetic.signed(str(children[0]), part.code), part)

    def product(self, children: list[Token | _Node]) -> _Node:
        return _chain(children)

    def sum(self, children: list[Token | _Node]) -> _Node:
        return _chain(children)

    def comparison(self, children: list[Token | _Node]) -> _Node:
        parts = [child for child in children if isinstance(child, _Node)]
        signs = [str(child) for child in children if not isinstance(child, _Node)]
        return _node(arithmetic.comparison(signs, [part.code for part in parts]), *parts)

    def negated(self, children: list[_Node]) -> _Node:
        return _node(arithmetic.negated(children[0].code), children[0])

    def both(self, children: list[_Node]) -> _Node:
        return _node(arithmetic.both([part.code for part in children]), *children)

    def either(self, children: list[_Node]) -> _Node:
        return _node(arithmetic.either([part.code for part in children]), *children)

    def choice(self, children: list[_Node]) -> _Node:
        return _node(arithmetic.choice(*(part.code for part in children)), *children)


def _chain(children: list[Token | _Node]) -> _Node:
    parts = [child for child in children if isinstance(child, _Node)]
    signs = [str(child) for child in children if not isinstance(child, _Node)]
    return _node(arithmetic.chain(signs, [part.code for part in parts]), *parts)


@lru_cache(maxsize=1)
def _parser() -> "Lark":
    """Built on first use: the grammar's tables take some milliseconds."""
    return Lark(GRAMMAR, start="choice", parser="lalr", transformer=_Builder())
