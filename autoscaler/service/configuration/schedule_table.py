"""Schedules as an operator declares them; the policy judges their expressions and what they bring about."""

from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import PlainValidator

from autoscaler.domain.names import Region
from autoscaler.service.configuration.declaration import Model, setting
from autoscaler.service.configuration.notation import MOST_MACHINES
from autoscaler.service.configuration.regions import parse_region
from autoscaler.service.configuration.scalars import flag, leaf, text, whole
from autoscaler.service.configuration.spelling import MistakeError, closest, shown


def parse_zone(value: object) -> str:
    """The name of a zone in the zone database. Raises MistakeError."""
    if isinstance(value, str) and _is_zone(value):
        return str(value)
    guess = closest(value, available_timezones()) if isinstance(value, str) else None
    remedy = f"did you mean {guess}?" if guess else "write one such as UTC or Europe/Berlin"
    raise MistakeError(f"{shown(value)} is not a time zone", remedy)


def _is_zone(name: str) -> bool:
    # A folder of the database, a path out of it and an unprintable name each fail in their own way.
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError, ValueError):
        return False
    return True


class ScheduleTable(Model):
    """Bounds for certain hours."""

    start: Annotated[str, leaf(text(r"[^\n]{1,200}", "a crontab expression", "write five fields"))] = setting(
        meaning="Crontab expression of the moment from which it holds.",
        reason="Judged by level, so a late start of this process changes nothing.",
        example='"0 8 * * mon-fri"',
    )
    end: Annotated[str, leaf(text(r"[^\n]{1,200}", "a crontab expression", "write five fields"))] = setting(
        meaning="Crontab expression of the moment from which it no longer holds.",
        reason="A schedule without an end would be a bound.",
        example='"0 18 * * mon-fri"',
    )
    timezone: Annotated[str, leaf(parse_zone)] = setting(
        "UTC",
        meaning="IANA time zone of both moments.",
        reason="A server has no home town.",
        example='"Europe/Berlin"',
    )
    regions: list[Annotated[Region, PlainValidator(parse_region)]] = setting(
        factory=list,
        default_text="the pool's total",
        meaning="Regions whose bounds it moves.",
        reason="Without any it moves the total.",
        example='["ams"]',
    )
    min: Annotated[int | None, leaf(whole(0, MOST_MACHINES))] = setting(
        None, meaning="Least Machines meanwhile.", reason="Set at least one of these three.", example="2"
    )
    max: Annotated[int | None, leaf(whole(0, MOST_MACHINES))] = setting(
        None, meaning="Most Machines meanwhile.", reason="As `min`.", example="8"
    )
    freeze_in: Annotated[bool, leaf(flag)] = setting(
        False, meaning="Nothing goes in meanwhile.", reason="For launches and maintenance.", example="true"
    )
