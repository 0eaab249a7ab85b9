"""Operators' commands, kept in memory: they last as long as the process."""

from autoscaler.domain.desired import Override
from autoscaler.domain.names import PoolName


class MemoryJournal:
    """A journal in which nobody has commanded anything."""

    def overrides(self, pool: PoolName) -> tuple[Override, ...]:  # noqa: ARG002 - the port names the pool
        """No overrides, for any pool."""
        return ()
