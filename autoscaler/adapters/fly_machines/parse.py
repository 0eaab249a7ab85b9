"""The platform's JSON of a Machine or a volume -> our values.

A few fields must be there; without them the entry is unreadable, and so is the list it stands in. All others
may be absent, null or empty: the platform leaves out what is zero, and most of a Machine on a lost host.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from autoscaler.adapters.fly_machines.notation import (
    duration_s,
    mapping,
    number,
    sequence,
    text,
    unix_time,
    unix_time_of_ms,
    whole,
)
from autoscaler.domain.errors import GarbledError
from autoscaler.domain.fleet import Exit, HostStatus, Lease, Machine, MachineState, Volume
from autoscaler.domain.geography import Place
from autoscaler.domain.names import GroupName, InstanceId, MachineId, MachineName, Region, VolumeId

COMPATIBILITY_CHECKS = "bg_deployments_compat"
"""Checks whose names begin so are ghosts of the platform's own making."""
DEFAULT_STOP_TIMEOUT_S = 5.0
LONGEST_STOP_TIMEOUT_S = 300.0

_STATES: Mapping[str, MachineState] = {state.value: state for state in MachineState}
_HOSTS: Mapping[str, HostStatus] = {status.value: status for status in HostStatus}


def machine(entry: object) -> Machine:
    """One Machine. GarbledError without an id, a name, a state or a region."""
    fields = mapping(entry)
    config = fields.get("config") if isinstance(fields.get("config"), dict) else None
    # On a lost host the platform gives no configuration but this one, good for counting and nothing else.
    known = mapping(fields.get("incomplete_config") if config is None else config)
    metadata = {key: str(it) for key, it in mapping(known.get("metadata")).items() if it is not None}
    services = sequence(known.get("services"))
    events = [mapping(event) for event in sequence(fields.get("events"))]
    return Machine(
        id=MachineId(_needed(fields, "id")),
        name=MachineName(_needed(fields, "name")),
        state=_STATES.get(_needed(fields, "state"), MachineState.UNKNOWN),
        region=Region(_needed(fields, "region")),
        instance_id=InstanceId(text(fields.get("instance_id")) or text(fields.get("version"))),
        group=GroupName(metadata.get("fly_process_group", metadata.get("process_group", ""))),
        metadata=metadata,
        host=_HOSTS.get(text(fields.get("host_status")) or "ok", HostStatus.UNKNOWN),
        created_at=unix_time(fields.get("created_at")),
        updated_at=unix_time(fields.get("updated_at")),
        started_at=_started_at(events),
        last_exit=_last_exit(events),
        cordoned=fields.get("cordoned") is True,
        critical=_critical(sequence(fields.get("checks"))),
        lease=_lease(mapping(fields.get("lease"))),
        has_services=bool(services),
        proxied=any(_proxied(mapping(service)) for service in services),
        standby=bool(known.get("standbys")),
        scheduled=bool(known.get("schedule")),
        auto_destroy=known.get("auto_destroy") is True,
        has_mounts=bool(known.get("mounts")),
        stop_timeout_s=_stop_timeout_s(known),
        image=_image(mapping(fields.get("image_ref"))) or text(known.get("image")),
        config=config,
    )


def volume(entry: object) -> Volume:
    """One volume. GarbledError without an id, a name, a state or a region."""
    fields = mapping(entry)
    size_gb, encrypted = fields.get("size_gb"), fields.get("encrypted")
    return Volume(
        id=VolumeId(_needed(fields, "id")),
        name=_needed(fields, "name"),
        region=Region(_needed(fields, "region")),
        state=_needed(fields, "state"),
        attached_to=MachineId(text(fields.get("attached_machine_id"))) or None,
        host=_HOSTS.get(text(fields.get("host_status")) or "ok", HostStatus.UNKNOWN),
        created_at=unix_time(fields.get("created_at")),
        size_gb=size_gb if isinstance(size_gb, int) else None,
        encrypted=encrypted if isinstance(encrypted, bool) else None,
    )


def _needed(fields: Mapping[str, Any], key: str) -> str:
    value = text(fields.get(key))
    if not value:
        raise GarbledError(f"an entry of the list has no {key}")
    return value


def _started_at(events: Iterable[Mapping[str, Any]]) -> float | None:
    """When it last came up; events are newest first."""
    for event in events:
        if event.get("type") == "start" and event.get("status") == "started":
            return unix_time_of_ms(event.get("timestamp"))
    return None


def _last_exit(events: Iterable[Mapping[str, Any]]) -> Exit | None:
    for event in events:
        if event.get("type") == "exit":
            return _exit(event)
    return None


def _exit(event: Mapping[str, Any]) -> Exit:
    request = mapping(event.get("request"))
    # Older events nest what newer ones tell directly; both leave out what is zero or false.
    told = mapping(request.get("exit_event") or mapping(request.get("MonitorEvent")).get("exit_event"))
    exited_at = told.get("exited_at")
    at = unix_time(exited_at) or unix_time_of_ms(exited_at) or unix_time_of_ms(event.get("timestamp"))
    return Exit(
        at=at or 0.0,
        code=whole(told.get("exit_code")) or whole(told.get("guest_exit_code")),
        oom=told.get("oom_killed") is True,
        requested=told.get("requested_stop") is True,
    )


def _critical(checks: Iterable[object]) -> bool:
    return any(
        mapping(check).get("status") == "critical"
        and not text(mapping(check).get("name")).startswith(COMPATIBILITY_CHECKS)
        for check in checks
    )


def _lease(fields: Mapping[str, Any]) -> Lease | None:
    expires_at = number(fields.get("expires_at"))
    return None if expires_at is None else Lease(owner=text(fields.get("owner")), expires_at=expires_at)


def _proxied(service: Mapping[str, Any]) -> bool:
    """Answers write autostop as a boolean or a word, whichever way it was asked for."""
    return service.get("autostart") is True or service.get("autostop") in (True, "stop", "suspend")


def _stop_timeout_s(config: Mapping[str, Any]) -> float:
    asked = duration_s(mapping(config.get("stop_config")).get("timeout"))
    return min(asked, LONGEST_STOP_TIMEOUT_S) if asked else DEFAULT_STOP_TIMEOUT_S


def _image(ref: Mapping[str, Any]) -> str:
    """`registry/repository:tag@digest`, without the parts that are not told; empty without a repository."""
    registry, repository = text(ref.get("registry")), text(ref.get("repository"))
    tag, digest = text(ref.get("tag")), text(ref.get("digest"))
    if not repository:
        return ""
    name = f"{registry}/{repository}" if registry else repository
    return name + (f":{tag}" if tag else "") + (f"@{digest}" if digest else "")


def regions(answer: object) -> Mapping[Region, Place]:
    """Regions that are not deprecated. GarbledError without any; keys come in either case."""
    fields = {key.lower(): value for key, value in mapping(answer).items()}
    found = {}
    for entry in sequence(fields.get("regions")):
        told = {key.lower(): value for key, value in mapping(entry).items()}
        if not told.get("deprecated"):
            found[Region(_needed(told, "code"))] = _place(told)
    if not found:
        raise GarbledError("the platform names no regions")
    return found


def _place(told: Mapping[str, Any]) -> Place:
    latitude, longitude = number(told.get("latitude")), number(told.get("longitude"))
    if latitude is None or longitude is None:
        raise GarbledError("a region of the platform has no coordinates")
    return Place(
        city=text(told.get("name")),
        latitude=latitude,
        longitude=longitude,
        area=text(told.get("geo_region")),
        gateway=told.get("gateway_available") is True,
    )
