"""The two ways in which the platform writes a moment."""

from datetime import UTC, datetime


def rfc3339(at: float) -> str:
    """Unix seconds -> `2026-01-01T00:00:00Z`, whole seconds."""
    return datetime.fromtimestamp(int(at), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def rfc3339_ms(at: float) -> str:
    """Unix seconds -> `2026-01-01T00:00:00.000Z`."""
    moment = datetime.fromtimestamp(round(at * 1000) / 1000, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def parse(text: str) -> float:
    """RFC 3339 with a zone -> unix seconds. ValueError for anything else."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return moment.timestamp()
