"""Stories of what only people can mend: said once, with what to do, and no reason to ask again and again."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from structlog.testing import CapturingLogger
from structlog.typing import FilteringBoundLogger

from autoscaler.adapters.telemetry import Telemetry
from autoscaler.adapters.tick_line import TickLines
from autoscaler.domain.names import AppName, MetricName
from autoscaler.domain.pool import Volumes
from autoscaler.domain.reading import Query, Why
from autoscaler.emulator.faults import Fault, Kind
from autoscaler.service import events
from autoscaler.service.advice import on_report
from autoscaler.service.plan_json import document
from autoscaler.service.running import Adviser
from tests.scenarios.story import ORD, Story, a_pool, told

pytestmark = pytest.mark.looptime

TICKS = 40
FIRST = 4
"""How many creates are under way in a region before the first of them is answered."""
SEEN_S = 15.0 * (TICKS - 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What is wrong, the code under which it is told, words of the advice, and how often it is asked."""

    code: str
    words: str
    operation: str
    at_most: int
    pool: Mapping[str, Any] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)
    fault: Fault | None = None
    machines: int = 1


def refusing(operation: str, status: int, error: str) -> Fault:
    return Fault(kind=Kind.STATUS, operation=operation, status=status, body={"error": error})


LIMIT = "Your organization has reached its machine limit. Please contact billing@fly.io"
VOLUME_LIMIT = "Your organization has reached its volume limit"
MOUNTED: Mapping[str, Any] = {"mounts": [{"name": "data", "path": "/data", "volume": "vol_1"}]}
CASES = {
    "an app that does not exist": Case(
        code="survey_failed",
        words="knows no app nowhere",
        operation="list",
        at_most=2 * TICKS,
        pool={"app": AppName("nowhere")},
    ),
    "a token for another app": Case(
        code="survey_failed",
        words="no access to app demo",
        operation="list",
        at_most=2 * TICKS,
        fault=refusing("list", 403, "unauthorized"),
    ),
    "a token that may only read": Case(
        code="refused",
        words="may not create Machines",
        operation="create",
        at_most=FIRST + TICKS,
        fault=refusing("create", 403, "unauthorized"),
    ),
    "an organization's limit": Case(
        code="parked",
        words="may not have more",
        operation="create",
        at_most=2 * FIRST,
        fault=refusing("create", 422, LIMIT),
    ),
    "a group without any Machine to copy": Case(
        code="no_template", words="deploy one", operation="create", at_most=0, machines=0
    ),
    "mounts without volumes": Case(
        code="volumes",
        words="set `volumes`",
        operation="create",
        at_most=0,
        config=MOUNTED,
    ),
    "a token that may make no volumes": Case(
        code="refused",
        words="may not create volumes",
        operation="volume_create",
        at_most=TICKS,
        pool={"volumes": Volumes.NEW},
        config=MOUNTED,
        fault=refusing("volume_create", 403, "unauthorized"),
    ),
    "an organization's limit of volumes": Case(
        code="parked",
        words="may not have more",
        operation="volume_create",
        at_most=2,
        pool={"volumes": Volumes.NEW},
        config=MOUNTED,
        fault=refusing("volume_create", 422, VOLUME_LIMIT),
    ),
    "a volume that the platform does not make": Case(
        code="parked",
        words="refuses the configuration",
        operation="volume_create",
        at_most=2,
        pool={"volumes": Volumes.NEW},
        config=MOUNTED,
        fault=refusing("volume_create", 400, "invalid_argument: size_gb"),
    ),
    "an image that is gone": Case(
        code="refused",
        words="deploy again",
        operation="create",
        at_most=FIRST + TICKS,
        fault=refusing("create", 400, "failed to get manifest: MANIFEST_UNKNOWN"),
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
async def test_it_is_one_warning_a_metric_a_reason_and_no_storm(case: Case):
    log, telemetry = CapturingLogger(), Telemetry()
    bound = cast(FilteringBoundLogger, log)
    lines, adviser = TickLines(bound), Adviser(bound)
    async with told(a_pool(**case.pool), machine_config=case.config) as story:
        begin(story, case)
        await story.passes(SEEN_S)
        for report in story.reports:
            lines.write(report)
            adviser.ended(report)
            telemetry.observe(report)
        advice = [call.kwargs["advice"] for call in log.calls if call.args == (events.POOL_TROUBLE,)]
        assert [case.words in sentence for sentence in advice] == [True]
        assert [call.method_name for call in log.calls].count("warning") <= 2
        assert case.code in codes_of(story)
        counted = telemetry.registry.get_sample_value(
            "autoscaler_reasons_total", {"pool": "web", "reason": case.code}
        )
        assert (counted or 0) >= TICKS / 2
        assert len(story.requests(case.operation)) <= case.at_most


def begin(story: Story, case: Case) -> None:
    story.add(case.machines, ORD, "started")
    story.load({ORD: 100.0})
    if case.fault is not None:
        story.trouble(case.fault)


def codes_of(story: Story) -> set[str]:
    (last,) = document(story.reports[-1:], at=0.0)["pools"]
    return {entry["code"] for entry in last["warnings"]} | {entry["reason"] for entry in last["shortfall"]}


async def test_a_metric_split_by_what_is_no_region_is_held_and_fills_no_report():
    customers = Query(name=MetricName("load"), promql="load", label="customer")
    async with told(a_pool(metrics=(customers,))) as story:
        story.add(2, ORD, "started")
        for number in range(150):
            story.measure("load", {"customer": f"customer-{number}"}, 1.0)
        report = await story.passes(60.0)
        assert story.started() == {"ord": 2}
        assert report.decision is not None
        assert [row.absent for row in report.decision.metrics] == [Why.AMBIGUOUS]
        assert len(report.notices) == 1
        (advice,) = on_report(report).values()
        assert "150 values of customer, such as customer-0 and customer-1" in advice
