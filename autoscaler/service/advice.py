"""What an operator can do about trouble that does not pass by itself: one sentence each."""

import re
from collections.abc import Mapping

from autoscaler.domain.names import AppName
from autoscaler.domain.outcome import TickReport
from autoscaler.domain.plan import Create, Shortfall
from autoscaler.domain.reading import AHEAD, Why
from autoscaler.domain.reason import Reason, ReasonCode

WITHOUT_VALUE = {
    Why.UNREACHABLE: "does not answer; is AUTOSCALER_PROMETHEUS_URL right, and can it be reached from here?",
    Why.MALFORMED: "is not that of a Prometheus; AUTOSCALER_PROMETHEUS_URL is a base such as"
    " https://api.fly.io/prometheus/my-org, and /api/v1/query is appended",
    Why.AMBIGUOUS: "has several series for one region, or for none; aggregate it, as in"
    " `max by (region) (...)`",
    Why.EMPTY: "has no series at all; correct the query, or say what silence means with `missing`",
    Why.STALE: "is older than max_age allows; is it still scraped?",
    Why.NOT_A_NUMBER: "is not a finite number; guard the query's division by zero",
    Why.NEGATIVE: "is negative, which no rule but an expression can use",
    Why.NONE_READY: "is a mean per Machine, and says nothing while no Machine is ready",
    Why.UNCONFIRMED: "is zero for the first time, and is believed when the next tick says so too",
}


AGAIN = "it is asked again at the next tick"
_NO_APP = re.compile(r"^[^<]*\bapp\b", re.IGNORECASE)
"""The Machines API says it in plain words; other servers know no path, and some say so with a page."""


def on_metric(why: Why, detail: str) -> str:
    """What a missing value means, and what to do."""
    if why is Why.REFUSED:
        return _refused(detail)
    if why is Why.UNREACHABLE and _status(detail):
        return f"is not to be had, for its source has trouble of its own ({detail}); {AGAIN}"
    if why is Why.STALE and AHEAD in detail:
        return f"comes from the future ({detail}); compare the clocks of its source and of this machine"
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
    if status in {400, 404} and _NO_APP.search(detail):
        return f"the platform knows no app {app} ({detail}); correct AUTOSCALER_APP, or `app` of the pool"
    if status == 404:
        return (
            f"what answers is no Machines API ({detail}); correct AUTOSCALER_API_URL, a base such as"
            " https://api.machines.dev to which /v1/apps/... is appended"
        )
    if status == 429:
        return (
            f"the Machines API is asked too often ({detail}); it is asked again, and less often with a longer"
            " AUTOSCALER_INTERVAL"
        )
    if status == 408 or (status or 0) >= 500:
        return f"the Machines API has trouble of its own ({detail}); {AGAIN}"
    reach = "" if status else ", and can it be reached from here"
    return f"the Machines API cannot list app {app} ({detail}); is AUTOSCALER_API_URL right{reach}?"


REFUSED = {
    "org_limit": "the organization may not have more Machines or volumes ({detail}); ask billing@fly.io for"
    " more, or add a payment method",
    "invalid": "the platform refuses the configuration of a new Machine or its volume ({detail}); deploy one"
    " that it accepts",
    "image": "the image of the Machine that is copied is gone ({detail}); deploy again",
    "unauthorized": "the token may not {action} ({detail}); set AUTOSCALER_API_TOKEN to one that"
    " may: `fly tokens create deploy -a {app}`",
}
"""By the refusal's name: what only people can mend."""

UPON_VOLUMES = {"create_volume": "create volumes", "destroy_volume": "destroy volumes"}
"""What actions that are not about a Machine do."""

LACKING = {
    ReasonCode.VOLUMES: "its Machines have volumes, and nothing says where new ones get theirs;"
    ' set `volumes` to "reuse" or "new"',
    ReasonCode.BUDGET: "so many Machines were created lately that no more are for now; see what became"
    " of them, or raise `budget`",
    ReasonCode.CRASH_LOOP: "its Machines end badly right after they were started, so no more are created;"
    " see their logs, and deploy a release that runs",
}
"""By a shortfall's code."""

