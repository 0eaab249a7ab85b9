"""Who is calling, and how far that reaches."""

from collections.abc import Mapping

from autoscaler.emulator import errors
from autoscaler.emulator.config import TokenScope

SCHEMES = ("Bearer ", "FlyV1 ")
EVERYTHING = TokenScope()


def presented(authorization: str) -> tuple[str, ...]:
    """The tokens of an Authorization header: `Bearer x`, `FlyV1 x,y` or `Bearer FlyV1 x,y`.

    ApiError 401 for any other form.
    """
    rest = authorization.strip()
    stripped = False
    for scheme in SCHEMES:
        if rest.startswith(scheme):
            rest, stripped = rest.removeprefix(scheme).strip(), True
    if not stripped or not rest or " " in rest or rest.startswith("FlyV1"):
        raise errors.unauthenticated()
    return tuple(token for token in rest.split(",") if token)


def scopes_of(authorization: str, known: Mapping[str, TokenScope]) -> tuple[TokenScope, ...]:
    """What the caller's tokens allow. ApiError 401 when none of them is known.

    As long as no token is known at all, every one is the organization's.
    """
    tokens = presented(authorization)
    scopes = tuple(known[token] for token in tokens if token in known) if known else (EVERYTHING,)
    if not scopes:
        raise errors.unauthenticated()
    return scopes


def check(scopes: tuple[TokenScope, ...], *, app: str, read: bool) -> None:
    """ApiError 403 unless one scope allows it; no `app` means that it concerns the whole organization."""
    if not any(_allows(scope, app, read) for scope in scopes):
        raise errors.forbidden()


def _allows(scope: TokenScope, app: str, read: bool) -> bool:
    if scope.kind == "deploy":
        return bool(app) and scope.app == app
    return scope.kind == "org" or (scope.kind == "readonly" and read)
