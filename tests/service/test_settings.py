"""One pool needs no file: every variable of the contract is read, and means what it says."""

from pathlib import Path

import pytest

from autoscaler.domain.desired import Bounds
from autoscaler.domain.pool import (
    AbsentAction,
    Damping,
    Expression,
    Leave,
    PerMachine,
    Pool,
    RegionSpec,
    Step,
    Utilization,
)
from autoscaler.domain.reading import Query
from autoscaler.service.settings import load
from tests.service.configurations import (
    METRIC_TOKEN,
    POOL_TABLE,
    PROCESS,
    TOKEN,
    environment,
    file_environment,
    one_pool,
)

QUERY = Query(name="load", promql='max(queue_depth{app="shop-worker",group="app"})')


def test_four_variables_make_a_pool_with_the_documented_defaults() -> None:
    assert load(environment()).pools == (
        Pool(
            name="shop-worker",
            app="shop-worker",
            regions={
                "ord": RegionSpec(bounds=Bounds(min=1, max=10)),
                "ams": RegionSpec(bounds=Bounds(min=0, max=5)),
            },
            metrics=(QUERY,),
            rules=(PerMachine(metric="load", target=10.0),),
        ),
    )


@pytest.mark.parametrize("environ", [environment(total="1..15"), one_pool('total = "1..15"')])
def test_a_total_is_told_from_none_also_where_it_is_what_the_regions_sum_up_to(
    environ: dict[str, str],
) -> None:
    [pool] = load(environ).pools
    assert pool.total == pool.bounds == Bounds(min=1, max=15)


def test_every_policy_is_the_one_of_its_pool() -> None:
    settings = load(environment())
    assert [policy.pool for policy in settings.policies] == list(settings.pools)


@pytest.mark.parametrize(
    ("variable", "value", "attribute", "expected"),
    [
        ("group", "worker", "group", "worker"),
        ("group", "", "group", ""),
        ("total", "2..12", "total", Bounds(min=2, max=12)),
        ("create", "false", "create", False),
        ("leave", "suspend", "leave", Leave.SUSPEND),
        ("proxy", "true", "proxy", True),
        ("drain", "1h30m", "drain_s", 5400.0),
        ("drain", "forever", "drain_s", None),
        ("spare", "1", "spare", 1),
        ("headroom", "20%", "headroom", 0.2),
        ("headroom", "0", "headroom", 0.0),
        ("on_absent", "max", "on_absent", AbsentAction.MAX),
        ("on_absent", "4", "on_absent", 4),
        ("reserve", "2", "reserve", 2),
        ("interval", "1m", "interval_s", 60.0),
        (
            "scale_in_window",
            "10m",
            "scale_in",
            Damping(window_s=600.0, step=Step(period_s=60.0, fraction=0.5)),
        ),
        ("scale_in_step", "none", "scale_in", Damping(window_s=300.0)),
        ("scale_out_window", "30s", "scale_out", Damping(window_s=30.0)),
        ("scale_out_step", "4/15s", "scale_out", Damping(window_s=0.0, step=Step(period_s=15.0, count=4))),
        ("spare", " 1\n", "spare", 1),
    ],
)
def test_a_variable_sets_its_part_of_the_pool(
    variable: str, value: str, attribute: str, expected: object
) -> None:
    [pool] = load(environment(**{variable: value})).pools
    assert getattr(pool, attribute) == expected


def test_the_metric_has_its_name_age_and_missing_value() -> None:
    [pool] = load(environment(metric="depth", missing="0", max_age="5m")).pools
    assert pool.metrics == (Query(name="depth", promql=QUERY.promql, missing=0.0, max_age_s=300.0),)
    assert pool.rules == (PerMachine(metric="depth", target=10.0),)


def test_utilization_and_expression_are_rules_like_per_machine() -> None:
    [busy] = load(environment(per_machine=None, utilization="0.7", regions="ord=1..3")).pools
    [sum_] = load(environment(per_machine=None, expression="ceil(load / 10)")).pools
    assert busy.rules == (Utilization(metric="load", target=0.7),)
    assert (sum_.rules, sum_.metrics) == ((Expression(text="ceil(load / 10)"),), (QUERY,))


def test_an_expression_without_metrics_needs_neither_query_nor_metric_source() -> None:
    settings = load(environment(per_machine=None, query=None, prometheus_url=None, expression="running + 1"))
    assert settings.pools[0].metrics == ()
    assert settings.prometheus.url is None


def test_the_busy_query_is_split_by_instance() -> None:
    [pool] = load(environment(busy='max by (instance) (jobs{app="$app"})')).pools
    assert pool.busy == Query(
        name="busy", promql='max by (instance) (jobs{app="shop-worker"})', label="instance", by_region=False
    )


def test_an_empty_group_is_filled_in_as_empty() -> None:
    [pool] = load(environment(group="")).pools
    assert pool.metrics[0].promql == 'max(queue_depth{app="shop-worker",group=""})'


@pytest.mark.parametrize(
    "query",
    [
        'sum(rate(x{path=~"^/api$"}[1m]))',
        'label_replace(x, "region", "$1-${2}", "src", "(.*)")',
        'sum(x{kind=~"a$|b$"})',
        'x{exported_app=""}',
    ],
)
def test_dollar_signs_that_belong_to_promql_stay(query: str) -> None:
    assert load(environment(query=query)).pools[0].metrics[0].promql == query


def test_the_process_has_its_documented_defaults() -> None:
    settings = load(environment())
    assert (settings.interval_s, settings.dry_run) == (15.0, False)
    assert (settings.http.host, settings.http.port) == ("::", 9090)
    assert (settings.log.level, settings.log.format) == ("info", None)
    assert settings.warnings == ()


