"""What is wrong outside is told by `plan`, `apply` and `check --online`, each with its exit code."""

import pytest

pytestmark = pytest.mark.usefixtures("untouched_logging")
DEPLOY = "deploy-token-of-another-app"
ELSEWHERE = "HERE/prometheus/personal"
"""There is a server, and it is another one."""


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"api_token": "wrong-token-5678"}, "does not accept the token"),
        ({"api_token": DEPLOY}, "has no access to app shop"),
        ({"app": "nothing-here"}, "knows no app nothing-here"),
        ({"api_url": ELSEWHERE}, "correct AUTOSCALER_API_URL"),
        ({"api_url": "http://127.0.0.1:1"}, "is AUTOSCALER_API_URL right"),
    ],
)
def test_a_platform_that_says_no_is_one_sentence_and_exit_code_3_in_plan_and_2_in_check(
    autoscaler, fly, changes, sentence
):
    changes = {name: value.replace("HERE", fly.url) for name, value in changes.items()}
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


def test_an_ambiguous_query_does_not_make_a_failure_of_what_was_done(autoscaler, loads):
    loads("other_depth", ord=1)
    code, out, err = autoscaler("apply", query='{__name__=~"queue_depth|other_depth",app="$app"}')
    assert "results: 1 applied" in out
    assert "several series" in err
    assert code == 0


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
