"""What the operators and functions of an expression mean, as closures over a mapping of values.

Every step yields a finite float or raises: so no infinity or NaN is ever compared, chosen or rounded.
Precedence, `%` and `round` are Python's; truth is 1, falsehood 0, and everything but 0 is true.
"""

import math
import operator
from collections.abc import Callable, Mapping, Sequence

from autoscaler.domain.names import MetricName
from autoscaler.domain.reading import Measured, Reading, Why

Environment = Mapping[str, float | Reading]
Code = Callable[[Environment], float]

MOST = 1_000_000_000
"""More Machines than any platform has; a larger demand is this one."""
ROUNDING = 1e-9
"""How far, relative to its size, a value may lie above a whole number and still count as that number."""


class UndefinedError(Exception):
    """The value cannot be told at present, why, and because of which metric."""

    def __init__(self, why: Why, metric: MetricName | None = None) -> None:
        """Keep both for the Unknown demand this becomes."""
        super().__init__(why.value)
        self.why = why
        self.metric = metric


def round_up(value: float) -> float:
    """The next whole number, forgiving the last digits of floating-point arithmetic."""
    return float(math.ceil(value - ROUNDING * max(1.0, abs(value))))


def whole(asked: float) -> int:
    """Machines for a demand: rounded up, neither below 0 nor without end."""
    if asked > 1.0:
        return math.ceil(asked - ROUNDING * asked) if asked < MOST else MOST
    return 1 if asked > ROUNDING else 0


def reaches(value: float, least: float) -> bool:
    """Whether the value is at least so much, with the same forgiveness."""
    return value >= least - ROUNDING * max(1.0, least)


def finish(code: Code, values: Environment) -> float:
    """Run the code of a whole expression. Raises UndefinedError."""
    try:
        return code(values)
    except ArithmeticError as error:
        raise UndefinedError(Why.NOT_A_NUMBER) from error


def variable(name: str) -> Code:
    """A metric or a number of the fleet."""

    def read(values: Environment) -> float:
        value = values[name]
        if isinstance(value, Measured):
            return float(value.value)
        if isinstance(value, float):
            return value
        raise UndefinedError(value.why, MetricName(name))

    return read


def fallback(parts: Sequence[Code]) -> Code:
    """The first of the parts that can be told."""
    *first, last = parts

    def choose(values: Environment) -> float:
        for part in first:
            try:
                return part(values)
            except (UndefinedError, ArithmeticError):
                continue
        return last(values)

    return choose


def power(base: Code, exponent: Code) -> Code:
    """`base ** exponent`; a root of a negative number is undefined."""

    def raised(values: Environment) -> float:
        result = base(values) ** exponent(values)
        if isinstance(result, complex):
            raise UndefinedError(Why.NOT_A_NUMBER)
        return _finite(result)

    return raised


def signed(sign: str, part: Code) -> Code:
    """`+part` or `-part`."""
    if sign == "+":
        return part
    return lambda values: -part(values)


def chain(signs: Sequence[str], parts: Sequence[Code]) -> Code:
    """Operators of one precedence, applied from left to right."""
    first, rest = parts[0], tuple(zip((_BINARY[sign] for sign in signs), parts[1:], strict=True))
    if len(rest) == 1:
        only, other = rest[0]
        return lambda values: _finite(only(first(values), other(values)))

    def fold(values: Environment) -> float:
        result = first(values)
        for apply, part in rest:
            result = _finite(apply(result, part(values)))
        return result

    return fold


def comparison(signs: Sequence[str], parts: Sequence[Code]) -> Code:
    """A chain such as `1 < x <= 3`, true if every link is."""
    first, rest = parts[0], tuple(zip((_COMPARE[sign] for sign in signs), parts[1:], strict=True))

    if len(rest) == 1:
        only, other = rest[0]
        return lambda values: 1.0 if only(first(values), other(values)) else 0.0

    def compare(values: Environment) -> float:
        left = first(values)
        for holds, part in rest:
            right = part(values)
            if not holds(left, right):
                return 0.0
            left = right
        return 1.0

    return compare


def negated(part: Code) -> Code:
    """1 for 0, otherwise 0."""
    return lambda values: 0.0 if part(values) else 1.0


def both(parts: Sequence[Code]) -> Code:
    """True if all are; stops at the first that is not."""
    return lambda values: 1.0 if all(part(values) for part in parts) else 0.0


def either(parts: Sequence[Code]) -> Code:
    """True if any is; stops at the first that is."""
    return lambda values: 1.0 if any(part(values) for part in parts) else 0.0


def choice(condition: Code, then: Code, otherwise: Code) -> Code:
    """`condition ? then : otherwise`; only the chosen branch is evaluated."""
    return lambda values: then(values) if condition(values) else otherwise(values)


def call(name: str, arguments: Sequence[Code]) -> Code:
    """A function of the list below."""
    function = FUNCTIONS[name]
    if len(arguments) == 1:
        only = arguments[0]
        return lambda values: function(only(values))
    return lambda values: function(*(part(values) for part in arguments))


def _finite(value: float) -> float:
    if math.isfinite(value):
        return value
    raise UndefinedError(Why.NOT_A_NUMBER)


def _smallest(*values: float) -> float:
    return min(values)


def _largest(*values: float) -> float:
    return max(values)


VARIADIC = frozenset({"min", "max"})
FUNCTIONS: Mapping[str, Callable[..., float]] = {
    "min": _smallest,
    "max": _largest,
    "ceil": round_up,
    "floor": lambda value: float(math.floor(value)),
    "round": lambda value: float(round(value)),
    "abs": abs,
}

_BINARY: Mapping[str, Callable[[float, float], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "%": operator.mod,
}
_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
