"""The commands: their output, their exit codes, and a sentence for everything a user can get wrong."""

import json
from collections.abc import Sequence

import pytest

from autoscaler import __version__
from autoscaler.emulator.faults import Fault, Kind
from autoscaler.emulator.server import Running
from autoscaler.service import cli

pytestmark = pytest.mark.usefixtures("untouched_logging")
APP = "shop"


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
        (["flan"], "see `autoscaler --help`"),
        (["plan", "extra"], "extra"),
        (["emulate", "--port", "99999"], "--port"),
        (["emulate", "--state", "confused"], "'--state': 'confused' is not one of 'created'"),
        (["emulate", "--latency", "-1"], "see `autoscaler emulate --help`"),
        (["emulate", "--regions", "ord,mars"], "mars"),
        (["emulate", "--regions", ""], "no region"),
        (["emulate", "--app", "Bad App!"], "--app"),
        (["emulate", "--group", "a b"], "--group"),
        (["emulate", "--org", ""], "--org"),
        (["emulate", "--port", "0", "--host", "203.0.113.7"], "--host"),
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
