"""A mistake in a variable is told with the variable's name and with what would be right."""

import pytest

from tests.service.configurations import PROCESS, complaints, environment


@pytest.mark.parametrize(
    ("changes", "path", "sentence"),
    [
        (
            {"intervall": "3s"},
            "INTERVALL",
            "is not a variable of this program; did you mean AUTOSCALER_INTERVAL?",
        ),
        (
            {"port": "9091"},
            "PORT",
            "is not a variable of this program; did you mean AUTOSCALER_HTTP_PORT?",
        ),
        (
            {"window": "5m"},
            "WINDOW",
            (
                "is not a variable of this program; "
                "did you mean AUTOSCALER_SCALE_IN_WINDOW or AUTOSCALER_SCALE_OUT_WINDOW?"
            ),
        ),
        (
            {"forecast": "on"},
            "FORECAST",
            "is not a variable of this program; docs/configuration.md lists them all",
        ),
        ({"app": None}, "APP", "is missing; set it, for example to shop-worker"),
        ({"app": ""}, "APP", "is empty; give it a value or take it away"),
        ({"app": "Shop"}, "APP", '"Shop" is not an app name; write small letters, digits and dashes'),
        ({"regions": None}, "REGIONS", "is missing; set it, for example to ord=1..10, ams=0..5"),
        (
            {"regions": "ord"},
            "REGIONS",
            "is not a list of regions; write region=min..max, such as ord=1..10, ams=0..5",
        ),
        (
            {"regions": ""},
            "REGIONS",
            "is not a list of regions; write region=min..max, such as ord=1..10, ams=0..5",
        ),
        ({"regions": "ord=1..2,ord=1..3"}, "REGIONS", "names ord twice; name every region once"),
        ({"regions": "ord=10..1"}, "REGIONS", "ord: min 10 is above max 1; write 1..10, or another range"),
        ({"regions": "ord=3"}, "REGIONS", 'ord: "3" is not a range; write 3..3 for always 3'),
        ({"regions": "oord=1..2"}, "REGIONS", '"oord" is not a region of the platform; did you mean ord?'),
        (
            {"regions": "qqq=1..2"},
            "REGIONS",
            (
                '"qqq" is not a region of the platform; this version knows ams, arn, bom, cdg, dfw, ewr, fra,'
                " gru, iad, jnb, lax, lhr, nrt, ord, sin, sjc, syd, yyz; one that opened since needs a newer"
                " version"
            ),
        ),
        ({"regions": "ORD=1..2"}, "REGIONS", '"ORD" is not a region of the platform; write ord'),
        (
            {"regions": "mia=1..2"},
            "REGIONS",
            '"mia" is not a region of the platform; it was closed; dfw took over',
        ),
        (
            {"regions": "sa=1..2"},
            "REGIONS",
            '"sa" is not a region of the platform; it stands for several; name those you want of gru',
        ),
        ({"regions": "ord=1..99999"}, "REGIONS", "ord: 99999 Machines are too many; give at most 10000"),
        ({"per_machine": "0"}, "PER_MACHINE", '"0" is out of range; give a number above 0'),
        ({"per_machine": "nan"}, "PER_MACHINE", '"nan" is not a finite number; give a number above 0'),
        ({"per_machine": "1e999"}, "PER_MACHINE", '"1e999" is not a finite number; give a number above 0'),
        (
            {"query": 'x{app=""}'},
            "QUERY",
            (
                'asks for app=""; the shell ate $app, it seems: put the query between single quotes, or'
                " escape the dollar sign"
            ),
        ),
        ({"query": "x{$job}"}, "QUERY", '"$job" is not filled in; only $app and $group are filled in'),
        ({"query": "x{$apps}"}, "QUERY", '"$apps" is not filled in; only $app and $group are filled in'),
        ({"query": "x{${app}}"}, "QUERY", '"${app}" is not filled in; write $app'),
        ({"busy": "x{$__rate}"}, "BUSY", '"$__rate" is not filled in; only $app and $group are filled in'),
        (
            {"metric": "queue depth"},
            "METRIC",
            '"queue depth" is not a metric name; write letters, digits and underscores, such as queue_depth',
        ),
        (
            {"metric": ""},
            "METRIC",
            '"" is not a metric name; write letters, digits and underscores, such as queue_depth',
        ),
        (
            {"per_machine": None, "expression": "running + 1"},
            "QUERY",
            "no rule uses this metric; name it in an expression, or remove it",
        ),
        (
            {"per_machine": None, "expression": "running + 1", "metric": "backlog"},
            "METRIC",
            "no rule uses this metric; name it in an expression, or remove it",
        ),
        ({"query": "x\udcff"}, "QUERY", "contains bytes that are not UTF-8; write it as UTF-8"),
        (
            {"prometheus_token": "FlyV1 fm2_abc and more"},
            "PROMETHEUS_TOKEN",
            "is not a token; copy the token again, exactly as it was issued",
        ),
        (
            {"config_toml": " "},
            "CONFIG_TOML",
            "is empty; set it to the text of a TOML file or take it away",
        ),
        ({"missing": "zero"}, "MISSING", '"zero" is not a finite number; give a number'),
        ({"max_age": "3"}, "MAX_AGE", '"3" has no unit; write a duration such as 15s, 5m or 1h30m, 1s to 1d'),
        (
            {"max_age": "soon"},
            "MAX_AGE",
            '"soon" is not a duration; write one such as 15s, 5m or 1h30m, 1s to 1d',
        ),
        ({"interval": "11m"}, "INTERVAL", '"11m" is out of range; give a duration from 1s to 10m'),
        ({"create": "no"}, "CREATE", '"no" is not a boolean; write true or false'),
        (
            {"leave": "stopp"},
            "LEAVE",
            '"stopp" is not one of its words; did you mean stop? write stop, suspend or destroy',
        ),
        (
            {"on_absent": "maximum"},
            "ON_ABSENT",
            '"maximum" is not one of its words; write hold, min or max, or a number of Machines',
        ),
        ({"on_absent": "-1"}, "ON_ABSENT", "-1 is out of range; give a whole number from 0 to 10000"),
        ({"spare": "-1"}, "SPARE", "-1 is out of range; give a whole number from 0 to 10000"),
        ({"spare": "1.5"}, "SPARE", '"1.5" is not a whole number; give one from 0 to 10000'),
        ({"headroom": "0.2"}, "HEADROOM", '"0.2" is not a percentage; write one such as 20%, at most 1000%'),
        ({"http_port": "65536"}, "HTTP_PORT", "65536 is out of range; give a whole number from 0 to 65535"),
        (
            {"http_host": "a b"},
            "HTTP_HOST",
            '"a b" is no address; write one such as ::, 0.0.0.0 or 127.0.0.1',
        ),
        (
            {"log_level": "INFO"},
            "LOG_LEVEL",
            '"INFO" is not one of its words; did you mean info? write debug, info, warning or error',
        ),
        (
            {"prometheus_url": "prom:9090"},
            "PROMETHEUS_URL",
            '"prom:9090" is not an address; write one that starts with https:// or http://',
        ),
        *(
            (
                {"api_url": f"http://{host}/"},
                "API_URL",
                f'"http://{host}/" has no name of a host in it; write one as in https://host.example',
            )
            for host in ("xn--", "api.xn--99999999.com", "api..dev")
        ),
        (
            {"prometheus_url": "http://p/api/v1/"},
            "PROMETHEUS_URL",
            '"http://p/api/v1" ends in /api/v1; leave /api/v1 away; it is appended',
        ),
        (
            {"api_url": "https://api.machines.dev/v1"},
            "API_URL",
            '"https://api.machines.dev/v1" ends in /v1; leave /v1 away; it is appended',
        ),
        (
            {"api_url": "https://api.machines.dev/v1/apps/"},
            "API_URL",
            '"https://api.machines.dev/v1/apps" ends in /v1/apps; leave /v1/apps away; it is appended',
        ),
        (
            {"api_url": "http://fly/v1/apps/shop/machines"},
            "API_URL",
            (
                '"http://fly/v1/apps/shop/machines" ends in /v1/apps/shop/machines;'
                " leave /v1/apps/shop/machines away; it is appended"
            ),
        ),
        (
            {"prometheus_url": "http://p/select/0/prometheus/api/v1/query_range"},
            "PROMETHEUS_URL",
            (
                '"http://p/select/0/prometheus/api/v1/query_range" ends in /api/v1/query_range;'
                " leave /api/v1/query_range away; it is appended"
            ),
        ),
        (
            {"prometheus_url": None},
            "PROMETHEUS_URL",
            (
                "is not set, and there are queries to ask; set it, for example"
                " to https://api.fly.io/prometheus/my-org"
            ),
        ),
        (
            {"query": None},
            "QUERY",
            "is not set; set it to PromQL between single quotes, such as 'max(queue_depth{app=\"$app\"})'",
        ),
        (
            {"query": None, "per_machine": None, "expression": "1", "missing": "0"},
            "QUERY",
            "is not set; set it to PromQL between single quotes, such as 'max(queue_depth{app=\"$app\"})'",
        ),
    ],
)
def test_a_mistake_in_a_variable_says_what_would_be_right(
    changes: dict[str, str | None], path: str, sentence: str
) -> None:
    assert complaints(environment(**changes)) == {f"AUTOSCALER_{path}": sentence}


