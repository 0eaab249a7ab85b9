"""The repository keeps the habits that can be checked, and each check sees what it is meant to see."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest

from tests.house import habits

LONG_FUNCTION = "def f():\n" + "    x = 1\n" * habits.FUNCTION_LINES


def sources(root: Path, *folders: str) -> Iterator[tuple[str, str]]:
    for path in sorted(chain.from_iterable((root / folder).rglob("*.py") for folder in folders)):
        yield path.relative_to(root).as_posix(), path.read_text(encoding="utf-8")


@pytest.mark.timeout(60)  # it reads every file there is
def test_code_is_in_small_pieces_without_stubs_patches_promises_or_unexplained_ignores(root: Path) -> None:
    files = list(sources(root, "autoscaler", "tests", "benchmarks", "scripts"))
    assert files
    assert [found for name, source in files for found in habits.complaints(name, source)] == []


def test_tests_never_sleep(root: Path) -> None:
    assert [found for name, source in sources(root, "tests") for found in habits.sleeps(name, source)] == []


def test_every_file_is_named_after_what_it_holds(root: Path) -> None:
    names = [name for name, _ in sources(root, "autoscaler", "tests", "benchmarks", "scripts")]
    assert [found for name in names for found in habits.vague(name)] == []


def test_every_package_states_its_charter_and_holds_no_code(root: Path) -> None:
    packages = sorted({path.parent for path in (root / "autoscaler").rglob("*.py")})
    found = []
    for package in packages:
        allowed = frozenset({"__version__"}) if package.name == "autoscaler" else frozenset[str]()
        init = package / "__init__.py"
        found += habits.charter(
            str(init.relative_to(root)), init.read_text(encoding="utf-8"), allowed=allowed
        )
    assert found == []


def test_values_of_the_domain_are_frozen_slotted_and_keyword_only_beyond_a_pair(root: Path) -> None:
    files = sources(root, "autoscaler/domain")
    assert [found for name, source in files for found in habits.loose_values(name, source)] == []


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("x = 1\n" * (habits.MODULE_LINES + 1), "m.py:1 has 301 lines, above 300"),
        (LONG_FUNCTION, "m.py:1 f has 46 lines, above 45"),
        ("raise NotImplementedError\n", "m.py:1 is a stub"),
        ("monkeypatch.setattr(a, 'b', 1)\n", "m.py:1 replaces parts of the program from outside"),
        ("from unittest.mock import patch\n", "m.py:1 replaces parts of the program from outside"),
        ("from unittest import mock\n", "m.py:1 replaces parts of the program from outside"),
        ("mock.patch('a')\n", "m.py:1 replaces parts of the program from outside"),
        ("@pytest.mark.skip\ndef f(): ...\n", "m.py:1 hides a gap behind a marker"),
        ("x = 1  # " + "TODO later\n", "m.py:1 promises instead of doing"),
        ("import x  # " + "noqa: F401\n", "m.py:1 silences a check without a reason"),
        ("f()  # type" + ": ignore[misc]\n", "m.py:1 silences a check without a reason"),
    ],
)
def test_a_bad_habit_is_seen(source: str, complaint: str) -> None:
    assert habits.complaints("m.py", source) == [complaint]


@pytest.mark.parametrize(
    "source",
    [
        "import x  # " + "noqa: F401 - importing it registers the codec\n",
        "f()  # type" + ": ignore[misc]  # the library ships a wrong stub\n",
        "x = 'TODO in a string is data'\n",
    ],
)
def test_a_good_habit_is_left_alone(source: str) -> None:
    assert habits.complaints("m.py", source) == []


def test_a_sleeping_test_is_seen() -> None:
    assert habits.sleeps("t.py", "import time\ntime.sleep(1)\n") == ["t.py:2 sleeps"]


@pytest.mark.parametrize(
    "source", ["", '"""Short."""\n', '"""One. Two."""\nimport os\n', '"""One. Two."""\nx = 1\n']
)
def test_a_missing_charter_or_code_beside_it_is_seen(source: str) -> None:
    assert habits.charter("p/__init__.py", source) != []


@pytest.mark.parametrize(
    ("decorator", "fields", "loose"),
    [
        ("@dataclass", 1, True),
        ("@dataclass(frozen=True)", 1, True),
        ("@dataclasses.dataclass(frozen=False, slots=True, kw_only=True)", 1, True),
        ("@dataclass(frozen=True, slots=True)", 3, True),
        ("@dataclass(frozen=True, slots=True)", 2, False),
        ("@dataclass(frozen=True, slots=True, kw_only=True)", 3, False),
        ("@final", 3, False),
    ],
)
def test_a_loose_value_is_seen(decorator: str, fields: int, loose: bool) -> None:
    body = "".join(f"    x{i}: int\n" for i in range(fields))
    assert bool(habits.loose_values("v.py", f"{decorator}\nclass V:\n{body}")) is loose


def test_a_vague_name_is_seen() -> None:
    assert habits.vague("autoscaler/utils/text.py") == ["autoscaler/utils/text.py is a vague name"]
    assert habits.vague("autoscaler/domain/fleet.py") == []
