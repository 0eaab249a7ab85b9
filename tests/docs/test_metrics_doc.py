"""The documentation of metrics and the alerts speak of the metrics that exist."""

import re
import subprocess
from pathlib import Path

import pytest

from autoscaler.adapters.telemetry import Telemetry
from autoscaler.domain.outcome import Verdict
from autoscaler.domain.reading import Why
from autoscaler.domain.reason import ReasonCode
from tests.service.reports import scaled

ROW = re.compile(r"^\| `(autoscaler_\w+)` \| (\w+) \| (.*?) \|", re.MULTILINE)


def exercised() -> Telemetry:
    """Telemetry in which every metric has a sample."""
    telemetry = Telemetry()
    report = scaled()
    telemetry.began(report.pool, 0.0)
    telemetry.expect(report.pool)
    telemetry.observe(report)
    telemetry.upstream("fly", "list", 200, 0.1)
    return telemetry


def registered() -> dict[str, tuple[str, frozenset[str]]]:
    """Name on the page -> type and labels."""
    found = {}
    for family in exercised().registry.collect():
        name = f"{family.name}_total" if family.type == "counter" else family.name
        labels = {label for sample in family.samples for label in sample.labels} - {"le"}
        assert family.samples, f"{name} is not exercised"
        found[name] = (family.type, frozenset(labels))
    return found


def documented(root: Path) -> dict[str, tuple[str, frozenset[str]]]:
    text = (root / "docs" / "metrics.md").read_text(encoding="utf-8")
    rows = ROW.findall(text)
    return {name: (kind, frozenset(re.findall(r"`(\w+)`", labels))) for name, kind, labels in rows}


def test_the_documentation_lists_every_metric_with_its_type_and_labels(root: Path) -> None:
    assert documented(root) == registered()


@pytest.mark.parametrize("code", [*Verdict, *Why])
def test_the_documentation_explains_every_verdict_and_absence(root: Path, code: str) -> None:
    assert f"`{code}`" in (root / "docs" / "metrics.md").read_text(encoding="utf-8")


def test_documented_states_are_the_ones_shown(root: Path) -> None:
    shown = {
        sample.labels["state"]
        for family in exercised().registry.collect()
        for sample in family.samples
        if family.name == "autoscaler_machines"
    }
    row = next(
        line
        for line in (root / "docs" / "metrics.md").read_text().splitlines()
        if line.startswith("| `autoscaler_machines`")
    )
    assert shown <= set(re.findall(r"`(\w+)`", row))


def test_every_metric_in_an_alert_exists(root: Path) -> None:
    rules = (root / "config" / "alerts.rules.yml").read_text(encoding="utf-8")
    used = set(re.findall(r"\bautoscaler_\w+", rules))
    assert len(used) > 5
    assert {re.sub("_(bucket|sum|count)$", "", name) for name in used} <= registered().keys()


def test_alerts_ask_only_for_labels_verdicts_and_reasons_that_exist(root: Path) -> None:
    rules = (root / "config" / "alerts.rules.yml").read_text(encoding="utf-8")
    labels = {label for _, found in registered().values() for label in found} | {"le"}
    for grouped in re.findall(r"by \(([^)]*)\)", rules):
        assert {label.strip() for label in grouped.split(",")} <= labels
    for name in re.findall(r"\$labels\.(\w+)", rules):
        assert name in labels
    for verdicts in re.findall(r'verdict!?[=~]+"([^"]*)"', rules):
        assert set(verdicts.split("|")) <= {verdict.value for verdict in Verdict}
    for reasons in re.findall(r'reason!?[=~]+"([^"]*)"', rules):
        assert set(reasons.split("|")) <= {code.value for code in ReasonCode}


def test_prometheus_accepts_the_alerts(root: Path, server_binary) -> None:
    promtool = server_binary("promtool")
    checked = subprocess.run(
        [promtool, "check", "rules", root / "config" / "alerts.rules.yml"],
        capture_output=True,
        text=True,
        check=False,
        timeout=4,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
