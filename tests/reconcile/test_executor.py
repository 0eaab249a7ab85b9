"""A plan is carried out at once, in order per Machine, in time, and nothing is sent twice."""

import asyncio
from collections.abc import Mapping

import pytest

from autoscaler.domain.names import AppName, MachineId, MachineName, Region
from autoscaler.domain.outcome import (
    AlreadySo,
    Applied,
    Failed,
    NotSent,
    Outcome,
    Refusal,
    Refused,
    Result,
    Uncertain,
)
from autoscaler.domain.plan import Action, Cordon, Create, CreateVolume, Mark, Plan, Start, Stop, Suspend
from autoscaler.domain.reason import ReasonCode, reason
from autoscaler.reconcile.executor import Limits, execute
from tests.reconcile.fakes import FakeMachines

APP = AppName("shop")
ORD = Region("ord")
AMS = Region("ams")
WANTED = reason(ReasonCode.DEMAND, desired=3)

pytestmark = pytest.mark.looptime


def start(machine: str, region: Region = ORD) -> Start:
    return Start(machine=MachineId(machine), region=region, reason=WANTED)


def suspend(machine: str, region: Region = ORD) -> Suspend:
    return Suspend(machine=MachineId(machine), region=region, reason=WANTED)


def create(number: int, region: Region = ORD) -> Create:
    return Create(
        region=region,
        name=MachineName(f"as-0-{region}-{number}"),
        config={},
        reason=WANTED,
        home=region,
    )


def make_volume(region: Region) -> CreateVolume:
    return CreateVolume(region=region, name="data", reason=WANTED)


async def run(
    machines: FakeMachines, *actions: Action, deadline_s: float = 10.0, limits: Limits | None = None
) -> tuple[Outcome, ...]:
    return await execute(
        APP, Plan(actions=actions), machines, deadline_s=deadline_s, limits=limits or Limits()
    )


def taking(seconds: float | Mapping[str, float], result: Result | None = None) -> FakeMachines:
    async def act(action: Action) -> Result:
        wait = seconds.get(action.machine or action.region, 0.0) if isinstance(seconds, Mapping) else seconds
        await asyncio.sleep(wait)
        return result or Applied(machine=action.machine)

    return FakeMachines(acting=act)


def answering(results: Mapping[str, Result]) -> FakeMachines:
    async def act(action: Action) -> Result:
        await asyncio.sleep(0.25)
        return results.get(action.machine or action.region, Applied())

    return FakeMachines(acting=act)


async def test_an_empty_plan_sends_nothing():
    machines = FakeMachines()
    assert await run(machines) == ()
    assert machines.acted == []


async def test_fifty_starts_cost_one_round_trip():
    machines = taking(0.25)
    before = asyncio.get_running_loop().time()
    outcomes = await run(machines, *(start(f"m{number}") for number in range(50)))
    assert asyncio.get_running_loop().time() - before == pytest.approx(0.25)
    assert {type(outcome.result) for outcome in outcomes} == {Applied}
    assert [outcome.duration_s for outcome in outcomes] == pytest.approx([0.25] * 50)


async def test_outcomes_come_in_the_order_of_the_plan():
    actions = (start("slow"), start("quick"), create(1))
    outcomes = await run(taking({"slow": 2.0, "quick": 0.1}), *actions)
    assert tuple(outcome.action for outcome in outcomes) == actions


async def test_no_more_actions_of_a_region_than_the_limit_are_in_flight():
    machines = taking(0.25)
    await run(machines, *(start(f"m{number}") for number in range(9)), limits=Limits(actions_per_region=4))
    assert max(len(crowd) for crowd in machines.crowds) == 4
    assert len(machines.acted) == 9


async def test_one_machine_never_has_two_actions_in_flight():
    machines = taking(0.25)
    mark = Mark(machine=MachineId("a"), region=ORD, reason=WANTED, metadata={"autoscaler_draining": "1"})
    cordon = Cordon(machine=MachineId("a"), region=ORD, reason=WANTED)
    await run(machines, mark, start("b"), cordon, start("c"))
    for crowd in machines.crowds:
        assert sum(action.machine == "a" for action in crowd) <= 1
    assert [action for action in machines.acted if action.machine == "a"] == [mark, cordon]


@pytest.mark.parametrize("trouble", [Refused(refusal=Refusal.LEASED), Failed(), Uncertain()])
async def test_after_a_failed_step_the_rest_of_that_machine_waits_for_the_next_tick(trouble: Result):
    mark = Mark(machine=MachineId("a"), region=ORD, reason=WANTED, metadata={"autoscaler_draining": "1"})
    cordon = Cordon(machine=MachineId("a"), region=ORD, reason=WANTED)
    machines = answering({"a": trouble})
    outcomes = await run(machines, mark, cordon, start("b"))
    assert [outcome.result for outcome in outcomes] == [trouble, NotSent(), Applied()]
    assert cordon not in machines.acted


async def test_a_step_that_had_nothing_to_do_lets_the_next_one_follow():
    mark = Mark(machine=MachineId("a"), region=ORD, reason=WANTED, metadata={})
    cordon = Cordon(machine=MachineId("a"), region=ORD, reason=WANTED)
    outcomes = await run(answering({"a": AlreadySo()}), mark, cordon)
    assert [outcome.result for outcome in outcomes] == [AlreadySo(), AlreadySo()]


async def test_what_is_not_answered_a_second_after_the_deadline_is_uncertain():
    outcomes = await run(taking({"hangs": 3600.0}), start("hangs"), start("answers"), deadline_s=3.0)
    assert isinstance(outcomes[0].result, Uncertain)
    assert outcomes[0].duration_s == pytest.approx(4.0)
    assert isinstance(outcomes[1].result, Applied)


