"""How long one tick may take."""

SHORTEST_S = 10.0
LONGEST_S = 60.0
SHARE_OF_INTERVAL = 0.8
SHARE_FOR_READING = 0.5


def tick_seconds(interval_s: float) -> float:
    """A tick's whole deadline in seconds: most of the interval, within limits that work for any."""
    return max(SHORTEST_S, min(LONGEST_S, SHARE_OF_INTERVAL * interval_s))


def reading_seconds(interval_s: float) -> float:
    """The part of it that reading may use, so that acting always gets its turn."""
    return SHARE_FOR_READING * tick_seconds(interval_s)
