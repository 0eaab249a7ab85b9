"""Every mistake is told at once, and nothing is told that only follows from another."""

from pathlib import Path

import pytest

from autoscaler.service.settings import load
from tests.service.configurations import (
    POOL_TABLE,
    PROCESS,
    complaints,
    environment,
    faults,
    file_environment,
    one_pool,
)


def test_an_empty_environment_is_told_everything_it_needs() -> None:
    assert set(complaints({})) == {
        "AUTOSCALER_API_TOKEN",
        "AUTOSCALER_APP",
        "AUTOSCALER_REGIONS",
        "AUTOSCALER_PER_MACHINE",
    }


def test_faults_of_every_kind_come_together() -> None:
    found = complaints(
        environment(
            intervall="3s",
            dry_run="yes",
            regions="ord=5..1",
            leave="destroi",
            query="x{$job}",
            utilization="1",
        )
    )
    assert set(found) == {
        "AUTOSCALER_INTERVALL",
        "AUTOSCALER_DRY_RUN",
        "AUTOSCALER_REGIONS",
        "AUTOSCALER_LEAVE",
        "AUTOSCALER_QUERY",
        "AUTOSCALER_PER_MACHINE, AUTOSCALER_UTILIZATION",
    }


def test_a_wrong_choice_of_rules_hides_nothing_about_the_metric() -> None:
    metric = {"max_age": "3", "missing": "zero"}
    expected = {"AUTOSCALER_QUERY", "AUTOSCALER_MAX_AGE", "AUTOSCALER_MISSING"}
    two = complaints(environment(utilization="1", query=None, **metric))
    assert set(two) == {"AUTOSCALER_PER_MACHINE, AUTOSCALER_UTILIZATION", *expected}
    none = complaints(environment(per_machine=None, query=None, **metric))
    assert set(none) == {"AUTOSCALER_PER_MACHINE", *expected}
    one = complaints(environment(per_machine="ten", query=None, **metric))
    assert set(one) == {"AUTOSCALER_PER_MACHINE", *expected}


def test_a_wrong_list_of_regions_does_not_hide_a_wrong_total() -> None:
    assert set(complaints(environment(regions="ord", total="few"))) == {
        "AUTOSCALER_REGIONS",
        "AUTOSCALER_TOTAL",
    }


def test_one_wrong_key_does_not_hide_what_the_others_contradict() -> None:
    found = complaints(one_pool('grup = "a"\nleave = "destroy"\ncreate = false'))
    assert set(found) == {"pools.shop.grup", "pools.shop.leave"}


HOURS = "start = '0 8 * * *', end = '0 9 * * *'"


def test_a_wrong_key_of_a_schedule_hides_no_other_fault_of_any_schedule() -> None:
    found = complaints(
        one_pool(
            f"""schedules = [
              {{ start = "0 25 * * *", end = "x", timezone = "Mars", min = 16 }},
              {{ start = "0 8 * * *", end = "00 08 * * *", timezone = "Europe/Berln", min = 1, max = 15 }},
              {{ {HOURS}, mni = 2, regions = ["lhr"] }},
              {{ start = "0 8 * * *", end = "0 8 31 2 *", min = 3, max = 2 }},
              {{ {HOURS}, min = 1 }},
              5,
            ]"""
        )
    )
    assert {path.removeprefix("pools.shop.schedules") for path in found} == {
        *("[0].start", "[0].end", "[0].timezone", "[0]"),
        *("[1]", "[1].timezone", "[2].mni", "[2].regions", "[3]", "[3].end", "[4]", "[5]"),
    }


@pytest.mark.parametrize(
    ("wrong", "places"),
    [
        ('regions.ord = "5..1"', {"regions.ord.range"}),
        # 99 is more than the region has room for, whatever the total.
        ('regions.ord = "0..10"\ntotal = "few"', {"total", "schedules[0]"}),
    ],
)
def test_wrong_bounds_of_the_pool_do_not_hide_the_hours_of_its_schedules(
    wrong: str, places: set[str]
) -> None:
    schedules = f"schedules = [{{ start = '0 25 * * *', end = 'x', min = 99 }}, {{ {HOURS}, min = 0 }}]"
    toml = f"[pools.shop]\napp = 'a'\nrules = [{{ expression = '1' }}]\n{wrong}\n{schedules}"
    told = {path.removeprefix("pools.shop.") for path in complaints(file_environment(toml))}
    assert told == {"schedules[0].start", "schedules[0].end", *places}


