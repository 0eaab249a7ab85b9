"""Bodies of requests: JSON whatever the header calls it, forms only for queries; and the kinds of fields."""

import json
from collections.abc import Mapping
from urllib.parse import parse_qsl

from autoscaler.emulator import errors
from autoscaler.emulator.json_shapes import Shape
from autoscaler.emulator.record import Json

FORMS = frozenset({"query", "query_range"})

_MACHINE: Mapping[str, Shape] = {
    "name": "string",
    "region": "string",
    "skip_launch": "bool",
    "lease_ttl": "int",
}
_METADATA: Mapping[str, Shape] = {"machine_version": "string"}

SHAPES: Mapping[str, Shape] = {
    "create": {**_MACHINE, "skip_service_registration": "bool", "min_secrets_version": "int"},
    "update": {**_MACHINE, "current_version": "string"},
    "stop": {"signal": "string", "timeout": "string|number"},
    "signal": {"signal": "string|int"},
    "lease_acquire": {"ttl": "int|string", "description": "string"},
    "metadata_replace": _METADATA,
    "metadata_merge": _METADATA,
    "exec": {"command": ["string"], "cmd": "string"},
    "app_create": {"name": "string", "app_name": "string", "org_slug": "string", "network": "string"},
    "volume_create": {
        "name": "string",
        "region": "string",
        "require_unique_zone": "bool",
        "encrypted": "bool",
    },
    "volume_update": {"auto_backup_enabled": "bool"},
    "placements": {"org_slug": "string", "region": "string", "count": "int"},
}
"""By operation, what would otherwise fail later. Further rules, such as ranges, are the operations' own."""


def parse(raw: bytes, content_type: str, operation: str) -> object:
    """The body of a request, None without one. ApiError 400 for what is no JSON.

    `curl -d` calls everything a form; the platform reads JSON all the same, a metric source does not.
    """
    if not raw.strip():
        return None
    if operation in FORMS:
        form = raw.decode(errors="replace") if "x-www-form-urlencoded" in content_type else ""
        return dict(parse_qsl(form, keep_blank_values=True))
    return decoded(raw)


def decoded(raw: bytes) -> object:
    """Any JSON whose text can be sent back. ApiError 400 for anything else."""
    try:
        value: object = json.loads(raw)
        # Half a surrogate is legal in JSON, and no answer could contain it.
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise errors.refusal(400, f"invalid character in request body: {error}") from error
    return value


def json_object(value: object, operation: str) -> Json:
    """The body as an object, empty when there is none. ApiError 400 for another kind of JSON."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        what = "array" if isinstance(value, list) else type(value).__name__
        name = f"main.{operation}Request"
        raise errors.refusal(400, f"json: cannot unmarshal {what} into Go value of type {name}")
    return value
