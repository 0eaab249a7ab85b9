"""A file that cannot be read or parsed is one sentence that says where and why."""

from pathlib import Path

import pytest

from tests.service.configurations import PROCESS, faults


def sentence(path: Path | str) -> str:
    [fault] = faults({**PROCESS, "AUTOSCALER_CONFIG": str(path)})
    return str(fault)


@pytest.mark.parametrize(
    ("toml", "place"),
    [
        ("interval =", "line 1, column 11"),
        ("[daemon]\ninterval = 15s", "line 2, column 14"),
        ("[daemon]\n[daemon]\n", "line 2, column 8"),
        ('x = "abc', "line 1, column 9"),
        ("x = [\n1,\n", "line 3, column 1"),
    ],
)
def test_a_mistake_in_the_syntax_is_told_with_line_and_column(tmp_path: Path, toml: str, place: str) -> None:
    path = tmp_path / "autoscaler.toml"
    path.write_text(toml, encoding="utf-8")
    assert sentence(path).startswith(f"{path}: {place} is not TOML (")
    assert "\n" not in sentence(path)


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    assert sentence(tmp_path) == f"{tmp_path}: is a directory; let AUTOSCALER_CONFIG name a file"


def test_a_file_below_a_file_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch()
    assert sentence(path / "deeper").startswith(f"{path}/deeper: cannot be read (Not a directory); correct")


def test_bytes_that_are_no_text_are_told_with_their_place(tmp_path: Path) -> None:
    path = tmp_path / "autoscaler.toml"
    path.write_bytes(b"x = '\xff'")
    assert sentence(path) == f"{path}: is not UTF-8 at byte 5; save it as UTF-8"


def test_an_enormous_file_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "autoscaler.toml"
    with path.open("wb") as file:
        file.truncate(5_000_000)
    assert sentence(path) == f"{path}: is too large; a configuration has at most 4 MB"


def test_an_empty_path_is_no_path() -> None:
    assert sentence("") == "AUTOSCALER_CONFIG: is empty; set it to the path of a TOML file or take it away"
