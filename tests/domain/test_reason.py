from autoscaler.domain.reason import ReasonCode, reason


def test_numbers_are_read_in_the_order_in_which_they_were_given() -> None:
    why = reason(ReasonCode.WINDOW_IN, window_s=300.0, highest=4, machines=4)
    assert str(why) == "window_in window_s=300 highest=4 machines=4"


def test_a_number_that_is_none_is_left_out_and_a_zero_is_not() -> None:
    why = reason(ReasonCode.UNKNOWN, rule="rules[0]", metric=None, why="not_a_number")
    assert str(why) == "unknown rule=rules[0] why=not_a_number"
    assert reason(ReasonCode.SPARE, machines=0).detail == "machines=0"


def test_a_code_without_numbers_stands_alone() -> None:
    assert str(reason(ReasonCode.CREATE_OFF)) == "create_off"
