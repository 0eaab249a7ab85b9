"""The benchmarks can be listed and run. What they measure is for people: no figure decides anything here."""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.__main__ import ALL, NAMES
from benchmarks.rows import Goal, Row

FAST = Goal(what="something", beside="something else", unit="s", most=2.0)


def benchmarks(root: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "benchmarks", *arguments]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)


def test_the_list_names_every_row_of_the_table(root: Path) -> None:
    done = benchmarks(root, "--list")
    assert done.returncode == 0, done.stderr
    goals = [goal for benchmark in ALL for goal in benchmark.goals]
    lines = done.stdout.splitlines()
    assert len(lines) == len(goals)
    assert all(goal.what in line for goal, line in zip(goals, lines, strict=True))


def test_the_quickest_one_measures_both_sides(root: Path) -> None:
    done = benchmarks(root, "--quick", "version")
    assert done.returncode == 0, done.stderr
    (row,) = (line for line in done.stdout.splitlines() if "`autoscaler version`" in line)
    assert row.count(" s ") >= 2
    assert "<= 0.3 s" in row


def test_an_unknown_name_is_answered_with_the_known_ones(root: Path) -> None:
    done = benchmarks(root, "speed")
    assert done.returncode == 2
    assert all(name in done.stderr for name in NAMES)
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("ours", "met"), [(1.9, True), (2.0, True), (2.1, False)])
def test_a_target_is_met_up_to_its_own_value(ours: float, met: bool) -> None:
    assert Row(goal=FAST, ours=ours, baseline=1.0).met is met


def test_a_row_with_a_target_of_its_own_is_held_to_that() -> None:
    assert Row(goal=FAST, ours=2.1, baseline=1.0, most=3.0).met is True
