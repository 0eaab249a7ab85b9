"""Settings of the process, declared once; the environment beats the file."""

from typing import Annotated

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings

from autoscaler.service.configuration.addresses import base_url, parse_host, parse_token
from autoscaler.service.configuration.declaration import Model, setting
from autoscaler.service.configuration.notation import Duration
from autoscaler.service.configuration.scalars import choice, flag, leaf, whole


class PrometheusTable(Model):
    """Where the numbers come from."""

    url: Annotated[str | None, leaf(base_url("/api/v1", "query"))] = setting(
        None,
        meaning="Base address of the metric source; `/api/v1/...` is appended, a trailing slash is ignored.",
        reason="No source can be guessed. Needed as soon as a pool has a query.",
        example='"https://api.fly.io/prometheus/my-org"',
        variable="AUTOSCALER_PROMETHEUS_URL",
    )
    token: Annotated[SecretStr | None, leaf(parse_token)] = setting(
        None,
        default_text="the API token",
        meaning="Token for the metric source; `fly tokens create readonly ORG` makes one.",
        reason="Without one the API token is tried, with a warning: a deploy token may not read metrics. It"
        " is never sent in the clear over a public network.",
        example='"FlyV1 fm2_..."',
        variable="AUTOSCALER_PROMETHEUS_TOKEN",
        secret=True,
    )


class ApiTable(Model):
    """The Machines API."""

    url: Annotated[str | None, leaf(base_url("/v1", "apps"))] = setting(
        None,
        default_text="`http://_api.internal:4280` inside Fly, `https://api.machines.dev` outside",
        meaning="Base address of the Machines API; `/v1/...` is appended, a trailing slash is ignored.",
        reason="Inside Fly the private network is the shortest way. `FLY_MACHINE_ID` or `FLY_APP_NAME` tells"
        " where we are.",
        example='"https://api.machines.dev"',
        variable="AUTOSCALER_API_URL",
        fallback="FLY_FLAPS_BASE_URL",
    )
    token: Annotated[SecretStr, leaf(parse_token)] = setting(
        meaning="Token for the Machines API; several deploy tokens may be joined by commas.",
        reason="`fly tokens create deploy -a TARGET` makes one that reaches one app and nothing else.",
        example='"FlyV1 fm2_..."',
        variable="AUTOSCALER_API_TOKEN",
        fallback="FLY_API_TOKEN",
        secret=True,
    )


class DaemonTable(Model):
    """The loop."""

    interval: Annotated[float, leaf(Duration(1, 600))] = setting(
        "15s",
        meaning="Time between two ticks, 1s to 10m.",
        reason="As often as Fly scrapes; faster ticks see the same numbers again.",
        example='"15s"',
        variable="AUTOSCALER_INTERVAL",
    )
    dry_run: Annotated[bool, leaf(flag)] = setting(
        False,
        meaning="Decide and report, act on nothing.",
        reason="Made for trying; whoever deploys an autoscaler wants it to act.",
        example="true",
        variable="AUTOSCALER_DRY_RUN",
    )


class HttpTable(Model):
    """The endpoints this process serves."""

    host: Annotated[str, leaf(parse_host)] = setting(
        "::",
        meaning="Address to listen on; `::` is one socket for IPv6 and IPv4.",
        reason="Fly's private network speaks IPv6, most other things IPv4.",
        example='"127.0.0.1"',
        variable="AUTOSCALER_HTTP_HOST",
    )
    port: Annotated[int, leaf(whole(0, 65535))] = setting(
        9090,
        meaning="TCP port of `/metrics` and the other endpoints; 0 takes a free one and logs it.",
        reason="Where `[metrics]` of our `fly.toml` sends Fly's scraper.",
        example="9091",
        variable="AUTOSCALER_HTTP_PORT",
    )


class LogTable(Model):
    """The log on standard error."""

    level: Annotated[str, leaf(choice("debug", "info", "warning", "error"))] = setting(
        "info",
        meaning="The least important event that is written: `debug`, `info`, `warning` or `error`.",
        reason="One line per pool and tick, and every action.",
        example='"debug"',
        variable="AUTOSCALER_LOG_LEVEL",
    )
    format: Annotated[str | None, leaf(choice("json", "console"))] = setting(
        None,
        default_text="`console` on a terminal, `json` elsewhere",
        meaning="`json`: one object per line; `console`: for people.",
        reason="A terminal has a reader, everything else a parser.",
        example='"json"',
        variable="AUTOSCALER_LOG_FORMAT",
    )


class Process(BaseSettings):
    """Everything about the process, from the environment first and the file's tables second."""

    prometheus: PrometheusTable = Field(default_factory=PrometheusTable)
    api: ApiTable
    daemon: DaemonTable = Field(default_factory=DaemonTable)
    http: HttpTable = Field(default_factory=HttpTable)
    log: LogTable = Field(default_factory=LogTable)
