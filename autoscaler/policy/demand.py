"""Readings and the fleet -> how many Machines each region, and the pool as a whole, ask for.

Everything here is before bounds, sharing out and damping. Each rule is asked in every home region where it
is regional, otherwise once for the pool.
"""

from collections.abc import Sequence
from itertools import repeat

from autoscaler.domain.desired import Bounds, Unknown
from autoscaler.domain.fleet import Fleet, RegionCount
from autoscaler.domain.pool import AbsentAction, Elsewhere
from autoscaler.domain.reading import Absent, Measured, Reading, Why
from autoscaler.domain.reason import Reason, ReasonCode, reason
from autoscaler.policy.arithmetic import UndefinedError, reaches, whole
from autoscaler.policy.questions import Question, shown
from autoscaler.policy.tick import NOTHING, Case, Heard, Tally, Tick


def gather(tick: Tick) -> tuple[Heard, ...]:
    """Ask every rule; what each asked for, where it could be told."""
    questions, memories = tick.policy.questions, tick.recall.heard or repeat(_NEVER)
    return tuple(
        _ask_everywhere(tick, question, heard) for question, heard in zip(questions, memories, strict=False)
    )


def _ask_everywhere(tick: Tick, question: Question, heard: Heard) -> Heard:
    pooled, regional = tick.readings.pooled, tick.readings.regional
    if regional.keys().isdisjoint(question.metrics):
        tick.pool_wide = True
        if question.fleet_bound:
            tick.pool.count = _whole(tick.fleet)
        whole_pool = [pooled[metric] for metric in question.metrics]
        return Heard(_ask(tick, question, whole_pool, tick.pool, heard.pool), heard.homes)
    tick.regional = True
    strange = bool(tick.readings.elsewhere) and _ask_elsewhere(tick, question)
    columns = [regional[name] if name in regional else repeat(pooled[name]) for name in question.metrics]
    cases = zip(tick.homes, heard.homes or repeat(None), zip(*columns, strict=False), strict=False)
    answers = [_ask(tick, question, given, case, last) for case, last, given in cases]
    if strange:
        for case in tick.homes:
            case.strangers = 0.0
    return Heard(heard.pool, tuple(answers))


def _ask(
    tick: Tick, question: Question, given: Sequence[Reading], tally: Tally, last: int | None
) -> int | None:
    """Put one question in one scope; the Machines asked for, or still the last ones where it is Unknown."""
    if tick.readings.partial:
        _note_partial(question, given, tally)
    try:
        asked, machines, why, tolerance = question.ask(given, tally.count, tally.strangers)
    except UndefinedError as error:
        _unknown(tick, question, tally, error, last)
        return last
    tally.trail.append(why)
    if tolerance is not None:
        machines = _tolerated(machines, asked, tolerance, tally)
    tally.valid = max(tally.valid, machines)
    return machines


def _note_partial(question: Question, given: Sequence[Reading], tally: Tally) -> None:
    for metric, reading in zip(question.metrics, given, strict=True):
        if isinstance(reading, Measured) and reading.partial:
            tally.partial = metric
            tally.trail.append(reason(ReasonCode.PARTIAL, rule=question.path, metric=metric))


def _tolerated(machines: int, asked: float, tolerance: float, tally: Tally) -> int:
    least, capacity = tally.count.ready * (1.0 - tolerance), tally.count.capacity
    if machines >= capacity or not reaches(asked, least):
        return machines
    tally.trail.append(
        reason(ReasonCode.TOLERANCE, tolerance=tolerance, at_least=least, asked=asked, machines=capacity)
    )
    return capacity


def _unknown(tick: Tick, question: Question, tally: Tally, error: UndefinedError, last: int | None) -> None:
    """Let something stand in for what cannot be told: its last value, or what `on_absent` says.

    What is asked for elsewhere can be told all the same.
    """
    tally.unknown = tally.unknown or Unknown(why=error.why, metric=error.metric)
    tally.trail.append(
        reason(ReasonCode.UNKNOWN, rule=question.path, metric=error.metric, why=error.why.value)
    )
    if tally.strangers > 0:
        machines = whole(tally.strangers)
        tally.trail.append(reason(ReasonCode.RULE, rule=question.path, elsewhere=True, machines=machines))
        tally.valid = max(tally.valid, machines)
    if not _given_up(tick, tally, error):
        if last is None:
            tally.unheard = True
        else:
            tally.stand_in = max(tally.stand_in, last)
            tally.trail.append(reason(ReasonCode.LAST_KNOWN, rule=question.path, machines=last))


def _given_up(tick: Tick, tally: Tally, error: UndefinedError) -> bool:
    """Count the ticks with trouble; after enough of them `on_absent` stands in.

    That no Machine is ready yet, and silence from where there is none and need not be one, is no trouble.
    """
    pool = tick.policy.pool
    silent = error.why is Why.EMPTY and isinstance(tally, Case) and tally.asleep
    if silent or error.why is Why.NONE_READY:
        return False
    tally.failing = tick.recall.failing.get(tally.scope, 0) + 1
    if tally.failing < pool.failures or pool.on_absent is AbsentAction.HOLD:
        return False
    machines = _instead(pool.on_absent, tally.bounds)
    tally.stand_in = max(tally.stand_in, machines)
    tally.excused = pool.allow_in
    tally.trail.append(reason(ReasonCode.ON_ABSENT, ticks=tally.failing, machines=machines))
    return True


def _instead(action: AbsentAction | int, bounds: Bounds) -> int:
    if action is AbsentAction.MAX:
        return bounds.max
    return bounds.min if isinstance(action, AbsentAction) else action


def _ask_elsewhere(tick: Tick, question: Question) -> bool:
    """Ask where the pool may not run; the nearest home is to serve it, unrounded. Whether anybody asked."""
    policy, readings = tick.policy, tick.readings
    labels = {label for metric in question.metrics for label in readings.elsewhere.get(metric, ())}
    if policy.pool.elsewhere is Elsewhere.IGNORE or not tick.homes:
        return False
    for label in sorted(labels):
        given = [
            readings.elsewhere.get(metric, {}).get(label, _SILENT)
            if metric in readings.regional
            else readings.pooled[metric]
            for metric in question.metrics
        ]
        try:
            more = question.ask(given, tick.fleet.by_region.get(label, NOTHING), 0.0)[0]
        except UndefinedError:
            continue
        home = policy.homes.index(policy.nearest.get(label, policy.heaviest))
        case = tick.homes[home]
        case.strangers += more
        numbers = ("rule", question.path), ("region", label), *shown(policy.pool.headroom), ("asked", more)
        case.trail.append(Reason(ReasonCode.ELSEWHERE, numbers))
        _note_partial(question, given, case)
    return bool(labels)


def _whole(fleet: Fleet) -> RegionCount:
    counts = fleet.by_region.values()
    return RegionCount(
        running=sum(count.running for count in counts),
        ready=sum(count.ready for count in counts),
        stopped=sum(count.stopped for count in counts),
        suspended=sum(count.suspended for count in counts),
        capacity=sum(count.capacity for count in counts),
    )


_NEVER = Heard()
_SILENT = Absent(why=Why.EMPTY)
