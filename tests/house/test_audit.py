"""The audit is red on a vulnerability or a broken lock file, and loud but not red without its service."""

import json
from collections.abc import Mapping

import pytest

from scripts.audit import judge

SOUND = {"name": "rich", "version": "15.0.0", "vulns": []}
FAULTY = {"name": "httpx", "version": "0.1", "vulns": [{"id": "PYSEC-1", "fix_versions": ["0.2", "0.3"]}]}
UNKNOWN = {"name": "lark", "skip_reason": "Dependency not found and could not be audited: lark (1.3.1)"}


def report(*packages: Mapping[str, object]) -> str:
    return json.dumps({"dependencies": packages, "fixes": []})


def test_a_clean_lock_is_green_and_says_how_many_packages_were_looked_up() -> None:
    verdict = judge(status=0, report=report(SOUND), errors="No known vulnerabilities found")
    assert (verdict.status, verdict.lines) == (0, ("1 packages without a known vulnerability",))


def test_a_vulnerability_is_red_and_names_the_version_that_mends_it() -> None:
    verdict = judge(status=1, report=report(SOUND, FAULTY, UNKNOWN), errors="Found 1 known vulnerability")
    assert verdict.status == 1
    assert verdict.lines[0] == "httpx 0.1: PYSEC-1, fixed in 0.2 or 0.3"


def test_a_package_the_service_does_not_know_is_named() -> None:
    verdict = judge(status=0, report=report(SOUND, UNKNOWN), errors="")
    assert verdict.status == 0
    assert verdict.lines[0].startswith("NOT AUDITED: Dependency not found")


@pytest.mark.parametrize(
    "errors",
    [
        "requests.exceptions.ProxyError: Max retries exceeded with url: /x",
        "pip_audit._service.interface.ConnectionError: Could not connect to the vulnerability feed",
        "pip_audit._service.interface.ServiceError",
    ],
)
def test_a_service_out_of_reach_is_said_aloud_and_is_not_red(errors: str) -> None:
    verdict = judge(status=1, report="", errors=errors)
    assert verdict.status == 0
    assert verdict.lines[0].startswith("NOT AUDITED: ")


def test_a_registry_without_the_service_counts_as_out_of_reach() -> None:
    verdict = judge(status=0, report=report(UNKNOWN), errors="")
    assert (verdict.status, verdict.lines[0][:12]) == (0, "NOT AUDITED:")


@pytest.mark.parametrize(("status", "text"), [(1, ""), (2, ""), (1, report(SOUND))])
def test_any_other_failure_is_red_with_its_message(status: int, text: str) -> None:
    verdict = judge(status=status, report=text, errors="requirement rich does not contain a hash\n")
    assert (verdict.status, verdict.lines[1]) == (1, "requirement rich does not contain a hash")
