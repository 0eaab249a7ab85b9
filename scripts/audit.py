"""Ask pip-audit about a lock file: red on a known vulnerability, loud but not red without its service.

usage: python -m scripts.audit requirements.lock
"""

import json
import subprocess
import sys
from dataclasses import dataclass
from typing import Any

# pip-audit answers 1 for a vulnerability, a lost connection and a broken lock alike; stderr tells them apart.
OUT_OF_REACH = ("ConnectionError", "Could not connect", "Max retries exceeded", "ReadTimeout", "ServiceError")


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What came of the audit: the process's exit status, and one sentence for each thing worth saying."""

    status: int
    lines: tuple[str, ...]


def judge(*, status: int, report: str, errors: str) -> Verdict:
    """Read pip-audit's exit status, JSON report and stderr."""
    try:
        packages = json.loads(report)["dependencies"]
    except (ValueError, KeyError, TypeError):
        if any(sign in errors for sign in OUT_OF_REACH):
            return _not_run("its service cannot be reached from here")
        return Verdict(status=1, lines=("pip-audit failed:", errors.strip()))
    found = [
        f"{_versioned(package)}: {_fault(fault)}"
        for package in packages
        for fault in package.get("vulns", [])
    ]
    if found:
        return Verdict(status=1, lines=(*found, "raise these versions with `make lock UPGRADE=1`"))
    skipped = [f"NOT AUDITED: {package['skip_reason']}" for package in packages if "skip_reason" in package]
    if len(skipped) == len(packages):
        return _not_run("its service knows none of these packages")
    if status:
        return Verdict(status=1, lines=("pip-audit failed:", errors.strip()))
    clean = f"{len(packages) - len(skipped)} packages without a known vulnerability"
    return Verdict(status=0, lines=(*skipped, clean))


def _versioned(package: dict[str, str]) -> str:
    return f"{package['name']} {package['version']}"


def _fault(fault: dict[str, Any]) -> str:
    return f"{fault['id']}, fixed in {' or '.join(fault['fix_versions']) or 'no version yet'}"


def _not_run(why: str) -> Verdict:
    return Verdict(status=0, lines=(f"NOT AUDITED: pip-audit did not run to its end, because {why}",))


def main(lock: str) -> int:
    """Audit one lock file and print what came of it."""
    command = [sys.executable, "-m", "pip_audit", "--requirement", lock, "--require-hashes", "--disable-pip"]
    done = subprocess.run(
        [*command, "--format", "json", "--progress-spinner", "off", "--timeout", "10"],
        capture_output=True,
        text=True,
        check=False,
    )
    verdict = judge(status=done.returncode, report=done.stdout, errors=done.stderr)
    print(*verdict.lines, sep="\n")
    return verdict.status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