async def test_an_answer_just_after_the_deadline_still_counts():
    (outcome,) = await run(taking(3.9), start("a"), deadline_s=3.0)
    assert isinstance(outcome.result, Applied)


async def test_what_was_not_dispatched_by_the_deadline_is_not_sent():
    machines = taking(3600.0)
    outcomes = await run(
        machines, start("a"), start("b"), deadline_s=3.0, limits=Limits(actions_per_region=1)
    )
    assert isinstance(outcomes[0].result, Uncertain)
    assert outcomes[1].result == NotSent()
    assert [action.machine for action in machines.acted] == ["a"]


async def test_the_platform_is_told_until_when_an_action_may_be_sent():
    machines = FakeMachines()
    await run(machines, start("a"), deadline_s=10.0)
    assert machines.untils == [pytest.approx(asyncio.get_running_loop().time() + 10.0)]


@pytest.mark.parametrize("deadline_s", [0.0, -1.0])
async def test_nothing_is_sent_after_the_deadline(deadline_s: float):
    machines = FakeMachines()
    outcomes = await run(machines, start("a"), create(1), deadline_s=deadline_s)
    assert [outcome.result for outcome in outcomes] == [NotSent(), NotSent()]
    assert machines.acted == []


async def test_a_failed_action_is_not_repeated():
    machines = answering({"a": Refused(refusal=Refusal.RATE_LIMITED)})
    await run(machines, start("a"))
    assert len(machines.acted) == 1


async def test_at_most_five_suspends_of_a_region_are_in_flight():
    machines = taking(0.25)
    await run(
        machines, *(suspend(f"o{number}") for number in range(12)), *(suspend(f"a{n}", AMS) for n in range(3))
    )
    assert max(sum(action.region == ORD for action in crowd) for crowd in machines.crowds) == 5
    assert max(len(crowd) for crowd in machines.crowds) == 8


async def test_a_machine_that_cannot_be_suspended_is_stopped():
    refused = Refused(refusal=Refusal.WRONG_STATE)

    async def act(action: Action) -> Result:
        return refused if isinstance(action, Suspend) else Applied()

    asked = suspend("a")
    outcomes = await run(FakeMachines(acting=act), asked, start("b"))
    instead = Stop(machine=asked.machine, region=ORD, reason=WANTED)
    assert [(outcome.action, outcome.result) for outcome in outcomes] == [
        (asked, refused),
        (instead, Applied()),
        (start("b"), Applied()),
    ]


@pytest.mark.parametrize("refusal", [Refusal.LEASED, Refusal.RATE_LIMITED, Refusal.CONFLICT])
async def test_a_suspend_that_only_came_at_a_bad_moment_is_not_turned_into_a_stop(refusal: Refusal):
    machines = answering({"a": Refused(refusal=refusal)})
    await run(machines, suspend("a"))
    assert machines.acted == [suspend("a")]


async def test_a_region_that_proved_full_is_not_asked_again_in_the_same_tick():
    machines = answering({"ord": Refused(refusal=Refusal.REGION_FULL)})
    outcomes = await run(machines, *(create(number) for number in range(10)), create(1, AMS))
    asked = [action.region for action in machines.acted]
    assert asked.count(ORD) == Limits().creates_per_region
    assert [type(outcome.result) for outcome in outcomes[4:]] == [NotSent] * 6 + [Applied]


async def test_a_region_that_has_no_room_for_a_volume_is_not_asked_for_another():
    machines = answering({"ord": Refused(refusal=Refusal.REGION_FULL)})
    await run(machines, make_volume(ORD), make_volume(ORD), make_volume(AMS))
    assert [action.region for action in machines.acted] == [ORD, AMS]


async def test_a_region_that_hangs_delays_no_other():
    machines = taking({"ord": 3600.0, "ams": 0.25})
    outcomes = await run(
        machines, *(create(n) for n in range(20)), *(create(n, AMS) for n in range(20)), deadline_s=5.0
    )
    assert all(isinstance(outcome.result, Applied) for outcome in outcomes[20:])


async def test_starts_that_hang_delay_no_other_region():
    crowd = {f"o{number}": 60.0 for number in range(150)}
    outcomes = await run(taking(crowd), *map(start, crowd), start("a", AMS), deadline_s=5.0)
    assert isinstance(outcomes[-1].result, Applied)
    assert outcomes[-1].duration_s == 0.0


@pytest.mark.parametrize("refusal", [Refusal.ORG_LIMIT, Refusal.INVALID, Refusal.IMAGE])
async def test_a_refusal_that_would_meet_every_create_ends_the_creating_of_this_tick(refusal: Refusal):
    machines = answering({"ord": Refused(refusal=refusal)})
    outcomes = await run(machines, *(create(number) for number in range(10)), start("a"))
    assert sum(isinstance(outcome.result, Refused) for outcome in outcomes) == Limits().creates_per_region
    assert isinstance(outcomes[-1].result, Applied)


async def test_a_token_that_may_make_no_volumes_still_makes_machines():
    async def act(action: Action) -> Result:
        denied = isinstance(action, CreateVolume)
        await asyncio.sleep(0.0 if denied else 0.25)
        return Refused(refusal=Refusal.UNAUTHORIZED) if denied else Applied()

    outcomes = await run(FakeMachines(acting=act), make_volume(ORD), *(create(n) for n in range(10)))
    assert all(isinstance(outcome.result, Applied) for outcome in outcomes[1:])


async def test_a_fault_of_our_own_is_not_mistaken_for_an_answer():
    async def act(action: Action) -> Result:
        raise ZeroDivisionError(action.kind)

    with pytest.raises(ExceptionGroup):
        await run(FakeMachines(acting=act), start("a"))
