"""How many Machines a pool may create in a while, counted from the platform's own records and our memory.

Not from our memory alone: so neither restarts nor a fleet that creates, exits and destroys itself escape it.
Nor from the records alone: a wall clock that is ahead would take what was just created for old.
"""

from collections.abc import Iterable

from autoscaler.domain.fleet import Machine
from autoscaler.domain.instant import Instant
from autoscaler.domain.names import MachineId
from autoscaler.domain.pool import Budget, Pool
from autoscaler.reconcile import marks

LEAST = 10


def budget(pool: Pool) -> Budget:
    """The operator's own, else max(10, the pool's max) in ten minutes."""
    return pool.budget or Budget(count=max(LEAST, pool.most))


def created_recently(pool: Pool, machines: Iterable[Machine], now: Instant) -> frozenset[MachineId]:
    """The Machines of ours that the platform has seen created within the budget's window.

    `machines` must include deleted ones. One without a time of creation counts as recent.
    """
    since = now.wall - budget(pool).window_s
    return frozenset(
        machine.id
        for machine in machines
        if marks.made_by(machine, pool.name) and (machine.created_at is None or machine.created_at > since)
    )
