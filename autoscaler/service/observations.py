"""What the outside world says to a pool's configuration, as findings."""

from collections.abc import Iterator

from autoscaler.domain.names import Region
from autoscaler.domain.outcome import TickReport
from autoscaler.domain.pool import Elsewhere, Pool
from autoscaler.domain.reading import Absent, Answer, Measured, Query, Split, Why
from autoscaler.domain.reason import Reason, ReasonCode, figure
from autoscaler.service import advice
from autoscaler.service.findings import Finding, Grade

SERIOUS = frozenset({Why.UNREACHABLE, Why.REFUSED, Why.MALFORMED, Why.AMBIGUOUS})
"""Absences that mean that something is set wrongly; the others may be gone in a minute."""
SHOWN = 5


def on_answer(pool: Pool, query: Query, answer: Answer) -> Finding:
    """What a query brought, and how it splits; of several regions without a value one, the worst."""
    subject = f"pool {pool.name}, metric {query.name}"
    if isinstance(answer, Measured):
        sentence = f"{figure(answer.value)}{_age(answer)}, one value for the whole pool"
        return Finding(grade=Grade.FINE, subject=subject, sentence=sentence)
    if isinstance(answer, Absent) and answer.why is Why.EMPTY and query.missing is not None:
        sentence = f"no series at all, which counts as {figure(query.missing)}"
        return Finding(grade=Grade.FINE, subject=subject, sentence=sentence)
    if isinstance(answer, Absent):
        sentence = advice.on_metric(answer.why, answer.detail)
        return Finding(grade=_grade(answer.why), subject=subject, sentence=sentence)
    return _on_split(pool, query, answer, subject)


def _on_split(pool: Pool, query: Query, answer: Split, subject: str) -> Finding:
    values = sorted(answer.by_label.items())
    absent = [(label, one) for label, one in values if isinstance(one, Absent)]
    told = [f"{label} {figure(one.value)}{_age(one)}" for label, one in values if isinstance(one, Measured)]
    more = f" and {len(told) - SHOWN} more" if len(told) > SHOWN else ""
    split = f"by {query.label}: {', '.join(told[:SHOWN]) or 'no value'}{more}"
    if absent:
        label, one = min(absent, key=lambda entry: entry[1].why not in SERIOUS)
        sentence = f"{split}; that of {label} {advice.on_metric(one.why, one.detail)}"
        return Finding(grade=_grade(one.why), subject=subject, sentence=sentence)
    elsewhere = sorted(label for label in answer.by_label if Region(label) not in pool.regions)
    if query is not pool.busy and elsewhere:
        split += f" (load of {', '.join(elsewhere[:SHOWN])} is {_elsewhere(pool)})"
    return Finding(grade=Grade.FINE, subject=subject, sentence=split)


def _grade(why: Why) -> Grade:
    return Grade.ERROR if why in SERIOUS else Grade.WARNING


def _elsewhere(pool: Pool) -> str:
    return "left out" if pool.elsewhere is Elsewhere.IGNORE else "served by the nearest region"


def _age(reading: Measured) -> str:
    return "" if reading.age_s is None else f" ({reading.age_s:.0f} s old)"


def on_fleet(report: TickReport) -> Iterator[Finding]:
    """What a dry tick saw of the platform."""
    subject = f"pool {report.pool}"
    if not report.surveyed:
        for sentence in advice.on_report(report).values():
            yield Finding(grade=Grade.ERROR, subject=subject, sentence=sentence)
        return
    counts = report.counts.values()
    running, resting = sum(one.running for one in counts), sum(one.stopped + one.suspended for one in counts)
    found = f"the token works; Machines started: {running}, at rest: {resting}"
    yield Finding(grade=Grade.FINE, subject=subject, sentence=found)
    yield from _on_warnings(report, subject)
    empty = any(warning.code is ReasonCode.NO_TEMPLATE for warning in report.notices)
    for (code, *_), sentence in advice.on_shortfall(report).items():
        if code != ReasonCode.NO_TEMPLATE or not empty:
            yield Finding(grade=Grade.WARNING, subject=subject, sentence=sentence)


def _on_warnings(report: TickReport, subject: str) -> Iterator[Finding]:
    for warning in report.notices:
        if (found := _on_warning(report, warning)) is not None:
            grade, sentence = found
            yield Finding(grade=grade, subject=subject, sentence=sentence)


def _on_warning(report: TickReport, warning: Reason) -> tuple[Grade, str] | None:
    told = dict(warning.numbers)
    if warning.code is ReasonCode.NO_TEMPLATE:
        return Grade.ERROR, advice.without_template(report)
    if warning.code is ReasonCode.TWO_MASTERS:
        sentence = (
            f"Fly Proxy starts or stops {told.get('machines')} of the same Machines; switch autostart and"
            " autostop of their services off, or set `proxy = true` here"
        )
        return Grade.WARNING, sentence
    if warning.code is ReasonCode.OUTSIDE_REGIONS:
        sentence = (
            f"Machines of the group in regions it does not name ({told.get('regions')}):"
            f" {told.get('machines')}; they are neither counted nor touched"
        )
        return Grade.WARNING, sentence
    if warning.code is ReasonCode.RULE_UNDEFINED:
        return Grade.WARNING, advice.without_result(warning)
    if warning.code is ReasonCode.METRIC_ABSENT:
        return None
    return Grade.WARNING, str(warning)
