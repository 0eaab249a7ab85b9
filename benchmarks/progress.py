"""A sign of life on stderr while a measurement takes its time."""

import sys
import time

LINES_EVERY_S = 5.0
REDRAWN_EVERY_S = 0.1


class Progress:
    """What one benchmark is doing: a line that is redrawn on a terminal, a line now and then elsewhere."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._terminal = sys.stderr.isatty()
        self._told_at = float("-inf")

    def tell(self, doing: str) -> None:
        now = time.monotonic()
        if now - self._told_at < (REDRAWN_EVERY_S if self._terminal else LINES_EVERY_S):
            return
        self._told_at = now
        start, end = ("\r\x1b[K", "") if self._terminal else ("", "\n")
        sys.stderr.write(f"{start}{self._name}: {doing}{end}")
        sys.stderr.flush()

    def done(self) -> None:
        if self._terminal:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
