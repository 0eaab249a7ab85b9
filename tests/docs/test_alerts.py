"""The alerts fire for what they name, as Prometheus' own tester evaluates them."""

import json
import subprocess
from pathlib import Path

import pytest

REFUSED = {'autoscaler_ticks_total{pool="shop",verdict="failed"}': "0+1x80"}
STEADY = {'autoscaler_ticks_total{pool="shop",verdict="steady"}': "0+1x80"}
BLIND = {'autoscaler_ticks_total{pool="shop",verdict="blind"}': "0+1x80"}
BLIND_ONCE = {'autoscaler_ticks_total{pool="shop",verdict="blind"}': "0x40 1x40"}
FAULT_ONCE = {
    'autoscaler_ticks_total{pool="shop",verdict="failed"}': "0x40 1x40",
    'autoscaler_reasons_total{pool="shop",reason="tick_failed"}': "0x40 1x40",
}
"""Counters every 15 s for 20 minutes."""
WATCHED = 'alertstate="firing", alertname=~"AutoscalerBlind|AutoscalerTickFailed"'
FIRING = f"group by (alertname, pool) (ALERTS{{{WATCHED}}})"


@pytest.mark.parametrize(
    ("series", "firing"),
    [
        (REFUSED | BLIND_ONCE, []),
        (STEADY | BLIND_ONCE, []),
        (BLIND, ["AutoscalerBlind"]),
        (STEADY | FAULT_ONCE, ["AutoscalerTickFailed"]),
    ],
    ids=["refusals", "one_blind_tick", "blind", "fault"],
)
def test_a_refusal_is_neither_blindness_nor_a_fault_of_the_program(
    root: Path, tmp_path: Path, server_binary, series: dict[str, str], firing: list[str]
) -> None:
    samples = [{"labels": f'{{alertname="{name}", pool="shop"}}', "value": 1} for name in firing]
    case = {
        "interval": "15s",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "promql_expr_test": [{"expr": FIRING, "eval_time": "18m", "exp_samples": samples}],
    }
    rules = str(root / "config" / "alerts.rules.yml")
    test = tmp_path / "test.yml"
    test.write_text(json.dumps({"rule_files": [rules], "evaluation_interval": "15s", "tests": [case]}))
    told = subprocess.run(
        [server_binary("promtool"), "test", "rules", test],
        capture_output=True,
        text=True,
        check=False,
        timeout=4,
    )
    assert told.returncode == 0, told.stdout + told.stderr