def test_a_metric_whose_name_is_no_text_is_one_mistake_among_others() -> None:
    found = complaints(environment(metric="\udcff", leave="stopp"))
    assert set(found) == {"AUTOSCALER_METRIC", "AUTOSCALER_LEAVE"}


def test_two_rules_in_the_environment_are_named_both() -> None:
    assert complaints(environment(utilization="0.7")) == {
        "AUTOSCALER_PER_MACHINE, AUTOSCALER_UTILIZATION": "are set together; set exactly one of"
        " AUTOSCALER_PER_MACHINE, AUTOSCALER_UTILIZATION or AUTOSCALER_EXPRESSION"
    }


def test_no_rule_in_the_environment_names_all_three() -> None:
    assert complaints(environment(per_machine=None)) == {
        "AUTOSCALER_PER_MACHINE": "is not set, nor is another rule; set exactly one of"
        " AUTOSCALER_PER_MACHINE, AUTOSCALER_UTILIZATION or AUTOSCALER_EXPRESSION"
    }


def test_the_fallback_variable_is_blamed_where_it_was_read() -> None:
    environ = {**environment(), "FLY_FLAPS_BASE_URL": "/.fly/api"}
    assert set(complaints(environ)) == {"FLY_FLAPS_BASE_URL"}


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"leave": "destroy", "create": "false"}, "LEAVE"),
        ({"total": "0..0"}, "TOTAL"),
        ({"total": "20..30"}, "TOTAL"),
        ({"per_machine": None, "utilization": "0.7"}, "REGIONS"),
        ({"per_machine": None, "expression": "load +"}, "EXPRESSION"),
        ({"per_machine": None, "expression": "loda + 1"}, "EXPRESSION"),
        ({"metric": "running"}, "METRIC"),
    ],
)
def test_what_the_policy_finds_is_told_in_the_words_of_the_environment(
    changes: dict[str, str | None], path: str
) -> None:
    assert f"AUTOSCALER_{path}" in complaints(environment(**changes))


@pytest.mark.parametrize(
    "name", sorted({*PROCESS, "AUTOSCALER_CONFIG"} - {"AUTOSCALER_PROMETHEUS_TOKEN", "AUTOSCALER_API_TOKEN"})
)
def test_an_empty_variable_is_no_way_to_say_none(name: str) -> None:
    assert name in complaints({**environment(), name: ""})
