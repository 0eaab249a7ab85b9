"""What the platform's ways of saying no mean for the next tick.

The machine-readable code counts most, then the text (its prefix is a gRPC code, its sentences are known from
the platform's own client and from recorded answers), then the HTTP status, which alone is ambiguous: a full
region is a 409, a 422 or a 503.
"""

import re
from collections.abc import Mapping

from autoscaler.adapters.http.exchange import Reply
from autoscaler.domain.errors import RefusedError
from autoscaler.domain.outcome import Failed, Refusal, Refused, Uncertain
from autoscaler.domain.plan import Action, Destroy, DestroyVolume, Start, Stop, Suspend

_UNKNOWN_PATH = "page not found"
"""The answer to a path that is not routed: the base address is wrong, and nothing is known to be missing."""

_BY_CODE: Mapping[str, Refusal] = {
    "insufficient_capacity": Refusal.REGION_FULL,
    "volume_placement_capacity": Refusal.VOLUME,
    "name_taken": Refusal.NAME_TAKEN,
}

# Read from top to bottom: a sentence about a volume or a host also speaks of insufficient resources.
_BY_TEXT: tuple[tuple[Refusal, re.Pattern[str]], ...] = tuple(
    (refusal, re.compile(pattern, re.IGNORECASE))
    for refusal, pattern in (
        (Refusal.LEASED, r"lease currently held|lease is currently held"),
        (Refusal.NAME_TAKEN, r"unique machine name violation|^already_exists"),
        (Refusal.VOLUME, r"existing volume id|volume already claimed|volume .* (?:not found|does not exist)"),
        (Refusal.HOST_FULL, r"could not reserve resource for machine|on the current host"),
        (Refusal.HOST_FULL, r"insufficient (?:resources|cpus|memory|ips) available"),
        (Refusal.HOST_FULL, r"this host are temporarily disabled|governor policy blocked"),
        (Refusal.REGION_FULL, r"no capacity|could not find a candidate host|insufficient capacity"),
        (Refusal.ORG_LIMIT, r"(?:machine|volume) limit|add a payment method|billing@fly\.io"),
        (Refusal.IMAGE, r"manifest.unknown|manifest .*not found|failed to get manifest"),
        (Refusal.CONFLICT, r"concurrent update"),
        (Refusal.NOT_FOUND, r"could not find app|(?:app|machine) not found"),
        (Refusal.RATE_LIMITED, r"rate limit exceeded"),
        (Refusal.WRONG_STATE, r"^failed_precondition|from current state|machine still a(?:ctive|ttempting)"),
        (Refusal.INVALID, r"^invalid_argument|^invalid config|^invalid machine id"),
    )
)

_BY_STATUS: Mapping[int, Refusal] = {
    400: Refusal.INVALID,
    401: Refusal.UNAUTHORIZED,
    403: Refusal.UNAUTHORIZED,
    404: Refusal.NOT_FOUND,
    409: Refusal.CONFLICT,
    412: Refusal.WRONG_STATE,
    422: Refusal.INVALID,
    429: Refusal.RATE_LIMITED,
}

_ALREADY: Mapping[type[Action], re.Pattern[str]] = {
    Start: re.compile(r"current state: '(?:started|starting)'|already start|still attempting to start"),
    Stop: re.compile(r"current state: '(?:stopped|stopping)'|already stopp"),
    Suspend: re.compile(r"current state: '(?:suspended|suspending)'|already suspend"),
    Destroy: re.compile(r"current state: '(?:destroyed|destroying)'|already destroy"),
}


def judged(reply: Reply) -> Refused | Failed | Uncertain:
    """An error answer to a write. 408 and 5xx leave the result unknown unless the text is a plain refusal."""
    detail = reply.told
    refusal = _BY_CODE.get(reply.code) or _spoken(reply)
    if refusal is None and (reply.status == 408 or reply.status >= 500):
        return Uncertain(detail=detail)
    if refusal is None and _UNKNOWN_PATH not in reply.said:
        refusal = _BY_STATUS.get(reply.status)
    return Failed(detail=detail) if refusal is None else Refused(refusal=refusal, detail=detail)


def already_so(action: Action, result: Refused | Failed | Uncertain) -> bool:
    """Whether a refusal only says that what was asked for is so, or is on its way."""
    if not isinstance(result, Refused):
        return False
    if isinstance(action, Destroy | DestroyVolume) and result.refusal is Refusal.NOT_FOUND:
        return True
    pattern = _ALREADY.get(type(action))
    return pattern is not None and pattern.search(result.detail) is not None


def missing(error: RefusedError) -> bool:
    """Whether the platform says that something does not exist; a path it does not know says nothing."""
    return error.status == 404 and _UNKNOWN_PATH not in error.detail


def _spoken(reply: Reply) -> Refusal | None:
    if reply.status in {401, 403}:
        return Refusal.UNAUTHORIZED
    return next((refusal for refusal, pattern in _BY_TEXT if pattern.search(reply.said)), None)
