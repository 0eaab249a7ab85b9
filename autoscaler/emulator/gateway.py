"""The way of a request through the platform: log, latency, faults, token, rate limit, operation, answer."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from autoscaler.emulator import bodies, errors, json_shapes, tokens
from autoscaler.emulator.clock import Clock
from autoscaler.emulator.deploys import Deploy
from autoscaler.emulator.faults import Facts, Injected, Kind
from autoscaler.emulator.ids import owner_of
from autoscaler.emulator.record import Json, Machine
from autoscaler.emulator.request_log import Entry, RequestLog
from autoscaler.emulator.view import MachineWriter
from autoscaler.emulator.world import World

BEFORE = (Kind.STATUS, Kind.HANG, Kind.DROP)
AFTER = (Kind.DROP_AFTER_COMMIT, Kind.HANG_AFTER_COMMIT)
PATIENT = frozenset({"stop", "destroy"})
PATIENCE_STEP_S = 0.1
READING_POSTS = frozenset({"query", "query_range", "placements"})


class ConnectionDropped(ConnectionError):  # noqa: N818 - named after what happened on the wire
    """The platform closed the connection without an answer."""


class Reach(Enum):
    """Whose token an operation needs: nobody's, one for the app, one for the organization, any."""

    PUBLIC = "public"
    APP = "app"
    ORG = "org"
    CALLER = "caller"


@dataclass(slots=True)
class Call:
    """One request on its way to an operation."""

    gateway: "Gateway"
    world: World
    request: Request
    entry: Entry
    body: object = None
    owner: str = ""

    @property
    def app(self) -> str:
        """The app in the path."""
        return str(self.request.path_params.get("app", ""))

    @property
    def machine(self) -> Machine:
        """The Machine in the path. ApiError 400 or 404."""
        return self.world.machine(self.app, self.request.path_params["machine"])

    @property
    def nonce(self) -> str | None:
        """The lease nonce the caller sent."""
        return self.request.headers.get("fly-machine-lease-nonce")

    @property
    def fields(self) -> Json:
        """The body as an object, empty when there is none. ApiError 400 for fields of the wrong kind."""
        fields = bodies.json_object(self.body, self.entry.operation)
        json_shapes.check(
            fields, bodies.SHAPES.get(self.entry.operation, {}), self.entry.operation, nulls=True
        )
        return fields

    def param(self, name: str, default: str = "") -> str:
        """A query parameter."""
        return self.request.query_params.get(name, default)

    def flag(self, name: str) -> bool:
        """A query parameter that is true or false."""
        return self.param(name).lower() in {"true", "1"}

    def concern(self, machine: Machine) -> None:
        """Write into the log which Machine this is about."""
        self.entry.machine, self.entry.region = machine.id, machine.region


Answer = Response | Json | list[Json]
Operation = Callable[[Call], "Answer | Awaitable[Answer]"]


