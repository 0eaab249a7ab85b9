"""`autoscaler emulate`: a Fly on this machine, until it is told to stop."""

import asyncio
import errno
import json
import sys
from collections.abc import Callable
from typing import Any

from autoscaler.domain.errors import UsageError
from autoscaler.domain.geography import REGIONS
from autoscaler.domain.names import Region
from autoscaler.emulator.config import EmulatorConfig
from autoscaler.emulator.server import serve
from autoscaler.service.configuration.pool_table import APP_NAME, GROUP_NAME
from autoscaler.service.configuration.spelling import MistakeError
from autoscaler.service.daemon import stop_signals


def emulate(config: EmulatorConfig, *, host: str, port: int) -> int:
    """Serve `config` and say where. Raises UsageError if it cannot be served there."""
    try:
        asyncio.run(_serve(config, host, port))
    except OSError as error:
        there = f"cannot listen on {host} port {port}: {error.strerror}"
        taken = error.errno in {errno.EADDRINUSE, errno.EACCES}
        remedy = "choose another --port" if taken else "give --host an address of this machine"
        raise UsageError(f"{there}; {remedy}") from error
    return 0


def configured(*, regions: str, **settings: Any) -> EmulatorConfig:  # noqa: ANN401 - fields of EmulatorConfig
    """The emulator's configuration, with regions comma-joined. Raises UsageError for what could not exist."""
    _judge("app", APP_NAME, settings["app"])
    _judge("group", GROUP_NAME, settings["group"])
    _judge("org", APP_NAME, settings["org"])
    codes = [code.strip() for code in regions.split(",") if code.strip()]
    unknown = sorted(set(codes) - REGIONS.keys())
    if unknown or not codes:
        named = f"no region {', '.join(unknown)}" if unknown else "no region given"
        raise UsageError(f"{named}; --regions takes codes such as {', '.join(sorted(REGIONS)[:3])}")
    return EmulatorConfig(regions=tuple(Region(code) for code in codes), **settings)


def _judge(option: str, parse: Callable[[object], str], value: str) -> None:
    try:
        parse(value)
    except MistakeError as mistake:
        raise UsageError(f"--{option}: {mistake}") from mistake


async def _serve(config: EmulatorConfig, host: str, port: int) -> None:
    with stop_signals() as stop:
        async with serve(config, port=port, host=host) as running:
            sys.stdout.write(_welcome(config, running.url))
            sys.stdout.flush()
            await stop.wait()


def _welcome(config: EmulatorConfig, url: str) -> str:
    regions = ", ".join(f"{region}=0..5" for region in dict.fromkeys(config.regions))
    group = f"export AUTOSCALER_GROUP='{config.group}'\n" if config.group != "app" else ""
    load = {"name": "queue_depth", "labels": {"app": config.app}, "regions": {config.regions[0]: 25}}
    return f"""\
# An emulated Fly with {config.machines} Machines in {", ".join(config.regions)}. Ctrl-C ends it.
# To scale them from another terminal:
export AUTOSCALER_API_URL={url}
export AUTOSCALER_API_TOKEN=any-token
export AUTOSCALER_PROMETHEUS_URL={url}/prometheus/{config.org}
export AUTOSCALER_PROMETHEUS_TOKEN=any-token
export AUTOSCALER_APP={config.app}
{group}export AUTOSCALER_REGIONS='{regions}'
export AUTOSCALER_QUERY='max by (region) (queue_depth{{app="$app"}})'
export AUTOSCALER_PER_MACHINE=10
curl -X POST {url}/_emulator/loads -d '{json.dumps(load)}'
# autoscaler plan
"""
