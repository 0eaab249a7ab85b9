"""Why a number became another number, noted down in passing and worded only when somebody reads it.

A tick leaves a dozen Reasons. Noting what they will be made of costs a fraction of making them.
"""

from collections.abc import Callable, Iterable
from typing import Any

from autoscaler.domain.reason import Number, Reason, ReasonCode

Wording = Callable[..., Reason]
Note = tuple[Wording, *tuple[Any, ...]]
"""What words it, and from what."""
Step = Reason | Note


def worded(steps: Iterable[Step]) -> tuple[Reason, ...]:
    """The Reasons for these steps."""
    return tuple(step if isinstance(step, Reason) else step[0](*step[1:]) for step in steps)


def wording(code: ReasonCode, *names: str) -> Wording:
    """The wording of a Reason that takes its numbers in this order."""

    def word(*numbers: Number) -> Reason:
        return Reason(code, tuple(zip(names, numbers, strict=True)))

    return word
