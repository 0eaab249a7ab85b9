"""`autoscaler apply`, told to end while it acts, against an emulated Fly over HTTP."""

import signal
import subprocess
from collections.abc import Callable

import pytest

from autoscaler.domain.names import Region
from autoscaler.emulator.config import EmulatorConfig
from autoscaler.emulator.faults import Fault, Kind
from autoscaler.emulator.leasing import lease_of
from autoscaler.emulator.server import Running, serve_in_thread
from tests.process.processes import COMMAND, environment

MACHINES = 3
INTERRUPTED = 130
FOREGROUND = ()
BACKGROUND = ("sh", "-c", 'trap "" INT; exec "$@"', "sh")  # as a shell without job control starts it


def variables(url: str) -> dict[str, str]:
    return {
        "AUTOSCALER_APP": "shop",
        "AUTOSCALER_REGIONS": "ord=0..0",
        "AUTOSCALER_EXPRESSION": "0",
        "AUTOSCALER_API_URL": url,
        "AUTOSCALER_API_TOKEN": "any",
    }


def until(process: subprocess.Popen[str], wanted: Callable[[], bool]) -> None:
    """Wait for something to happen while the process runs. The test's time limit is the only one."""
    while not wanted():
        try:
            ended = process.wait(timeout=0.02)
        except subprocess.TimeoutExpired:
            continue
        raise AssertionError(f"the process ended with {ended}")


def leased(fly: Running) -> int:
    return fly.run(lambda world: sum(lease_of(world, one.id) is not None for one in world.of_app("shop")))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("started", [FOREGROUND, BACKGROUND], ids=["foreground", "background"])
def test_told_to_end_it_gives_back_the_leases_it_holds(started, number):
    config = EmulatorConfig(app="shop", regions=(Region("ord"),), machines=MACHINES, state="started")
    with serve_in_thread(config) as fly:
        hanging = fly.run(lambda world: world.inject(Fault(kind=Kind.HANG, operation="stop")))
        command = [*started, *COMMAND, "apply"]
        with subprocess.Popen(
            command, env=environment(variables(fly.url)), cwd="/", stdout=subprocess.DEVNULL, text=True
        ) as process:
            until(process, lambda: hanging.hits == MACHINES)
            assert leased(fly) == MACHINES
            process.send_signal(number)
            assert process.wait() == INTERRUPTED
        assert leased(fly) == 0
