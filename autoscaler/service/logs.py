"""Log lines: JSON for machines, colours for a terminal, always on stderr, and never a secret in them."""

import json
import logging
import re
import sys
from collections.abc import Iterable
from typing import TextIO

import structlog
from structlog.typing import EventDict, FilteringBoundLogger, Processor, WrappedLogger

MASK = "***"
SHORTEST_SECRET = 6
"""Shorter texts are masked nowhere: they would blank out ordinary words."""
TOKENS = re.compile(r"\b(?:(?:fm[12][ar]?|fo1)_[\w+/=,-]+|(?:Bearer|FlyV1)\s+[\w+/=,.-]{6,})")
QUIET = {
    "apscheduler": logging.ERROR,
    "apscheduler.executors": logging.CRITICAL,
    "httpx": logging.WARNING,
    "uvicorn": logging.ERROR,
}
"""Libraries whose troubles this program reports itself, or whose chatter repeats it."""


def configure(
    level: str, form: str | None, secrets: Iterable[str], *, stream: TextIO | None = None
) -> FilteringBoundLogger:
    """Set up the process's logging and return its logger.

    `level` is a name of `logging`, `form` is `json`, `console`, or None for json off a terminal. Whatever
    equals one of `secrets`, or looks like a token, is masked in the finished line.
    """
    stream = stream or sys.stderr
    coloured = stream.isatty()
    console = form == "console" or (form is None and coloured)
    renderer: list[Processor] = (
        [structlog.dev.ConsoleRenderer(colors=coloured, exception_formatter=structlog.dev.plain_traceback)]
        if console
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    shared: list[Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        _identity_first,
    ]
    handler = _Handler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *renderer,
                Mask(secrets),
            ],
        )
    )
    _attach(handler, getattr(logging, level.upper()))
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        cache_logger_on_first_use=False,
    )
    log: FilteringBoundLogger = structlog.get_logger("autoscaler")
    return log


class _Handler(logging.StreamHandler[TextIO]):
    """Ours among the root logger's handlers, so that a second call replaces it and nobody else's."""


def _attach(handler: logging.Handler, level: int) -> None:
    root = logging.getLogger()
    for former in [one for one in root.handlers if isinstance(one, _Handler)]:
        root.removeHandler(former)
    root.addHandler(handler)
    root.setLevel(level)
    for name, quiet in QUIET.items():
        logging.getLogger(name).setLevel(quiet)


def _identity_first(_logger: WrappedLogger, _method: str, keys: EventDict) -> EventDict:
    """When, how bad and what, before everything else: lines are also read by people."""
    first = {name: keys.pop(name) for name in ("at", "level", "event") if name in keys}
    return {**first, **keys}


class Mask:
    """The last processor: replaces secrets in the rendered line, however deep they were."""

    def __init__(self, secrets: Iterable[str]) -> None:
        """Several comma-joined tokens are masked as a whole and in parts, however a line spells them."""
        parts = {part.strip() for secret in secrets for part in (secret, *secret.split(","))}
        long_enough = {part for part in parts if len(part) >= SHORTEST_SECRET}
        spelled = {word for part in long_enough for word in (part, json.dumps(part)[1:-1], repr(part)[1:-1])}
        long_first = sorted(spelled, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, long_first))) if long_first else None

    def __call__(self, _logger: WrappedLogger, _method: str, line: EventDict | str) -> str:
        """`line` is the text the renderer made."""
        return self.text(str(line))

    def text(self, text: str) -> str:
        """The text without secrets."""
        if self._known is not None:
            text = self._known.sub(MASK, text)
        return TOKENS.sub(MASK, text)
