"""Carry out a plan: everything at once as far as that is allowed, each action once, and in time.

Actions upon one Machine keep their order, one in flight at a time; if one of them fails, the rest of
that Machine's are left to the next tick (a Machine cordoned but not marked would look like somebody
else's). No write is repeated: a failed action has used up its place.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass

from autoscaler.domain.names import AppName, Region
from autoscaler.domain.outcome import (
    AlreadySo,
    Applied,
    NotSent,
    Outcome,
    Refusal,
    Refused,
    Result,
    Uncertain,
)
from autoscaler.domain.plan import Action, Create, CreateVolume, Plan, Stop, Suspend
from autoscaler.reconcile.ports import Machines

NO_SUSPEND_HERE = frozenset({Refusal.WRONG_STATE, Refusal.INVALID, Refusal.HOST_FULL})
"""Refusals of a suspend that no waiting mends; the Machine is stopped instead.

After others it is tried again, and stopped in a later tick if that does not help (`staying`).
"""

POINTLESS_ELSEWHERE = frozenset({Refusal.ORG_LIMIT, Refusal.INVALID, Refusal.IMAGE, Refusal.UNAUTHORIZED})
"""Refusals of a create that meet every other create of its kind in the same tick, in any region."""


TIME_TO_ANSWER_S = 1.0
"""For how long after the deadline the answers to what was sent before it are awaited."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much may be in flight at once. The platform suspends badly in crowds, hence its own limit.

    Creates wait for each other in the platform's budget of one per second anyway. With few in flight
    a region that turns out to be full, or hangs, is not asked again by the rest. All are counted per region,
    so that none delays another.
    """

    actions_per_region: int = 100
    creates_per_region: int = 4
    suspends_per_region: int = 5


DEFAULT_LIMITS = Limits()


async def execute(
    app: AppName,
    plan: Plan,
    machines: Machines,
    *,
    deadline_s: float,
    limits: Limits = DEFAULT_LIMITS,
) -> tuple[Outcome, ...]:
    """Carry out the plan's actions within `deadline_s` seconds; one Outcome for each, in order.

    What was not dispatched by then is NotSent; what is then not answered within a second more is
    Uncertain. A refused suspend is followed by a stop, whose Outcome follows its own.
    """
    run = _Run(app=app, machines=machines, deadline_s=deadline_s, limits=limits)
    async with asyncio.TaskGroup() as tasks:
        lanes = [
            tasks.create_task(run.in_order(lane), name=f"act {app} {key}")
            for key, lane in _lanes(plan.actions).items()
        ]
    outcomes = {index: found for lane in lanes for index, found in lane.result().items()}
    return tuple(outcome for index in sorted(outcomes) for outcome in outcomes[index])


_Lane = list[tuple[int, Action]]


def _lanes(actions: Iterable[Action]) -> Mapping[str, _Lane]:
    lanes: dict[str, _Lane] = {}
    for index, action in enumerate(actions):
        key = action.subject
        lanes.setdefault(key, []).append((index, action))
    return lanes


class _Run:
    """One execution: its deadline, its turns, and what its refusals have taught so far."""

    def __init__(self, *, app: AppName, machines: Machines, deadline_s: float, limits: Limits) -> None:
        self._app = app
        self._machines = machines
        self._clock = asyncio.get_running_loop().time
        self._deadline = self._clock() + deadline_s
        self._all = defaultdict[Region, asyncio.Semaphore](
            lambda: asyncio.Semaphore(limits.actions_per_region)
        )
        self._creates = defaultdict[Region, asyncio.Semaphore](
            lambda: asyncio.Semaphore(limits.creates_per_region)
        )
        self._suspends = defaultdict[Region, asyncio.Semaphore](
            lambda: asyncio.Semaphore(limits.suspends_per_region)
        )
        self._full: set[Region] = set()
        self._hopeless: set[str] = set()

    async def in_order(self, lane: _Lane) -> dict[int, tuple[Outcome, ...]]:
        """Carry out one Machine's actions one after the other, until one of them fails."""
        outcomes: dict[int, tuple[Outcome, ...]] = {}
        failed = False
        for index, action in lane:
            if failed:
                outcomes[index] = (Outcome(action=action, result=NotSent()),)
                continue
            outcomes[index] = await self._with_fallback(action)
            failed = not isinstance(outcomes[index][-1].result, Applied | AlreadySo)
        return outcomes

    async def _with_fallback(self, action: Action) -> tuple[Outcome, ...]:
        first = await self._attempt(action)
        instead = _instead(first)
        return (first,) if instead is None else (first, await self._attempt(instead))

    async def _attempt(self, action: Action) -> Outcome:
        async with AsyncExitStack() as turns:
            try:
                async with asyncio.timeout_at(self._deadline):
                    for turn in self._turns(action):
                        await turns.enter_async_context(turn)
            except TimeoutError:
                return Outcome(action=action, result=NotSent())
            if self._clock() >= self._deadline or self._known_to_fail(action):
                return Outcome(action=action, result=NotSent())
            return await self._send(action)

    async def _send(self, action: Action) -> Outcome:
        sent_at = self._clock()
        result: Result
        try:
            async with asyncio.timeout_at(self._deadline + TIME_TO_ANSWER_S):
                result = await self._machines.act(self._app, action, until=self._deadline)
        except TimeoutError:
            result = Uncertain(detail="no answer before the deadline of the tick")
        self._learn(action, result)
        return Outcome(action=action, result=result, duration_s=self._clock() - sent_at)

    def _turns(self, action: Action) -> Iterable[asyncio.Semaphore]:
        if isinstance(action, Create):
            yield self._creates[action.region]
        if isinstance(action, Suspend):
            yield self._suspends[action.region]
        yield self._all[action.region]

    def _known_to_fail(self, action: Action) -> bool:
        creates = isinstance(action, Create | CreateVolume)
        return creates and (action.kind in self._hopeless or action.region in self._full)

    def _learn(self, action: Action, result: Result) -> None:
        if not isinstance(action, Create | CreateVolume) or not isinstance(result, Refused):
            return
        if result.refusal is Refusal.REGION_FULL:
            self._full.add(action.region)
        if result.refusal in POINTLESS_ELSEWHERE:
            self._hopeless.add(action.kind)


def _instead(outcome: Outcome) -> Stop | None:
    action, result = outcome.action, outcome.result
    if isinstance(action, Suspend) and isinstance(result, Refused) and result.refusal in NO_SUSPEND_HERE:
        return Stop(
            machine=action.machine,
            region=action.region,
            reason=action.reason,
            instance_id=action.instance_id,
        )
    return None
