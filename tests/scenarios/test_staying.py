"""Stories of Machines that are told to leave and stay."""

import pytest

from autoscaler.domain.outcome import Verdict
from autoscaler.domain.pool import Damping, Leave, Step
from autoscaler.domain.reason import ReasonCode
from autoscaler.emulator import lifecycle
from autoscaler.emulator.faults import Fault, Kind
from autoscaler.emulator.record import Machine
from tests.scenarios.story import ORD, Story, a_pool, told
from tests.scenarios.test_hard_stories import BUSY, SERVICE, busy, stopped_or_worse

pytestmark = pytest.mark.looptime

STEPWISE = Damping(window_s=60.0, step=Step(period_s=60.0, count=1))


def youngest(machines: list[Machine]) -> Machine:
    return min(machines, key=lambda machine: (-machine.created_at, machine.id))


def never_stops(story: Story, machine: Machine) -> None:
    story.trouble(
        Fault(kind=Kind.STATUS, operation="stop", machine=machine.id, status=500, body={"error": "unknown"})
    )


def stops_of(story: Story, machine: Machine) -> int:
    return sum(entry.machine == machine.id for entry in story.requests("stop"))


@pytest.mark.parametrize("leave", [Leave.STOP, Leave.DESTROY])
async def test_a_machine_that_never_stops_does_not_keep_the_others(leave: Leave):
    async with told(a_pool(scale_in=STEPWISE, leave=leave)) as story:
        machines = story.add(6, ORD, "started")
        story.load({ORD: 60.0})
        await story.passes(30.0)
        never_stops(story, youngest(machines))
        story.load({ORD: 20.0})
        await story.passes(1800.0)
        assert story.started() == {"ord": 2}
        assert stops_of(story, youngest(machines)) <= 8


async def test_a_drained_machine_that_never_stops_serves_and_another_one_leaves():
    async with told(a_pool(busy=BUSY), machine_config=SERVICE) as story:
        machines = story.add(3, ORD, "started")
        busy(story, *(machine.id for machine in machines))
        story.load({ORD: 30.0})
        await story.passes(90.0)
        story.load({ORD: 20.0})
        await story.passes(90.0)
        (draining,) = [machine for machine in story.machines() if machine.cordoned]
        never_stops(story, draining)
        busy(story)
        await story.passes(600.0)
        assert [machine.cordoned for machine in story.machines("started")] == [False, False]


async def test_a_machine_that_no_other_can_replace_is_told_now_and_then_until_it_leaves():
    async with told() as story:
        machines = story.add(1, ORD, "started")
        story.load({ORD: 10.0})
        await story.passes(60.0)
        never_stops(story, machines[0])
        story.load({ORD: 0.0})
        report = await story.passes(1800.0)
        assert story.started() == {"ord": 1}
        assert report.verdict is Verdict.HELD
        assert [notice.code for notice in report.notices] == [ReasonCode.STAYS]
        assert stops_of(story, machines[0]) <= 6
        story.relief()
        report = await story.passes(1800.0)
        assert (story.started(), report.verdict, report.notices) == ({}, Verdict.STEADY, ())


async def test_a_machine_that_cannot_be_marked_does_not_keep_the_others():
    async with told(a_pool(scale_in=STEPWISE, leave=Leave.DESTROY)) as story:
        machines = story.add(6, ORD, "started")
        story.load({ORD: 60.0})
        await story.passes(30.0)
        story.trouble(
            Fault(kind=Kind.STATUS, operation="metadata_merge", machine=youngest(machines).id, status=500)
        )
        story.load({ORD: 20.0})
        await story.passes(1800.0)
        assert story.started() == {"ord": 2}


async def test_a_token_that_may_stop_again_is_used_at_once():
    async with told() as story:
        story.add(3, ORD, "started")
        story.load({ORD: 30.0})
        await story.passes(60.0)
        story.trouble(Fault(kind=Kind.STATUS, operation="stop", status=403, body={"error": "unauthorized"}))
        story.load({ORD: 10.0})
        await story.passes(1200.0)
        story.relief()
        await story.passes(60.0)
        assert story.started() == {"ord": 1}


@pytest.mark.parametrize("behind_s", [0.0, 60.0, 200.0, 600.0])
async def test_stops_whose_answers_are_lost_never_leave_too_few(behind_s: float):
    async with told() as story:
        story.add(8, ORD, "started")
        story.load({ORD: 80.0})
        await story.passes(60.0)
        story.trouble(Fault(kind=Kind.DROP_AFTER_COMMIT, operation="stop"))
        if behind_s:
            story.trouble(Fault(kind=Kind.STALE_LIST, delay_s=behind_s))
        story.load({ORD: 30.0})
        for _ in range(40):
            await story.passes(15.0)
            assert len(story.machines("started")) >= 3


async def test_machines_that_an_old_list_still_shows_are_asked_for_before_others_leave():
    async with told() as story:
        machines = story.add(4, ORD, "started")
        story.load({ORD: 40.0})
        await story.passes(300.0)
        story.trouble(Fault(kind=Kind.STALE_LIST, delay_s=240.0))
        for machine in [youngest(machines), youngest([one for one in machines if one != youngest(machines)])]:
            lifecycle.destroy(story.world, machine, force=True)
        story.load({ORD: 20.0})
        for _ in range(40):
            await story.passes(15.0)
            assert story.started() == {"ord": 2}


async def test_a_suspend_that_is_refused_becomes_a_stop():
    async with told(a_pool(leave=Leave.SUSPEND)) as story:
        story.add(2, ORD, "started")
        refusal = {"error": "failed_precondition: unable to suspend machine"}
        story.trouble(Fault(kind=Kind.STATUS, operation="suspend", status=412, body=refusal))
        story.load({ORD: 20.0})
        await story.passes(90.0)
        story.load({ORD: 10.0})
        await story.passes(180.0)
        assert [machine.state for machine in story.machines()].count("stopped") == 1


REFUSED_SUSPENDS = [
    (409, {"error": "aborted: machine cannot be suspended: swap is enabled"}),
    (404, "404 page not found"),
    (500, {"error": "unknown: suspend failed"}),
    (501, {"error": "unimplemented"}),
]


@pytest.mark.parametrize(("status", "body"), REFUSED_SUSPENDS, ids=lambda value: str(value)[:3])
async def test_a_suspend_that_fails_again_and_again_becomes_a_stop(status: int, body: object):
    async with told(a_pool(leave=Leave.SUSPEND)) as story:
        story.add(3, ORD, "started")
        story.trouble(Fault(kind=Kind.STATUS, operation="suspend", status=status, body=body))
        story.load({ORD: 10.0})
        await story.passes(300.0)
        assert [machine.state for machine in story.machines()].count("stopped") == 2
        assert len(story.requests("suspend")) == 4


async def test_a_suspend_is_not_made_a_stop_because_somebody_holds_the_machine():
    async with told(a_pool(leave=Leave.SUSPEND)) as story:
        story.add(2, ORD, "started")
        held = {
            "error": "aborted: machine ID 2 lease currently held by x@tokens.fly.io, expires at 2026-08-14"
        }
        story.trouble(Fault(kind=Kind.STATUS, operation="lease_acquire", status=409, body=held))
        story.load({ORD: 10.0})
        await story.passes(300.0)
        assert stopped_or_worse(story) == []
        story.relief()
        await story.passes(60.0)
        assert [machine.state for machine in story.machines()].count("suspended") == 1