class Gateway:
    """Wraps operations into endpoints. `dropped` makes the exception that a caller in the same process
    sees in place of a closed connection.
    """

    def __init__(self, world: World, clock: Clock, dropped: Callable[[], Exception]) -> None:
        self.world = world
        self.clock = clock
        self.dropped = dropped
        self.log = RequestLog()
        self.deploys: list[Deploy] = []
        self.writer = MachineWriter(world)

    def route(
        self, method: str, path: str, name: str, operation: Operation, reach: Reach = Reach.APP
    ) -> Route:
        """An endpoint that runs `operation` under the platform's rules."""

        async def endpoint(request: Request) -> Response:
            return await self._serve(request, name, operation, reach)

        return Route(path, endpoint, methods=[method], name=name)

    async def _serve(self, request: Request, name: str, operation: Operation, reach: Reach) -> Response:
        entry = self.log.begin(
            method=request.method,
            path=request.url.path,
            query=request.url.query,
            operation=name,
            started=self.clock.now(),
        )
        call = Call(gateway=self, world=self.world, request=request, entry=entry)
        self._identify(call)
        raw = await request.body()
        await self.pause(self.world.config.latency_s / 2)
        try:
            self._describe(call, raw)
            response = await self._before(call)
            if response is None:
                self._admit(call, reach)
                response = await self._operate(call, operation)
                response = await self._after(call) or response
        except errors.ApiError as error:
            response = answer_error(error)
        await self.pause(self.world.config.latency_s / 2)
        entry.finished = self.clock.now()
        if not isinstance(response, Dropped):
            entry.status = response.status_code
            _stamp(response, entry, call.app)
        return response

    def reset(self, world: World) -> None:
        """Go on with another world and an empty log."""
        self.world = world
        self.writer = MachineWriter(world)
        self.log.clear()
        self.deploys.clear()

    async def pause(self, seconds: float) -> None:
        """Let time pass, and the world with it."""
        if seconds > 0:
            await self.clock.sleep(seconds)
        self.world.advance(self.clock.now())

    def _identify(self, call: Call) -> None:
        """Note what the request's path is about; its caller may be gone before more is known."""
        call.entry.app = call.app
        known = self.world.machines.get(call.request.path_params.get("machine", ""))
        if known is not None:
            call.concern(known)

    def _describe(self, call: Call, raw: bytes) -> None:
        """Read the body and find out what the request is about, before anything is judged."""
        content_type = call.request.headers.get("content-type", "")
        call.body = bodies.parse(raw, content_type, call.entry.operation)
        region = call.body.get("region") if isinstance(call.body, dict) else None
        if isinstance(region, str) and not call.entry.machine:
            call.entry.region = region
        call.owner = owner_of(call.request.headers.get("authorization", ""))

    async def _before(self, call: Call) -> Response | None:
        """Faults that strike before anything happens."""
        facts = self._facts(call)
        delay = self.world.faults.hit(Kind.DELAY, facts, self.world.now)
        if delay is not None:
            call.entry.fault = delay.fault.kind
            await self.pause(delay.fault.delay_s)
        struck = self.world.faults.hit(BEFORE, facts, self.world.now)
        if struck is None:
            return None
        call.entry.fault = struck.fault.kind
        if struck.fault.kind is not Kind.STATUS:
            return await self._silence(call, struck)
        body = {"error": "unknown: injected"} if struck.fault.body is None else struck.fault.body
        return answer_error(errors.ApiError(struck.fault.status, body, struck.fault.headers))

    async def _after(self, call: Call) -> Response | None:
        """Faults that strike once everything has happened."""
        struck = self.world.faults.hit(AFTER, self._facts(call), self.world.now)
        if struck is None:
            return None
        call.entry.fault = struck.fault.kind
        return await self._silence(call, struck)

    async def _silence(self, call: Call, struck: Injected) -> Response:
        """No answer: the connection is closed at once, after a delay, or by the caller."""
        if struck.fault.kind in {Kind.HANG, Kind.HANG_AFTER_COMMIT}:
            if struck.fault.delay_s > 0:
                await self.pause(struck.fault.delay_s)
            else:
                while (await call.request.receive())["type"] != "http.disconnect":
                    pass
        return Dropped(self.dropped)

    def _facts(self, call: Call) -> Facts:
        machine = self.world.machines.get(call.entry.machine)
        if machine is not None:
            return self.world.facts(machine, call.entry.operation)
        return Facts(operation=call.entry.operation, app=call.app, region=call.entry.region)

    def _admit(self, call: Call, reach: Reach) -> None:
        """Token, then rate limit, then whether the app exists."""
        if reach is not Reach.PUBLIC:
            scopes = tokens.scopes_of(call.request.headers.get("authorization", ""), self.world.tokens)
            if reach is not Reach.CALLER:
                scope_app = call.app if reach is Reach.APP else ""
                reading = call.request.method == "GET" or call.entry.operation in READING_POSTS
                tokens.check(scopes, app=scope_app, read=reading)
        identifier = call.request.path_params.get("machine") or call.app or str(call.request.path_params)
        if not self.world.limits.admits(call.entry.operation, identifier, self.world.now):
            raise errors.rate_limited()
        if reach is Reach.APP:
            self.world.app(call.app)

    async def _operate(self, call: Call, operation: Operation) -> Response:
        deadline = self.clock.now() + self.world.config.lease_patience_s
        result: Answer | Awaitable[Answer] | None = None
        while result is None:
            try:
                result = operation(call)
            except errors.LeaseHeldError as held:
                remaining = deadline - self.clock.now()
                if call.entry.operation not in PATIENT or remaining <= 0:
                    raise
                wait = min(PATIENCE_STEP_S, remaining, held.expires_at - self.clock.now())
                await self.pause(max(wait, 1e-3))
        if isinstance(result, Awaitable):
            result = await result
        return result if isinstance(result, Response) else JSONResponse(result)


class Dropped(Response):
    """No response at all: closes the connection, or raises where there is none to close."""

    def __init__(self, dropped: Callable[[], Exception]) -> None:
        super().__init__()
        self._dropped = dropped

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - the signature of ASGI
        """Abort the transport that the server registered for this caller."""
        abort = scope.get("state", {}).get("abort")
        if abort is None:
            raise self._dropped()
        abort(tuple(scope["client"]))
        while (await receive())["type"] != "http.disconnect":
            pass


def answer_error(error: errors.ApiError) -> Response:
    """An ApiError as a response."""
    if isinstance(error.body, str):
        return PlainTextResponse(error.body, status_code=error.status, headers=error.headers)
    return JSONResponse(dict(error.body), status_code=error.status, headers=error.headers)


def _stamp(response: Response, entry: Entry, app: str) -> None:
    """Headers the platform sends along. What callers call a region or an app need not fit into one."""
    response.headers["fly-request-id"] = f"01EMULATED{entry.number:016d}-{quote(entry.region) or 'iad'}"
    response.headers["server"] = "Fly/emulated"
    if app:
        response.set_cookie("fly_flaps_affinity", "emulated", path=f"/v1/apps/{quote(app, safe='')}")
