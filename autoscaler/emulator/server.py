"""The emulated Fly on a port of this machine: within a running loop, or in a thread of its own."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TypeVar

import uvicorn
from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from autoscaler.emulator.app import build
from autoscaler.emulator.clock import Clock
from autoscaler.emulator.config import EmulatorConfig
from autoscaler.emulator.gateway import Gateway
from autoscaler.emulator.world import World

T = TypeVar("T")
Address = tuple[str, int]
START_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A served emulator. `/v1` and `/prometheus/<org>` are appended to `url`."""

    url: str
    port: int
    app: Starlette
    loop: asyncio.AbstractEventLoop

    @property
    def world(self) -> World:
        """The world; from another thread use `run`."""
        world: World = self.app.state.world
        return world

    @property
    def clock(self) -> Clock:
        """The clock the world follows."""
        clock: Clock = self.app.state.clock
        return clock

    @property
    def gateway(self) -> Gateway:
        """Holds the request log."""
        gateway: Gateway = self.app.state.gateway
        return gateway

    def run(self, action: Callable[[World], T]) -> T:
        """Do something with the world, brought to the present, in the server's own thread.

        Only from another thread than the server's.
        """

        async def act() -> T:
            self.world.advance(self.clock.now())
            return action(self.world)

        return asyncio.run_coroutine_threadsafe(act(), self.loop).result()


@asynccontextmanager
async def serve(
    config: EmulatorConfig, *, port: int = 0, host: str = "127.0.0.1", clock: Clock | None = None
) -> AsyncIterator[Running]:
    """Serve until the block ends; port 0 takes a free one. OSError when the port is in use."""
    app = build(config, clock)
    with _listen(host, port) as listener:
        lifelines = _Lifelines(app)
        server = _Embedded(_server_config(lifelines))
        serving = asyncio.create_task(server.serve(sockets=[listener]), name="emulator")
        bound = listener.getsockname()[1]
        name = f"[{host}]" if ":" in host else host
        try:
            yield Running(url=f"http://{name}:{bound}", port=bound, app=app, loop=asyncio.get_running_loop())
        finally:
            server.finish()
            lifelines.cut()
            await serving


@contextmanager
def serve_in_thread(
    config: EmulatorConfig, *, port: int = 0, host: str = "127.0.0.1", clock: Clock | None = None
) -> Iterator[Running]:
    """The same for callers without a loop."""
    started = threading.Event()
    box: list[Running] = []
    failure: list[Exception] = []
    ending: list[asyncio.Event] = []

    async def main() -> None:
        ending.append(asyncio.Event())
        async with serve(config, port=port, host=host, clock=clock) as running:
            box.append(running)
            started.set()
            await ending[0].wait()

    def body() -> None:
        try:
            asyncio.run(main())
        except Exception as error:
            failure.append(error)
        finally:
            started.set()

    thread = threading.Thread(target=body, name="emulator")
    thread.start()
    started.wait(START_TIMEOUT_S)
    try:
        if failure:
            raise failure[0]
        yield box[0]
    finally:
        if box:
            box[0].loop.call_soon_threadsafe(ending[0].set)
        thread.join()


class _Embedded(uvicorn.Server):
    """A server that is a guest: it leaves signals alone and ends as soon as it is told to."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._told = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Signals belong to the host process."""
        yield

    async def main_loop(self) -> None:
        """Nothing to watch: wait for the end."""
        await self._told.wait()

    def finish(self) -> None:
        """End."""
        self.should_exit = True
        self._told.set()


class _Lifelines:
    """Knows every open connection and every request under way, so that both can be cut."""

    def __init__(self, app: Starlette) -> None:
        self._app = app
        self._tasks: set[asyncio.Task[object]] = set()
        self.transports: dict[Address, asyncio.BaseTransport] = {}
        self._ended = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; end silently when it is cut."""
        task = asyncio.current_task()
        if scope["type"] != "http" or task is None:
            await self._app(scope, receive, send)
            return
        self._tasks.add(task)
        scope.setdefault("state", {})["abort"] = self.abort
        try:
            await self._app(scope, receive, send)
        except asyncio.CancelledError:
            if not self._ended:
                raise
        finally:
            self._tasks.discard(task)

    def abort(self, client: Address) -> None:
        """Close one connection without a word."""
        transport = self.transports.get(client)
        if isinstance(transport, asyncio.Transport):
            transport.abort()

    def cut(self) -> None:
        """Close everything."""
        self._ended = True
        for client in list(self.transports):
            self.abort(client)
        for task in tuple(self._tasks):
            task.cancel()


def _server_config(lifelines: _Lifelines) -> uvicorn.Config:
    class Protocol(H11Protocol):
        """HTTP/1.1 that tells the lifelines who is connected."""

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as the parent does
            super().connection_made(transport)
            if self.client:
                lifelines.transports[self.client] = transport

        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            if self.client:
                lifelines.transports.pop(self.client, None)

    return uvicorn.Config(
        lifelines,
        http=Protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level=None,
        access_log=False,
        proxy_headers=False,
    )


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Unless the protocol is named, asyncio lets Nagle's algorithm hold every answer back for 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(1024)
    except OSError:
        listener.close()
        raise
    return listener
