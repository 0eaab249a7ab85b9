"""What a container engine does with a built image: start it, ask whether it is healthy, stop it."""

import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

from scripts.image.errors import ExerciseError
from scripts.image.stage import Stage

START_SECONDS = 30.0
STOP_SECONDS = 20.0

# One pool whose upstreams are out of reach: a daemon that is blind still lives, and says so.
CONFIGURATION = {
    "AUTOSCALER_APP": "exercise",
    "AUTOSCALER_REGIONS": "ord=1..2",
    "AUTOSCALER_QUERY": 'max(queue_depth{app="$app"})',
    "AUTOSCALER_PER_MACHINE": "10",
    "AUTOSCALER_PROMETHEUS_URL": "http://127.0.0.1:9",
    "AUTOSCALER_PROMETHEUS_TOKEN": "FlyV1 none",
    "AUTOSCALER_API_URL": "http://127.0.0.1:9",
    "AUTOSCALER_API_TOKEN": "FlyV1 none",
}


class Container:
    """An image with a free port in place of its own, and `CONFIGURATION` unless another is given."""

    def __init__(self, image: Stage, *, log: Path, configuration: dict[str, str] | None = None) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = {"AUTOSCALER_HTTP_PORT": str(free.getsockname()[1])}
        self._image = image
        self._log = log
        self._environment = (
            image.environment | (CONFIGURATION if configuration is None else configuration) | port
        )

    def exercise(self, say: Callable[[str], None]) -> None:
        """Start, become healthy, stop in order. ExerciseError says which of them did not happen."""
        if self.healthy():
            raise ExerciseError("the health check passes before anything runs")
        with self._log.open("wb") as log:
            process = self._popen([*self._image.entrypoint, *self._image.command], log)
            try:
                say(f"     healthy after {self._wait_until_healthy(process):.1f} s")
                process.terminate()
                status = process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired as late:
                raise self._failed(f"did not stop within {STOP_SECONDS:.0f} s of SIGTERM") from late
            finally:
                process.kill()
                process.wait()
        if status != 0:
            raise self._failed(f"ended with {status} on SIGTERM")
        if self.healthy():
            raise ExerciseError("the health check passes after the stop")
        say("     stopped in order, and the health check noticed")

    def healthy(self) -> bool:
        """What HEALTHCHECK says now."""
        if not self._image.healthcheck:
            raise ExerciseError("there is no HEALTHCHECK")
        return self._popen(self._image.healthcheck, subprocess.DEVNULL).wait(STOP_SECONDS) == 0

    def _wait_until_healthy(self, process: subprocess.Popen[bytes]) -> float:
        begun = time.monotonic()
        while not self.healthy():
            if process.poll() is not None:
                raise self._failed(f"ended with {process.returncode} at its start")
            if time.monotonic() - begun > START_SECONDS:
                raise self._failed(f"is not healthy after {START_SECONDS:.0f} s")
            time.sleep(0.1)
        return time.monotonic() - begun

    def _popen(self, command: list[str], output: IO[bytes] | int) -> subprocess.Popen[bytes]:
        image = self._image
        try:
            return subprocess.Popen(
                [image.moved(word) for word in command],
                cwd=image.cwd(), env=self._environment, user=image.user, group=image.user,
                extra_groups=None if image.user is None else [],
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            )  # fmt: skip
        except OSError as error:
            raise ExerciseError(f"cannot run {command[:1]}: {error}") from error

    def _failed(self, what: str) -> ExerciseError:
        return ExerciseError(f"the container {what}\n{self._log.read_text(encoding='utf-8')[-4000:]}")
