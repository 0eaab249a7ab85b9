"""The one table, for people and for a file."""

import os
import platform
import shutil
import sys
from collections.abc import Iterable, Iterator

from rich import box
from rich.console import Console
from rich.table import Table

from benchmarks.rows import Benchmark, Row

COLUMNS = ("what", "ours", "baseline", "ratio", "target", "met?")
WIDTH = 150
"""Where there is no terminal to tell."""
MET = {True: "yes", False: "NO", None: ""}


def show(rows: Iterable[Row]) -> None:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in COLUMNS:
        numeric = column in {"ours", "ratio", "target"}
        table.add_column(column, justify="right" if numeric else "left", no_wrap=column != "what")
    for row in rows:
        table.add_row(*_cells(row))
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else WIDTH
    console = Console(width=max(width, WIDTH), highlight=False, markup=False)
    console.print(table)
    console.print(_circumstances())


def listing(benchmarks: Iterable[Benchmark]) -> str:
    return "\n".join(line for benchmark in benchmarks for line in _entries(benchmark))


def _cells(row: Row) -> Iterator[str]:
    unit = row.goal.unit
    yield row.goal.what + (f" (quick: {row.instead})" if row.instead else "")
    yield _figure(row.ours, unit)
    yield f"{_figure(row.baseline, unit)} {row.goal.beside}"
    yield "" if row.ratio is None else f"{row.ratio:.3g}"
    yield "" if row.target is None else f"<= {_figure(row.target, unit)}"
    yield MET[row.met]


def _figure(value: float, unit: str) -> str:
    return f"{value:.3g} {unit}" if abs(value) < 100 else f"{value:.0f} {unit}"


def _circumstances() -> str:
    load = os.getloadavg()[0]
    busy = "; other work was running, so times are upper bounds" if load > (os.cpu_count() or 1) else ""
    python = f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"
    return f"{python}, {os.cpu_count()} CPUs, load {load:.1f}{busy}"


def _entries(benchmark: Benchmark) -> Iterator[str]:
    slow = " [slow]" if benchmark.slow else ""
    for goal in benchmark.goals:
        target = "" if goal.most is None else f", at most {_figure(goal.most, goal.unit)}"
        yield f"{benchmark.name + slow:15} {goal.what}{target}; beside: {goal.beside}"
