"""The Dockerfile and fly.toml agree with each other and with what the daemon needs."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from autoscaler.service.settings import load
from scripts.image.dockerfile import Instruction, parse

TICK_DEADLINE_S = 60


@pytest.fixture(scope="module")
def steps(root: Path) -> list[Instruction]:
    return parse((root / "Dockerfile").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def fly(root: Path) -> dict[str, Any]:
    return tomllib.loads((root / "fly.toml").read_text(encoding="utf-8"))


def test_nothing_is_installed_into_the_image_without_a_hash(steps: list[Instruction]) -> None:
    installs = [
        part
        for step in steps
        for part in re.split(r"&&", step.rest)
        if re.search(r"pip\b.* (install|wheel) ", part)
    ]
    assert installs
    ours = ("--no-deps --no-build-isolation", "--no-deps --no-index")
    assert [
        part for part in installs if "--require-hashes" not in part and not any(own in part for own in ours)
    ] == []


def test_the_image_runs_as_an_ordinary_user_by_number(steps: list[Instruction]) -> None:
    users = [step.rest for step in steps if step.keyword == "USER"]
    assert [re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", user) is not None for user in users] == [True]


def test_the_image_starts_the_daemon_without_a_shell_between(steps: list[Instruction]) -> None:
    commands = {step.keyword: step.command() for step in steps if step.keyword in {"ENTRYPOINT", "CMD"}}
    assert commands == {"ENTRYPOINT": ["autoscaler"], "CMD": ["run"]}


def test_fly_waits_longer_than_a_tick_may_take_and_sends_sigterm(fly: dict[str, Any]) -> None:
    assert fly["kill_signal"] == "SIGTERM"
    assert int(fly["kill_timeout"].removesuffix("s")) > TICK_DEADLINE_S


def test_the_app_has_no_public_service_one_small_machine_and_is_always_restarted(fly: dict[str, Any]) -> None:
    assert not {"services", "http_service"} & fly.keys()
    assert fly["vm"] == [{"size": "shared-cpu-1x", "memory": "256mb"}]
    assert fly["restart"] == [{"policy": "always"}]


def test_a_deploy_never_runs_two_daemons(fly: dict[str, Any]) -> None:
    assert fly["deploy"]["strategy"] == "rolling"


def test_the_image_its_health_check_fly_and_its_prometheus_use_one_port(
    steps: list[Instruction], fly: dict[str, Any]
) -> None:
    ports = [word.partition("=") for step in steps if step.keyword == "ENV" for word in step.words()[1]]
    port = next(value for name, _, value in ports if name == "AUTOSCALER_HTTP_PORT")
    assert {port} == {str(fly["metrics"]["port"]), str(fly["checks"]["alive"]["port"])}
    assert "os.environ['AUTOSCALER_HTTP_PORT']" in next(s.rest for s in steps if s.keyword == "HEALTHCHECK")


def test_no_secret_is_offered_a_place_in_fly_toml(root: Path) -> None:
    settings = [
        line for line in (root / "fly.toml").read_text(encoding="utf-8").splitlines() if " = " in line
    ]
    assert [line for line in settings if re.match(r"[ #]*AUTOSCALER_\w*TOKEN = ", line)] == []


def test_the_environment_in_fly_toml_and_each_example_beside_it_is_a_valid_configuration(
    root: Path, fly: dict[str, Any]
) -> None:
    tokens = {"AUTOSCALER_API_TOKEN": "FlyV1 one", "AUTOSCALER_PROMETHEUS_TOKEN": "FlyV1 two"}
    examples = re.findall(
        r'^  # (AUTOSCALER_\w+) = "(.*?)"', (root / "fly.toml").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert examples
    for example in [{}, *({name: value} for name, value in examples)]:
        settings = load(fly["env"] | tokens | example)
        assert (len(settings.pools), settings.warnings) == (1, ()), example
