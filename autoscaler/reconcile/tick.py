"""One tick of one pool, from `now` to a report: read, observe, decide, plan, act, remember.

Everything between reading and acting is synchronous and pure. A dry run is a tick that does not
call the executor.
"""

import asyncio
from dataclasses import dataclass

from autoscaler.domain.desired import Gate, Override
from autoscaler.domain.errors import AutoscalerError
from autoscaler.domain.fleet import Fleet, Machine, MachineState, Volume
from autoscaler.domain.instant import Instant
from autoscaler.domain.names import MachineId
from autoscaler.domain.outcome import NotSent, Outcome, TickReport, Verdict
from autoscaler.domain.plan import Plan
from autoscaler.domain.pool import Leave, Pool
from autoscaler.domain.prices import dollars_per_second, guest_of
from autoscaler.domain.reading import Answer
from autoscaler.domain.reason import Reason, ReasonCode, reason
from autoscaler.policy.decide import decide
from autoscaler.policy.memory import Memory, initial, refill, refillable
from autoscaler.policy.rules import Policy
from autoscaler.reconcile import backoff, deploys, drains, staying
from autoscaler.reconcile.bookkeeping import Sight, accept_loss, inherited, observe
from autoscaler.reconcile.busy import idle
from autoscaler.reconcile.counting import PoolView, count, ours
from autoscaler.reconcile.deadline import reading_seconds, tick_seconds
from autoscaler.reconcile.departures import corrected
from autoscaler.reconcile.executor import execute
from autoscaler.reconcile.gathering import Gathered, Past, gather, gone, looked_at, volumes_within
from autoscaler.reconcile.guards import after_deciding, gate
from autoscaler.reconcile.judging import judge
from autoscaler.reconcile.ledger import EMPTY, Ledger
from autoscaler.reconcile.planning import Known, plan
from autoscaler.reconcile.ports import Journal, Machines, MetricSource
from autoscaler.reconcile.recording import record
from autoscaler.reconcile.troubles import refusals

LOOKS = 3
"""For so many single Machines the platform is asked at once, where a list alone is not believed."""
SECONDS_PER_HOUR = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """The outside world of a tick."""

    metrics: MetricSource
    machines: Machines
    journal: Journal


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolState:
    """What one tick leaves to the next, and nobody else keeps. `memory` is None before the first survey."""

    memory: Memory | None = None
    ledger: Ledger = EMPTY


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tick:
    """The constants of one tick. `began` and `ends` are times of the event loop."""

    policy: Policy
    ports: Ports
    now: Instant
    act: bool
    hold: bool
    began: float
    ends: float

    @property
    def pool(self) -> Pool:
        return self.policy.pool

    @property
    def elapsed_s(self) -> float:
        return asyncio.get_running_loop().time() - self.began

    @property
    def left_s(self) -> float:
        return self.ends - asyncio.get_running_loop().time()

    @property
    def late_reading_s(self) -> float:
        """For what has to be read late: the rest of reading's share, at least half of what is left."""
        return max(reading_seconds(self.pool.interval_s) - self.elapsed_s, self.left_s / 2)


async def run_tick(
    policy: Policy,
    ports: Ports,
    state: PoolState,
    now: Instant,
    *,
    act: bool,
    hold: bool = True,
    own: MachineId | None = None,
) -> tuple[TickReport, PoolState]:
    """Run one tick of one pool; its report and what the next tick needs.

    `act` false is a dry run: everything but the actions. `hold` false lets the first tick of a
    process go in at once. `own` is the Machine this process runs on, which is never touched. Nothing
    of an upstream's making is raised; a programming error is, for the caller to contain.
    """
    began = asyncio.get_running_loop().time()
    ends = began + tick_seconds(policy.pool.interval_s)
    tick = _Tick(policy=policy, ports=ports, now=now, act=act, hold=hold, began=began, ends=ends)
    gathered = await gather(
        tick.pool,
        ports.machines,
        ports.metrics,
        now,
        past=_wanted_past(policy) if state.memory is None else Past(),
        seconds=reading_seconds(tick.pool.interval_s),
    )
    if isinstance(gathered.survey, str):
        return _blind(tick, gathered.survey), state
    survey = corrected(gathered.survey, state.ledger, now.mono)
    return await _with_survey(tick, state, gathered, ours(tick.pool, survey, own))


def _wanted_past(policy: Policy) -> Past:
    """What a new process can learn of the time before it; destroyed Machines only matter to a step."""
    pool = policy.pool
    destroyed = pool.leave is Leave.DESTROY and pool.scale_in.step is not None
    return Past(metrics=refillable(policy), destroyed=destroyed)


def _blind(tick: _Tick, why: str) -> TickReport:
    return TickReport(
        pool=tick.pool.name,
        app=tick.pool.app,
        group=tick.pool.group,
        at=tick.now,
        verdict=Verdict.BLIND,
        duration_s=tick.elapsed_s,
        warnings=(reason(ReasonCode.SURVEY_FAILED, detail=why),),
        acted=tick.act,
    )


