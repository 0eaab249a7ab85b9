"""The page about the configuration and the sample say what the program does."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from autoscaler.domain.errors import ConfigurationError
from autoscaler.service.configuration.declaration import Declared, declared
from autoscaler.service.configuration.environment import KNOWN_VARIABLES
from autoscaler.service.configuration.pool_table import EnvironmentOnly, PoolTable
from autoscaler.service.configuration.process import Process
from autoscaler.service.reference import page
from autoscaler.service.settings import load

SAMPLE = Path("config/autoscaler.example.toml")
SECRETS = {"AUTOSCALER_API_TOKEN": "fo1_api", "AUTOSCALER_PROMETHEUS_TOKEN": "fo1_metrics"}
DECLARED = (*declared(Process), *declared(PoolTable))

# The contract with the users. Variables may be added; one that goes breaks somebody's deployment.
PROMISED = """
    APP GROUP REGIONS TOTAL CREATE LEAVE RESERVE PROXY QUERY METRIC MISSING MAX_AGE
    PER_MACHINE UTILIZATION EXPRESSION SPARE HEADROOM ON_ABSENT BUSY DRAIN
    SCALE_IN_WINDOW SCALE_IN_STEP SCALE_OUT_WINDOW SCALE_OUT_STEP
    INTERVAL PROMETHEUS_URL PROMETHEUS_TOKEN API_TOKEN API_URL DRY_RUN
    HTTP_PORT HTTP_HOST LOG_LEVEL LOG_FORMAT CONFIG CONFIG_TOML
"""
POOL_KEYS = """
    app group match regions total create leave reserve proxy volumes metrics rules busy drain force spare
    headroom on_absent failures allow_in elsewhere spill schedules scale_in scale_out budget
"""


def test_the_page_is_the_one_the_declarations_make(root: Path) -> None:
    remedy = "run: python -m autoscaler.service.reference > docs/configuration.md"
    assert (root / "docs" / "configuration.md").read_text(encoding="utf-8") == page(), remedy


def test_exactly_the_promised_variables_exist_and_are_on_the_page() -> None:
    promised = {f"AUTOSCALER_{name}" for name in PROMISED.split()}
    assert set(KNOWN_VARIABLES) == promised
    assert set(re.findall(r"^\| `(AUTOSCALER_\w+)`", page(), re.MULTILINE)) == promised


def test_exactly_the_promised_keys_of_a_pool_exist() -> None:
    assert set(PoolTable.model_fields) == set(POOL_KEYS.split())


@pytest.mark.parametrize("entry", DECLARED, ids=lambda entry: ".".join(entry.path))
def test_every_setting_states_meaning_reason_default_and_example(entry: Declared) -> None:
    assert entry.meaning.endswith(".")
    assert entry.reason.endswith(".")
    assert entry.default
    assert entry.example
    assert f"`{entry.path[-1]}`" in page()


@pytest.mark.parametrize(
    "variable", sorted(KNOWN_VARIABLES - {"AUTOSCALER_CONFIG", "AUTOSCALER_CONFIG_TOML"})
)
def test_every_example_of_a_variable_is_understood(variable: str) -> None:
    entries = (*DECLARED, *declared(EnvironmentOnly))
    examples = {entry.variable: entry.variable_example for entry in entries}
    environ = {
        **SECRETS,
        "AUTOSCALER_APP": "shop",
        "AUTOSCALER_REGIONS": "ord=2..10",
        "AUTOSCALER_QUERY": "x",
        "AUTOSCALER_PROMETHEUS_URL": "http://localhost",
    }
    rule = {} if variable.endswith(("UTILIZATION", "EXPRESSION")) else {"AUTOSCALER_PER_MACHINE": "1"}
    assert load({**environ, **rule, variable: examples[variable]}).pools


def test_the_sample_is_a_right_configuration(root: Path) -> None:
    settings = load({**SECRETS, "AUTOSCALER_CONFIG": str(root / SAMPLE)})
    assert [pool.name for pool in settings.pools] == ["shop-worker", "rooms"]
    assert settings.warnings == ()


def test_the_sample_holds_every_key(root: Path) -> None:
    sample = (root / SAMPLE).read_text(encoding="utf-8")
    used = set(keys(tomllib.loads(sample)))
    missing = {entry.path[-1] for entry in DECLARED if not entry.secret} - used
    assert missing == set()
    assert "# token" in sample


def test_a_sample_with_a_misspelt_key_would_be_found(root: Path) -> None:
    sample = (root / SAMPLE).read_text(encoding="utf-8").replace("max_age", "max_aeg")
    with pytest.raises(ConfigurationError, match="did you mean max_age"):
        load({**SECRETS, "AUTOSCALER_CONFIG_TOML": sample})


def keys(tree: Any) -> Iterator[str]:
    """Every key of a parsed file, at any depth."""
    for key, value in tree.items() if isinstance(tree, Mapping) else enumerate(tree):
        if isinstance(key, str):
            yield key
        if isinstance(value, Mapping | list):
            yield from keys(value)
