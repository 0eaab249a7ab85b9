"""The operator's arithmetic: what it means, and how its mistakes are pointed at."""

from math import isfinite

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoscaler.domain.reading import Absent, Why
from autoscaler.policy.arithmetic import UndefinedError
from autoscaler.policy.expression import MAX_LENGTH, ExpressionError, check_names, parse

KNOWN = "known are abs, ceil, floor, max, min, round"
VALUES = {
    "a": 3.0,
    "b": 0.0,
    "big": 1e308,
    "gone": Absent(why=Why.EMPTY),
    "far": Absent(why=Why.UNREACHABLE),
    "order": 7.0,
    "notb": 8.0,
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("7 - 2 - 1", 4),
        ("8 / 4 / 2", 1),
        ("-2 ** 2", -4),
        ("2 ** -1", 0.5),
        ("2 ** 3 ** 2", 512),
        ("7 % -3", -2),
        ("-7 % 3", 2),
        (".5 + 1e1 + 2.", 12.5),
        ("+a - -a", 6),
        ("a > 1 and b > 2 ? 3 : 1", 1),
        ("!b && a || 0", 1),
        ("not a > 2", 0),
        ("not b", 1),
        ("1 < a < 3", 0),
        ("1 < a <= 3", 1),
        ("a == 3 != 4", 1),
        ("a >= 3", 1),
        ("b ? 1 : a ? 5 : 6", 5),
        ("a ? b ? 1 : 2 : 3", 2),
        ("order + 1", 8),
        ("notb + 1", 9),
        ("not(a)or(b)", 0),
        ("b or-a", 1),
        ("min(4, a, 5) + max(a, 4)", 7),
        ("min(a)", 3),
        ("ceil(2.1) + floor(2.9)", 5),
        ("ceil(0.3 / 0.1)", 3),
        ("round(2.5) + round(3.5)", 6),
        ("abs(-a)", 3),
    ],
)
def test_an_expression_means_what_it_means_in_python(text: str, value: float) -> None:
    assert parse(text).evaluate(VALUES) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("gone ?? 4", 4),
        ("gone ?? far ?? 5", 5),
        ("gone ?? -1 + 2", 1),
        ("a ?? gone", 3),
        ("2 * gone ?? 4", 8),
        ("(a / b) ?? 9", 9),
        ("b ? gone : 2", 2),
        ("b and gone", 0),
        ("a or gone", 1),
        ("1 > a > gone", 0),
    ],
)
def test_only_what_is_evaluated_can_make_it_unknown_and_a_fallback_takes_over(
    text: str, value: float
) -> None:
    assert parse(text).evaluate(VALUES) == value


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("gone", Why.EMPTY),
        ("a + far", Why.UNREACHABLE),
        ("gone ?? far", Why.UNREACHABLE),
        ("a / b", Why.NOT_A_NUMBER),
        ("a % b", Why.NOT_A_NUMBER),
        ("b ** -1", Why.NOT_A_NUMBER),
        ("(-8) ** 0.5", Why.NOT_A_NUMBER),
        ("9 ** 9 ** 9 ** 9", Why.NOT_A_NUMBER),
        ("big * 10", Why.NOT_A_NUMBER),
        ("big + big > 0 ? 1 : 2", Why.NOT_A_NUMBER),
        ("min(1, big * 10)", Why.NOT_A_NUMBER),
    ],
)
def test_what_has_no_finite_value_is_unknown(text: str, why: Why) -> None:
    with pytest.raises(UndefinedError) as caught:
        parse(text).evaluate(VALUES)
    assert caught.value.why is why


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a b", "'b' is not expected here, at character 3\n    a b\n      ^"),
        ("a +", "the expression ends too early, at character 4\n    a +\n       ^"),
        ("", "the expression ends too early, at character 1\n    \n    ^"),
        ("a $ 2", "the character '$' has no meaning here, at character 3\n    a $ 2\n      ^"),
        ("1 ? 2", "the expression ends too early, at character 6\n    1 ? 2\n         ^"),
        ("a\n+ )", "')' is not expected here, at character 5\n    + )\n      ^"),
        ("a // 2", "'/' is not expected here, at character 4\n    a // 2\n       ^"),
        ("a + not b", "'not' is not expected here, at character 5\n    a + not b\n        ^"),
        ("a or and", "'and' is not expected here, at character 6\n    a or and\n         ^"),
        ("or", "'or' is not expected here, at character 1\n    or\n    ^"),
        ("a orb", "'orb' is not expected here, at character 3\n    a orb\n      ^"),
        ("a or2", "'or2' is not expected here, at character 3\n    a or2\n      ^"),
        ("a andb", "'andb' is not expected here, at character 3\n    a andb\n      ^"),
        ("2 * 1e999", "the number is too large, at character 5\n    2 * 1e999\n        ^"),
        ("abs(1, 2)", "abs takes one value, not 2, at character 1\n    abs(1, 2)\n    ^"),
        ("1 + foo(2)", f"there is no function foo ({KNOWN}), at character 5\n    1 + foo(2)\n        ^"),
    ],
)
def test_a_mistake_is_pointed_at(text: str, complaint: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    assert str(caught.value) == complaint


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("backlog + lode", "nothing is called lode (did you mean load?)"),
        ("zzz", "nothing is called zzz (known are load, ready, running, stopped, total)"),
        ("max + 1", "the function max needs parentheses"),
    ],
)
def test_an_unknown_name_is_pointed_at_with_the_likeliest_one(text: str, problem: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        check_names(parse(text.replace("backlog", "load")), ["load"])
    assert caught.value.problem == problem


@pytest.mark.parametrize(
    ("text", "deepest"),
    [("(" * 60 + "1" + ")" * 60, 60), ("-" * 60 + "1", 60), ("1 ? " * 60 + "2" + " : 3" * 60, 4 * 59)],
)
@pytest.mark.parametrize("before", ["", "1 + (3 - 1) * "])
def test_deep_nesting_is_refused_with_a_sentence_that_points_into_the_depth(
    text: str, deepest: int, before: str
) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(before + text)
    found = caught.value.problem, caught.value.offset
    assert found == ("nested deeper than 50 levels", len(before) + deepest)


def test_a_long_text_is_refused_and_a_long_flat_sum_is_not() -> None:
    assert parse(" + ".join(["a"] * 400)).evaluate(VALUES) == 1200
    with pytest.raises(ExpressionError, match=f"longer than {MAX_LENGTH} characters"):
        parse("a + " * 600 + "a")


def test_names_are_those_that_are_mentioned_with_their_places() -> None:
    assert parse("ceil(b / a) + b").names == {"b": 5, "a": 9}


@given(st.text(alphabet="ab gone()+-*/%<>=!&|?:,.0123456789e\n", max_size=40))
def test_any_text_is_an_expression_or_a_pointed_mistake(text: str) -> None:
    mistake, value = outcome(text)
    if mistake is None:
        assert value is None or isfinite(value)
    else:
        assert 0 <= mistake.offset <= len(text)


def outcome(text: str) -> tuple[ExpressionError | None, float | None]:
    try:
        parsed = parse(text)
        return None, parsed.evaluate(dict.fromkeys(parsed.names, 2.0))
    except ExpressionError as error:
        return error, None
    except UndefinedError:
        return None, None
