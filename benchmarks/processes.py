"""Programs started from outside, timed from before their interpreter exists."""

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping

PATIENCE_S = 30.0
PROGRAM = (sys.executable, "-m", "autoscaler")
BARE = (sys.executable, "-c", "pass")


def clean(environ: Mapping[str, str]) -> dict[str, str]:
    """This process's environment without settings of the autoscaler or the interpreter, and these instead.

    An installed program is compiled: an interpreter forbidden to keep what it compiled is not what is meant.
    """
    foreign = ("AUTOSCALER_", "FLY_", "PYTHON")
    rest = {key: value for key, value in os.environ.items() if not key.startswith(foreign)}
    return {**rest, **environ}


def seconds(command: tuple[str, ...], environ: Mapping[str, str] | None = None) -> float:
    """From start to exit. CalledProcessError if it fails."""
    began = time.perf_counter()
    subprocess.run(command, env=clean(environ or {}), check=True, capture_output=True, timeout=PATIENCE_S)
    return time.perf_counter() - began


def medians(sides: tuple[Callable[[], float], Callable[[], float]], rounds: int) -> tuple[float, float]:
    """Both sides in turn, so that whatever else the machine does meets both; a first round is not counted."""
    first, second = sides
    first(), second()
    taken = [(first(), second()) for _ in range(rounds)]
    return statistics.median(one for one, _ in taken), statistics.median(other for _, other in taken)