PARKED_FOR = {"org_limit": "org_limit", "invalid_config": "invalid"}
"""What a region is parked for -> the refusal it began with."""

Trouble = tuple[str, ...]
"""What is wrong, without figures that change from tick to tick."""


def on_report(report: TickReport) -> Mapping[Trouble, str]:
    """What to do about a tick that could not see something, failed, or could not have what it should."""
    notices = (_on_warning(report, warning) for warning in report.notices)
    return {**dict(filter(None, notices)), **on_shortfall(report)}


def on_shortfall(report: TickReport) -> Mapping[Trouble, str]:
    """What to do about the Machines that cannot be had."""
    gaps = (_on_gap(report, gap) for gap in report.plan.shortfall)
    return dict(filter(None, gaps))


def without_template(report: TickReport) -> str:
    """A group of which nothing can be started or copied."""
    return (
        f"group {report.group!r} of app {report.app} has no Machine to start or to copy;"
        " deploy one, or correct `group`"
    )


def without_result(warning: Reason) -> str:
    """A rule whose own arithmetic has no result."""
    told = dict(warning.numbers)
    where = f" in {told['region']}" if "region" in told else ""
    return f"{told['rule']} has no result{where}; guard a division by zero, as in `x / max(1, y)`"


Advice = tuple[Trouble, str]


def _on_warning(report: TickReport, warning: Reason) -> Advice | None:
    told = {name: str(value or "") for name, value in warning.numbers}
    detail, where = told.get("detail", ""), told.get("region", "")
    if warning.code is ReasonCode.SURVEY_FAILED:
        return (warning.code,), on_platform(report.app, detail)
    if warning.code is ReasonCode.NO_TEMPLATE:
        return (warning.code,), without_template(report)
    if warning.code is ReasonCode.REFUSED:
        return _on_refusal(report, told["refusal"], told["action"], detail)
    if warning.code is ReasonCode.METRIC_ABSENT:
        metric, why = told["metric"], Why(told["why"])
        if why is Why.UNCONFIRMED:
            return None
        subject = f"metric {metric} of {where}" if where else f"metric {metric}"
        return (warning.code, metric, where, why), f"{subject} {on_metric(why, detail)}"
    if warning.code is ReasonCode.RULE_UNDEFINED:
        return (warning.code, told["rule"], where), without_result(warning)
    if warning.code is ReasonCode.TICK_FAILED:
        sentence = f"the tick failed ({told['error']}); this is a fault of this program, please report it"
        return (warning.code, told["error"]), sentence
    return None


def _on_gap(report: TickReport, gap: Shortfall) -> Advice | None:
    code, told = gap.reason.code, dict(gap.reason.numbers)
    if code is ReasonCode.NO_TEMPLATE:
        return (code,), without_template(report)
    if code is ReasonCode.PARKED and told.get("why") in PARKED_FOR:
        refusal = PARKED_FOR[str(told["why"])]
        return _on_refusal(report, refusal, Create.kind, f"asked again after {told.get('for_s')} s")
    if code is ReasonCode.PARKED:
        sentence = f"region {gap.region} has no room; it is asked again after {told.get('for_s')} s"
        return (code, gap.region), sentence
    if code is ReasonCode.VOLUMES and told:
        return None
    return ((code,), LACKING[code]) if code in LACKING else None


def _on_refusal(report: TickReport, refusal: str, action: str, detail: str) -> Advice:
    what = UPON_VOLUMES.get(action, f"{action} Machines")
    sentence = REFUSED[refusal].format(app=report.app, action=what, detail=detail)
    key = (refusal, action) if refusal == "unauthorized" else (refusal,)
    return (ReasonCode.REFUSED, *key), sentence


def _status(detail: str) -> int | None:
    head = detail.split(" ", 1)[0]
    return int(head) if head.isascii() and head.isdigit() and len(head) == 3 else None
