"""The budget lets three through at once and one a second after, slows down when told, and forgets."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoscaler.adapters.fly_machines.rate_budget import (
    BURST,
    FORGET_AFTER_S,
    SWEEP_AT,
    RateBudget,
    TooLateError,
)

pytestmark = pytest.mark.looptime


def now() -> float:
    return asyncio.get_running_loop().time()


async def admitted_at(budget: RateBudget, count: int, key: object = "create") -> list[float]:
    began = now()
    times: list[float] = []

    async def one() -> None:
        await budget.admit(key)
        times.append(round(now() - began, 6))

    await asyncio.gather(*(one() for _ in range(count)))
    return times


async def test_three_go_at_once_and_then_one_a_second() -> None:
    assert await admitted_at(RateBudget(), 6) == [0.0, 0.0, 0.0, 1.0, 2.0, 3.0]


async def test_a_second_is_counted_from_the_first_answer_because_the_burst_may_have_arrived_late() -> None:
    budget = RateBudget()
    waiting = asyncio.create_task(admitted_at(budget, 6))
    for _ in range(3):
        await asyncio.sleep(0.3)
        budget.answered("create")
    assert await waiting == [0.0, 0.0, 0.0, 1.3, 2.3, 3.3]


async def test_a_slow_answer_holds_the_next_up_for_a_second_at_most() -> None:
    budget = RateBudget()
    await admitted_at(budget, 3)
    await asyncio.sleep(20.0)
    budget.answered("create")
    assert await admitted_at(budget, 3) == [0.0, 0.0, 0.0]
    budget = RateBudget()
    waiting = asyncio.create_task(admitted_at(budget, 7))
    await asyncio.sleep(2.5)
    budget.answered("create")
    assert await waiting == [0.0, 0.0, 0.0, 1.0, 2.0, 4.0, 5.0]


async def test_a_rest_refills_the_burst_and_no_more() -> None:
    budget = RateBudget()
    await admitted_at(budget, 3)
    await asyncio.sleep(2.0)
    assert await admitted_at(budget, 3) == [0.0, 0.0, 1.0]
    await asyncio.sleep(100.0)
    assert await admitted_at(budget, 4) == [0.0, 0.0, 0.0, 1.0]


async def test_keys_do_not_delay_each_other() -> None:
    budget = RateBudget()
    times = await asyncio.gather(*(admitted_at(budget, 1, ("start", number)) for number in range(50)))
    assert times == [[0.0]] * 50


async def test_turns_come_in_the_order_in_which_they_were_asked_for() -> None:
    budget, order = RateBudget(), list[int]()

    async def one(number: int) -> None:
        await budget.admit("create")
        order.append(number)

    await asyncio.gather(*(one(number) for number in range(10)))
    assert order == list(range(10))


async def test_each_429_halves_the_rate_down_to_one_in_ten_seconds() -> None:
    budget = RateBudget()
    waits = []
    for _ in range(6):
        budget.slow("create")
        waits += await admitted_at(budget, 1)
    assert waits == [2.0, 4.0, 8.0, 10.0, 10.0, 10.0]


async def test_a_slowed_bucket_has_no_burst_until_it_has_rested() -> None:
    budget = RateBudget()
    budget.slow("create")
    assert await admitted_at(budget, 3) == [2.0, 4.0, 6.0]


async def test_the_pause_asked_for_is_kept() -> None:
    budget = RateBudget()
    budget.slow("create", pause_s=7.0)
    assert await admitted_at(budget, 2) == [7.0, 9.0]


@pytest.mark.parametrize("pause_s", [600.0, 86_400.0 * 365, float("inf")])
async def test_no_pause_is_longer_than_ten_seconds(pause_s: float) -> None:
    budget = RateBudget()
    budget.slow("create", pause_s=pause_s)
    assert await admitted_at(budget, 2) == [10.0, 12.0]


async def test_a_success_restores_the_rate() -> None:
    budget = RateBudget()
    for _ in range(3):
        budget.slow("create")
    budget.answered("create")
    assert await admitted_at(budget, 3) == [1.0, 2.0, 3.0]


async def test_a_429_to_one_slows_those_who_are_waiting() -> None:
    budget = RateBudget()
    await admitted_at(budget, 3)
    waiting = asyncio.create_task(admitted_at(budget, 2))
    await asyncio.sleep(0.5)
    budget.slow("create")
    assert await waiting == [2.5, 4.5]


async def test_a_turn_that_would_come_too_late_is_refused_at_once() -> None:
    budget, began = RateBudget(), now()
    await admitted_at(budget, 3)
    waiting = [asyncio.create_task(budget.admit("create", until=began + 2.5)) for _ in range(5)]
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(result) for result in results] == [type(None)] * 2 + [TooLateError] * 3
    assert now() - began == pytest.approx(2.0)


async def test_a_turn_given_up_is_free_for_the_next() -> None:
    budget = RateBudget()
    await admitted_at(budget, 3)
    first = asyncio.create_task(budget.admit("create"))
    second = asyncio.create_task(admitted_at(budget, 1))
    await asyncio.sleep(0.1)
    first.cancel()
    assert await second == [1.0]


async def test_buckets_at_rest_are_forgotten() -> None:
    budget = RateBudget()
    for number in range(3 * SWEEP_AT):
        await budget.admit(("start", number))
        await asyncio.sleep(0.1)
    assert len(budget) <= SWEEP_AT


@pytest.mark.parametrize(("rest_s", "wait_s"), [(100.0, 4.0), (FORGET_AFTER_S + 100.0, 2.0)])
async def test_a_slowed_bucket_is_remembered_for_a_while(rest_s: float, wait_s: float) -> None:
    budget = RateBudget()
    budget.slow("create")
    await asyncio.sleep(rest_s)
    for number in range(2 * SWEEP_AT):
        await budget.admit(("start", number))
    budget.slow("create")
    assert await admitted_at(budget, 1) == [wait_s]


@given(pauses=st.lists(st.sampled_from([0.0, 0.1, 0.5, 1.0, 3.0]), max_size=40))
async def test_no_stretch_of_time_holds_more_than_its_share(pauses: list[float]) -> None:
    budget, times = RateBudget(), list[float]()
    for pause in pauses:
        await asyncio.sleep(pause)
        await budget.admit("create")
        times.append(now())
    for first, start in enumerate(times):
        for last in range(first, len(times)):
            assert last - first + 1 <= BURST + (times[last] - start) + 1e-3
