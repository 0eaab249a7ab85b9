"""The program as a user starts it: a process with an environment, its exit code and what it says."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
COMMAND = (sys.executable, "-m", "autoscaler")
Line = dict[str, Any]


def environment(changes: Mapping[str, str]) -> dict[str, str]:
    """Nothing of this process's environment but what finds the program."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {**kept, "PYTHONPATH": str(ROOT), **changes}


def finished(*arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [*COMMAND, *arguments],
        env=environment(changes),
        cwd="/",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


class Daemon:
    """A running `autoscaler run`, read line by line."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.lines: list[Line] = []

    def next(self) -> Line:
        """The next log line; EOFError when the process has ended."""
        assert self._process.stderr is not None
        text = self._process.stderr.readline()
        if not text:
            raise EOFError(f"the process ended with {self._process.wait()} after {self.lines[-3:]}")
        line: Line = json.loads(text)
        self.lines.append(line)
        return line

    def until(self, wanted: Callable[[Line], bool]) -> Line:
        """Read until a line is as wanted. The test's time limit is the only one."""
        while not wanted(line := self.next()):
            pass
        return line

    def event(self, name: str, **keys: object) -> Line:
        """Read until an event with these keys."""
        return self.until(lambda line: line["event"] == name and keys.items() <= line.items())

    def signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        self._process.send_signal(number)

    def end(self) -> int:
        """Read to the end; the exit code."""
        try:
            while True:
                self.next()
        except EOFError:
            return self._process.wait()


@contextmanager
def daemon(**changes: str) -> Iterator[Daemon]:
    """`autoscaler run`, ended at the latest when the block ends."""
    process = subprocess.Popen(
        [*COMMAND, "run"],
        env=environment(changes),
        cwd="/",
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield Daemon(process)
        finally:
            process.kill()
