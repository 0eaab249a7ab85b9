"""Stories that Hypothesis found where the autoscaler once went wrong, told again in their shortest form."""

from dataclasses import replace

import pytest

from autoscaler.emulator.faults import Fault, Kind
from tests.scenarios.story import AMS, ORD, told

pytestmark = pytest.mark.looptime

HOUR_S = 3600.0


async def test_old_crashes_in_a_region_that_nobody_wants_do_not_end_creating_in_another():
    async with told() as story:
        story.add(1, ORD, "started")
        story.add(3, AMS, "stopped")
        crashes = story.trouble(Fault(kind=Kind.CRASH, delay_s=2.0, region="ams"))
        story.load({ORD: 10.0, AMS: 30.0})
        await story.passes(90.0)
        story.relief(crashes)
        story.load({ORD: 30.0, AMS: 0.0})
        await story.passes(60.0)
        assert story.started() == {"ord": 1}
        story.pool = replace(story.pool, interval_s=60.0)
        await story.passes(HOUR_S / 2)
        assert story.started() == {"ord": 3}


async def test_machines_that_crashed_once_and_run_now_do_not_end_creating():
    async with told() as story:
        story.add(1, ORD, "started")
        story.add(3, AMS, "stopped")
        story.trouble(Fault(kind=Kind.CRASH, delay_s=2.0, region="ams", count=3))
        story.load({ORD: 10.0, AMS: 30.0})
        await story.passes(120.0)
        assert story.started() == {"ord": 1, "ams": 3}
        story.load({ORD: 30.0})
        await story.passes(30.0)
        assert story.started() == {"ord": 3, "ams": 3}
