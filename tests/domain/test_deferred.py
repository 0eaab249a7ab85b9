from autoscaler.domain.deferred import Deferred


def counting() -> tuple[list[int], Deferred[str]]:
    """A deferred sequence, and a list that grows whenever it is made."""
    made: list[int] = []

    def make() -> tuple[str, ...]:
        made.append(1)
        return ("rule", "spare", "shared")

    return made, Deferred(make)


def test_nothing_is_made_before_somebody_looks_and_then_once() -> None:
    made, words = counting()
    assert made == []
    assert len(words) == 3
    assert list(words) == ["rule", "spare", "shared"]
    assert made == [1]


def test_two_that_look_at_the_same_time_see_the_same() -> None:
    words: Deferred[str]

    def while_another_looks() -> tuple[str, ...]:
        depth.append(1)
        return tuple(words) if len(depth) == 1 else ("rule", "spare")

    depth: list[int] = []
    words = Deferred(while_another_looks)
    assert list(words) == ["rule", "spare"]
    assert list(words) == ["rule", "spare"]


def test_what_it_is_made_of_may_be_given_beside() -> None:
    assert Deferred(sorted_tuple, [3, 1, 2]) == (1, 2, 3)


def sorted_tuple(numbers: list[int]) -> tuple[int, ...]:
    return tuple(sorted(numbers))


def test_it_reads_as_the_tuple_it_becomes() -> None:
    _, words = counting()
    assert (words[0], words[-1], words[1:]) == ("rule", "shared", ("spare", "shared"))
    assert "spare" in words
    assert (*words, "window_in")[-2:] == ("shared", "window_in")
    assert repr(words) == "('rule', 'spare', 'shared')"


def test_it_is_equal_to_what_has_equal_items() -> None:
    words, same = counting()[1], counting()[1]
    assert words == same == ("rule", "spare", "shared")
    assert hash(words) == hash(("rule", "spare", "shared"))
    assert words != ("rule",)
    assert words != 3


def test_an_empty_one_is_false() -> None:
    assert not Deferred(tuple)
