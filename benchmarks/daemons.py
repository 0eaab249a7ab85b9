"""The daemon's parts, put together as the daemon does it, for benchmarks that say themselves when to tick."""

import io
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from structlog.typing import FilteringBoundLogger

from autoscaler.service import logs, running
from autoscaler.service.board import Listener
from autoscaler.service.daemon import read_clocks
from autoscaler.service.settings import load
from autoscaler.service.wiring import Assembly, assemble, secrets
from autoscaler.service.worker import Worker


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


def workers(assembly: Assembly, log: FilteringBoundLogger, *listeners: Listener) -> list[Worker]:
    """What runs the ticks of each pool; `listeners` hear of every tick, after those that a daemon has."""
    everybody = (assembly.publisher, running.Adviser(log), *listeners)
    return [Worker(job, clock=read_clocks, listeners=everybody, log=log) for job in assembly.jobs]
