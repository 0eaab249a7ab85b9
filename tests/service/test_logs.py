"""Log lines: JSON off a terminal, readable on one, and no secret in either."""

import io
import json
import logging

import pytest

from autoscaler.service import logs

SECRET = "topsecret-token-1"


class Terminal(io.StringIO):
    def isatty(self):
        return True


pytestmark = pytest.mark.usefixtures("untouched_logging")


@pytest.fixture
def stream():
    return io.StringIO()


def test_a_line_off_a_terminal_is_json_with_time_level_and_event_first(stream):
    logs.configure("info", None, [], stream=stream).info("tick.done", pool="shop", before={"ord": 1})
    line = json.loads(stream.getvalue())
    assert list(line)[:3] == ["at", "level", "event"]
    assert line["at"].endswith("Z")
    assert (line["level"], line["event"]) == ("info", "tick.done")
    assert (line["pool"], line["before"]) == ("shop", {"ord": 1})


def test_a_line_on_a_terminal_is_for_people_unless_json_is_asked_for():
    terminal = Terminal()
    logs.configure("info", None, [], stream=terminal).info("tick.done", pool="shop")
    assert "tick.done" in terminal.getvalue()
    assert not terminal.getvalue().startswith("{")
    terminal = Terminal()
    logs.configure("info", "json", [], stream=terminal).info("tick.done", pool="shop")
    assert json.loads(terminal.getvalue())["pool"] == "shop"


def test_console_can_be_asked_for_off_a_terminal_and_has_no_colours_there(stream):
    logs.configure("info", "console", [], stream=stream).info("tick.done", pool="shop")
    assert "tick.done" in stream.getvalue()
    assert "\x1b" not in stream.getvalue()


def test_less_important_lines_are_left_out(stream):
    log = logs.configure("warning", None, [], stream=stream)
    log.info("one")
    log.warning("two")
    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == ["two"]


@pytest.mark.parametrize("form", ["json", "console"])
def test_a_secret_is_masked_wherever_it_stands(stream, form):
    log = logs.configure("info", form, [f"{SECRET},other-part-2"], stream=stream)
    failure = ValueError(f"refused {SECRET}")
    log.error("x", error=str(failure), deep={"list": ["other-part-2"]}, exc_info=failure)
    logging.getLogger("library").warning("header %s", {"Authorization": f"Bearer {SECRET}"})
    assert "x" in stream.getvalue()
    assert "library" in stream.getvalue() or "header" in stream.getvalue()
    assert SECRET not in stream.getvalue()
    assert "other-part-2" not in stream.getvalue()


@pytest.mark.parametrize("form", ["json", "console"])
def test_a_secret_that_a_line_spells_in_another_way_is_masked_too(stream, form):
    log = logs.configure("info", form, ['pass"word\\1'], stream=stream)
    log.info("x", said='it was pass"word\\1')
    assert "word" not in stream.getvalue()
    assert "***" in stream.getvalue()


@pytest.mark.parametrize(
    "token", ["fm2_lJPECAAAAA", "fo1_lJPECAAAAA", "FlyV1 fm2_abc,fm2_def", "Bearer abcdef123456"]
)
def test_what_looks_like_a_token_is_masked_although_nobody_told_of_it(stream, token):
    logs.configure("info", None, [], stream=stream).info("x", said=f"your token {token} is expired")
    assert token not in stream.getvalue()
    assert json.loads(stream.getvalue())["said"] == "your token *** is expired"


def test_a_short_secret_does_not_blank_out_ordinary_words(stream):
    logs.configure("info", None, ["a", ""], stream=stream).info("tick.done", app="banana")
    assert json.loads(stream.getvalue())["app"] == "banana"


def test_an_exception_is_told_without_the_values_of_its_variables(stream):
    def fail(given):
        raise KeyError(len(given))

    log = logs.configure("info", None, [], stream=stream)
    try:
        fail("a value" * 3)
    except KeyError:
        log.exception("x")
    line = json.loads(stream.getvalue())
    assert "KeyError: 21" in line["exception"]
    assert "a valuea value" not in stream.getvalue()


def test_configuring_twice_writes_every_line_once(stream):
    logs.configure("info", None, [], stream=stream)
    logs.configure("info", None, [], stream=stream).info("once")
    assert len(stream.getvalue().splitlines()) == 1
