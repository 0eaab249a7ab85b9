"""docs/policy.md as data: its worked examples, each a pool and its ticks, and its table of reason codes.

A worked example is a fenced `toml` block, the keys of a pool without `app`, and the table that follows it,
one tick per row. The page itself explains the columns to its readers.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from autoscaler.service.configuration.notation import seconds

HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
EXAMPLE = re.compile(r"^```toml\n(?P<toml>(?:.*\n)*?)```\n\n(?P<table>(?:\|.*\n)+)", re.MULTILINE)
CODES = re.compile(r"^\| `(?P<code>\w+)` \| (?P<meaning>.+?) \| (?P<shapes>.*)\|$", re.MULTILINE)
REFUSAL = re.compile(r"^\| (?P<keys>`.+`) \| `(?P<place>[^`]+)` \|$", re.MULTILINE)
CODE_SECTION = "Every reason"
REFUSAL_SECTION = "What is refused at start"
EXPECTED = ("desired", "demand", "why", "warnings")
GIVEN = ("time", "fleet", "event", *EXPECTED)
ANYTHING = "…"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A documented Reason: its code and those of its numbers that the page shows, as text."""

    code: str
    numbers: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row: the seconds at which it ticks, on the clock that `absolute` says, and its other cells."""

    times: tuple[float, ...]
    absolute: bool
    metrics: Mapping[str, str]
    cells: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A pool's keys and its ticks."""

    title: str
    toml: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """One line of the table of reason codes. `shapes` are examples of its numbers."""

    code: str
    meaning: str
    shapes: tuple[Told, ...]


def text(root: Path) -> str:
    """The page."""
    return (root / "docs" / "policy.md").read_text(encoding="utf-8")


def examples(page: str) -> tuple[Example, ...]:
    """Every worked example, named after the heading it stands under."""
    found = []
    for match in EXAMPLE.finditer(page):
        title = HEADING.findall(_without_code(page[: match.start()]))[-1]
        found.append(Example(title=title, toml=match["toml"], rows=tuple(_rows(match["table"].splitlines()))))
    return tuple(found)


def refusals(page: str) -> tuple[tuple[str, str], ...]:
    """Keys of a pool, as lines of TOML, and the place at which they are refused."""
    section = page.split(f"## {REFUSAL_SECTION}\n", 1)[1].split("\n## ", 1)[0]
    return tuple(
        ("\n".join(re.findall(r"`([^`]+)`", match["keys"])), match["place"])
        for match in REFUSAL.finditer(section)
    )


def codes(page: str) -> tuple[Code, ...]:
    """The table of reason codes, in its order."""
    section = page.split(f"## {CODE_SECTION}\n", 1)[1]
    return tuple(
        Code(code=match["code"], meaning=match["meaning"], shapes=tuple(reasons(match["shapes"])))
        for match in CODES.finditer(section)
    )


def reasons(cell: str) -> Iterator[Told]:
    """The Reasons between backticks."""
    for quoted in re.findall(r"`([^`]+)`", cell):
        code, *_ = quoted.split()
        yield Told(code=code, numbers=dict(re.findall(r"(\w+)=(\S+)", quoted)))


def chains(cell: str, only: str) -> dict[str, list[Told | None]]:
    """Reasons per region: `ord: a, b; ams: c`, or without a region's name those of `only`.

    None stands for any number of Reasons that are not shown.
    """
    found = {}
    for part in cell.split("; "):
        region, colon, rest = part.partition(": ")
        named = colon and "`" not in region
        chain = [
            None if item == ANYTHING else next(reasons(item))
            for item in re.findall(rf"`[^`]+`|{ANYTHING}", rest if named else part)
        ]
        found[region if named else only] = chain
    return found


def _without_code(page: str) -> str:
    return re.sub(r"^```.*?^```$", "", page, flags=re.MULTILINE | re.DOTALL)


def _rows(lines: list[str]) -> Iterator[Row]:
    head = _cells(lines[0])
    for line in lines[2:]:
        cells = dict(zip(head, _cells(line), strict=True))
        times, absolute = _times(cells["time"])
        yield Row(
            times=times,
            absolute=absolute,
            metrics={name: cell for name, cell in cells.items() if name not in GIVEN},
            cells={name: cells.get(name, "") for name in GIVEN},
        )


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]


def _times(cell: str) -> tuple[tuple[float, ...], bool]:
    """`1m30s`, `15s to 5m` (every 15 s, both ends included) or `2026-03-29 01:00 UTC`."""
    if cell.endswith(" UTC"):
        return (datetime.fromisoformat(cell.replace(" UTC", "+00:00")).timestamp(),), True
    first, _, last = cell.partition(" to ")
    begin = seconds(first)
    end = seconds(last) if last else begin
    if begin is None or end is None:
        raise ValueError(f"{cell!r} is no time")
    return tuple(float(at) for at in range(int(begin), int(end) + 1, 15)), False
