"""The emulated Fly as one ASGI application."""

from collections.abc import Callable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from autoscaler.emulator import (
    apps_api,
    control_api,
    guest_api,
    leases_api,
    machines_api,
    others_api,
    platform_api,
    prometheus_api,
    volumes_api,
)
from autoscaler.emulator.clock import Clock, RunningClock
from autoscaler.emulator.config import EmulatorConfig
from autoscaler.emulator.gateway import ConnectionDropped, Gateway
from autoscaler.emulator.seeding import new_world

MODULES = (
    apps_api,
    control_api,
    guest_api,
    leases_api,
    machines_api,
    others_api,
    platform_api,
    prometheus_api,
    volumes_api,
)


def build(
    config: EmulatorConfig,
    clock: Clock | None = None,
    *,
    dropped: Callable[[], Exception] = ConnectionDropped,
) -> Starlette:
    """Machines API under /v1, metrics under /prometheus/<org>, controls under /_emulator.

    `.state.world`, `.state.clock` and `.state.gateway` are for callers in the same process, where a
    connection that is closed without an answer shows as the exception that `dropped` makes.
    """
    running = clock or RunningClock()
    world = new_world(config, running.now())
    gateway = Gateway(world, running, dropped)
    app = Starlette(
        routes=[route for module in MODULES for route in module.routes(gateway)],
        exception_handlers={HTTPException: _unrouted},
    )
    app.state.world = world
    app.state.clock = running
    app.state.gateway = gateway
    return app


async def _unrouted(_: Request, error: Exception) -> Response:
    """Paths and methods nobody serves are answered in plain text."""
    status = error.status_code if isinstance(error, HTTPException) else 500
    text = "404 page not found" if status == 404 else "Method Not Allowed"
    return PlainTextResponse(text, status_code=status)
