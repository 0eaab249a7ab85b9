"""Which Machines are at work. What is not known to be idle is busy."""

import math

from autoscaler.domain.fleet import Machine
from autoscaler.domain.instant import Instant
from autoscaler.domain.names import MachineId
from autoscaler.domain.pool import Pool
from autoscaler.domain.reading import Absent, Answer, Measured, Split, Why
from autoscaler.reconcile import marks
from autoscaler.reconcile.counting import PoolView


def answered(pool: Pool, busy: Answer | None) -> Answer | None:
    """The answer, or an absent one where the pool asks for busy Machines and nothing came back."""
    return Absent(why=Why.EMPTY) if busy is None and pool.busy is not None else busy


def load(machine: Machine, busy: Answer | None, now: Instant) -> float:
    """How busy a Machine is: 0 is idle, infinity is unknown or what the worker itself asks for.

    `busy` is the answer split by Machine, or None where the pool asks no such question.
    """
    until = marks.busy_until(machine)
    if until is not None and until > now.wall:
        return math.inf
    if busy is None:
        return 0.0
    value = _value(machine.id, busy)
    return math.inf if value is None else max(0.0, value)


def idle(view: PoolView, busy: Answer | None, now: Instant) -> frozenset[MachineId]:
    """The draining Machines that read idle in this tick; observing them counts such readings in a row."""
    known = answered(view.pool, busy)
    return frozenset(
        member.machine.id
        for member in view.members
        if marks.draining_since(member.machine) is not None and load(member.machine, known, now) == 0.0
    )


def reports(machine: MachineId, busy: Answer) -> bool:
    """Whether there is a value for the Machine at all."""
    return isinstance(busy, Split) and isinstance(busy.by_label.get(machine), Measured)


def _value(machine: MachineId, busy: Answer) -> float | None:
    reading = busy.by_label.get(machine) if isinstance(busy, Split) else None
    # a partial answer may miss the very job that is running, so it proves nobody idle
    known = isinstance(reading, Measured) and (reading.value > 0 or not reading.partial)
    return reading.value if isinstance(reading, Measured) and known else None
