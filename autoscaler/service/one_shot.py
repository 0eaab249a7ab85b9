"""`autoscaler plan` and `autoscaler apply`: one tick of every pool, shown on stdout."""

import asyncio
import json
import os
from collections.abc import Mapping, Sequence

from structlog.typing import FilteringBoundLogger

from autoscaler.domain.outcome import AlreadySo, Applied, TickReport, Verdict
from autoscaler.domain.reading import Why
from autoscaler.service import advice, logs, plan_json, plan_text
from autoscaler.service.daemon import read_clocks
from autoscaler.service.messages import note, result
from autoscaler.service.running import own_machine
from autoscaler.service.settings import Settings, load
from autoscaler.service.wiring import assemble, secrets
from autoscaler.service.worker import guarded

DONE = 0
FAILED = 1
WRONG = 2
BLIND = 3
ACTIONS = 4


def plan(*, as_json: bool, hold: bool, exit_code: bool, environ: Mapping[str, str] = os.environ) -> int:
    """Decide, act on nothing, show. The exit code; ACTIONS only if `exit_code` asks for it."""
    reports = _one_tick(environ, act=False, hold=hold)
    _show(reports, as_json=as_json)
    if code := _trouble(reports):
        return code
    if _is_ambiguous(reports):
        return WRONG
    return ACTIONS if exit_code and any(report.plan.actions for report in reports) else DONE


def apply(*, hold: bool, environ: Mapping[str, str] = os.environ) -> int:
    """Decide, act unless AUTOSCALER_DRY_RUN is set, show. The exit code."""
    reports = _one_tick(environ, act=True, hold=hold)
    _show(reports, as_json=False)
    outcomes = [outcome for report in reports for outcome in report.outcomes]
    if any(not isinstance(outcome.result, Applied | AlreadySo) for outcome in outcomes):
        return FAILED
    return _trouble(reports)


def _one_tick(environ: Mapping[str, str], *, act: bool, hold: bool) -> list[TickReport]:
    settings = load(environ)
    log = logs.configure(settings.log.level, settings.log.format, secrets(settings))
    for warning in settings.warnings:
        note(f"warning: {warning}")
    acting = act and not settings.dry_run
    return asyncio.run(_ticks(settings, environ, log, act=acting, hold=hold))


async def _ticks(
    settings: Settings, environ: Mapping[str, str], log: FilteringBoundLogger, *, act: bool, hold: bool
) -> list[TickReport]:
    own = own_machine(environ)
    async with assemble(settings, log=log, act=act, hold=hold, own=own) as assembly:
        now = read_clocks()
        ticks = (guarded(job, now, clock=read_clocks, log=log) for job in assembly.jobs)
        return await asyncio.gather(*ticks)


def _show(reports: Sequence[TickReport], *, as_json: bool) -> None:
    if as_json:
        result(json.dumps(plan_json.document(reports, at=reports[0].at.wall), indent=2))
    else:
        plan_text.show(reports)
    for report in reports:
        for sentence in advice.on_report(report).values():
            note(f"pool {report.pool}: {sentence}")


def _trouble(reports: Sequence[TickReport]) -> int:
    verdicts = {report.verdict for report in reports}
    if Verdict.FAILED in verdicts:
        return FAILED
    if Verdict.BLIND in verdicts:
        return BLIND
    return DONE


def _is_ambiguous(reports: Sequence[TickReport]) -> bool:
    """Whether a query wants mending. It takes nothing from what was done without its answer."""
    metrics = [row for report in reports if report.decision for row in report.decision.metrics]
    return any(row.absent is Why.AMBIGUOUS for row in metrics)
