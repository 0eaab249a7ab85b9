"""What commands say: results to stdout, everything else to stderr."""

import sys


def result(text: str) -> None:
    """A line that somebody may pipe on."""
    sys.stdout.write(text.rstrip("\n") + "\n")


def note(text: str) -> None:
    """A sentence for the person in front of it."""
    sys.stderr.write(text.rstrip("\n") + "\n")
