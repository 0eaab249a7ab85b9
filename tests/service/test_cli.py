"""The commands: their output, their exit codes, and a sentence for everything a user can get wrong."""

import json
import os
from collections.abc import Callable, Iterator, Sequence

import pytest

from autoscaler import __version__
from autoscaler.domain.names import Region
from autoscaler.emulator.config import EmulatorConfig, TokenScope
from autoscaler.emulator.faults import Fault, Kind
from autoscaler.emulator.loads import Constant, Load
from autoscaler.emulator.server import Running, serve_in_thread
from autoscaler.emulator.world import World
from autoscaler.service import cli
from tests.service.test_logs import untouched_logging

__all__ = ["untouched_logging"]

APP = "shop"
TOKEN = "org-token-1234"
DEPLOY = "deploy-token-of-another-app"
Autoscaler = Callable[..., tuple[int, str, str]]


@pytest.fixture
def fly() -> Iterator[Running]:
    config = EmulatorConfig(
        app=APP,
        regions=(Region("ord"), Region("ams"), Region("fra")),
        machines=6,
        tokens={TOKEN: TokenScope(), DEPLOY: TokenScope(kind="deploy", app="other")},
        stop_s=0,
        boot_s=0,
        rate_limits=False,
    )
    with serve_in_thread(config) as running:
        yield running


@pytest.fixture(autouse=True)
def loads(fly: Running) -> Callable[..., None]:
    def load(name: str = "queue_depth", **by_region: float) -> None:
        def put(world: World) -> None:
            for region, value in by_region.items():
                labels = {"app": APP, "region": region}
                world.loads.set(name, labels, Load(shape=Constant(value=value), since=world.now))

        fly.run(put)

    load(ord=25, ams=0)
    return load


