"""The report that seals a tick."""

from autoscaler.domain.desired import Bounds, Decision
from autoscaler.domain.instant import Instant
from autoscaler.domain.names import AppName, GroupName, PoolName
from autoscaler.domain.outcome import TickReport, Verdict
from autoscaler.domain.plan import Plan
from autoscaler.domain.reason import ReasonCode, reason


def test_a_report_shows_each_warning_once_wherever_it_came_from():
    stuck, masters, absent = (
        reason(ReasonCode.STUCK),
        reason(ReasonCode.TWO_MASTERS),
        reason(ReasonCode.UNKNOWN),
    )
    report = TickReport(
        pool=PoolName("p"),
        app=AppName("a"),
        group=GroupName("app"),
        at=Instant(wall=0, mono=0),
        verdict=Verdict.STEADY,
        decision=Decision(regions={}, total=Bounds(min=0, max=1), warnings=(absent, stuck)),
        plan=Plan(warnings=(masters,)),
        warnings=(stuck,),
    )
    assert report.notices == (stuck, absent, masters)
