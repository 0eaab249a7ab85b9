"""Text -> syntax tree."""

import ast
import math
import re
from functools import lru_cache
from typing import Any

from lark import Lark, Token, Transformer, UnexpectedInput, v_args
from lark.exceptions import VisitError

from autoscaler.emulator.promql.syntax import (
    Aggregation,
    Binary,
    Call,
    Grouping,
    Matcher,
    Negated,
    Node,
    Number,
    Over,
    QueryError,
    Selector,
    Shifted,
    Text,
    expression,
)

GRAMMAR = r"""
?start: disjunction
?disjunction: conjunction | disjunction OR [matching] conjunction -> binary
?conjunction: comparison | conjunction (AND | UNLESS) [matching] comparison -> binary
?comparison: sum | comparison COMPARE [BOOL] [matching] sum -> compared
?sum: product | sum (PLUS | MINUS) [matching] product -> binary
?product: unary | product (TIMES | DIVIDE | MODULO) [matching] unary -> binary
?unary: power | MINUS unary -> negated | PLUS unary -> unchanged
?power: postfix | postfix POWER [matching] unary -> binary
?postfix: atom
    | postfix "[" DURATION "]" -> over
    | postfix "[" DURATION ":" [DURATION] "]" -> subquery
    | postfix OFFSET DURATION -> shifted
?atom: NUMBER -> number | STRING -> text | "(" disjunction ")" | aggregation | call | selector

aggregation: AGGREGATE [grouping] "(" arguments ")" [grouping]
grouping: (BY | WITHOUT) "(" [NAME ("," NAME)*] ")"
matching: (ON | IGNORING) "(" [NAME ("," NAME)*] ")"
call: NAME "(" [arguments] ")"
arguments: disjunction ("," disjunction)*
selector: NAME [matchers] | matchers
matchers: "{" [matcher ("," matcher)* [","]] "}"
matcher: NAME MATCH STRING

OR.3: /or(?![\w:])/
AND.3: /and(?![\w:])/
UNLESS.3: /unless(?![\w:])/
BOOL.3: /bool(?![\w:])/
OFFSET.3: /offset(?![\w:])/
BY.3: /by(?![\w:])/
WITHOUT.3: /without(?![\w:])/
ON.3: /on(?=\s*\()/
IGNORING.3: /ignoring(?=\s*\()/
AGGREGATE.2: /(sum|max|min|avg|count|group|topk|bottomk)(?=\s*(\(|by\b|without\b))/
COMPARE: "==" | "!=" | ">=" | "<=" | ">" | "<"
MATCH: "=~" | "!~" | "!=" | "="
PLUS: "+"
MINUS: "-"
TIMES: "*"
DIVIDE: "/"
MODULO: "%"
POWER: "^"
DURATION: /(\d+(ms|[smhdwy]))+/
NUMBER.2: /0x[0-9a-fA-F]+|(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|([iI][nN][fF]|[nN][aA][nN])(?![\w:])/
NAME: /[a-zA-Z_:][a-zA-Z0-9_:]*/
STRING: /"(\\.|[^"\\])*"|'(\\.|[^'\\])*'/
COMMENT: /#[^\n]*/
%import common.WS
%ignore WS
%ignore COMMENT
"""

UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0, "y": 31536000.0}


@lru_cache(maxsize=512)
def parse(text: str) -> Node:
    """The tree of a query. QueryError, with the place, when it is not one that is understood here."""
    try:
        tree = _parser().parse(text)
        node: Node = _TreeBuilder().transform(tree)
    except UnexpectedInput as error:
        place = f"1:{error.column}: parse error"
        context = error.get_context(text).splitlines()[0] if text else ""
        raise QueryError(f"{place}: not understood here: {context.strip()}") from error
    except VisitError as error:
        raise QueryError(str(error.orig_exc)) from error
    return node


def seconds(text: str) -> float:
    """`1h30m` or a plain number of seconds -> seconds. QueryError for anything else."""
    parts = re.findall(r"(\d+)(ms|[smhdwy])", text)
    try:
        if parts and "".join(number + unit for number, unit in parts) == text:
            found = sum(float(number) * UNITS[unit] for number, unit in parts)
        else:
            found = float(text)
    except ValueError as error:
        raise QueryError(f"{text!r} is no duration") from error
    if not math.isfinite(found):
        raise QueryError(f"{text!r} is no duration")
    return found


