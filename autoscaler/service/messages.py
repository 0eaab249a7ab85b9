"""What commands say: results to stdout, everything else to stderr."""

import sys
from contextlib import suppress


def result(text: str) -> None:
    """A line that somebody may pipe on."""
    sys.stdout.write(text.rstrip("\n") + "\n")


def note(text: str) -> None:
    """A sentence for the person in front of it."""
    # Where nobody takes it there is nobody to tell.
    with suppress(OSError):
        sys.stderr.write(text.rstrip("\n") + "\n")