def test_a_wrong_total_hides_no_contradiction_of_a_schedule_that_it_does_not_make() -> None:
    found = complaints(
        one_pool(
            f"""total = "few"
            schedules = [
              {{ {HOURS}, min = 4, max = 3 }},
              {{ {HOURS}, min = 16 }},
              {{ {HOURS}, min = 5, max = 15 }},
              {{ {HOURS}, min = 1, max = 15 }},
              {{ {HOURS}, freeze_in = false }},
              {{ {HOURS}, regions = ["ams"], min = 6 }},
              {{ {HOURS}, regions = ["ams", "lhr"], max = 3 }},
              {{ {HOURS}, regions = ["ams"], max = 3 }},
            ]"""
        )
    )
    assert {path.removeprefix("pools.shop.") for path in found} == {
        *("total", "schedules[0]", "schedules[1]", "schedules[4]", "schedules[5]", "schedules[6].regions"),
    }


def test_a_wrong_rule_hides_no_other_rules_mistakes() -> None:
    rules = (
        "rules = [{ query = 'x', per_machin = 1 }, { expression = 'm +' }, { metric = 'k', per_machine = 1 }]"
    )
    toml = f"[pools.shop]\napp = 'a'\nregions.ord = '1..2'\nmetrics.m = 'x'\n{rules}"
    assert set(complaints(file_environment(toml))) == {
        "pools.shop.rules[0].per_machin",
        "pools.shop.rules[1].expression",
        "pools.shop.rules[2].metric",
    }


@pytest.mark.parametrize(
    ("metrics", "paths"),
    [
        ("metrics.m = { query = 'x', max_age = '5' }", {"metrics.m.max_age", "rules[0].expression"}),
        ("metrics.m = 5", {"metrics.m", "rules[0].expression"}),
        ("metrics.'a-b' = 'x'", {"metrics.a-b"}),
    ],
)
def test_a_wrong_metric_hides_no_mistakes_but_those_it_makes(metrics: str, paths: set[str]) -> None:
    toml = f"[pools.shop]\napp = 'a'\nregions.ord = '1..2'\nrules = [{{ expression = 'm + q' }}]\n{metrics}"
    assert set(complaints(file_environment(toml))) == {f"pools.shop.{path}" for path in paths}


def test_nothing_is_said_of_keys_that_only_follow_from_a_wrong_one() -> None:
    assert set(complaints(environment(regions="ord=5..1", total="1..1"))) == {"AUTOSCALER_REGIONS"}


def test_variables_of_a_pool_beside_a_files_pools_are_an_error() -> None:
    environ = {**file_environment(POOL_TABLE), "AUTOSCALER_GROUP": "", "AUTOSCALER_SPARE": "1"}
    assert complaints(environ) == {
        "AUTOSCALER_GROUP, AUTOSCALER_SPARE": "describes a pool in the environment beside the pools of the"
        " file; say it in the file and take the variables away"
    }


def test_a_file_without_pools_may_leave_the_pool_to_the_environment() -> None:
    settings = load({**environment(), "AUTOSCALER_CONFIG_TOML": "daemon.dry_run = true"})
    assert (settings.dry_run, len(settings.pools)) == (True, 1)


def test_a_file_without_pools_and_no_variables_is_an_error() -> None:
    assert complaints(file_environment("daemon.dry_run = true")) == {
        "pools": "there is none; add a table [pools.NAME] to the file, or set AUTOSCALER_APP and the other"
        " variables of a pool"
    }


def test_path_and_text_together_are_an_error() -> None:
    environ = {**file_environment(POOL_TABLE), "AUTOSCALER_CONFIG": "autoscaler.toml"}
    assert set(complaints(environ)) == {"AUTOSCALER_CONFIG, AUTOSCALER_CONFIG_TOML"}


def test_an_unreadable_file_is_one_sentence_and_nothing_it_may_hold_is_called_missing(tmp_path: Path) -> None:
    missing = str(tmp_path / "none.toml")
    assert [str(fault) for fault in faults({"AUTOSCALER_CONFIG": missing})] == [
        f"{missing}: there is no such file; correct AUTOSCALER_CONFIG"
    ]


def test_a_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    file = tmp_path / "autoscaler.toml"
    file.write_text(POOL_TABLE, encoding="utf-8-sig")
    assert load({**PROCESS, "AUTOSCALER_CONFIG": str(file)}).pools[0].app == "shop-worker"


def test_other_faults_are_told_beside_an_unreadable_file() -> None:
    assert set(
        complaints({"AUTOSCALER_CONFIG_TOML": "=", "AUTOSCALER_INTERVAL": "5", "AUTOSCALER_X": ""})
    ) == {
        "AUTOSCALER_CONFIG_TOML",
        "AUTOSCALER_INTERVAL",
        "AUTOSCALER_X",
    }
