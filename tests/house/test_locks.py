"""The lock files install the same bytes everywhere, and name no place to fetch them from."""

import re
import tomllib
from pathlib import Path

import pytest

PIN = re.compile(r"^(?P<name>[a-z0-9-]+)==(?P<version>\S+)(?: ; (?P<marker>.*?))? \\$")
LOCKS = ["requirements.lock", "requirements-dev.lock", "requirements-build.lock"]


def pins(lock: Path) -> dict[str, str]:
    found = (PIN.match(line) for line in lock.read_text(encoding="utf-8").splitlines())
    return {pin["name"]: pin["version"] for pin in found if pin}


@pytest.mark.parametrize("name", LOCKS)
def test_every_line_is_a_pin_a_hash_or_a_comment(root: Path, name: str) -> None:
    allowed = re.compile(rf"{PIN.pattern}|^ +--hash=sha256:[0-9a-f]{{64}}(?: \\)?$|^ *#(?!.*(?:://|/)).*$")
    lines = (root / name).read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if not allowed.match(line)] == []


@pytest.mark.parametrize("name", LOCKS)
def test_every_pin_has_the_hash_of_more_than_one_machines_file(root: Path, name: str) -> None:
    """A registry offers a source archive beside each wheel; a single hash means a local file was locked."""
    entries = re.split(r"^(?=[a-z0-9])", (root / name).read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    single = [entry.split("==")[0] for entry in entries if entry.count("--hash=sha256:") < 2]
    assert single == []


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-build.lock"])
def test_what_runs_and_what_builds_is_tested_in_the_same_version(root: Path, name: str) -> None:
    assert pins(root / name).items() <= pins(root / "requirements-dev.lock").items()


@pytest.mark.parametrize(
    ("name", "of"),
    [
        ("requirements.lock", lambda pyproject: pyproject["project"]["dependencies"]),
        ("requirements-build.lock", lambda pyproject: pyproject["build-system"]["requires"]),
        ("requirements-dev.lock", lambda pyproject: pyproject["dependency-groups"]["dev"][1:]),
    ],
)
def test_every_declared_dependency_is_locked(root: Path, name: str, of) -> None:
    declared = of(tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8")))
    names = {re.split(r"[<>=!~ ;\[]", one)[0] for one in declared}
    assert names
    assert names <= pins(root / name).keys()
