"""How long `autoscaler run` takes to its first completed tick, refill of the window included."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Mapping

from autoscaler.adapters.tick_line import TICK_DONE
from autoscaler.domain.names import Region
from autoscaler.emulator.config import EmulatorConfig
from benchmarks.fly import METRICS, Fly, fly
from benchmarks.processes import PATIENCE_S, PROGRAM, clean, medians, seconds
from benchmarks.progress import Progress
from benchmarks.rows import Goal, MismeasuredError, Row

ROUNDS = 7
QUICK_ROUNDS = 3
APP = "bench"
REGIONS = (Region("ord"), Region("ams"), Region("fra"))

FIRST_TICK = Goal(
    what="`autoscaler run`: from process start to its first completed tick",
    beside="a script of one list and one query",
    unit="s",
    most=1.5,
)

SCRIPT = """
import json, sys, urllib.request
for url, form in ((sys.argv[1], None), (sys.argv[2], b"query=load")):
    request = urllib.request.Request(url, form, {"Authorization": "Bearer any"})
    json.load(urllib.request.urlopen(request, timeout=10))
"""


def run(quick: bool, progress: Progress) -> list[Row]:
    with fly(EmulatorConfig(app=APP, regions=REGIONS, machines=6, rate_limits=False)) as platform:
        platform.load(APP, dict.fromkeys(REGIONS, 10.0))
        environ = platform.environment(APP, dict.fromkeys(REGIONS, 2), AUTOSCALER_DRY_RUN="true")

        def ours() -> float:
            progress.tell("starting both in turn")
            return _until_ticked(environ)

        rounds = QUICK_ROUNDS if quick else ROUNDS
        mine, baseline = medians((ours, lambda: seconds(_script(platform))), rounds)
    return [Row(goal=FIRST_TICK, ours=mine, baseline=baseline)]


def _script(platform: Fly) -> tuple[str, ...]:
    machines, query = f"{platform.url}/v1/apps/{APP}/machines", f"{platform.url}{METRICS}/api/v1/query"
    return (sys.executable, "-c", SCRIPT, machines, query)


def _until_ticked(environ: Mapping[str, str]) -> float:
    began = time.perf_counter()
    process = subprocess.Popen((*PROGRAM, "run"), env=clean(environ), stderr=subprocess.PIPE, text=True)
    watchdog = threading.Timer(PATIENCE_S, process.kill)
    watchdog.start()
    try:
        assert process.stderr is not None
        for line in process.stderr:
            told = json.loads(line) if line.startswith("{") else {}
            if told.get("event") == TICK_DONE:
                _check(told)
                return time.perf_counter() - began
        raise MismeasuredError("the daemon ended before its first tick")
    finally:
        watchdog.cancel()
        process.terminate()
        process.communicate()


def _check(told: Mapping[str, object]) -> None:
    if told["verdict"] in {"blind", "failed"}:
        raise MismeasuredError(f"the first tick was {told['verdict']}: {told['warnings']}")
