"""The grammar of expressions, as docs/policy.md tells it: what binds how, and how mistakes are pointed at."""

import re
from pathlib import Path

import pytest

from autoscaler.domain.reading import Absent, Why
from autoscaler.policy.arithmetic import UndefinedError
from autoscaler.policy.expression import GRAMMAR, MAX_DEPTH, MAX_LENGTH, ExpressionError, check_names, parse
from tests.docs import policy_page

PAGE = policy_page.text(Path(__file__).resolve().parents[2])
SECTION = PAGE.split("#### The grammar\n", 1)[1].split("\n### ", 1)[0]
MEANINGS = re.findall(r"^\| `([^`]+)` \| `([^`]+)` \| (\S+) \|$", SECTION, flags=re.MULTILINE)
MISTAKES = re.findall(r"^\| `([^`]+)` \| (.+ at character \d+) \|$", SECTION, flags=re.MULTILINE)
VALUES = {"backlog": 45.0, "oldest": 400.0, "zero": 0.0, "booked": Absent(why=Why.EMPTY)}


def told(text: str) -> str:
    expression = parse(text)
    check_names(expression, VALUES)
    try:
        return f"{expression.evaluate(VALUES):g}"
    except UndefinedError:
        return "unknown"


@pytest.mark.parametrize(("text", "same", "value"), MEANINGS)
def test_an_expression_is_read_as_the_page_says(text: str, same: str, value: str) -> None:
    assert (told(text), told(same)) == (value, value)


@pytest.mark.parametrize(("text", "complaint"), MISTAKES)
def test_a_mistake_is_pointed_at_as_the_page_says(text: str, complaint: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        check_names(parse(text), VALUES)
    assert str(caught.value).splitlines()[0] == complaint


def test_every_operator_and_every_limit_is_on_the_page() -> None:
    signs = set(re.findall(r'"([^"\s(),:]+)"', GRAMMAR)) - {"||"}
    assert signs >= {"??", "**", "%", "<=", "&&", "not", "?"}
    operators = SECTION.split("\n\n")[1]
    assert [sign for sign in sorted(signs) if sign not in operators] == []
    assert f"{MAX_LENGTH} characters and {MAX_DEPTH} levels" in SECTION.replace("\n", " ").replace(
        "at most ", ""
    )
    assert (len(MEANINGS), len(MISTAKES)) > (20, 5)
