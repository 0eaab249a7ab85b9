"""Metadata of a Machine: not fenced by leases, never a new version; 412 guards against new versions only."""

from collections.abc import Mapping
from typing import Any

from autoscaler.emulator import errors
from autoscaler.emulator.record import Machine
from autoscaler.emulator.world import World, reach


def read(machine: Machine, key: str) -> str:
    """One value. ApiError 404 without it."""
    if key not in machine.metadata:
        raise errors.refusal(404, "not_found: metadata key not found")
    return machine.metadata[key]


def write(world: World, machine: Machine, key: str, value: object) -> None:
    """Set one key; an empty string removes it. ApiError 400 for anything but a string."""
    if not isinstance(value, str):
        raise errors.invalid("value must be a string")
    _store(world, machine, machine.metadata | {key: value})


def remove(world: World, machine: Machine, key: str) -> None:
    """Remove one key; removing what is not there is no error."""
    _store(world, machine, {name: value for name, value in machine.metadata.items() if name != key})


def replace_all(world: World, machine: Machine, metadata: object, version: str | None) -> None:
    """Replace everything. ApiError 400 for no map of strings, 412 for another machine_version."""
    _store(world, machine, _checked(machine, metadata, version))


def merge(world: World, machine: Machine, metadata: object, version: str | None) -> None:
    """Set several keys; null and the empty string remove. ApiError as for `replace_all`."""
    _store(world, machine, machine.metadata | _checked(machine, metadata, version))


def _checked(machine: Machine, metadata: object, version: str | None) -> dict[str, Any]:
    if not isinstance(metadata, Mapping):
        raise errors.invalid("metadata is required")
    if any(value is not None and not isinstance(value, str) for value in metadata.values()):
        raise errors.invalid("metadata values must be strings")
    if version and version != machine.instance_id:
        raise errors.precondition("machine version does not match the current version")
    return dict(metadata)


def _store(world: World, machine: Machine, metadata: Mapping[str, str | None]) -> None:
    reach(machine)
    kept = {key: value for key, value in metadata.items() if value}
    world.change(machine, config={**machine.config, "metadata": kept})