@pytest.fixture
def autoscaler(
    fly: Running, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Autoscaler:
    """Run a command with a right environment and changes to it; exit code, stdout, stderr."""
    right = {
        "app": APP,
        "regions": "ord=1..5, ams=0..3, fra=0..2",
        "query": 'max by (region) (queue_depth{app="$app"})',
        "per_machine": "10",
        "api_url": fly.url,
        "api_token": TOKEN,
        "prometheus_url": f"{fly.url}/prometheus/personal",
        "prometheus_token": TOKEN,
    }

    def run(*arguments: str, **changes: str | None) -> tuple[int, str, str]:
        for name in [name for name in os.environ if name.startswith(("AUTOSCALER_", "FLY_"))]:
            monkeypatch.delenv(name)
        for key, value in {**right, **changes}.items():
            if value is not None:
                monkeypatch.setenv(key if key.isupper() else f"AUTOSCALER_{key.upper()}", value)
        code = cli.run(arguments)
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        assert TOKEN not in out + err
        return code, out, err

    return run


def writes(fly: Running) -> Sequence[str]:
    """Everything that was asked of the platform besides reading."""
    return [
        f"{entry.method} {entry.path}"
        for entry in fly.gateway.log
        if entry.method != "GET" and "/prometheus/" not in entry.path and "/_emulator/" not in entry.path
    ]


def test_version_prints_the_version(capsys):
    assert cli.run(["version"]) == 0
    assert capsys.readouterr().out == f"{__version__}\n"


def test_plan_shows_table_reasons_and_actions_and_writes_nothing(autoscaler, fly):
    before = len(writes(fly))
    code, out, _ = autoscaler("plan")
    assert code == 0
    assert "shop  scaled  app shop, group app" in out
    assert [line.split() for line in out.splitlines() if line.startswith("ord ")] == [
        ["ord", "1", "5", "0", "0", "2", "0", "3", "3"]
    ]
    assert "why ord: rule" in out
    assert "would start" in out
    assert "\x1b" not in out
    assert len(writes(fly)) == before


def test_plan_prints_the_documented_json(autoscaler):
    code, out, _ = autoscaler("plan", "--json")
    assert code == 0
    (pool,) = json.loads(out)["pools"]
    assert list(pool) == [
        "pool", "app", "group", "verdict", "metrics", "regions", "actions", "shortfall", "warnings",
    ]  # fmt: skip
    ord_ = next(region for region in pool["regions"] if region["region"] == "ord")
    assert (ord_["min"], ord_["max"], ord_["demand"], ord_["desired"]) == (1, 5, 3, 3)
    assert {action["kind"] for action in pool["actions"]} == {"start", "create"}


def test_plan_exits_with_4_if_asked_to_when_there_are_actions(autoscaler, loads):
    assert autoscaler("plan", "--exit-code")[0] == 4
    loads(ord=0, ams=0)
    assert autoscaler("plan", "--exit-code", regions="ord=0..5", missing="0")[0] == 0


def test_apply_acts_and_shows_the_results(autoscaler, fly, loads):
    loads(ord=0, ams=15)
    code, out, _ = autoscaler("apply", regions="ams=0..3", leave="stop")
    assert code == 0
    assert "results: 2 applied" in out
    assert sum(machine.state == "started" for machine in fly.run(lambda world: list(world.of_app(APP)))) == 2


def test_apply_in_a_dry_run_acts_on_nothing(autoscaler, fly):
    before = len(writes(fly))
    code, out, _ = autoscaler("apply", dry_run="true")
    assert code == 0
    assert "would start" in out
    assert len(writes(fly)) == before


def test_apply_exits_with_1_when_an_action_failed(autoscaler, fly):
    fault = Fault(kind=Kind.STATUS, operation="start", status=500)
    fly.run(lambda world: world.faults.add(fault, world.now))
    code, out, _ = autoscaler("apply", regions="fra=1..1", create="false")
    assert code == 1
    assert "uncertain" in out


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"api_token": "wrong-token-5678"}, "does not accept the token"),
        ({"api_token": DEPLOY}, "has no access to app shop"),
        ({"app": "nothing-here"}, "knows no app nothing-here"),
        ({"api_url": "http://127.0.0.1:1"}, "is AUTOSCALER_API_URL right"),
    ],
)
def test_a_platform_that_says_no_is_one_sentence_and_exit_code_3_in_plan_and_2_in_check(
    autoscaler, changes, sentence
):
    for command, expected in ((("plan",), 3), (("apply",), 3), (("check", "--online"), 2)):
        code, out, err = autoscaler(*command, **changes)
        assert code == expected
        lines = [line for line in err.splitlines() if sentence in line]
        assert len(lines) == 1 or (command[0] == "check" and len(lines) == 2)
        assert "; " in lines[0]
        assert "blind" in out or command[0] == "check"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"prometheus_token": "wrong-token-5678"}, "set AUTOSCALER_PROMETHEUS_TOKEN"),
        ({"prometheus_url": "http://127.0.0.1:1"}, "is AUTOSCALER_PROMETHEUS_URL right"),
        ({"query": "max by (region) (queue_depth"}, "is refused"),
    ],
)
def test_a_metric_source_that_says_no_holds_the_fleet_in_plan_and_is_wrong_in_check(
    autoscaler, changes, sentence
):
    code, out, err = autoscaler("plan", **changes)
    assert code == 0
    assert sentence in err
    assert "unknown" in out
    code, _, err = autoscaler("check", "--online", **changes)
    assert code == 2
    assert [line for line in err.splitlines() if sentence in line and line.startswith("error ")]


def test_an_ambiguous_query_is_an_error_in_plan_and_check(autoscaler, loads):
    loads("other_depth", ord=1)
    query = '{__name__=~"queue_depth|other_depth",app="$app"}'
    for command in (("plan",), ("check", "--online")):
        code, _, err = autoscaler(*command, query=query)
        assert code == 2
        assert "several series" in err


def test_a_pool_without_queries_needs_no_metric_source(autoscaler):
    alone = {"query": None, "per_machine": None, "prometheus_url": None, "prometheus_token": None}
    code, out, _ = autoscaler("plan", expression="2", regions="ord=0..5", **alone)
    assert code == 0
    assert out.count("would start") == 2


def test_the_machine_this_process_runs_on_is_never_touched(autoscaler, fly):
    first, second = (
        machine.id for machine in fly.run(lambda world: list(world.of_app(APP))) if machine.region == "ord"
    )
    _, out, _ = autoscaler("plan", FLY_MACHINE_ID=first)
    assert f"would start {second}" in out
    assert first not in out


