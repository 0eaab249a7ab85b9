"""What an operator should know although it need not have changed anything."""

from collections.abc import Iterator, Mapping

from autoscaler.domain.names import MetricName, Region
from autoscaler.domain.pool import Elsewhere
from autoscaler.domain.reading import Absent, Answer, Why
from autoscaler.domain.reason import Reason, ReasonCode, figure, reason
from autoscaler.policy.tick import Tick


def warnings_of(tick: Tick, answers: Mapping[MetricName, Answer], jumped_s: float) -> Iterator[Reason]:
    """A clock that was set, schedules that disagree, what has no result or no value, places on no map."""
    if jumped_s:
        yield reason(ReasonCode.CLOCK_JUMP, seconds=round(jumped_s))
    yield from tick.limits.conflicts
    yield from tick.undefined
    if tick.readings.absent:
        yield from _absences(tick, answers)
    if tick.readings.elsewhere and tick.homes and tick.policy.pool.elsewhere is not Elsewhere.IGNORE:
        yield from _nowhere(tick)


def _absences(tick: Tick, answers: Mapping[MetricName, Answer]) -> Iterator[Reason]:
    readings = tick.readings
    for name in readings.seen:
        answer = answers.get(name)
        if name not in readings.regional:
            reading = readings.pooled[name]
            if why := readings.trouble(name, reading):
                detail = reading.detail if isinstance(reading, Absent) else figure(reading.value)
                yield _absence(name, why, detail)
        elif isinstance(answer, Absent) and answer.why is not Why.EMPTY:
            yield _absence(name, answer.why, answer.detail)
        else:
            yield from _silent_regions(tick, name)


def _silent_regions(tick: Tick, name: MetricName) -> Iterator[Reason]:
    for case in tick.homes:
        reading = case.here[name]
        why = tick.readings.trouble(name, reading)
        if why and not (why is Why.EMPTY and case.asleep):
            yield _absence(name, why, reading.detail if isinstance(reading, Absent) else "", case.region)


def _absence(name: MetricName, why: Why, detail: str, region: Region | None = None) -> Reason:
    code = ReasonCode.METRIC_ABSENT
    return reason(code, metric=name, region=region, why=why.value, detail=detail or None)


def _nowhere(tick: Tick) -> Iterator[Reason]:
    for name, by_region in tick.readings.elsewhere.items():
        for label in by_region:
            if label not in tick.policy.nearest:
                counted_in = tick.server(label).region
                yield reason(ReasonCode.ELSEWHERE, metric=name, region=label, counted_in=counted_in)
