"""The platform's rate limits: a bucket for each action on each identifier."""

RATES = {"get": (5.0, 10.0)}
USUAL = (1.0, 3.0)
UNLIMITED = frozenset({"regions", "placements", "query", "query_range"})


class RateLimits:
    """One request a second with a burst of 3 (get: 5 and 10), per action and Machine or app."""

    def __init__(self, *, enabled: bool) -> None:
        self.enabled = enabled
        self._buckets: dict[tuple[str, str], tuple[float, float]] = {}

    def admits(self, operation: str, identifier: str, now: float) -> bool:
        """Take one token from the bucket; false when it is empty."""
        if not self.enabled or operation in UNLIMITED:
            return True
        rate, burst = RATES.get(operation, USUAL)
        tokens, since = self._buckets.get((operation, identifier), (burst, now))
        tokens = min(burst, tokens + (now - since) * rate)
        admitted = tokens >= 1.0 - 1e-9
        self._buckets[operation, identifier] = (tokens - 1.0 if admitted else tokens, now)
        return admitted
