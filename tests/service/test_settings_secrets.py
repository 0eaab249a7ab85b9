"""No secret leaves the settings by any way but its own attribute."""

import traceback

import pytest

from autoscaler.domain.errors import ConfigurationError
from autoscaler.service.settings import load
from tests.service.configurations import METRIC_TOKEN, POOL_TABLE, TOKEN, environment, file_environment

SECRETS = (TOKEN, METRIC_TOKEN, "c2VjcmV0", "s3cr3t-of-another-system")


def text_of(environ: dict[str, str]) -> str:
    """Everything a failed load could show, its traceback with every cause included."""
    with pytest.raises(ConfigurationError) as caught:
        load(environ)
    return "".join(traceback.format_exception(caught.value)) + repr(caught.value) + repr(caught.value.faults)


def test_the_repr_of_settings_holds_no_token() -> None:
    settings = load(environment())
    shown = repr(settings) + str(settings)
    assert not [secret for secret in SECRETS if secret in shown]


@pytest.mark.parametrize(
    "environ",
    [
        environment(api_token=f"{TOKEN}\nx"),
        environment(api_token=f"{TOKEN} and more"),
        environment(app=TOKEN),
        environment(regions=TOKEN),
        environment(query=TOKEN, per_machine=TOKEN, interval=TOKEN, http_host=TOKEN, leave=TOKEN),
        environment(prometheus_url=TOKEN),
        environment(prometheus_url="https://me:s3cr3t-of-another-system@prometheus.example.com"),
        environment(prometheus_url="https://me:s3cr3t-of-another-system@[broken"),
        environment(api_token="s3cr3t-of-another-system", spare="s3cr3t-of-another-system"),
        environment(**{TOKEN: TOKEN}),
        environment(prometheus_token=f"{METRIC_TOKEN}\u00e9"),
        file_environment(f'{POOL_TABLE}\n[api]\ntokn = "{TOKEN}"'),
        file_environment(f'api.token = "{SECRETS[-1]}"\ndaemon.interval = "{SECRETS[-1]}"{POOL_TABLE}'),
        file_environment(f'api = "{TOKEN}"{POOL_TABLE}'),
        file_environment(f'api.token = "{TOKEN}"\napi.token = 5'),
        file_environment(f"api.token = {TOKEN}"),
    ],
)
def test_no_fault_shows_a_token(environ: dict[str, str]) -> None:
    shown = text_of(environ)
    assert not [secret for secret in SECRETS if secret in shown]
