"""The console script: runs a command and turns what a user can cause into sentences and exit codes."""

import os
import signal
import sys
from collections.abc import Sequence

from autoscaler import __version__
from autoscaler.domain.errors import AutoscalerError, ConfigurationError, UsageError
from autoscaler.service.messages import note, result

FAILURE = 1
WRONG_USAGE = 2
INTERRUPTED = 130


def main() -> None:
    """Run the command of this process's arguments and exit."""
    if sys.argv[1:2] == ["run"]:
        # A daemon that is told to stop while it still reads itself and its file leaves as it would later.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: sys.exit(0))
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run a command; the exit code. Nothing but a fault of this program is raised."""
    if list(arguments) == ["version"]:
        # Reading the options of all commands takes longer than a whole `version` may.
        result(__version__)
        return 0
    try:
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
    except BrokenPipeError:
        # Whoever read the result has had enough; the interpreter must not try to flush the rest.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILURE


def _run(arguments: Sequence[str]) -> int:
    import typer

    from autoscaler.service.commands import app

    try:
        code = app(args=list(arguments), prog_name="autoscaler", standalone_mode=False)
    except typer.Abort:
        return INTERRUPTED
    except typer.TyperException as error:
        if problem := error.format_message():
            note(f"error: {problem.rstrip('.')}; see `autoscaler --help`")
        return WRONG_USAGE
    sys.stdout.flush()
    return code if isinstance(code, int) else 0
