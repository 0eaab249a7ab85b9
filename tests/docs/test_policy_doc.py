"""The page about the policy: its worked examples come out as written, its reasons are all there are."""

import ast
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import chain
from pathlib import Path

import pytest

from autoscaler.domain.desired import Decision
from autoscaler.domain.errors import ConfigurationError
from autoscaler.domain.names import Region
from autoscaler.domain.outcome import Refused
from autoscaler.domain.reason import Number, Reason, ReasonCode, figure
from autoscaler.reconcile.ledger import EMPTY
from autoscaler.reconcile.recording import CODES, record
from tests.docs.policy_page import Example, Row, Told, chains, codes, examples, reasons, refusals, text
from tests.docs.policy_stage import Stage, machines, policy_of
from tests.reconcile.samples import a_pool, create, so
from tests.reconcile.samples import at as moment

ROOT = Path(__file__).resolve().parents[2]
PAGE = text(ROOT)
EXAMPLES = examples(PAGE)
USUAL = {
    "regions": '{ ord = "0..10" }',
    "metrics": '{ queue = "sum(queue_depth)" }',
    "rules": '[{ metric = "queue", per_machine = 10 }]',
}

Shape = tuple[str, ...]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.title)
def test_every_worked_example_comes_out_as_written(example: Example) -> None:
    stage = Stage(policy=policy_of(example.toml))
    for row in example.rows:
        for at in row.times:
            decision = stage.play(row, at)
            compare(row, decision, stage, f"{example.title}, {row.cells['time']}")


def test_there_is_an_example_under_every_heading_of_a_feature() -> None:
    features = re.findall(r"^### (.+)$", PAGE, flags=re.MULTILINE)
    assert len(features) > 25
    assert {example.title for example in EXAMPLES} == set(features)


@pytest.mark.parametrize(("keys", "place"), refusals(PAGE))
def test_what_the_page_calls_refused_is_refused_there(keys: str, place: str) -> None:
    replaced = {line.split(" = ", 1)[0] for line in keys.splitlines()}
    usual = [f"{key} = {value}" for key, value in USUAL.items() if key not in replaced]
    with pytest.raises(ConfigurationError) as caught:
        policy_of("\n".join([*usual, keys]))
    assert [fault.path for fault in caught.value.faults] == [f"pools.shop.{place}"]
    assert caught.value.faults[0].remedy or "at character" in caught.value.faults[0].problem


def test_the_table_of_reasons_has_every_code_in_the_order_of_the_source() -> None:
    assert [entry.code for entry in codes(PAGE)] == [code.value for code in ReasonCode]


@pytest.mark.parametrize("entry", codes(PAGE), ids=lambda entry: entry.code)
def test_every_code_is_shown_with_the_numbers_it_is_given(entry) -> None:
    shown = {tuple(told.numbers) for told in entry.shapes}
    assert all(told.code == entry.code for told in entry.shapes)
    if entry.code == ReasonCode.RULE:
        called = {names for code, names in in_source() if code == entry.code}
        assert called <= shown <= given()[entry.code]
    else:
        assert shown == given()[entry.code]


def compare(row: Row, decision: Decision, stage: Stage, where: str) -> None:
    only = stage.policy.regions[0]
    demanded = {region: entry.demand for region, entry in decision.regions.items()}
    assert machines(row.cells["desired"], only) == dict(decision.desired), where
    if row.cells["demand"]:
        assert machines(row.cells["demand"], only) == demanded, where
    if row.cells["why"]:
        for region, chain in chains(row.cells["why"], only).items():
            assert matches(chain, decision.regions[Region(region)].reasons), (
                f"{where}: {decision.regions[Region(region)].reasons}"
            )
    if row.cells["warnings"]:
        assert matches(list(reasons(row.cells["warnings"])), decision.warnings), (
            f"{where}: {decision.warnings}"
        )


def matches(told: list[Told | None], whys: tuple[Reason, ...]) -> bool:
    """Whether the Reasons are those that the page tells, where None stands for any number of them."""
    if not told:
        return not whys
    first, *rest = told
    if first is None:
        return any(matches(rest, whys[skipped:]) for skipped in range(len(whys) + 1))
    return bool(whys) and agrees(first, whys[0]) and matches(rest, whys[1:])


def agrees(told: Told, why: Reason) -> bool:
    numbers = {name: written(value) for name, value in why.numbers}
    return told.code == why.code and told.numbers.items() <= numbers.items()


def names_in(why: Reason) -> Shape:
    return tuple(name for name, _ in why.numbers)


def written(value: Number) -> str:
    return figure(value) if isinstance(value, float) else str(value)


@lru_cache(maxsize=1)
def given() -> Mapping[str, set[Shape]]:
    """Per code, the names of the numbers it is given: in the source, in every worked example, by refusals."""
    found: dict[str, set[Shape]] = {}
    for code, names in (*in_source(), *in_examples(), *in_refusals()):
        found.setdefault(code, set()).add(names)
    return found


def in_source() -> Iterator[tuple[str, Shape]]:
    """Every Reason that the program makes by a call which names its code and its numbers."""
    for path in sorted((ROOT / "autoscaler").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "reason":
                code = re.fullmatch(r"ReasonCode\.(\w+)", ast.unparse(node.args[0]))
                if code:
                    yield ReasonCode[code[1]].value, tuple(word.arg or "" for word in node.keywords)


def in_examples() -> Iterator[tuple[str, Shape]]:
    for example in EXAMPLES:
        stage = Stage(policy=policy_of(example.toml))
        for row in example.rows:
            for decision in (stage.play(row, at) for at in row.times):
                chains_of_all = (entry.reasons for entry in decision.regions.values())
                for why in (*chain.from_iterable(chains_of_all), *decision.warnings):
                    yield why.code.value, names_in(why)


def in_refusals() -> Iterator[tuple[str, Shape]]:
    for refusal, code in CODES.items():
        outcome = so(create(1, volume="vol"), Refused(refusal=refusal))
        ledger = record(EMPTY, a_pool(), [outcome], homes={}, now=moment(0.0))
        kept = (*ledger.parked.values(), *ledger.passed_volumes.values())
        assert kept
        for entry in kept:
            assert entry.reason.code is code
            yield code.value, names_in(entry.reason)
