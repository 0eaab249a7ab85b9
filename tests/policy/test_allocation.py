"""Sharing out, taking back and giving up, one Machine at a time."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from autoscaler.policy.allocation import give_up, share_out, take_back

counts = st.integers(min_value=0, max_value=60)
bases = counts | st.sampled_from([10**6, 10**9])
weights = st.one_of(
    st.sampled_from([1.0, 2.0, 1 / 3]), st.floats(min_value=0.01, max_value=50), st.floats(0.001, 999_999.0)
)
regions = st.lists(st.tuples(bases, counts | bases, weights), min_size=1, max_size=6)
extras = st.integers(min_value=0, max_value=30) | st.integers(min_value=90, max_value=400)


def one_by_one(base: Sequence[int], most: Sequence[int], shares: Sequence[float], extra: int) -> list[int]:
    assigned = list(base)
    for _ in range(extra):
        thirsty = [
            ((2 * count + 1) / shares[index], index)
            for index, count in enumerate(assigned)
            if count < most[index]
        ]
        if thirsty:
            assigned[min(thirsty)[1]] += 1
    return assigned


@pytest.mark.parametrize(
    ("base", "most", "shares", "extra", "result"),
    [
        # Equal weights: the emptiest region first, then by name.
        ([0, 0, 0], [9, 9, 9], [1, 1, 1], 5, [2, 2, 1]),
        # (2a+1)/w: 1/2 1 | 3/2 1 | 3/2 3 | 5/2 3 -> twice the weight, twice the Machines.
        ([0, 0], [9, 9], [2, 1], 6, [4, 2]),
        # What a region has already counts: the other one catches up.
        ([4, 0], [9, 9], [1, 1], 4, [4, 4]),
        # A full region is passed over, and what finds no room is left over.
        ([0, 0], [1, 9], [5, 1], 4, [1, 3]),
        ([0, 0], [1, 2], [1, 1], 9, [1, 2]),
        ([3], [9], [1], 0, [3]),
    ],
)
def test_machines_go_where_the_fewest_are_for_the_weight(
    base: list[int], most: list[int], shares: list[float], extra: int, result: list[int]
) -> None:
    assert share_out(base, most, shares, extra) == result


@given(regions, extras)
def test_leaps_end_where_single_steps_end(drawn: list[tuple[int, int, float]], extra: int) -> None:
    base = [count for count, _, _ in drawn]
    most = [count + room for count, room, _ in drawn]
    shares = [weight for _, _, weight in drawn]
    assert share_out(base, most, shares, extra) == one_by_one(base, most, shares, extra)


@given(regions, extras)
def test_one_machine_more_takes_none_from_anybody(drawn: list[tuple[int, int, float]], extra: int) -> None:
    base = [count for count, _, _ in drawn]
    most = [count + room for count, room, _ in drawn]
    shares = [weight for _, _, weight in drawn]
    before, after = (share_out(base, most, shares, total) for total in (extra, extra + 1))
    assert all(less <= more for less, more in zip(before, after, strict=True))


@given(regions, extras)
def test_taking_back_undoes_sharing_out(drawn: list[tuple[int, int, float]], extra: int) -> None:
    least = [0] * len(drawn)
    shares = [weight for _, _, weight in drawn]
    shared = share_out(least, [1000] * len(drawn), shares, extra)
    assert sum(take_back(shared, least, shares, extra // 2)) == extra - extra // 2
    assert take_back(shared, least, shares, extra + 5) == least


class Counted(list[int]):
    """Limits that count how often they are looked at: as a whole by leaps, one by one by single steps."""

    looks = 0

    def __iter__(self) -> Iterator[int]:
        self.looks += 1
        return super().__iter__()

    def __getitem__(self, index: Any) -> Any:
        self.looks += 1
        return super().__getitem__(index)


any_weight = st.floats(min_value=0, exclude_min=True, allow_infinity=False)
wild = st.lists(st.tuples(bases, bases, any_weight), min_size=1, max_size=6)


@example([(0, 5000, 5e-324), (0, 5000, 1e-310)], 3000)
@example([(10**9, 10**9, 999_999.0), (5, 10**9, 1.0)], 200)
@given(wild, st.integers(min_value=0, max_value=10**9))
def test_any_weights_and_heights_are_shared_out_in_a_few_steps(
    drawn: list[tuple[int, int, float]], extra: int
) -> None:
    base = [count for count, _, _ in drawn]
    most = Counted([count + room for count, room, _ in drawn])
    shared = share_out(base, most, [weight for _, _, weight in drawn], extra)
    assert most.looks < 250
    assert sum(shared) == min(sum(base) + extra, sum(most))
    assert all(low <= here <= high for low, here, high in zip(base, shared, most, strict=True))


def test_a_billion_machines_are_shared_out_in_no_time() -> None:
    billion = 10**9
    shared = share_out([billion, 0, 7], [2 * billion] * 3, [1.0, 2.0, 0.5], billion)
    assert sum(shared) == 2 * billion + 7


@pytest.mark.parametrize(
    ("desired", "base", "least", "late", "surplus", "result"),
    [
        # 3 above its base gives first, down to the others' height above theirs.
        ([5, 8], [2, 8], [0, 0], [False, False], 3, [2, 8]),
        ([5, 8], [2, 8], [0, 0], [False, False], 4, [1, 8]),
        # Equally far above: by turns, by name.
        ([8, 8], [8, 8], [0, 0], [False, False], 6, [5, 5]),
        ([8, 8], [8, 8], [0, 0], [False, False], 5, [5, 6]),
        # Nobody below its minimum, and an unknown one last.
        ([5, 8], [2, 8], [4, 0], [False, False], 3, [4, 6]),
        ([5, 8], [2, 8], [0, 2], [True, False], 6, [5, 2]),
        ([5, 8], [2, 8], [0, 2], [True, False], 8, [3, 2]),
        ([5, 8], [2, 8], [5, 8], [False, False], 9, [5, 8]),
    ],
)
def test_who_is_furthest_above_its_base_gives_up_first(  # noqa: PLR0917 - a table's columns
    desired: list[int], base: list[int], least: list[int], late: list[bool], surplus: int, result: list[int]
) -> None:
    assert give_up(desired, base, least, late, surplus) == result
