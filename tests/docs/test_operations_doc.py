"""Every statement of docs/operations.md names the tests that back it, and these exist."""

import ast
import re
from pathlib import Path

import pytest

REFERENCE = re.compile(r"([\w/]+/test_\w+\.py)::(\w+)")
BACKING = re.compile(r"<!--(.*?)-->", re.DOTALL)
BACKED_CHAPTERS = ("What it never does", "What it does in trouble", "How to take Machines out of its hands")


def chapters(root: Path) -> dict[str, str]:
    text = (root / "docs" / "operations.md").read_text(encoding="utf-8")
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def statements(chapter: str) -> list[str]:
    """Bullets with their continuation lines, and rows of tables without their heads."""
    bullets = re.findall(r"^- .*?(?=^- |\Z|^\n)", chapter, flags=re.MULTILINE | re.DOTALL)
    rows = re.findall(r"^\|.*$", chapter, flags=re.MULTILINE)[2:]
    return [*bullets, *rows]


def names_in(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    kinds = ast.FunctionDef | ast.AsyncFunctionDef
    return {node.name for node in ast.walk(tree) if isinstance(node, kinds) and node.name.startswith("test_")}


@pytest.mark.parametrize("title", BACKED_CHAPTERS)
def test_every_statement_is_backed_by_tests_that_exist(root: Path, title: str) -> None:
    found = statements(chapters(root)[title])
    assert len(found) >= 4
    for statement in found:
        named = [pair for comment in BACKING.findall(statement) for pair in REFERENCE.findall(comment)]
        assert named, f"nothing backs: {statement}"
        for file, test in named:
            assert test in names_in(root / "tests" / file), f"{file} has no {test}"


def test_every_mark_it_leaves_is_listed(root: Path) -> None:
    source = (root / "autoscaler" / "reconcile" / "marks.py").read_text(encoding="utf-8")
    written = set(re.findall(r'"(autoscaler(?:_\w+)?)"', source)) - {
        "autoscaler_protect",
        "autoscaler_busy_until",
    }
    listed = set(re.findall(r"`(autoscaler\w*)`", chapters(root)["Marks it leaves on Machines"]))
    assert listed == written
