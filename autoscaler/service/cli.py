"""The console script: runs a command and turns what a user can cause into sentences and exit codes."""

import errno
import io
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from autoscaler import __version__
from autoscaler.domain.errors import AutoscalerError, ConfigurationError, UsageError
from autoscaler.service.messages import note, result

FAILURE = 1
WRONG_USAGE = 2
INTERRUPTED = 130


def main() -> None:
    """Run the command of this process's arguments and exit."""
    _open_what_is_closed()
    _write_whatever_comes()
    if sys.argv[1:2] == ["run"]:
        # A daemon that is told to stop while it still reads itself and its file leaves as it would later.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: sys.exit(0))
    else:
        # Whatever tells a command to end ends it like Ctrl-C: what it holds, such as leases, is given back.
        # A shell starts what runs in the background with Ctrl-C ignored, and the interpreter leaves it so.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    sys.exit(_delivered(run(sys.argv[1:])))


def run(arguments: Sequence[str]) -> int:
    """Run a command; the exit code. Nothing but a fault of this program is raised."""
    try:
        if list(arguments) == ["version"]:
            # Reading the options of all commands takes longer than a whole `version` may.
            result(__version__)
            return 0
        return _run(arguments)
    except ConfigurationError as error:
        note("\n".join(f"error: {fault}" for fault in error.faults))
        return WRONG_USAGE
    except UsageError as error:
        note(f"error: {error}")
        return WRONG_USAGE
    except AutoscalerError as error:
        note(f"error: {error}")
        return FAILURE
    except KeyboardInterrupt:
        return INTERRUPTED
    except OSError as error:
        return _undelivered(error)


def _run(arguments: Sequence[str]) -> int:
    import typer

    from autoscaler.service.commands import app

    try:
        code = app(args=list(arguments), prog_name="autoscaler", standalone_mode=False)
    except typer.Abort:
        return INTERRUPTED
    except typer.TyperException as error:
        if problem := error.format_message():
            context = getattr(error, "ctx", None)  # not every error knows in which command it happened
            asked = context.command_path if context else "autoscaler"
            note(f"error: {_plain(problem)}; see `{asked} --help`")
        return WRONG_USAGE
    sys.stdout.flush()
    return code if isinstance(code, int) else 0


def _plain(problem: str) -> str:
    """What the library says, without the class of the exception it caught and without its full stop."""
    return problem.replace("Value error, ", "").rstrip(".")


def _open_what_is_closed() -> None:
    """A process that was started with a stream closed writes nowhere, and does not fail for it."""
    if sys.stdout is None:
        sys.stdout = Path(os.devnull).open("w")  # noqa: SIM115 - lasts as long as the process
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115 - lasts as long as the process


def _write_whatever_comes() -> None:
    """A stream writes as an escape what its encoding lacks: a name in another script ends no command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _delivered(code: int) -> int:
    """The exit code once everything is written: left to the interpreter, a failure would become 120.

    Logs that nobody takes are lost, a result that nobody takes is a failure.
    """
    try:
        sys.stdout.flush()
    except OSError as error:
        code = _undelivered(error)
    try:
        sys.stderr.flush()
    except OSError:
        _discard(sys.stderr)
    return code


def _undelivered(error: OSError) -> int:
    if error.errno not in {errno.EPIPE, errno.ENOSPC}:
        raise error
    _discard(sys.stdout)
    if error.errno == errno.ENOSPC:
        note("error: there is no space left to write the result to")
    return FAILURE


def _discard(stream: TextIO) -> None:
    """Let the interpreter flush the rest to nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
