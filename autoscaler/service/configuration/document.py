"""Reading the TOML document, from its path or from the variable that holds its text."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autoscaler.domain.errors import ConfigurationError, Fault

PATH = "AUTOSCALER_CONFIG"
TEXT = "AUTOSCALER_CONFIG_TOML"
LARGEST_BYTES = 4_000_000
BYTE_ORDER_MARK = "\ufeff"

_PLACE = re.compile(r"\s*\(at (?:line (\d+), column (\d+)|end of document)\)$")


def read_document(environ: Mapping[str, str]) -> dict[str, Any] | None:
    """The parsed document, None if neither variable is set. Raises ConfigurationError."""
    if PATH in environ and TEXT in environ:
        raise _unreadable(f"{PATH}, {TEXT}", "both set", "keep the one that holds the configuration")
    if TEXT in environ:
        if not environ[TEXT].strip():
            raise _unreadable(TEXT, "is empty", "set it to the text of a TOML file or take it away")
        return _parse(TEXT, environ[TEXT])
    if PATH not in environ:
        return None
    if not environ[PATH].strip():
        raise _unreadable(PATH, "is empty", "set it to the path of a TOML file or take it away")
    return _parse(environ[PATH], _text_of(environ[PATH]))


def _text_of(path: str) -> str:
    try:
        with Path(path).open("rb") as file:
            content = file.read(LARGEST_BYTES + 1)
    except FileNotFoundError as error:
        raise _unreadable(path, "there is no such file", f"correct {PATH}") from error
    except IsADirectoryError as error:
        raise _unreadable(path, "is a directory", f"let {PATH} name a file") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a path"
        raise _unreadable(path, f"cannot be read ({reason})", f"correct {PATH} or the file's mode") from error
    if len(content) > LARGEST_BYTES:
        raise _unreadable(path, "is too large", "a configuration has at most 4 MB")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _unreadable(path, f"is not UTF-8 at byte {error.start}", "save it as UTF-8") from error


def _parse(source: str, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text.removeprefix(BYTE_ORDER_MARK))
    except RecursionError as error:
        raise _unreadable(
            source, "is nested too deeply", "nothing in it needs more than a few levels"
        ) from error
    except ValueError as error:
        raise _unreadable(source, _syntax(str(error), text), "correct the TOML there") from error


def _syntax(message: str, text: str) -> str:
    match = _PLACE.search(message)
    lines = text.split("\n")
    line, column = (match[1], match[2]) if match and match[1] else (len(lines), len(lines[-1]) + 1)
    what = _PLACE.sub("", message)
    return f"line {line}, column {column} is not TOML ({what[:1].lower()}{what[1:]})"


def _unreadable(path: str, problem: str, remedy: str) -> ConfigurationError:
    return ConfigurationError((Fault(path=path, problem=problem, remedy=remedy),))
