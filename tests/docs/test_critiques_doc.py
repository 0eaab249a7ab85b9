"""The page about known weaknesses shows them as they are."""

from pathlib import Path

import pytest

from tests.docs.policy_page import Example, examples
from tests.docs.policy_stage import Stage, policy_of
from tests.docs.test_policy_doc import compare

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = examples((ROOT / "docs" / "critiques.md").read_text(encoding="utf-8"))


def played(example: Example) -> int:
    """Play an example as the page tells it; the sum that its last tick desires."""
    stage = Stage(policy=policy_of(example.toml))
    for row in example.rows:
        for at in row.times:
            decision = stage.play(row, at)
            compare(row, decision, stage, row.cells["time"])
    return desired(stage)


def desired(stage: Stage) -> int:
    assert stage.desired is not None, "nothing was played"
    return sum(stage.desired.values())


def test_more_load_can_mean_fewer_machines_as_the_page_admits() -> None:
    less, more = EXAMPLES
    assert (less.toml, less.rows[0]) == (more.toml, more.rows[0])
    assert less.rows[1].metrics["queue"] == "ord 10, ams 20"
    assert more.rows[1].metrics["queue"] == "ord 10, ams 40"
    assert (played(less), played(more)) == (10, 8)


@pytest.mark.parametrize(
    "change",
    [
        ('ams = "0..10"', 'ams = "4..10"'),
        ("rules = [", 'rules = [{ expression = "queue > 15 ? 4 : 0" }, '),
    ],
)
def test_a_higher_minimum_and_one_rule_more_do_the_same(change: tuple[str, str]) -> None:
    less = EXAMPLES[0]
    changed = Stage(policy=policy_of(less.toml.replace(*change)))
    for row in less.rows:
        for at in row.times:
            changed.play(row, at)
    assert desired(changed) < played(less)