def test_the_process_is_set_by_variables() -> None:
    settings = load(
        environment(
            dry_run="true",
            http_host="127.0.0.1",
            http_port="0",
            log_level="debug",
            log_format="json",
            interval="1s",
        )
    )
    assert (settings.interval_s, settings.dry_run) == (1.0, True)
    assert (settings.http.host, settings.http.port) == ("127.0.0.1", 0)
    assert (settings.log.level, settings.log.format) == ("debug", "json")


@pytest.mark.parametrize(
    ("environ", "url"),
    [
        ({}, "https://api.machines.dev"),
        ({"FLY_MACHINE_ID": "1857156b526dd8"}, "http://_api.internal:4280"),
        ({"FLY_APP_NAME": "scaler"}, "http://_api.internal:4280"),
        ({"FLY_FLAPS_BASE_URL": "http://127.0.0.1:4280/"}, "http://127.0.0.1:4280"),
        (
            {"FLY_FLAPS_BASE_URL": "http://127.0.0.1:1", "AUTOSCALER_API_URL": "http://[::1]:2/"},
            "http://[::1]:2",
        ),
        ({"FLY_FLAPS_BASE_URL": "", "FLY_APP_NAME": ""}, "https://api.machines.dev"),
    ],
)
def test_the_api_is_internal_inside_fly_and_public_outside(environ: dict[str, str], url: str) -> None:
    assert load({**environment(), **environ}).api.url == url


def test_a_trailing_slash_of_a_base_address_is_ignored() -> None:
    assert (
        load(environment(prometheus_url="http://localhost:9090/x/")).prometheus.url
        == "http://localhost:9090/x"
    )


@pytest.mark.parametrize(
    "url",
    [
        "https://api.fly.io/prometheus/v1",
        "https://monitoring.googleapis.com/v1/projects/shop/location/global/prometheus",
        "https://kubernetes.example/api/v1/namespaces/metrics/services/prometheus:9090/proxy",
        "http://victoria.internal:8481/select/0/prometheus",
    ],
)
def test_a_base_address_may_have_a_version_of_its_own_in_its_path(url: str) -> None:
    assert load(environment(prometheus_url=url)).prometheus.url == url


def test_flys_own_variable_stands_in_for_the_token() -> None:
    environ = {**environment(api_token=None), "FLY_API_TOKEN": "fo1_abc"}
    assert load(environ).api.token.get_secret_value() == "fo1_abc"


def test_an_empty_token_counts_as_not_set() -> None:
    environ = {**environment(api_token="", prometheus_token=" "), "FLY_API_TOKEN": "fo1_abc"}
    settings = load(environ)
    assert settings.api.token.get_secret_value() == "fo1_abc"
    assert settings.prometheus.token == settings.api.token


@pytest.mark.parametrize("token", ["fm2_a,fm2_b", "FlyV1 fm2_a,fm2_b,fm2_c", "fo1_x", "anything"])
def test_every_form_of_token_is_taken_as_it_is(token: str) -> None:
    assert load(environment(api_token=f" {token}\n")).api.token.get_secret_value() == token


def test_without_a_token_of_its_own_the_metric_source_gets_the_api_token_and_a_warning() -> None:
    settings = load(environment(prometheus_token=None))
    assert settings.prometheus.token == settings.api.token
    [warning] = settings.warnings
    assert "AUTOSCALER_PROMETHEUS_TOKEN" in warning


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        ("http://prometheus.example.com", False),
        ("http://8.8.8.8:9090", False),
        ("https://prometheus.example.com", True),
        ("http://prometheus.internal:9090", True),
        ("http://localhost:9090", True),
        ("http://10.0.0.7:9090", True),
        ("http://[fdaa:0:1::3]:9090", True),
    ],
)
def test_the_api_token_is_never_lent_in_the_clear_over_a_public_network(url: str, sent: bool) -> None:
    settings = load(environment(prometheus_token=None, prometheus_url=url))
    assert (settings.prometheus.token is not None) is sent
    assert len(settings.warnings) == 1


def test_a_key_that_does_nothing_is_told() -> None:
    warnings = load(environment(reserve="1", drain="1h")).warnings
    assert [warning.split(" ")[0] for warning in warnings] == ["AUTOSCALER_RESERVE", "AUTOSCALER_DRAIN"]


def test_a_path_and_the_text_itself_say_the_same(tmp_path: Path) -> None:
    path = tmp_path / "autoscaler.toml"
    path.write_text(POOL_TABLE, encoding="utf-8")
    assert load({**PROCESS, "AUTOSCALER_CONFIG": str(path)}).pools == load(file_environment(POOL_TABLE)).pools


def test_the_environment_beats_the_file_for_the_process() -> None:
    toml = f"""
    api = {{ url = "http://file:1", token = "{METRIC_TOKEN}" }}
    daemon = {{ interval = "30s", dry_run = true }}
    http = {{ host = "127.0.0.1", port = 1 }}
    log.level = "error"
    {POOL_TABLE}
    """
    settings = load({**file_environment(toml), "AUTOSCALER_INTERVAL": "20s", "AUTOSCALER_HTTP_PORT": "2"})
    assert (settings.interval_s, settings.dry_run) == (20.0, True)
    assert (settings.http.host, settings.http.port) == ("127.0.0.1", 2)
    assert (settings.api.url, settings.log.level) == ("http://file:1", "error")
    assert settings.api.token.get_secret_value() == TOKEN
    assert settings.pools[0].interval_s == 20.0


def test_the_environment_given_is_the_only_one_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOSCALER_DRY_RUN", "true")
    monkeypatch.setenv("daemon", '{"dry_run": true}')
    assert load(environment()).dry_run is False
