"""Names for the Machines we create: the platform keeps them unique, and that is its only idempotency handle.

`as-<8 hex digits of sha256(pool)>-<region>-<n>`, n the lowest that no live Machine of the app carries. A
create of unknown result is therefore repeated under the same name and cannot make a second Machine.
"""

import hashlib
from collections.abc import Iterable, Iterator

from autoscaler.domain.names import MachineName, PoolName, Region


def prefix(pool: PoolName, region: Region) -> str:
    """What the names of a pool begin with, of Machines that were made to run in the region."""
    return f"as-{hashlib.sha256(pool.encode()).hexdigest()[:8]}-{region}-"


def free_names(pool: PoolName, region: Region, taken: Iterable[str]) -> Iterator[MachineName]:
    """The names not taken, lowest number first, without end."""
    used, beginning, number = frozenset(taken), prefix(pool, region), 0
    while True:
        number += 1
        if f"{beginning}{number}" not in used:
            yield MachineName(f"{beginning}{number}")
