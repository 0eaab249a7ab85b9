"""The only way in which a request is repeated: a read, once, after an error that may pass by itself."""

from collections.abc import Awaitable, Callable

import stamina
import stamina.instrumentation

from autoscaler.adapters.http.exchange import Reply
from autoscaler.domain.errors import RefusedError, UnreachableError

PATIENCE_S = 2.0
"""A read whose upstream asks for a longer pause than this is not repeated."""

# The library would log what it repeats; every request is already told to the client's observer.
stamina.instrumentation.set_on_retry_hooks(())


async def retried(attempt: Callable[[], Awaitable[Reply]]) -> Reply:
    """Make a read, and once more after an error or a 429; never after a timeout or another refusal.

    Raises what the last attempt raised.
    """
    async for trial in stamina.retry_context(
        pause_before_retry, attempts=2, timeout=None, wait_initial=0.1, wait_max=0.4, wait_jitter=0.3
    ):
        with trial:
            return await attempt()
    raise AssertionError("a retry ends with an answer or an error")


def pause_before_retry(error: Exception) -> bool | float:
    """Whether to repeat, or after how many seconds exactly where the upstream asked for a pause."""
    passing = isinstance(error, UnreachableError) and not error.timed_out
    throttled = isinstance(error, RefusedError) and error.status == 429
    if not isinstance(error, UnreachableError | RefusedError) or not (passing or throttled):
        return False
    if error.retry_after_s is None:
        return True
    return error.retry_after_s if error.retry_after_s <= PATIENCE_S else False
