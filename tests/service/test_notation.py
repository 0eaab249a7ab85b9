"""Durations, steps and the other small notations mean what the documentation says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoscaler.domain.pool import Budget, Step
from autoscaler.service.configuration.notation import parse_budget, parse_step, seconds, spell_duration
from autoscaler.service.configuration.spelling import MistakeError, listed


@pytest.mark.parametrize(
    ("text", "total_s"),
    [
        ("15s", 15),
        ("5m", 300),
        ("1h30m", 5400),
        ("0s", 0),
        ("2d", 172800),
        ("1d2h3m4s", 93784),
        ("90m", 5400),
    ],
)
def test_a_duration_is_the_sum_of_its_parts(text: str, total_s: float) -> None:
    assert seconds(text) == total_s


@pytest.mark.parametrize(
    "text", ["", "5", "m", "1.5h", "5 m", "5M", "30m1h", "5m5m", "-5m", "5ms", "٣s", "1w", "5m\n"]
)
def test_anything_else_is_no_duration(text: str) -> None:
    assert seconds(text) is None


@given(st.integers(0, 10**9))
def test_a_duration_that_is_spelled_reads_the_same(total_s: int) -> None:
    assert seconds(spell_duration(total_s)) == total_s


@pytest.mark.parametrize(
    ("text", "step"),
    [
        ("none", None),
        ("4/15s", Step(period_s=15.0, count=4)),
        ("50%/1m", Step(period_s=60.0, fraction=0.5)),
        ("12.5% / 1m", Step(period_s=60.0, fraction=0.125)),
        ("100% or 4/15s", Step(period_s=15.0, fraction=1.0, count=4)),
        ("4 or 100%/15s", Step(period_s=15.0, fraction=1.0, count=4)),
        ("4/15s or 50%/1m", Step(period_s=60.0, fraction=0.5, count=4, count_period_s=15.0)),
        ("50%/1m or 4/60s", Step(period_s=60.0, fraction=0.5, count=4)),
    ],
)
def test_a_step_has_a_count_a_percentage_or_both(text: str, step: Step | None) -> None:
    assert parse_step(text) == step


@pytest.mark.parametrize(
    "text",
    [
        "",
        "4",
        "50%",
        "4 or 50%",
        "0/1m",
        "0%/1m",
        "4/0s",
        "4/5",
        "2/1m or 4/1m",
        "1%/1m or 2%/1m",
        "a/1m",
        "4/1m or",
        "1/1m or 2%/1m or 3/1m",
        "-1/1m",
        "1001%/1m",
        "1/2d",
    ],
)
def test_anything_else_is_no_step(text: str) -> None:
    with pytest.raises(MistakeError):
        parse_step(text)


def test_a_budget_is_a_count_in_a_period() -> None:
    assert parse_budget("10/10m") == Budget(count=10, window_s=600.0)


@pytest.mark.parametrize("value", ["10", "10/", "/10m", "0/10m", "10/0s", "10/2d", "10%/1m", "10001/1m", 10])
def test_anything_else_is_no_budget(value: object) -> None:
    with pytest.raises(MistakeError):
        parse_budget(value)


def test_words_are_listed_as_in_a_sentence() -> None:
    assert [listed(["a"]), listed(["a", "b"]), listed(["a", "b", "c"], "and")] == [
        "a",
        "a or b",
        "a, b and c",
    ]
