"""Why a number became another number, noted down in passing and worded only when somebody reads it.

A tick leaves a dozen Reasons. Noting the bare numbers costs a fraction of building the Reasons themselves.
"""

from collections.abc import Iterable
from typing import NamedTuple

from autoscaler.domain.reason import Number, Numbers, Reason, ReasonCode


class Form(NamedTuple):
    """A Reason whose numbers are still to come: their names, and before them what is known in advance."""

    code: ReasonCode
    names: tuple[str, ...]
    head: Numbers = ()


Note = tuple[Form, tuple[Number, ...]]
Step = Reason | Note


def worded(steps: Iterable[Step]) -> tuple[Reason, ...]:
    """The Reasons for these steps."""
    return tuple(step if isinstance(step, Reason) else _filled(*step) for step in steps)


def _filled(form: Form, numbers: tuple[Number, ...]) -> Reason:
    return Reason(form.code, (*form.head, *zip(form.names, numbers, strict=True)))
