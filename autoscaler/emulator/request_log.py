"""Every request that arrived, for tests and for people who want to see what the daemon did."""

from collections import deque
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

KEPT = 100_000


@dataclass(slots=True)
class Entry:
    """One request. Times are unix seconds; `status` None means that no answer was sent (yet)."""

    number: int
    method: str
    path: str
    query: str
    operation: str
    started: float
    app: str = ""
    machine: str = ""
    region: str = ""
    status: int | None = None
    finished: float | None = None
    fault: str = ""

    def as_json(self) -> dict[str, Any]:
        """All fields."""
        return asdict(self)


class RequestLog:
    """The newest requests, oldest first."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=KEPT)
        self._count = 0

    def begin(self, *, method: str, path: str, query: str, operation: str, started: float) -> Entry:
        """Write down a request that just arrived."""
        self._count += 1
        entry = Entry(
            number=self._count, method=method, path=path, query=query, operation=operation, started=started
        )
        self._entries.append(entry)
        return entry

    def clear(self) -> None:
        """Forget everything; numbers go on."""
        self._entries.clear()

    def __iter__(self) -> Iterator[Entry]:
        return iter(tuple(self._entries))

    def __len__(self) -> int:
        return len(self._entries)
