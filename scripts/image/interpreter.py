"""The `python` that stands in for the one of the base image."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from scripts.image.errors import ExerciseError

UNPRIVILEGED = 10001
SAY_WHO = (
    "import ensurepip, sys, venv\n"
    "sys.exit(1) if sys.version_info < (3, 11) else None\n"
    "print(sys._base_executable, '%d.%d' % sys.version_info[:2])"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpreter:
    """A Python, its version as `3.13`, and whether a user other than root may run it."""

    path: Path
    version: str
    for_everyone: bool


def find(image: str) -> Interpreter:
    """The best stand-in for `python:X.Y-...`: rather one that anyone may run than one of that version."""
    wanted = re.match(r"python:(\d+\.\d+)", image)
    if wanted is None:
        raise ExerciseError(f"{image} is not a Python image")
    names = [f"python{wanted[1]}", "python3.13", "python3.12", "python3.11", "python3", sys.executable]
    for user in (UNPRIVILEGED, None) if os.geteuid() == 0 else (None,):
        for name in (f"{folder}{name}" for folder in ("", "/usr/bin/") for name in names):
            who = _ask(name, user)
            if who is not None:
                path, version = who.rsplit(maxsplit=1)
                return Interpreter(path=Path(path), version=version, for_everyone=user is not None)
    raise ExerciseError("there is no Python >= 3.11 with its venv module here")


def _ask(name: str, user: int | None) -> str | None:
    try:
        done = subprocess.run(
            [name, "-c", SAY_WHO], user=user, group=user, cwd="/", capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
