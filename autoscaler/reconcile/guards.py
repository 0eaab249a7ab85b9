"""Why a fleet must not shrink, or must not be touched, right now."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from autoscaler.domain.desired import Decision, Desired, Gate, Override
from autoscaler.domain.fleet import HostStatus, Machine, MachineState, Survey
from autoscaler.domain.instant import Instant
from autoscaler.domain.names import Region
from autoscaler.domain.pool import Pool
from autoscaler.domain.reading import Answer
from autoscaler.domain.reason import Reason, ReasonCode, reason
from autoscaler.reconcile import departures, deploys
from autoscaler.reconcile.busy import answered, reports
from autoscaler.reconcile.counting import AT_REST, NEW, PoolView, in_state_for
from autoscaler.reconcile.crashing import untrusted
from autoscaler.reconcile.ledger import Ledger

SICK_SHARE = 0.45
SICK_COUNT = 3
COVERAGE = 0.8
READY_FOR_S = 60.0
LOOPING_CRASHES = 3
"""After so many ends within a minute of our start a Machine is reported as crash-looping; so many in a group
of which half is passed over for it or on trial again, and nothing is created.
"""


def gate(
    view: PoolView,
    ledger: Ledger,
    *,
    busy: Answer | None,
    overrides: Sequence[Override] | None,
    now: Instant,
) -> Gate:
    """Everything that forbids something now. `overrides` None means that they cannot be read: paused.

    `ledger` is the one that has observed the survey; `busy` the answer to the pool's question for busy
    Machines, None where it asks none.
    """
    in_force = [one for one in overrides or () if one.in_force(now.wall)]
    signs = deploys.active(view, ledger, now)
    collapse = _collapse(ledger, view.survey)
    return Gate(
        paused=reason(ReasonCode.PAUSED, because="unreadable") if overrides is None else _pause(in_force),
        no_in=(
            *(reason(ReasonCode.DEPLOY, signal=name) for name in signs),
            *collapse,
            *_old_list(view, ledger),
            *_unhealthy(view),
            *_coverage(view, ledger, answered(view.pool, busy), now),
        ),
        hold_in=_holds(view.pool, ledger, in_force),
        no_create=(*collapse, *_no_template_yet(view, signs), *_crash_loops(view, ledger, now.mono)),
        overrides=tuple(in_force),
        warnings=(*deploys.lapsed(view, ledger, now), *_looping(view, ledger)),
    )


def after_deciding(gate: Gate, decision: Decision, pool: Pool, *, restarted_s: float) -> Gate:
    """The gate with what only a decision tells: regions whose demand is not known well enough to go in.

    Their desired count is held already; this also keeps what somebody else added above it. A restart
    holds for `restarted_s` more seconds. An operator's pin needs no demand.
    """
    holds = dict(gate.hold_in)
    for region, entry in decision.regions.items():
        found = _not_well_known(entry, pool, restarted_s)
        if found:
            holds[region] = (*holds.get(region, ()), *found)
    return replace(gate, hold_in=holds)


def _not_well_known(entry: Desired, pool: Pool, restarted_s: float) -> tuple[Reason, ...]:
    codes = {why.code for why in entry.reasons}
    if ReasonCode.PIN in codes:
        return ()
    excused = ReasonCode.ON_ABSENT in codes and pool.allow_in
    doubts = {ReasonCode.PARTIAL} if excused else {ReasonCode.PARTIAL, ReasonCode.UNKNOWN}
    restart = (reason(ReasonCode.RESTART_HOLD, seconds=round(restarted_s)),) if restarted_s > 0 else ()
    return (*(why for why in entry.reasons if why.code in doubts), *restart)


def _pause(overrides: Iterable[Override]) -> Reason | None:
    pauses = [one for one in overrides if one.kind == "pause"]
    return reason(ReasonCode.PAUSED, because=pauses[0].because) if pauses else None


def _holds(pool: Pool, ledger: Ledger, overrides: Iterable[Override]) -> Mapping[Region, tuple[Reason, ...]]:
    paused = [one for one in overrides if one.kind == "pause_in"]
    everywhere = tuple(reason(ReasonCode.PAUSE_IN, because=one.because) for one in paused)
    holds = {}
    for region in pool.regions:
        arriving = sum(entry.home == region and not entry.stopped for entry in ledger.on_the_way)
        here = (reason(ReasonCode.ARRIVING, machines=arriving),) if arriving else ()
        if here or everywhere:
            holds[region] = (*here, *everywhere)
    return holds


def _collapse(ledger: Ledger, survey: Survey) -> tuple[Reason, ...]:
    if not ledger.vanished:
        return ()
    return (reason(ReasonCode.COLLAPSE, vanished=len(ledger.vanished), listed=len(survey.machines)),)


def _old_list(view: PoolView, ledger: Ledger) -> tuple[Reason, ...]:
    denied = departures.denied(view.survey, ledger)
    return (reason(ReasonCode.OLD_LIST, machines=denied),) if denied else ()


def _unhealthy(view: PoolView) -> tuple[Reason, ...]:
    meant_to_run = [
        member.machine
        for member in view.members
        if member.machine.state not in AT_REST | NEW or member.machine.state is MachineState.FAILED
    ]
    sick = sum(map(_is_sick, meant_to_run))
    if sick <= SICK_COUNT or sick <= SICK_SHARE * len(meant_to_run):
        return ()
    return (reason(ReasonCode.UNHEALTHY, machines=sick, of=len(meant_to_run)),)


def _is_sick(machine: Machine) -> bool:
    return machine.critical or machine.state is MachineState.FAILED or machine.host is not HostStatus.OK


def _coverage(view: PoolView, ledger: Ledger, busy: Answer | None, now: Instant) -> tuple[Reason, ...]:
    if busy is None:
        return ()
    expected = [
        member.machine
        for member in view.members
        if member.machine.ready and _ready_for(member.machine, ledger, now) > READY_FOR_S
    ]
    heard = sum(reports(machine.id, busy) for machine in expected)
    if heard >= COVERAGE * len(expected):
        return ()
    return (reason(ReasonCode.BUSY_COVERAGE, reported=heard, of=len(expected)),)


def _ready_for(machine: Machine, ledger: Ledger, now: Instant) -> float:
    started = now.wall - machine.started_at if machine.started_at is not None else 0.0
    return max(started, in_state_for(machine, ledger, now))


def _no_template_yet(view: PoolView, signs: Sequence[str]) -> tuple[Reason, ...]:
    """During a deploy only a ready Machine of the newest release shows what is to be copied."""
    if not signs:
        return ()
    newest = deploys.newest_release(view.group)
    if any(member.machine.ready and deploys.release(member.machine) == newest for member in view.members):
        return ()
    return (reason(ReasonCode.DEPLOY, signal=signs[0]),)


def _crash_loops(view: PoolView, ledger: Ledger, mono: float) -> tuple[Reason, ...]:
    """A bad release shows on many Machines once before it shows on any of them three times."""
    crashes = [untrusted(ledger, member.machine.id, mono) for member in view.members]
    crashing = sum(count > 0 for count in crashes)
    if sum(crashes) < LOOPING_CRASHES or 2 * crashing < len(crashes):
        return ()
    return (reason(ReasonCode.CRASH_LOOP, machines=crashing, of=len(crashes)),)


def _looping(view: PoolView, ledger: Ledger) -> tuple[Reason, ...]:
    counts = [(member.machine.id, ledger.crashes.get(member.machine.id, 0)) for member in view.members]
    return tuple(
        reason(ReasonCode.CRASH_LOOP, machine=machine, crashes=crashes)
        for machine, crashes in counts
        if crashes >= LOOPING_CRASHES
    )
