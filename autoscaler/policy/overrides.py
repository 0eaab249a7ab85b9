"""What operators commanded, boiled down to what a decision has to obey."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from autoscaler.domain.desired import Override
from autoscaler.domain.reason import Reason, ReasonCode, reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Commands:
    """`pin` fixes the pool's sum, `offset` corrects its demand; the pauses hold one direction.

    Several pins: the highest holds, since too many Machines are the smaller evil. Offsets add up.
    """

    pin: int | None = None
    offset: int = 0
    pause_in: tuple[Reason, ...] = ()
    pause_out: tuple[Reason, ...] = ()


NONE = Commands()


def commands(overrides: Sequence[Override], wall: float) -> Commands:
    """The overrides in force at unix time `wall`. A pause of everything is the gate's affair."""
    if not overrides:
        return NONE
    valid = [one for one in overrides if one.in_force(wall)]
    return Commands(
        pin=max((one.machines for one in valid if one.kind == "pin"), default=None),
        offset=sum(one.machines for one in valid if one.kind == "offset"),
        pause_in=_pauses(valid, "pause_in", ReasonCode.PAUSE_IN),
        pause_out=_pauses(valid, "pause_out", ReasonCode.PAUSE_OUT),
    )


def _pauses(overrides: Iterable[Override], kind: str, code: ReasonCode) -> tuple[Reason, ...]:
    return tuple(reason(code, because=one.because) for one in overrides if one.kind == kind)
