"""Readings and the fleet -> how many Machines each region, and the pool as a whole, ask for.

Everything here is before bounds, sharing out and damping. Each rule is asked in every home region where it
is regional, otherwise once for the pool.
"""

from collections.abc import Iterable, Sequence
from itertools import repeat

from autoscaler.domain.desired import Bounds, Unknown
from autoscaler.domain.fleet import Fleet, RegionCount
from autoscaler.domain.pool import AbsentAction, Elsewhere
from autoscaler.domain.reading import Reading, Why
from autoscaler.domain.reason import Reason, ReasonCode, reason
from autoscaler.policy.arithmetic import UndefinedError, reaches, whole
from autoscaler.policy.questions import Question, shown
from autoscaler.policy.readings import Here
from autoscaler.policy.tick import NOTHING, Case, Heard, Tally, Tick
from autoscaler.policy.trail import wording


def gather(tick: Tick) -> tuple[Heard, ...]:
    """Ask every rule; what each asked for, where it could be told."""
    questions, heard = tick.policy.questions, tick.recall.heard
    return tuple(
        [
            _ask_everywhere(tick, question, heard[index] if heard else _NEVER)
            for index, question in enumerate(questions)
        ]
    )


def _ask_everywhere(tick: Tick, question: Question, heard: Heard) -> Heard:
    if tick.readings.regional.isdisjoint(question.metrics):
        tick.pool_wide = True
        if question.fleet_bound:
            tick.pool.count = _whole(tick.fleet)
        (answer,) = _ask(tick, question, (tick.pool,), (heard.pool,))
        return Heard(answer, heard.homes)
    tick.regional = True
    strange = bool(tick.readings.elsewhere) and _ask_elsewhere(tick, question)
    answers = _ask(tick, question, tick.homes, heard.homes or repeat(None))
    if strange:
        for case in tick.homes:
            case.strangers = 0.0
    return Heard(heard.pool, answers)


def _ask(
    tick: Tick,
    question: Question,
    tallies: Sequence[Tally],
    known: Iterable[int | None],
) -> tuple[int | None, ...]:
    """Put one question in many scopes, each with what was last known of it.

    The Machines asked for, or still the last ones where that is Unknown.
    """
    ask, word, tolerance, partial = question.ask, question.word, question.tolerance, tick.readings.partial
    answers: list[int | None] = []
    for tally, last in zip(tallies, known, strict=False):
        here, count = tally.here, tally.count
        if partial:
            _note_partial(question, here, tally)
        try:
            asked = ask(here, count)
        except UndefinedError as error:
            _unknown(tick, question, tally, error, last)
            answers.append(last)
            continue
        if tally.strangers:
            asked = max(0.0, asked) + tally.strangers
        machines = whole(asked)
        tally.trail.append((word, here, count, asked, machines))
        if tolerance is not None and machines < count.capacity:
            machines = _tolerated(machines, asked, tolerance, tally)
        if machines > tally.asked:  # noqa: PLR1730 - a call of max() costs more than all the rest of the line
            tally.asked = machines
        tally.told = True
        answers.append(machines)
    return tuple(answers)


def _note_partial(question: Question, here: Here, tally: Tally) -> None:
    for metric in question.metrics:
        reading = here[metric]
        if reading.partial:
            tally.partial = metric
            tally.trail.append(reason(ReasonCode.PARTIAL, rule=question.path, metric=metric))


def _tolerated(machines: int, asked: float, tolerance: float, tally: Tally) -> int:
    """The capacity there is, if what was asked for is no more than a little less."""
    least = tally.count.ready * (1.0 - tolerance)
    if not reaches(asked, least):
        return machines
    tally.trail.append((_TOLERANCE, tolerance, least, asked, tally.count.capacity))
    return tally.count.capacity


def _unknown(tick: Tick, question: Question, tally: Tally, error: UndefinedError, last: int | None) -> None:
    """Let something stand in for what cannot be told: its last value, or what `on_absent` says.

    What is asked for elsewhere can be told all the same.
    """
    tally.unknown = tally.unknown or Unknown(why=error.why, metric=error.metric)
    tally.trail.append(
        reason(ReasonCode.UNKNOWN, rule=question.path, metric=error.metric, why=error.why.value)
    )
    if error.metric is None:
        tick.undefined.append(reason(ReasonCode.RULE_UNDEFINED, rule=question.path, region=tally.scope))
    if tally.strangers > 0:
        asked, machines = tally.strangers, whole(tally.strangers)
        tally.trail.append(reason(ReasonCode.RULE, rule=question.path, asked=asked, machines=machines))
        tally.asked, tally.told = max(tally.asked, machines), True
    if not _given_up(tick, tally, error):
        if last is None:
            tally.unheard = True
        else:
            tally.asked = max(tally.asked, last)
            tally.trail.append(reason(ReasonCode.LAST_KNOWN, rule=question.path, machines=last))


def _given_up(tick: Tick, tally: Tally, error: UndefinedError) -> bool:
    """Count the ticks with trouble; after enough of them `on_absent` stands in.

    That no Machine is ready yet, and silence from where there is none and need not be one, is no trouble.
    """
    pool = tick.policy.pool
    silent = error.why is Why.EMPTY and isinstance(tally, Case) and tally.asleep
    if silent or error.why is Why.NONE_READY:
        return False
    failing = tick.failing[tally.scope] = tick.recall.failing.get(tally.scope, 0) + 1
    if failing < pool.failures or pool.on_absent is AbsentAction.HOLD:
        return False
    machines = _instead(pool.on_absent, tally.bounds)
    tally.asked = max(tally.asked, machines)
    tally.excused = pool.allow_in
    tally.trail.append(reason(ReasonCode.ON_ABSENT, ticks=failing, machines=machines))
    return True


def _instead(action: AbsentAction | int, bounds: Bounds) -> int:
    if action is AbsentAction.MAX:
        return bounds.max
    return bounds.min if isinstance(action, AbsentAction) else action


def _ask_elsewhere(tick: Tick, question: Question) -> bool:
    """Ask where the pool may not run; the nearest home is to serve it, unrounded. Whether anybody asked.

    A negative answer asks for no Machine, there as at home, and takes none away from others.
    """
    policy, readings = tick.policy, tick.readings
    labels = {label for metric in question.metrics for label in readings.elsewhere.get(metric, ())}
    if policy.pool.elsewhere is Elsewhere.IGNORE or not tick.homes:
        return False
    for label in sorted(labels):
        there: dict[str, Reading] = {
            metric: readings.elsewhere.get(metric, {}).get(label, readings.silent[metric])
            if metric in readings.regional
            else readings.pooled[metric]
            for metric in question.metrics
        }
        try:
            more = max(0.0, question.ask(there, tick.fleet.by_region.get(label, NOTHING)))
        except UndefinedError:
            continue
        case = tick.server(label)
        case.strangers += more
        numbers = ("rule", question.path), ("region", label), *shown(policy.pool.headroom), ("asked", more)
        case.trail.append(Reason(ReasonCode.ELSEWHERE, numbers))
        _note_partial(question, there, case)
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
_TOLERANCE = wording(ReasonCode.TOLERANCE, "tolerance", "at_least", "asked", "machines")
