"""What `plan` shows to people."""

import io
from dataclasses import replace

from rich.console import Console

from autoscaler.service import plan_text
from tests.service.reports import blind, scaled, steady


def shown(*reports, terminal=False):
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=terminal, width=120, highlight=False, no_color=not terminal)
    plan_text.show(reports, console=console)
    return stream.getvalue()


def test_a_report_is_plain_aligned_lines_off_a_terminal():
    text = shown(scaled())
    assert text.isascii()
    lines = [line.rstrip() for line in text.splitlines()]
    assert lines[0] == "shop  scaled  app shop-app, group app"
    assert lines[1].split() == list(plan_text.COLUMNS)
    assert lines[2].split() == ["ams", "0", "5", "1", "0", "0", "1", "unknown", "1"]
    assert lines[3].split() == ["ord", "0", "5", "2", "0", "1", "0", "7", "5"]
    assert lines[4:] == [
        "  metric load of ord: 61.5 (12 s old)",
        "  metric load of ams: empty",
        "  metric load of warehouse-7: 3 (4 s old)",
        "  why ams: hold",
        "  why ord: rule value=61.5",
        "      -> bound_max max=5",
        "  to start m1 in ord: demand missing=2",
        "  to create in ord: demand missing=1",
        "  results: 1 applied, 1 refused",
        "  create in ord refused: region_full could not find a candidate host",
        "  shortfall ord: 1 missing, parked until_s=300",
        "  warning: outside_regions machines=2",
    ]


def test_a_value_is_shown_with_all_its_digits():
    report = scaled()
    assert report.decision is not None
    row = report.decision.metrics[0]._replace(value=1_000_001.0, age_s=None)
    exact = replace(report, decision=report.decision._replace(metrics=(row,)))
    assert "  metric load of ord: 1000001\n" in shown(exact)


def test_a_report_is_a_coloured_table_on_a_terminal():
    text = shown(scaled(), terminal=True)
    assert "\x1b[" in text
    assert "│" in text


def test_a_dry_run_says_what_it_would_do():
    assert "  would start m1 in ord" in shown(scaled(acted=False))


def test_a_blind_tick_says_so_without_a_table():
    text = shown(blind())
    assert "blind" in text
    assert "region" not in text
    assert "warning: survey_failed status=503" in text


def test_several_pools_are_apart():
    assert "\n\n" in shown(steady("a"), steady("b"))
