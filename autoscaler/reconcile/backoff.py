"""Leaving alone what refused: five minutes at first, twice as long each time up to thirty.

Three hours after its last refusal it starts from five minutes again.
"""

from collections.abc import Iterable, Mapping
from typing import TypeVar

from autoscaler.domain.reason import Reason
from autoscaler.reconcile.ledger import Backoff

FIRST_S = 300.0
LONGEST_S = 1800.0
FORGOTTEN_AFTER_S = 3 * 3600.0

Key = TypeVar("Key", bound=str)


def refused(
    entries: Mapping[Key, Backoff], refusals: Mapping[Key, Reason], mono: float
) -> dict[Key, Backoff]:
    """The entries after one tick's refusals. However many refusals a key met in the tick, it waits once."""
    return {**entries, **{key: _next(entries.get(key), why, mono) for key, why in refusals.items()}}


def remembered(entries: Mapping[Key, Backoff], mono: float) -> dict[Key, Backoff]:
    """The entries without those whose last refusal lies too far back to mean anything."""
    return {key: entry for key, entry in entries.items() if mono - began(entry) < FORGOTTEN_AFTER_S}


def waiting(entries: Mapping[Key, Backoff], mono: float) -> tuple[Key, ...]:
    """The keys that are to be left alone now, in order."""
    return tuple(sorted(key for key, entry in entries.items() if entry.until > mono))


def without(entries: Mapping[Key, Backoff], keys: Iterable[Key]) -> dict[Key, Backoff]:
    """The entries but those of `keys`, which get a fresh chance."""
    dropped = frozenset(keys)
    return {key: entry for key, entry in entries.items() if key not in dropped}


def began(entry: Backoff) -> float:
    """When the refusal happened, in monotonic seconds."""
    return entry.until - entry.delay_s


def _next(former: Backoff | None, why: Reason, mono: float) -> Backoff:
    delay_s = FIRST_S if former is None else min(LONGEST_S, 2 * former.delay_s)
    return Backoff(until=mono + delay_s, delay_s=delay_s, reason=why)
