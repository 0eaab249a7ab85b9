"""What the process tells about itself over HTTP. Read-only, and no token is ever in it."""

import json
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from autoscaler.domain.names import PoolName
from autoscaler.domain.outcome import TickReport
from autoscaler.service import plan_json, status_page
from autoscaler.service.board import Board
from autoscaler.service.worker import Clock

DECISIONS = 20
MOST_DECISIONS = 1000


def build(board: Board, registry: CollectorRegistry, clock: Clock, *, dry_run: bool) -> Starlette:
    """The application: `/livez /readyz /metrics /api/pools /api/decisions` and the status page at `/`."""
    pages = _Pages(board, registry, clock, dry_run=dry_run)
    routes = {
        "/": pages.status,
        "/livez": pages.livez,
        "/readyz": pages.readyz,
        "/metrics": pages.metrics,
        "/api/pools": pages.pools,
        "/api/decisions": pages.decisions,
    }
    return Starlette(routes=[Route(path, endpoint) for path, endpoint in routes.items()])


class _Pages:
    """What may become long is no coroutine, so that it is written in a thread and delays no tick."""

    def __init__(self, board: Board, registry: CollectorRegistry, clock: Clock, *, dry_run: bool) -> None:
        self._board = board
        self._registry = registry
        self._clock = clock
        self._dry_run = dry_run

    async def livez(self, _request: Request) -> Response:
        silent = self._board.silent(self._clock())
        return _verdict(silent, "no tick for too long")

    async def readyz(self, _request: Request) -> Response:
        return _verdict(self._board.unseen(), "no survey yet")

    def metrics(self, _request: Request) -> Response:
        return Response(generate_latest(self._registry), media_type=CONTENT_TYPE_PLAIN_0_0_4)

    def status(self, _request: Request) -> Response:
        page = status_page.render(self._board, now=self._clock(), dry_run=self._dry_run)
        return HTMLResponse(page, headers={"content-security-policy": status_page.POLICY})

    def pools(self, _request: Request) -> Response:
        reports = [report for report in self._board.latest().values() if report is not None]
        return _json(plan_json.document(reports, at=self._clock().wall))

    def decisions(self, request: Request) -> Response:
        pool = request.query_params.get("pool")
        limit = request.query_params.get("limit", str(DECISIONS))
        if not (limit.isascii() and limit.isdigit() and 1 <= int(limit[:9]) <= MOST_DECISIONS):
            return _json({"error": f"limit must be a number from 1 to {MOST_DECISIONS}"}, status=400)
        try:
            reports = self._board.decisions(PoolName(pool) if pool else None, int(limit))
        except KeyError:
            known = ", ".join(sorted(self._board.pools))
            return _json({"error": f"no pool of that name; there are: {known}"}, status=404)
        return _json({"decisions": [_decision(report) for report in reports]})


def _verdict(pools: list[PoolName], problem: str) -> Response:
    if pools:
        return PlainTextResponse(f"{problem}: {', '.join(pools)}\n", status_code=503)
    return PlainTextResponse("ok\n")


def _decision(report: TickReport) -> dict[str, Any]:
    outcomes = [
        {"kind": done.action.kind, "region": done.action.region, "result": done.result.result}
        for done in report.outcomes
    ]
    return {
        "at": plan_json.timestamp(report.at.wall),
        "duration_s": round(report.duration_s, 3),
        "dry_run": not report.acted,
        **plan_json.pool(report),
        "outcomes": outcomes,
    }


def _json(content: Any, *, status: int = 200) -> Response:  # noqa: ANN401 - whatever can be written as JSON
    return Response(json.dumps(content) + "\n", status_code=status, media_type="application/json")
