"""Dockerfile and .dockerignore are read as a builder reads them."""

import pytest

from scripts.image.dockerfile import expand, ignore_patterns, ignored, parse
from scripts.image.errors import ExerciseError

WHITELIST = ignore_patterns("# only this\n*\n!autoscaler\n!README.md\n**/__pycache__\n**/*.pyc\n")


def test_continued_lines_are_one_instruction_and_comments_none() -> None:
    text = "# first\nFROM python:3.13\n\nRUN one \\\n # between\n && two\n"
    assert [(step.keyword, step.rest, step.line) for step in parse(text)] == [
        ("FROM", "python:3.13", 2),
        ("RUN", "one && two", 4),
    ]


def test_options_come_before_words() -> None:
    options, words = parse('COPY --from=build "/opt/a b" ./')[0].words()
    assert (options, words) == ({"from": "build"}, ["/opt/a b", "./"])


def test_a_command_is_the_array_after_any_options() -> None:
    step = parse('HEALTHCHECK --interval=5s CMD ["python", "-c", "import os"]')[0]
    assert step.command() == ["python", "-c", "import os"]


def test_a_command_for_a_shell_is_refused() -> None:
    with pytest.raises(ExerciseError, match="line 1: CMD is not in exec form"):
        parse("CMD autoscaler run")[0].command()


def test_variables_are_put_in_and_an_unknown_one_is_empty() -> None:
    assert expand("/opt/bin:$PATH:${HOME}$NONE", {"PATH": "/bin", "HOME": "/h"}) == "/opt/bin:/bin:/h"


@pytest.mark.parametrize(
    ("path", "out"),
    [
        ("autoscaler", False),
        ("autoscaler/domain/fleet.py", False),
        ("README.md", False),
        ("tests", True),
        (".env", True),
        ("autoscaler/__pycache__", True),
        ("autoscaler/domain/__pycache__/fleet.pyc", True),
        ("autoscaler/stale.pyc", True),
    ],
)
def test_the_last_line_that_matches_decides_what_stays_out(path: str, out: bool) -> None:
    assert ignored(path, WHITELIST) is out
