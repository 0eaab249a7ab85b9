"""A mistake in the file is told with the path of its key and with what would be right."""

import pytest

from tests.service.configurations import POOL_TABLE, complaints, file_environment, one_pool


@pytest.mark.parametrize(
    ("toml", "path", "sentence"),
    [
        ("[promethius]", "promethius", "is not a table of the file; did you mean prometheus?"),
        ("daemon = 5", "daemon", "is a number, not a table; write [daemon] and its keys below"),
        (
            "[daemon]\ninterval = 5",
            "daemon.interval",
            "5 has no unit; write a duration such as 15s, 5m or 1h30m, 1s to 10m",
        ),
        (
            '[daemon]\ndry_run = "true"',
            "daemon.dry_run",
            '"true" is not a boolean; write true or false, without quotes',
        ),
        ("[log]\nlevle = 'info'", "log.levle", "is not a key of this table; did you mean level?"),
        ("[http]\nport = true", "http.port", "true is not a whole number; give one from 0 to 65535"),
        (
            "[pools.'a b']\napp='x'\nregions.ord='1..2'\nrules=[{expression='1'}]",
            'pools."a b"',
            '"a b" is not a pool name; write up to 63 letters, digits, dots, dashes, underscores',
        ),
        ("pools.x = 5", "pools.x", "is a number, not a table; write [pools.x] and its keys"),
    ],
)
def test_a_mistake_in_a_table_of_the_file_says_what_would_be_right(
    toml: str, path: str, sentence: str
) -> None:
    assert complaints(file_environment(f"{toml}\n{POOL_TABLE}")) == {path: sentence}


@pytest.mark.parametrize(
    ("keys", "path", "sentence"),
    [
        ("forecast = 'on'", "forecast", "is not a key of this table; its keys are app, group,"),
        ("spare = '1'", "spare", '"1" is not a whole number; give one from 0 to 10000'),
        ("spare = 1.0", "spare", "1 is not a whole number; give one from 0 to 10000"),
        ("total = 5", "total", "5 is not a range; write 5..5 for always 5"),
        ("drain = 07:30:00", "drain", "a date or time is not a duration; write one such as 15s"),
        ("scale_in = 5", "scale_in", "is a number, not a table; write a table"),
        ("scale_in.step = 5", "scale_in.step", "5 is not a step; write none, n/period, p%/period or both"),
        ("schedules = 5", "schedules", "is a number, not a list; write a list, such as [{ start"),
        ("match = 5", "match", 'is a number, not a table; write a table, such as { role = "room" }'),
        ("match.role = 5", "match.role", "5 is not a text; put it between quotes"),
        (
            "match.role = 'x'\ngroup = 'y'",
            "match",
            "stands beside group; keep the one that names the pool's Machines",
        ),
        ("metrics.m = {}", "metrics.m.query", "is missing; add query = 'max(queue_depth{app=\"$app\"})'"),
        ("metrics.m = 5", "metrics.m", "is a number, not a table; write a table"),
        (
            "metrics.m = { query = 'x', max_aeg = '5m' }",
            "metrics.m.max_aeg",
            "is not a key of this table; did you mean max_age?",
        ),
        ("metrics.'a-b' = 'x'", "metrics.a-b", '"a-b" is not a metric name; write letters'),
        (
            "schedules = [{ start = '0 8 * * *', end = '0 9 * * *' }]",
            "schedules[0]",
            "it changes nothing; give it min, max or freeze_in, or remove it",
        ),
        (
            "schedules = [{ start = '0 8 * * *', end = '0 9 * * *', min = 3, max = 2 }]",
            "schedules[0]",
            "min 3 is above max 2; lower min or raise max",
        ),
        (
            "schedules = [{ start = '0 8 * * *', end = '0 9 * * *', min = 2, timezone = 'Europe/Berln' }]",
            "schedules[0].timezone",
            '"Europe/Berln" is not a time zone; did you mean Europe/Berlin?',
        ),
        (
            "schedules = [{ start = '0 8 * * *', end = '0 9 * * *', min = 2, timezone = 'Europe' }]",
            "schedules[0].timezone",
            '"Europe" is not a time zone; write one such as UTC or Europe/Berlin',
        ),
        (
            "schedules = [{ start = '0 8 * * *', end = '0 9 * * *', min = 2, timezone = '../etc' }]",
            "schedules[0].timezone",
            '"../etc" is not a time zone',
        ),
        ("budget = '10'", "budget", '"10" is not a budget; write creations per period, such as 10/10m'),
        (
            "budget = '0/10m'",
            "budget",
            '"0/10m" is out of range; give 1 to 10000 creations; create = false forbids',
        ),
    ],
)
def test_a_mistake_in_a_pool_says_what_would_be_right(keys: str, path: str, sentence: str) -> None:
    [(found, text)] = complaints(one_pool(keys)).items()
    assert found == f"pools.shop.{path}"
    assert text.startswith(sentence)


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        ("{}", "says nothing about Machines; give exactly one of per_machine, utilization or expression"),
        ("{ query = 'x' }", "says nothing about Machines; give exactly one of"),
        (
            "{ query = 'x', per_machine = 1, expression = '1' }",
            "has per_machine and expression; give exactly one of",
        ),
        ("{ per_machine = 1 }", "has neither metric nor query; give one of them"),
        ("{ query = 'x', metric = 'm', per_machine = 1 }", "has both metric and query; give one of them"),
        (
            "{ metric = 'm', per_machine = 1, missing = 0 }",
            "has missing beside a metric's name; declare it where",
        ),
        (
            "{ expression = '1', metric = 'm' }",
            "has metric beside an expression; declare the query under the pool's",
        ),
        (
            "{ query = 'x', per_machine = 1, tolerance = 0.2 }",
            "has a tolerance without utilization; take tolerance",
        ),
    ],
)
def test_a_rule_that_is_none_says_what_would_make_it_one(rule: str, sentence: str) -> None:
    toml = f"[pools.shop]\napp = 'a'\nregions.ord = '1..2'\nrules = [{rule}]\nmetrics.m = 'x'"
    [(path, text)] = complaints(file_environment(toml)).items()
    assert path == "pools.shop.rules[0]"
    assert text.startswith(sentence)


