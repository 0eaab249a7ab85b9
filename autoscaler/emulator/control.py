"""Requests to the emulator itself: never logged, delayed, limited or struck by faults."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from autoscaler.domain.geography import current
from autoscaler.emulator import errors
from autoscaler.emulator.bodies import decoded
from autoscaler.emulator.gateway import Gateway, answer_error
from autoscaler.emulator.json_shapes import Shape, check
from autoscaler.emulator.record import Json, Machine
from autoscaler.emulator.world import World

BASE = "/_emulator"


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One such request, with its JSON object."""

    gateway: Gateway
    request: Request
    fields: Json

    @property
    def world(self) -> World:
        """The world, brought to the present."""
        return self.gateway.world

    @property
    def app(self) -> str:
        """The app named in the body, else the configured one. ApiError 404."""
        name = str(self.fields.get("app") or self.world.config.app)
        return self.world.app(name).name

    @property
    def machine(self) -> Machine:
        """The Machine in the path. ApiError 404."""
        machine_id = self.request.path_params["machine"]
        if machine_id not in self.world.machines:
            raise errors.machine_not_found()
        return self.world.machines[machine_id]

    def only(self, shape: Mapping[str, Shape]) -> None:
        """ApiError 400 for a field of another name or kind: what is misspelt must not pass silently."""
        unknown = sorted(set(self.fields) - set(shape))
        if unknown:
            raise errors.invalid(f"unknown field {unknown[0]!r}; known are {', '.join(shape)}")
        check(self.fields, shape, "body")


def check_regions(codes: Iterable[str]) -> None:
    """ApiError 400 for the first that the platform has never heard of."""
    for code in codes:
        if current(code) is None:
            raise errors.invalid(f"there is no region {code!r}")


Handler = Callable[[Command], Any]


def control_route(gateway: Gateway, method: str, path: str, handler: Handler) -> Route:
    """An endpoint that answers with JSON what `handler` returns. Its ValueErrors are answered with 400."""

    async def endpoint(request: Request) -> Response:
        gateway.world.advance(gateway.clock.now())
        try:
            fields = _fields(await request.body())
            result = handler(Command(gateway=gateway, request=request, fields=fields))
            if isinstance(result, Awaitable):
                result = await result
        except errors.ApiError as error:
            return answer_error(error)
        except (KeyError, TypeError, ValueError) as error:
            return answer_error(errors.invalid(str(error)))
        return JSONResponse({"ok": True} if result is None else result)

    return Route(BASE + path, endpoint, methods=[method])


def _fields(raw: bytes) -> Json:
    fields = decoded(raw) if raw.strip() else {}
    if not isinstance(fields, dict):
        raise errors.invalid("a JSON object is expected")
    return fields
