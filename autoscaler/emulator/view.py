"""Machines, volumes and apps as the platform writes them in JSON."""

import json

from autoscaler.emulator.leasing import lease_of
from autoscaler.emulator.record import App, Event, Json, Lease, Machine, Volume
from autoscaler.emulator.timestamps import rfc3339, rfc3339_ms
from autoscaler.emulator.volumes import holder
from autoscaler.emulator.world import World

EVENTS_SHOWN = 20
SUMMARY_OMITS = ("config", "incomplete_config", "events", "checks", "host_status")


def machine_json(machine: Machine) -> Json:
    """One Machine in full. On a lost host its config is null and an incomplete one stands beside it."""
    lost = machine.host_status != "ok"
    body: Json = {
        "id": machine.id,
        "name": machine.name,
        "state": machine.state,
        "region": machine.region,
        "image_ref": machine.image_ref,
        "instance_id": machine.instance_id,
        "version": machine.instance_id,
        "private_ip": machine.private_ip,
        "created_at": rfc3339(machine.created_at),
        "updated_at": rfc3339(machine.updated_at),
        "config": None if lost else machine.config,
        "events": [event_json(event) for event in machine.events[:EVENTS_SHOWN]],
        "cordoned": machine.cordoned,
        "host_status": machine.host_status,
    }
    if lost:
        body["incomplete_config"] = {
            key: machine.config[key] for key in ("image", "guest", "metadata") if key in machine.config
        }
    checks = checks_json(machine)
    if checks:
        body["checks"] = checks
    return body


def event_json(event: Event) -> Json:
    """One event; within an exit what is zero, false or empty is left out, as the platform does."""
    body: Json = {
        "id": event.id,
        "type": event.type,
        "status": event.status,
        "source": event.source,
        "timestamp": round(event.at * 1000),
    }
    if event.request is not None:
        body["request"] = dict(event.request)
        if "exit_event" in body["request"]:
            told = body["request"]["exit_event"]
            body["request"]["exit_event"] = {key: value for key, value in told.items() if value}
    return body


def checks_json(machine: Machine) -> list[Json]:
    """A result per configured check, none while the Machine has not reported."""
    if not machine.checks or machine.state != "started":
        return []
    names = [
        f"servicecheck-{number:02d}-{check.get('type', 'tcp')}-{service.get('internal_port')}"
        for service in machine.config.get("services") or []
        for number, check in enumerate(service.get("checks") or [])
    ]
    names += list(machine.config.get("checks") or {})
    told = {"status": machine.checks, "output": machine.checks, "updated_at": rfc3339_ms(machine.checked_at)}
    return [{"name": name, **told} for name in names]


def lease_json(lease: Lease) -> Json:
    """A lease in full, nonce included: the platform shows it to whoever may ask."""
    return {
        "nonce": lease.nonce,
        "expires_at": int(lease.expires_at),
        "owner": lease.owner,
        "description": lease.description,
        "version": lease.version,
    }


class MachineWriter:
    """Writes Machines, remembering the bytes of each as long as it does not change."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._written: dict[str, tuple[Machine, bytes]] = {}

    def write(self, machine: Machine, *, summary: bool = False, lease: bool = False) -> bytes:
        """The Machine's JSON, without config, checks and events in a summary."""
        if not summary and not lease:
            return self._remembered(machine)
        body = machine_json(machine)
        if summary:
            body = {key: value for key, value in body.items() if key not in SUMMARY_OMITS}
        held = lease_of(self._world, machine.id) if lease else None
        if held:
            whole = lease_json(held)
            body["lease"] = {key: whole[key] for key in ("description", "expires_at", "owner")}
        return _dump(body)

    def _remembered(self, machine: Machine) -> bytes:
        known = self._written.get(machine.id)
        if known is None or known[0] is not machine:
            known = (machine, _dump(machine_json(machine)))
            self._written[machine.id] = known
        return known[1]


def org_machine_json(machine: Machine, *, summary: bool) -> Json:
    """One entry of the organization's list: an overview."""
    body: Json = {
        "id": machine.id,
        "app_name": machine.app,
        "name": machine.name,
        "state": machine.state,
        "region": machine.region,
        "private_ip": machine.private_ip,
        "version": machine.instance_id,
        "instance_id": machine.instance_id,
        "created_at": rfc3339_ms(machine.created_at),
        "updated_at": rfc3339_ms(machine.updated_at),
    }
    if not summary:
        body["config"] = {
            "image": machine.config["image"],
            "guest": machine.config.get("guest"),
            "metadata": machine.metadata,
        }
    return body


def volume_json(world: World, volume: Volume) -> Json:
    """One volume."""
    machine = holder(world, volume)
    blocks = volume.size_gb * 256_083
    return {
        "id": volume.id,
        "name": volume.name,
        "state": volume.state,
        "size_gb": volume.size_gb,
        "region": volume.region,
        "zone": volume.host,
        "attached_machine_id": machine,
        "attached_alloc_id": None,
        "created_at": rfc3339_ms(volume.created_at),
        "blocks": blocks,
        "block_size": 4096,
        "blocks_free": blocks - 6,
        "blocks_avail": blocks - 38_087,
        "host_status": _host_status(world, volume),
        "host_dedication_key": "",
        **volume.settings,
    }


def app_json(world: World, app: App) -> Json:
    """One app with its counts."""
    live = [machine for machine in world.of_app(app.name) if machine.live]
    return {
        "id": app.id,
        "name": app.name,
        "internal_numeric_id": app.number,
        "machine_count": len(live),
        "volume_count": sum(volume.app == app.name for volume in world.volumes.values()),
        "network": app.network,
        "status": "deployed" if live else "pending",
        "organization": {"name": app.org.title(), "slug": app.org, "internal_numeric_id": 77},
    }


def _host_status(world: World, volume: Volume) -> str:
    return next((m.host_status for m in world.machines.values() if m.host == volume.host), "ok")


def _dump(body: object) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode()
