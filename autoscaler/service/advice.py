"""What an operator can do about trouble with the upstreams: one sentence each."""

from collections.abc import Mapping

from autoscaler.domain.names import AppName
from autoscaler.domain.outcome import TickReport
from autoscaler.domain.reading import Why
from autoscaler.domain.reason import Reason, ReasonCode

WITHOUT_VALUE = {
    Why.UNREACHABLE: "does not answer; is AUTOSCALER_PROMETHEUS_URL right, and can it be reached from here?",
    Why.MALFORMED: "is not that of a Prometheus; AUTOSCALER_PROMETHEUS_URL is a base such as"
    " https://api.fly.io/prometheus/my-org, and /api/v1/query is appended",
    Why.AMBIGUOUS: "has several series for one region; aggregate it, as in `max by (region) (...)`",
    Why.EMPTY: "has no series at all; correct the query, or say what silence means with `missing`",
    Why.STALE: "is older than max_age allows; is it still scraped?",
    Why.NOT_A_NUMBER: "is not a finite number; guard the query's division by zero",
    Why.NEGATIVE: "is negative, which no rule but an expression can use",
    Why.NONE_READY: "is a mean per Machine, and says nothing while no Machine is ready",
    Why.UNCONFIRMED: "is zero for the first time, and is believed when the next tick says so too",
}


def on_metric(why: Why, detail: str) -> str:
    """What a missing value means, and what to do."""
    if why is Why.REFUSED:
        return _refused(detail)
    quoted = f" ({detail})" if detail else ""
    return f"{WITHOUT_VALUE[why]}{quoted}"


def _refused(detail: str) -> str:
    status = _status(detail)
    if status in {401, 403}:
        return (
            f"is refused for its token ({detail}); set AUTOSCALER_PROMETHEUS_TOKEN,"
            " for example to one of `fly tokens create readonly ORG`"
        )
    if status == 404:
        return (
            f"is refused ({detail}); AUTOSCALER_PROMETHEUS_URL is a base to which /api/v1/query is appended"
        )
    if status == 429:
        return f"is refused for asking too often ({detail}); raise AUTOSCALER_INTERVAL"
    return f"is refused ({detail}); try the query in the metric source's own page"


def on_platform(app: AppName, detail: str) -> str:
    """Why an app's Machines cannot be listed, and what to do. `detail` begins with the status, if any."""
    status = _status(detail)
    if status == 401:
        return (
            f"the Machines API does not accept the token ({detail}); set AUTOSCALER_API_TOKEN,"
            f" for example to one of `fly tokens create deploy -a {app}`"
        )
    if status == 403:
        return (
            f"the token has no access to app {app} ({detail}); set AUTOSCALER_API_TOKEN to one that has:"
            f" `fly tokens create deploy -a {app}`"
        )
    if status == 404:
        return f"the platform knows no app {app} ({detail}); correct AUTOSCALER_APP, or `app` of the pool"
    return (
        f"the Machines API cannot list app {app} ({detail}); is AUTOSCALER_API_URL right,"
        " and can it be reached from here?"
    )


Trouble = tuple[str, ...]
"""What is wrong, without figures that change from tick to tick."""


def on_report(report: TickReport) -> Mapping[Trouble, str]:
    """What to do about a tick that could not see the platform or a metric, or failed."""
    return dict(filter(None, (_on_warning(report.app, warning) for warning in report.notices)))


def _on_warning(app: AppName, warning: Reason) -> tuple[Trouble, str] | None:
    told = {name: str(value or "") for name, value in warning.numbers}
    detail, where = told.get("detail", ""), told.get("region", "")
    if warning.code is ReasonCode.SURVEY_FAILED:
        return (warning.code,), on_platform(app, detail)
    if warning.code is ReasonCode.METRIC_ABSENT:
        metric, why = told["metric"], Why(told["why"])
        if why is Why.UNCONFIRMED:
            return None
        subject = f"metric {metric} of {where}" if where else f"metric {metric}"
        return (warning.code, metric, where, why), f"{subject} {on_metric(why, detail)}"
    if warning.code is ReasonCode.TICK_FAILED:
        sentence = f"the tick failed ({told['error']}); this is a fault of this program, please report it"
        return (warning.code, told["error"]), sentence
    return None


def _status(detail: str) -> int | None:
    head = detail.split(" ", 1)[0]
    return int(head) if head.isascii() and head.isdigit() and len(head) == 3 else None
