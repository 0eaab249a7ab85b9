"""What an operator should know although it changed nothing yet."""

from collections.abc import Iterator, Mapping

from autoscaler.domain.geography import current
from autoscaler.domain.names import MetricName, Region
from autoscaler.domain.pool import Elsewhere
from autoscaler.domain.reading import Absent, Answer, Why
from autoscaler.domain.reason import Reason, ReasonCode, reason
from autoscaler.policy.limits import Limits
from autoscaler.policy.observing import Look
from autoscaler.policy.rules import Policy


def warnings_of(
    policy: Policy,
    seen: Look,
    answers: Mapping[MetricName, Answer],
    limits: Limits,
    asleep: frozenset[Region],
) -> Iterator[Reason]:
    """Metrics without a usable value, places that are on no map, and what the schedules could not settle."""
    yield from limits.warnings
    for name, reading in seen.readings.pooled.items():
        if isinstance(reading, Absent):
            yield reason(ReasonCode.METRIC_ABSENT, metric=name, why=reading.why.value, detail=reading.detail)
    for name, by_region in seen.readings.regional.items():
        whole = answers.get(name)
        if isinstance(whole, Absent) and whole.why is not Why.EMPTY:
            yield reason(ReasonCode.METRIC_ABSENT, metric=name, why=whole.why.value, detail=whole.detail)
            continue
        for region, reading in by_region.items():
            if isinstance(reading, Absent) and not (reading.why is Why.EMPTY and region in asleep):
                yield reason(ReasonCode.METRIC_ABSENT, metric=name, region=region, why=reading.why.value)
        if policy.pool.elsewhere is not Elsewhere.IGNORE and len(by_region) > len(policy.homes):
            for label in by_region:
                if current(label) is None:
                    yield reason(ReasonCode.ELSEWHERE, metric=name, region=label, counted_in=policy.heaviest)
