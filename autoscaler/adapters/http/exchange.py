"""One request and what came back, as values."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from autoscaler.domain.errors import GarbledError, RefusedError, UnreachableError


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request. `operation` names it in metrics; `path` begins with a slash and is already quoted.

    At most one of `form` and `json` is a body. `timeout_s` bounds the whole exchange.
    """

    operation: str
    method: str
    path: str
    params: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] | None = None
    json: object = None
    headers: Mapping[str, str] = field(default_factory=dict)
    timeout_s: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came back. `said` is the text of an error, cut and without secrets; empty for a success.

    `code` is the machine-readable `status` inside an error, where the upstream sends one.
    """

    status: int
    body: bytes = b""
    said: str = ""
    code: str = ""
    retry_after_s: float | None = None

    @property
    def ok(self) -> bool:
        """Whether the upstream did what it was asked."""
        return 200 <= self.status < 300

    @property
    def told(self) -> str:
        """Status and words in one text; words that begin with the status are not given it twice."""
        return self.said if self.said.startswith(f"{self.status} ") else f"{self.status} {self.said}".strip()

    def json(self) -> object:
        """The body as JSON. Raises GarbledError, also for nesting that is too deep to read."""
        return decoded(self.body, status=self.status)


def decoded(body: bytes | str, *, status: int | None = None) -> object:
    """Text as JSON. Raises GarbledError for everything that cannot be read."""
    try:
        value: object = json.loads(body, parse_constant=no_number)
    except ValueError as error:
        raise GarbledError("the answer is not JSON", status=status) from error
    except RecursionError as error:
        raise GarbledError("the answer is JSON nested too deeply", status=status) from error
    return value


def no_number(word: str) -> float:
    """Refuse NaN and Infinity, which the library would read and JSON does not know."""
    raise ValueError(f"{word} is not JSON")


def encoded(value: object) -> bytes:
    """A value as JSON; what `decoded` has read comes out again whatever it is."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()


def accepted(reply: Reply) -> Reply:
    """The reply if it is a success. Raises UnreachableError, RefusedError or GarbledError if not."""
    if reply.ok:
        return reply
    detail = reply.told
    status, pause = reply.status, reply.retry_after_s
    if status == 408 or status >= 500:
        raise UnreachableError(detail, status=status, retry_after_s=pause, timed_out=status == 408)
    if status >= 400:
        raise RefusedError(detail, status=status, retry_after_s=pause)
    raise GarbledError(f"{detail} (a redirect or the like; is the address right?)", status=status)
