"""The settings of a process: environment and file in, domain values out, or every mistake at once."""

from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import SecretStr

from autoscaler.domain.errors import ConfigurationError
from autoscaler.domain.pool import Pool
from autoscaler.policy.rules import Policy
from autoscaler.service.configuration.addresses import is_private
from autoscaler.service.configuration.environment import misspelt, not_text
from autoscaler.service.configuration.faults import masked
from autoscaler.service.configuration.gathering import Gathered, gather
from autoscaler.service.configuration.process import Process
from autoscaler.service.configuration.sources import secrets_in

INSIDE_FLY = "http://_api.internal:4280"
OUTSIDE_FLY = "https://api.machines.dev"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prometheus:
    """The metric source: base address without a trailing slash, None if no pool has a query; its token."""

    url: str | None
    token: SecretStr | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """The Machines API: base address without a trailing slash, and its token."""

    url: str
    token: SecretStr


@dataclass(frozen=True, slots=True, kw_only=True)
class Http:
    """Where to listen; port 0 asks for a free one."""

    host: str
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """The least important level that is written; `json`, `console`, or None for what fits the stream."""

    level: str
    format: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything a process was told. `policies` are the pools' own, in the same order."""

    pools: tuple[Pool, ...]
    policies: tuple[Policy, ...]
    prometheus: Prometheus
    api: Api
    interval_s: float
    dry_run: bool
    http: Http
    log: Log
    warnings: tuple[str, ...] = ()
    """Sentences for the operator about what is allowed and probably not meant."""


def load(environ: Mapping[str, str]) -> Settings:
    """Read and judge the whole configuration. Raises ConfigurationError with every fault at once.

    Reads the file that AUTOSCALER_CONFIG names and nothing else besides `environ`. No secret
    appears in a fault, a warning or the repr of the result.
    """
    gathered = gather(environ)
    faults = [*misspelt(environ), *not_text(environ), *gathered.faults]
    if faults or gathered.process is None:
        # The cause is left out: a validation error quotes its input, and that may be a secret.
        raise ConfigurationError(masked(faults, secrets_in(environ, gathered.tables))) from None
    return _settings(gathered, gathered.process, environ)


def _settings(gathered: Gathered, process: Process, environ: Mapping[str, str]) -> Settings:
    token, warning = _metric_token(process)
    return Settings(
        pools=tuple(read.pool for read in gathered.pools),
        policies=tuple(read.policy for read in gathered.pools if read.policy is not None),
        prometheus=Prometheus(url=process.prometheus.url, token=token),
        api=Api(url=process.api.url or _default_api(environ), token=process.api.token),
        interval_s=process.daemon.interval,
        dry_run=process.daemon.dry_run,
        http=Http(host=process.http.host, port=process.http.port),
        log=Log(level=process.log.level, format=process.log.format),
        warnings=(*warning, *gathered.warnings),
    )


def _metric_token(process: Process) -> tuple[SecretStr | None, tuple[str, ...]]:
    url, own = process.prometheus.url, process.prometheus.token
    if own is not None or url is None:
        return own, ()
    advice = "set AUTOSCALER_PROMETHEUS_TOKEN, for example to one of `fly tokens create readonly ORG`"
    if url.startswith("https://") or is_private(url):
        return process.api.token, (
            f"the metric source has no token of its own: the API token is tried; {advice}",
        )
    sentence = "the metric source has no token of its own, and the API token is not sent in the clear"
    return None, (f"{sentence}; {advice}",)


def _default_api(environ: Mapping[str, str]) -> str:
    inside = environ.get("FLY_MACHINE_ID") or environ.get("FLY_APP_NAME")
    return INSIDE_FLY if inside else OUTSIDE_FLY