@lru_cache(maxsize=1)
def _parser() -> Lark:
    return Lark(GRAMMAR, parser="lalr")


@v_args(inline=True)
class _TreeBuilder(Transformer[Token, Any]):
    """One method per rule."""

    def number(self, token: Token) -> Number:
        """A literal."""
        return Number(value=float(int(token, 16)) if token.startswith("0x") else float(token))

    def text(self, token: Token) -> Text:
        """A string."""
        return Text(value=_unquoted(token))

    def matcher(self, label: Token, op: Token, value: Token) -> Matcher:
        """A condition; a regular expression must be one."""
        condition = Matcher(label=str(label), op=str(op), value=_unquoted(value))
        if condition.op in {"=~", "!~"}:
            expression(condition.value)
        return condition

    def matchers(self, *conditions: Matcher | None) -> tuple[Matcher, ...]:
        """The braces."""
        return tuple(condition for condition in conditions if isinstance(condition, Matcher))

    def selector(self, *parts: Token | tuple[Matcher, ...] | None) -> Selector:
        """A name, braces, or both."""
        found: list[Matcher] = []
        for part in parts:
            if isinstance(part, Token):
                found.append(Matcher(label="__name__", op="=", value=str(part)))
            elif part is not None:
                found.extend(part)
        if not found:
            raise QueryError("a selector needs at least one condition")
        return Selector(matchers=tuple(found))

    def over(self, inner: Node, duration: Token) -> Over:
        """A range."""
        if not isinstance(inner, Selector | Shifted):
            raise QueryError("a range needs a selector, or a step as in [5m:15s]")
        return Over(inner=inner, seconds=seconds(duration), step=None)

    def subquery(self, inner: Node, duration: Token, step: Token | None) -> Over:
        """A range of an expression."""
        return Over(inner=inner, seconds=seconds(duration), step=seconds(step) if step else 60.0)

    def shifted(self, inner: Node, _: Token, duration: Token) -> Node:
        """An offset, which belongs to the selector inside a range."""
        if isinstance(inner, Over):
            moved = Shifted(inner=inner.inner, seconds=seconds(duration))
            return Over(inner=moved, seconds=inner.seconds, step=inner.step)
        return Shifted(inner=inner, seconds=seconds(duration))

    def grouping(self, word: Token, *labels: Token | None) -> Grouping:
        """Either `by` or `without`."""
        return Grouping(keep=word == "by", labels=tuple(str(label) for label in labels if label))

    def matching(self, word: Token, *labels: Token | None) -> Grouping:
        """Either `on` or `ignoring`."""
        return Grouping(keep=word == "on", labels=tuple(str(label) for label in labels if label))

    def arguments(self, *nodes: Node) -> tuple[Node, ...]:
        """In order."""
        return nodes

    def call(self, name: Token, arguments: tuple[Node, ...] | None) -> Call:
        """A function."""
        return Call(name=str(name), arguments=arguments or ())

    def aggregation(
        self, op: Token, before: Grouping | None, arguments: tuple[Node, ...], after: Grouping | None
    ) -> Aggregation:
        """With its grouping on either side."""
        wanted = 2 if op in {"topk", "bottomk"} else 1
        if len(arguments) != wanted:
            raise QueryError(f"{op} takes {wanted} argument(s), not {len(arguments)}")
        return Aggregation(
            op=str(op),
            inner=arguments[-1],
            grouping=before or after or Grouping(keep=True, labels=()),
            parameter=arguments[0] if wanted == 2 else None,
        )

    def binary(self, left: Node, op: Token, matching: Grouping | None, right: Node) -> Binary:
        """Arithmetic and sets."""
        return Binary(op=str(op), left=left, right=right, matching=matching)

    def compared(
        self, left: Node, op: Token, boolean: Token | None, matching: Grouping | None, right: Node
    ) -> Binary:
        """A comparison."""
        return Binary(op=str(op), left=left, right=right, boolean=boolean is not None, matching=matching)

    def negated(self, _: Token, inner: Node) -> Negated:
        """A minus."""
        return Negated(inner=inner)

    def unchanged(self, _: Token, inner: Node) -> Node:
        """A plus."""
        return inner


def _unquoted(token: str) -> str:
    try:
        text = str(ast.literal_eval(token))
        text.encode()
    except (SyntaxError, ValueError) as error:
        raise QueryError(f"{token} is no string") from error
    return text
