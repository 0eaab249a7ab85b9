"""What the demonstration prints."""

import io

from rich.console import Console

from autoscaler.domain.desired import Bounds, Decision, Desired
from autoscaler.domain.fleet import RegionCount
from autoscaler.domain.instant import Instant
from autoscaler.domain.names import AppName, GroupName, PoolName, Region
from autoscaler.domain.outcome import TickReport, Verdict
from autoscaler.domain.reason import Reason, ReasonCode, reason
from autoscaler.service.demo.score import Score
from autoscaler.service.demo.view import COLUMNS, agenda, line, summary, table

ORD = Region("ord")
SCORE = Score(seconds=10, load=200, unserved=5, machine_seconds=40, fixed_machine_seconds=100)


def report(decision: Decision | None) -> TickReport:
    return TickReport(
        pool=PoolName("demo"),
        app=AppName("demo"),
        group=GroupName("app"),
        at=Instant(wall=0, mono=0),
        verdict=Verdict.SCALED if decision else Verdict.BLIND,
        counts={ORD: RegionCount(running=2, ready=2, arriving=1, stopped=4, capacity=3)} if decision else {},
        decision=decision,
    )


def decided(last: Reason) -> Decision:
    desired = Desired(region=ORD, bounds=Bounds(min=1, max=9), demand=4, desired=3, reasons=(last,))
    return Decision(regions={ORD: desired}, total=Bounds(min=1, max=9))


DECIDED = decided(reason(ReasonCode.STEP_OUT, allowed=3))


def test_a_line_tells_each_regions_load_demand_desired_and_machines() -> None:
    shown = line(report(DECIDED), {ORD: 37.0}, "12:00")
    assert shown == "12:00 scaled  ord load 37 demand 4 desired 3 started 2 (+1)"


def test_a_line_without_a_survey_says_so() -> None:
    assert line(report(None), {}, "12:00") == "12:00 blind   no survey of the Machines yet"


def test_the_agenda_tells_when_demand_is_more_than_a_regions_own_load() -> None:
    assert agenda() == "14:24 a burst in ams; 20:24 to 22:48 jobs that any region may do"


def test_the_table_has_a_row_per_region_with_its_last_reason() -> None:
    out = io.StringIO()
    Console(file=out, width=140).print(table(report(DECIDED), {ORD: 37.0}, SCORE, "12:00"))
    text = out.getvalue()
    assert "step_out allowed=3" in text
    assert "1..9" in text
    assert "unserved 2.5%" in text


def test_the_table_fits_80_columns_with_a_line_per_region_however_long_the_reason() -> None:
    long = reason(
        ReasonCode.RULE, rule="rules[0]", metric="requests", value=23.1443, asked=2.77732, machines=3
    )
    out = io.StringIO()
    Console(file=out, width=76).print(table(report(decided(long)), {ORD: 37.0}, None, "12:00"))
    lines = [text.split() for text in out.getvalue().splitlines() if text.strip()]
    assert len(lines) == 4  # title, heading, rule, one region
    assert lines[1] == " ".join(COLUMNS).split(" ")
    assert lines[3][:9] == ["ord", "1..9", "37", "4", "3", "2", "1", "4", "rule"]


def test_the_summary_compares_with_a_fixed_fleet() -> None:
    assert summary(SCORE) == (
        "unserved 2.5% of the load; 40 Machine-seconds, 40% of the 100 of a fixed fleet"
    )
