import pytest

from autoscaler.domain.reason import ReasonCode, figure, reason


def test_numbers_are_read_in_the_order_in_which_they_were_given() -> None:
    why = reason(ReasonCode.WINDOW_IN, window_s=300.0, highest=4, machines=4)
    assert str(why) == "window_in window_s=300 highest=4 machines=4"


def test_a_number_that_is_none_is_left_out_and_a_zero_is_not() -> None:
    why = reason(ReasonCode.UNKNOWN, rule="rules[0]", metric=None, why="not_a_number")
    assert str(why) == "unknown rule=rules[0] why=not_a_number"
    assert reason(ReasonCode.SPARE, machines=0).detail == "machines=0"


def test_a_chain_of_reasons_can_be_recomputed_by_hand() -> None:
    why = reason(ReasonCode.RULE, per_machine=1000.0, value=1_000_001.0, asked=1000.001, machines=1001)
    assert why.detail == "per_machine=1000 value=1000001 asked=1000.001 machines=1001"


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.1 + 0.2, "0.3"), (30.000000001, "30.000000001"), (1e300, "1e+300"), (-2.5, "-2.5"), (0.0, "0")],
)
def test_a_figure_has_digits_enough_and_no_noise(value: float, shown: str) -> None:
    assert figure(value) == shown


def test_a_code_without_numbers_stands_alone() -> None:
    assert str(reason(ReasonCode.CREATE_OFF)) == "create_off"
