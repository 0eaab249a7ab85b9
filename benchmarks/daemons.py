"""The daemon's parts, put together as the daemon does it, for benchmarks that say themselves when to tick."""

import io
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from structlog.typing import FilteringBoundLogger

from autoscaler.service import logs
from autoscaler.service.settings import load
from autoscaler.service.wiring import Assembly, assemble, secrets


class Nowhere(io.StringIO):
    """A stream that keeps nothing."""

    def write(self, text: str) -> int:
        return len(text)


@asynccontextmanager
async def daemon(environ: Mapping[str, str]) -> AsyncIterator[tuple[Assembly, FilteringBoundLogger]]:
    """Everything a running daemon has, acting, and its log, which is written and thrown away."""
    settings = load(environ)
    log = logs.configure("info", "json", secrets(settings), stream=Nowhere())
    async with assemble(settings, log=log, act=True) as assembly:
        yield assembly, log