def test_check_tells_what_the_configuration_says_and_asks_nobody(autoscaler, fly):
    before = len(fly.gateway.log)
    code, out, err = autoscaler("check")
    assert (code, err) == (0, "")
    assert "pool shop: app shop, ams 0..3, fra 0..2, ord 1..5, total 1..10, 1 rule" in out
    assert len(fly.gateway.log) == before


def test_check_online_tells_how_a_metric_splits_and_what_the_token_reaches(autoscaler):
    code, out, _ = autoscaler("check", "--online")
    assert code == 0
    assert "metric load: by region: ams 0, ord 25" in out
    assert "the token works" in out
    code, out, _ = autoscaler("check", "--online", query='sum(queue_depth{app="$app"})')
    assert code == 0
    assert "25, one value for the whole pool" in out


def test_check_online_finds_an_empty_group_and_machines_outside_the_regions(autoscaler):
    code, _, err = autoscaler("check", "--online", group="worker")
    assert code == 2
    assert "group 'worker' of app shop has no Machine" in err
    code, out, _ = autoscaler("check", "--online", regions="ord=1..5")
    assert code == 0
    assert "in regions it does not name" in out


def test_check_warns_when_zero_would_be_for_ever(autoscaler):
    code, out, _ = autoscaler("check", query='sum by (region) (fly_app_concurrency{app="$app"})')
    assert code == 0
    assert "ams, fra may go to 0" in out
    assert "may go to 0" not in autoscaler("check")[1]


def test_check_says_when_a_window_cannot_be_refilled(autoscaler):
    code, out, _ = autoscaler("check", per_machine=None, expression="running + (load > 5 ? 1 : 0)")
    assert code == 0
    assert "after a restart it will not go in" in out


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"regions": "ord=5..1"}, "AUTOSCALER_REGIONS"),
        ({"regions": "xyz=1..2"}, "xyz"),
        ({"per_machine": None, "expression": "load +"}, "AUTOSCALER_EXPRESSION"),
        ({"per_machine": None, "expression": "lode * 2"}, "lode"),
        ({"utilization": "0.5"}, "AUTOSCALER_UTILIZATION"),
        ({"regoins": "ord=1..2"}, "AUTOSCALER_REGOINS"),
        ({"config": "/no/such/file.toml"}, "/no/such/file.toml"),
        ({"api_token": None}, "AUTOSCALER_API_TOKEN"),
    ],
)
def test_a_wrong_configuration_is_told_by_every_command_with_exit_code_2(autoscaler, changes, told):
    for command in ("run", "plan", "apply", "check"):
        code, out, err = autoscaler(command, **changes)
        assert (code, out) == (2, "")
        assert told in err
        assert err.startswith("error: ")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["plan", "--jsno"], "--jsno"),
        (["flan"], "flan"),
        (["plan", "extra"], "extra"),
        (["emulate", "--port", "99999"], "--port"),
        (["emulate", "--state", "confused"], "--state"),
        (["emulate", "--regions", "ord,mars"], "mars"),
        (["emulate", "--regions", ""], "no region"),
    ],
)
def test_wrong_usage_is_one_sentence_and_exit_code_2(capsys, arguments, told):
    assert cli.run(arguments) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert told in err
    assert len(err.splitlines()) == 1


def test_a_port_in_use_is_one_sentence_that_names_the_variable(autoscaler, fly):
    code, _, err = autoscaler("run", http_port=str(fly.port), http_host="127.0.0.1")
    assert code == 2
    assert err == (
        f"error: port {fly.port} is in use; set AUTOSCALER_HTTP_PORT to a free one,"
        " or to 0 to let one be chosen\n"
    )
    code, _, err = autoscaler("emulate", "--port", str(fly.port))
    assert code == 2
    assert "choose another --port" in err


@pytest.mark.parametrize("command", ["run", "plan", "apply", "check", "emulate", "demo", "version"])
def test_every_command_explains_itself_with_an_example(capsys, command):
    assert cli.run([command, "--help"]) == 0
    out = capsys.readouterr().out
    assert f"Usage: autoscaler {command}" in out
    assert "Example:" in out or command == "version"