async def _with_survey(
    tick: _Tick, state: PoolState, gathered: Gathered, view: PoolView
) -> tuple[TickReport, PoolState]:
    now, busy = tick.now, gathered.busy
    half_made = state.ledger.made_volumes or state.ledger.uncertain_volumes
    volumes = await _volumes(tick) if half_made else None
    observed = observe(state.ledger, tick.pool, _sight(view, state.ledger, busy, volumes, now), now)
    ledger = await _asked(tick, await _unless_confirmed(tick, observed.ledger, view))
    if state.memory is None:
        ledger = inherited(ledger, view, gathered.destroyed, now)
    fleet = count(view, ledger, now)
    closed = gate(view, ledger, busy=busy, overrides=_overrides(tick), now=now)
    memory = state.memory or _first_memory(tick, fleet, gathered)
    decision, memory = decide(tick.policy, gathered.answers, fleet, closed, memory, now)
    closed = after_deciding(closed, decision, tick.pool, restarted_s=memory.hold_until - now.mono)
    known = Known(
        view=view, decision=decision, gate=closed, ledger=ledger, busy=busy, volumes=volumes, now=now
    )
    planned = await plan(known, tick.ports.machines, seconds=tick.late_reading_s)
    acting_at = _later(now, tick.elapsed_s)
    outcomes = await _carry_out(tick, closed, planned)
    homes = {member.machine.id: member.home for member in view.members}
    ledger = record(ledger, tick.pool, outcomes, homes=homes, now=acting_at)
    report = TickReport(
        pool=tick.pool.name,
        app=tick.pool.app,
        group=tick.pool.group,
        at=now,
        verdict=judge(closed, decision, planned, outcomes, fleet.by_region),
        duration_s=tick.elapsed_s,
        counts=fleet.by_region,
        decision=decision,
        plan=planned,
        outcomes=outcomes,
        warnings=(*observed.warnings, *refusals(outcomes), *_out_of_time(tick, outcomes)),
        parked=backoff.waiting(ledger.parked, now.mono),
        acted=tick.act,
        dollars_per_hour=sum(_dollars_per_hour(member.machine) for member in view.members),
    )
    return report, PoolState(memory=memory, ledger=ledger)


def _sight(
    view: PoolView, ledger: Ledger, busy: Answer | None, volumes: tuple[Volume, ...] | None, now: Instant
) -> Sight:
    return Sight(
        survey=view.survey,
        members=tuple(member.machine for member in view.members),
        signals=deploys.signals(view, now),
        idle=idle(view, busy, now),
        drains=drains.begun(view, ledger, now),
        volumes=volumes,
    )


async def _unless_confirmed(tick: _Tick, ledger: Ledger, view: PoolView) -> Ledger:
    """A collapse is over when the platform, asked for single Machines, says that they are gone indeed."""
    if not ledger.vanished:
        return ledger
    missing = ledger.vanished - {machine.id for machine in view.survey.machines}
    asked = sorted(missing)[:LOOKS]
    confirmed = await gone(tick.pool.app, tick.ports.machines, asked, seconds=tick.late_reading_s)
    return accept_loss(ledger, missing) if confirmed else ledger


async def _asked(tick: _Tick, ledger: Ledger) -> Ledger:
    """Machines that stay whatever they are told are asked for, before others leave in their place."""
    asked = staying.doubtful(ledger, tick.now.mono)[:LOOKS]
    if not asked:
        return ledger
    found = await looked_at(tick.pool.app, tick.ports.machines, asked, seconds=tick.late_reading_s)
    return staying.looked_at(ledger, found, tick.now.mono)


def _overrides(tick: _Tick) -> tuple[Override, ...] | None:
    try:
        return tick.ports.journal.overrides(tick.pool.name)
    except AutoscalerError:
        return None


def _first_memory(tick: _Tick, fleet: Fleet, gathered: Gathered) -> Memory:
    memory = initial(tick.policy, fleet, tick.now, hold=tick.hold)
    if not gathered.histories:
        return memory
    return refill(tick.policy, memory, gathered.histories, tick.now)


async def _volumes(tick: _Tick) -> tuple[Volume, ...] | None:
    return await volumes_within(tick.pool.app, tick.ports.machines, seconds=tick.late_reading_s)


async def _carry_out(tick: _Tick, closed: Gate, planned: Plan) -> tuple[Outcome, ...]:
    if not tick.act or closed.paused is not None:
        return ()
    return await execute(tick.pool.app, planned, tick.ports.machines, deadline_s=tick.left_s)


def _out_of_time(tick: _Tick, outcomes: tuple[Outcome, ...]) -> tuple[Reason, ...]:
    unsent = sum(isinstance(outcome.result, NotSent) for outcome in outcomes)
    return (reason(ReasonCode.DEADLINE, not_sent=unsent),) if unsent and tick.left_s <= 0 else ()


def _later(now: Instant, seconds: float) -> Instant:
    return Instant(wall=now.wall + seconds, mono=now.mono + seconds)


def _dollars_per_hour(machine: Machine) -> float:
    guest = guest_of(machine.config) if machine.config is not None else None
    if machine.state is not MachineState.STARTED or guest is None:
        return 0.0
    return SECONDS_PER_HOUR * dollars_per_second(guest, machine.region)
