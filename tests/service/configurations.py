"""Environments and files for tests of the settings, each the smallest that is right."""

import pytest

from autoscaler.domain.errors import ConfigurationError, Fault
from autoscaler.service.settings import load

TOKEN = "FlyV1 fm2_c2VjcmV0LW9mLXRoZS1hcGk"
METRIC_TOKEN = "FlyV1 fm2_c2VjcmV0LW9mLXByb21ldGhldXM"

PROCESS = {
    "AUTOSCALER_API_TOKEN": TOKEN,
    "AUTOSCALER_PROMETHEUS_URL": "https://api.fly.io/prometheus/my-org",
    "AUTOSCALER_PROMETHEUS_TOKEN": METRIC_TOKEN,
}
POOL = {
    "AUTOSCALER_APP": "shop-worker",
    "AUTOSCALER_REGIONS": "ord=1..10, ams=0..5",
    "AUTOSCALER_QUERY": 'max(queue_depth{app="$app",group="$group"})',
    "AUTOSCALER_PER_MACHINE": "10",
}
POOL_TABLE = """
[pools.shop]
app = "shop-worker"
regions = { ord = "1..10", ams = "0..5" }
rules = [{ query = "max(queue_depth)", per_machine = 10 }]
"""


def environment(**changes: str | None) -> dict[str, str]:
    """One right pool by variables alone; `drain="1h"` sets AUTOSCALER_DRAIN, None takes a variable away."""
    named = {f"AUTOSCALER_{key.upper()}": value for key, value in changes.items()}
    return {key: value for key, value in {**PROCESS, **POOL, **named}.items() if value is not None}


def file_environment(toml: str) -> dict[str, str]:
    """The file's text inline beside a right process."""
    return {**PROCESS, "AUTOSCALER_CONFIG_TOML": toml}


def one_pool(keys: str) -> dict[str, str]:
    """A right pool in a file, with more keys of it."""
    return file_environment(POOL_TABLE + keys)


def faults(environ: dict[str, str]) -> tuple[Fault, ...]:
    """What is wrong with an environment that must not load."""
    with pytest.raises(ConfigurationError) as caught:
        load(environ)
    return caught.value.faults


def complaints(environ: dict[str, str]) -> dict[str, str]:
    """The faults of an environment by path, as sentences without it."""
    return {fault.path: str(fault).removeprefix(f"{fault.path}: ") for fault in faults(environ)}