@pytest.mark.parametrize(
    ("schedule", "path"),
    [
        ("start = '99 8 * * *', end = '0 9 * * *', min = 2", "schedules[0].start"),
        ("start = '0 8 * * *', end = '0 0 31 2 *', min = 2", "schedules[0].end"),
        ("start = '0 8 * * *', end = '0 9 * * *', min = 1, regions = ['fra']", "schedules[0].regions"),
        ("start = '0 8 * * *', end = '0 9 * * *', min = 11, regions = ['ord']", "schedules[0]"),
    ],
)
def test_a_schedule_that_cannot_be_meant_is_told_with_its_place(schedule: str, path: str) -> None:
    assert set(complaints(one_pool(f"schedules = [{{ {schedule} }}]"))) == {f"pools.shop.{path}"}


@pytest.mark.parametrize("other", ["", 'group = "app"'])
def test_two_pools_of_the_same_machines_are_an_error(other: str) -> None:
    toml = POOL_TABLE + POOL_TABLE.replace("pools.shop", "pools.second") + other
    assert complaints(file_environment(toml)) == {
        "pools.second": "claims the same Machines as pools.shop; give every pool an app, group or match of"
        " its own"
    }


@pytest.mark.parametrize("weight", ["0", "0.0009", "1e6"])
def test_a_weight_out_of_range_is_told_with_the_range(weight: str) -> None:
    toml = POOL_TABLE.replace('"1..10"', f'{{ range = "1..10", weight = {weight} }}')
    (told,) = complaints(file_environment(toml)).items()
    assert told[0] == "pools.shop.regions.ord.weight"
    assert told[1].endswith("is out of range; give a number of at least 0.001 and below 1e+06")


def test_matches_that_one_machine_can_satisfy_both_are_an_error() -> None:
    second = POOL_TABLE.replace("pools.shop", "pools.second")
    toml = f"{POOL_TABLE}match.role = 'room'\n{second}match.tier = 'free'"
    assert set(complaints(file_environment(toml))) == {"pools.second"}


@pytest.mark.parametrize(
    "key", ["busy = 'x{g=\"$group\"}'", "metrics.m = 'x{g=\"$group\"}'\nrules = [{ expression = 'm' }]"]
)
def test_a_pool_chosen_by_match_has_no_group_to_fill_in(key: str) -> None:
    toml = f"[pools.shop]\napp = 'a'\nregions.ord = '1..2'\nmatch.role = 'room'\n{key}\n"
    rules = "" if "rules" in key else "rules = [{ expression = '1' }]\n"
    [text] = complaints(file_environment(toml + rules)).values()
    assert text == "asks for $group in a pool chosen by match; name the group in the query"


@pytest.mark.parametrize(
    ("keys", "path"),
    [
        ('leave = "destroy"\ncreate = false', "leave"),
        ('total = "0..0"', "total"),
        ("metrics.unused = 'x'", "metrics.unused"),
    ],
)
def test_what_the_policy_finds_is_told_with_its_path_in_the_file(keys: str, path: str) -> None:
    assert set(complaints(one_pool(keys))) == {f"pools.shop.{path}"}
