"""Everything that this program raises on purpose.

    AutoscalerError
    |-- ConfigurationError      the operator's settings contradict themselves or are not understood
    |-- UsageError              a command was called with something that cannot work (a port in use)
    `-- UpstreamError           somebody else's system
        |-- UnreachableError    no answer: connection, timeout, 408, 5xx
        |-- RefusedError        an answer that says no: 401, 403, 404, 429, other 4xx
        `-- GarbledError        an answer nobody can read

Foreign exceptions are translated where they enter, with `raise ... from`.
"""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One mistake in the configuration: where it is, what is wrong, and what would be right."""

    path: str
    problem: str
    remedy: str = ""

    def __str__(self) -> str:
        """One line: path, problem, remedy."""
        return f"{self.path}: {self.problem}" + (f"; {self.remedy}" if self.remedy else "")


class AutoscalerError(Exception):
    """Root of the tree. Its text is one sentence that says what to do."""


class ConfigurationError(AutoscalerError):
    """Every fault found at once."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        """Keep the faults in the order in which they were found."""
        self.faults = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in faults))


class UsageError(AutoscalerError):
    """A command cannot work as it was called."""


class UpstreamError(AutoscalerError):
    """Another system failed us. `status` is the HTTP status, None when there was none.

    `retry_after_s` is how long it asked us to wait, in seconds, where it did.
    """

    def __init__(self, detail: str, *, status: int | None = None, retry_after_s: float | None = None) -> None:
        """`detail` must not contain secrets; callers cut what they quote."""
        self.detail = detail
        self.status = status
        self.retry_after_s = retry_after_s
        super().__init__(detail)


class UnreachableError(UpstreamError):
    """No answer, or one that says the other side is broken at present.

    `sent` is False only where the request certainly never left; `timed_out` tells a silence from a failure.
    """

    def __init__(
        self,
        detail: str,
        *,
        status: int | None = None,
        retry_after_s: float | None = None,
        sent: bool = True,
        timed_out: bool = False,
    ) -> None:
        """See UpstreamError."""
        super().__init__(detail, status=status, retry_after_s=retry_after_s)
        self.sent = sent
        self.timed_out = timed_out


class RefusedError(UpstreamError):
    """The other side understood and said no."""


class GarbledError(UpstreamError):
    """The other side answered something that is not its protocol."""
