"""A Machine's configuration: what the platform accepts, how it answers it, and what a deploy writes."""

from collections.abc import Mapping

from autoscaler.emulator import errors
from autoscaler.emulator.ids import digest
from autoscaler.emulator.json_shapes import Shape, check
from autoscaler.emulator.record import Json

SIZES = {"shared": ((1, 2, 4, 6, 8), 256, 2048), "performance": (tuple(range(1, 129)), 2048, 8192)}
"""cpu kind -> cpus allowed, least and most MiB per cpu."""
SHAPE: Mapping[str, Shape] = {
    "guest": {"cpu_kind": "string", "cpus": "int", "memory_mb": "int"},
    "init": {"cmd": ["string"]},
    "env": {"*": "string"},
    "mounts": [{"volume": "string"}],
    "services": [{"autostop": "string|bool", "checks": [{}]}],
    "standbys": ["string"],
    "auto_destroy": "bool",
    "checks": "object",
    "restart": {"policy": "string", "max_retries": "int"},
}
"""Of what is read here and elsewhere; everything else is kept as it comes."""
SMALLEST = {"cpu_kind": "shared", "cpus": 1, "memory_mb": 256}


def accepted(config: object) -> Json:
    """The configuration as the platform keeps it: unknown fields survive. ApiError 400 if it cannot run."""
    if not isinstance(config, dict):
        raise errors.invalid("config is required")
    if not isinstance(config.get("image"), str) or not config["image"]:
        raise errors.invalid("config.image is required")
    metadata = config.get("metadata")
    if metadata is not None and not (
        isinstance(metadata, dict) and all(isinstance(value, str) for value in metadata.values())
    ):
        raise errors.refusal(400, "json: cannot unmarshal config.metadata into Go value of type string")
    check(config, SHAPE, "config", nulls=True)
    guest = _without_nulls(config.get("guest") or SMALLEST)
    _check_guest(guest)
    kept = {**config, "guest": guest}
    if config.get("services"):
        kept["services"] = [_answered_service(service) for service in config["services"]]
    return kept


def image_ref(image: str) -> Json:
    """`registry/repository:tag@digest` in parts; the digest is invented where the reference has none."""
    reference, _, pinned = image.partition("@")
    path, colon, tag = reference.rpartition(":")
    if not colon or "/" in tag:
        path, tag = reference, "latest"
    registry, slash, repository = path.partition("/")
    if not slash or "." not in registry:
        registry, repository = "registry-1.docker.io", path if "/" in path else f"library/{path}"
    return {
        "registry": registry,
        "repository": repository,
        "tag": tag,
        "digest": pinned or digest(reference),
        "labels": {},
    }


def deployed(*, app: str, group: str, release: int, guest: Json, primary_region: str, services: bool) -> Json:
    """The configuration a `fly deploy` of this release leaves behind."""
    config: Json = {
        "env": {"PRIMARY_REGION": primary_region},
        "init": {"cmd": ["bin/run"]},
        "guest": dict(guest),
        "metadata": {
            "fly_flyctl_version": "0.3.200",
            "fly_platform_version": "v2",
            "fly_release_id": digest(f"{app} {release}")[-25:],
            "fly_release_version": str(release),
        },
        "image": deployed_image(app, release),
        "restart": {"policy": "on-failure", "max_retries": 10},
        "stop_config": {"timeout": "30s", "signal": "SIGTERM"},
    }
    if group:
        config["env"]["FLY_PROCESS_GROUP"] = group
        config["metadata"]["fly_process_group"] = group
    if services:
        config["services"] = [_web_service()]
    return config


def deployed_image(app: str, release: int) -> str:
    """The image of one release, such as `registry.fly.io/worker:deployment-63`."""
    return f"registry.fly.io/{app}:deployment-{release}"


def _web_service() -> Json:
    return {
        "protocol": "tcp",
        "internal_port": 8080,
        "autostart": True,
        "autostop": "stop",
        "min_machines_running": 0,
        "concurrency": {"type": "requests", "soft_limit": 20, "hard_limit": 25},
        "ports": [{"port": 80, "handlers": ["http"]}, {"port": 443, "handlers": ["tls", "http"]}],
        "checks": [{"type": "http", "interval": "15s", "timeout": "2s", "method": "GET", "path": "/up"}],
        "force_instance_key": None,
    }


def _answered_service(service: Json) -> Json:
    """Autostop goes in as off, stop or suspend and comes out as false, true or suspend."""
    if "autostop" not in service:
        return service
    return {**service, "autostop": {"off": False, "stop": True}.get(service["autostop"], service["autostop"])}


def _without_nulls(fields: Json) -> Json:
    return {name: value for name, value in fields.items() if value is not None}


def _check_guest(guest: Json) -> None:
    if guest.get("cpu_kind", "shared") not in SIZES:
        raise errors.refusal(400, "invalid config.guest.cpu_kind")
    allowed, least, most = SIZES[guest.get("cpu_kind", "shared")]
    cpus, memory = guest.get("cpus", 1), guest.get("memory_mb", 256)
    if cpus not in allowed:
        raise errors.refusal(400, "invalid config.guest.cpus")
    if memory < least * cpus:
        raise errors.refusal(400, f"invalid config.guest.memory_mb, minimum required {least * cpus} MiB")
    if memory > most * cpus:
        raise errors.refusal(400, f"invalid config.guest.memory_mb, cannot exceed {most * cpus} MiB")
