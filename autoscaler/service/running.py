"""`autoscaler run`: from settings to a daemon that lasts until it is told to stop."""

import asyncio
import os
import socket
from collections.abc import Mapping, Sequence

from structlog.typing import FilteringBoundLogger

from autoscaler import __version__
from autoscaler.domain.names import MachineId, PoolName
from autoscaler.domain.outcome import TickReport, Verdict
from autoscaler.service import advice, events, logs
from autoscaler.service.board import Listener
from autoscaler.service.daemon import Daemon, stop_signals
from autoscaler.service.http_server import listen
from autoscaler.service.settings import Settings, load
from autoscaler.service.wiring import assemble, secrets


def run(environ: Mapping[str, str] = os.environ) -> int:
    """Run until SIGTERM or SIGINT. Raises ConfigurationError and UsageError before anything has begun."""
    settings = load(environ)
    log = logs.configure(settings.log.level, settings.log.format, secrets(settings))
    listening = listen(settings.http.host, settings.http.port)
    asyncio.run(_until_signalled(settings, listening, log, own_machine(environ)))
    return 0


def own_machine(environ: Mapping[str, str]) -> MachineId | None:
    """The Machine this process runs on, if it runs on one."""
    machine = environ.get("FLY_MACHINE_ID")
    return MachineId(machine) if machine else None


async def _until_signalled(
    settings: Settings, listening: socket.socket, log: FilteringBoundLogger, own: MachineId | None
) -> None:
    with stop_signals() as stop:
        await serve(settings, listening, stop, log=log, own=own, listeners=[Adviser(log)])


async def serve(
    settings: Settings,
    listening: socket.socket,
    stop: asyncio.Event,
    *,
    log: FilteringBoundLogger,
    own: MachineId | None = None,
    listeners: Sequence[Listener] = (),
) -> None:
    """The whole daemon inside a running loop, until `stop` is set. `listeners` hear of every tick too."""
    log.info(events.CONFIGURED, version=__version__, dry_run=settings.dry_run, interval_s=settings.interval_s)
    for warning in settings.warnings:
        log.warning(events.SETTINGS_WARNING, warning=warning)
    async with assemble(settings, log=log, act=not settings.dry_run, own=own) as assembly:
        daemon = Daemon(
            assembly.jobs,
            listeners=(assembly.publisher, *listeners),
            registry=assembly.registry,
            log=log,
            dry_run=settings.dry_run,
        )
        await daemon.run(listening, stop)


class Adviser:
    """Says what to do about trouble, once when it begins, and when a pool's sight is back."""

    def __init__(self, log: FilteringBoundLogger) -> None:
        """Sentences go to `log`."""
        self._log = log
        self._given: dict[PoolName, Mapping[advice.Trouble, str]] = {}

    def began(self, pool: PoolName, delay_s: float) -> None:
        """Nothing to say before the tick has ended."""

    def ended(self, report: TickReport) -> None:
        """Compare with what the pool's last tick needed."""
        before = self._given.get(report.pool, {})
        now = advice.on_report(report)
        for trouble in sorted(now.keys() - before.keys()):
            write = self._log.error if report.verdict is Verdict.BLIND else self._log.warning
            write(events.POOL_TROUBLE, pool=report.pool, advice=now[trouble])
        if before and not now:
            self._log.info(events.POOL_WELL, pool=report.pool)
        self._given[report.pool] = now
