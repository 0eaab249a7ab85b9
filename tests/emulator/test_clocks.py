"""Both clocks."""

import asyncio
import threading

import pytest

from autoscaler.emulator.clock import MIDNIGHT, ManualClock, RunningClock


async def test_a_manual_clock_wakes_those_whose_time_has_come():
    clock = ManualClock()
    woken = []

    async def sleeper(seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append(seconds)

    tasks = [asyncio.create_task(sleeper(seconds)) for seconds in (5, 10)]
    await asyncio.sleep(0)
    clock.advance(9)
    await tasks[0]
    assert woken == [5]
    clock.advance(1)
    await tasks[1]
    assert clock.now() == MIDNIGHT + 10


async def test_a_manual_clock_is_moved_from_any_thread():
    clock = ManualClock()
    task = asyncio.create_task(clock.sleep(5))
    await asyncio.sleep(0)
    mover = threading.Thread(target=clock.advance, args=(5,))
    mover.start()
    await asyncio.wait_for(task, 2)
    mover.join()


async def test_sleeping_no_time_returns_at_once():
    await asyncio.wait_for(ManualClock().sleep(0), 1)


def test_time_does_not_go_backward():
    with pytest.raises(ValueError, match="backward"):
        ManualClock().advance(-1)


def test_a_running_clock_follows_its_pace_maker_at_its_speed():
    ticks = iter([100.0, 100.0, 103.0])
    clock = RunningClock(speed=10, epoch=MIDNIGHT, monotonic=lambda: next(ticks))
    assert clock.now() == MIDNIGHT
    assert clock.now() == MIDNIGHT + 30


async def test_a_running_clock_sleeps_shorter_the_faster_it_is():
    await asyncio.wait_for(RunningClock(speed=10_000).sleep(60), 1)
