"""`autoscaler check`: is the configuration right, and with `--online`, does the outside world agree?"""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping, Sequence

from structlog.typing import FilteringBoundLogger

from autoscaler.domain.errors import UpstreamError
from autoscaler.domain.pool import Pool
from autoscaler.reconcile.deadline import reading_seconds
from autoscaler.service import logs
from autoscaler.service.daemon import read_clocks
from autoscaler.service.findings import Finding, Grade, on_policy
from autoscaler.service.messages import note, result
from autoscaler.service.observations import on_answer, on_fleet
from autoscaler.service.running import own_machine
from autoscaler.service.settings import Settings, load
from autoscaler.service.wiring import Assembly, assemble, secrets
from autoscaler.service.worker import guarded

DONE = 0
WRONG = 2


def check(*, online: bool, environ: Mapping[str, str] = os.environ) -> int:
    """Show every finding; the exit code. Raises ConfigurationError with every mistake in the settings."""
    settings = load(environ)
    findings = [Finding(grade=Grade.WARNING, subject="settings", sentence=text) for text in settings.warnings]
    findings += [finding for policy in settings.policies for finding in on_policy(policy)]
    log = logs.configure(settings.log.level, settings.log.format, secrets(settings))
    findings += asyncio.run(_outside(settings, environ, log, online=online))
    for finding in findings:
        (note if finding.grade is Grade.ERROR else result)(str(finding))
    return WRONG if any(finding.grade is Grade.ERROR for finding in findings) else DONE


async def _outside(
    settings: Settings, environ: Mapping[str, str], log: FilteringBoundLogger, *, online: bool
) -> list[Finding]:
    """Without `online`, only whether the way to the outside world could be taken."""
    async with assemble(settings, log=log, act=False, own=own_machine(environ)) as assembly:
        if not online:
            return []
        found = [finding async for finding in _on_regions(settings.pools, assembly)]
        for pool in settings.pools:
            found += [finding async for finding in _on_metrics(pool, assembly)]
        now = read_clocks()
        ticks = (guarded(job, now, clock=read_clocks, log=log) for job in assembly.jobs)
        for report in await asyncio.gather(*ticks):
            found += on_fleet(report)
        return found


async def _on_regions(pools: Sequence[Pool], assembly: Assembly) -> AsyncIterator[Finding]:
    try:
        known = await assembly.platform.regions()
    except UpstreamError as error:
        refused = error.status in {401, 403}
        remedy = "set AUTOSCALER_API_TOKEN" if refused else "is AUTOSCALER_API_URL right?"
        yield Finding(grade=Grade.ERROR, subject="regions", sentence=f"cannot be read ({error}); {remedy}")
        return
    for pool in pools:
        strange = sorted(
            region for region, spec in pool.regions.items() if spec.bounds.max > 0 and region not in known
        )
        if strange:
            sentence = f"the platform has no region {', '.join(strange)}; it has {', '.join(sorted(known))}"
            yield Finding(grade=Grade.ERROR, subject=f"pool {pool.name}", sentence=sentence)


async def _on_metrics(pool: Pool, assembly: Assembly) -> AsyncIterator[Finding]:
    queries = [*pool.metrics, *([pool.busy] if pool.busy else [])]
    if not queries:
        return
    answers = await assembly.metrics.read(queries, timeout_s=reading_seconds(pool.interval_s))
    for query, answer in zip(queries, answers, strict=True):
        yield on_answer(pool, query, answer)
