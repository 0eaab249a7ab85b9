"""The platform's ways of saying no, with its own words where they are known."""

from collections.abc import Mapping
from typing import Any


class ApiError(Exception):
    """An answer that is not success. `body` is JSON, or a string that is sent as plain text."""

    def __init__(
        self, status: int, body: Mapping[str, Any] | str, headers: Mapping[str, str] | None = None
    ) -> None:
        self.status = status
        self.body = body
        self.headers = dict(headers or {})
        super().__init__(f"{status} {body}")


class LeaseHeldError(ApiError):
    """Somebody else's lease is in the way until `expires_at` (unix seconds)."""

    def __init__(self, text: str, expires_at: float) -> None:
        self.expires_at = expires_at
        super().__init__(409, {"error": text})


def refusal(status: int, text: str, *, code: str | None = None) -> ApiError:
    """The usual shape: one text that begins with its gRPC code, and sometimes a status code."""
    return ApiError(status, {"error": text} | ({"status": code} if code else {}))


def precondition(text: str) -> ApiError:
    """412: the Machine is not in a state that allows it."""
    return refusal(412, f"failed_precondition: {text}")


def invalid(text: str) -> ApiError:
    """400: the request itself is wrong."""
    return refusal(400, f"invalid_argument: {text}")


def unauthenticated() -> ApiError:
    """401: no token, or none the platform knows."""
    return ApiError(
        401,
        {"error": "Authenticate: token validation error"},
        {"www-authenticate": 'Basic realm="api.machines.dev"'},
    )


def forbidden() -> ApiError:
    """403: the token's scope does not reach this far."""
    return refusal(403, "unauthorized")


def app_not_found() -> ApiError:
    """404: no such app."""
    return refusal(404, "app not found")


def machine_not_found() -> ApiError:
    """404: no such Machine in this app."""
    return refusal(404, "machine not found")


def rate_limited() -> ApiError:
    """429: more than the platform's limit for this action and identifier."""
    return refusal(429, "rate limit exceeded")


def name_taken(machine_id: str, name: str) -> ApiError:
    """409: a live Machine of the app has this name."""
    violation = f'machine ID {machine_id} already exists with name "{name}"'
    return refusal(409, f"already_exists: unique machine name violation, {violation}")


def region_full() -> ApiError:
    """422: no host in any of the regions asked for."""
    return refusal(422, "could not find a candidate host", code="insufficient_capacity")


def host_full_on_create() -> ApiError:
    """409: the chosen host has no room for a new Machine."""
    return refusal(
        409,
        "aborted: insufficient resources available to fulfill request: "
        "insufficient memory available to fulfill request",
    )


def host_full() -> ApiError:
    """409: the Machine's own host has no room to run it."""
    return refusal(
        409,
        "aborted: could not reserve resource for machine: "
        "insufficient CPUs available to fulfill request on the current host",
    )


def volume_host_full(volume_id: str) -> ApiError:
    """412: the host of the volume has no room."""
    text = f"insufficient resources to create new machine with existing volume id '{volume_id}'"
    return refusal(412, text, code="volume_placement_capacity")


def host_unreachable() -> ApiError:
    """408: the host of the Machine does not answer."""
    return refusal(408, "deadline_exceeded: host is not reachable")
