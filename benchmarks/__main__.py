"""`python -m benchmarks`: measure, and print one table."""

import argparse
import sys
from collections.abc import Sequence

from benchmarks import creates, deciding, first_tick, memory, starts, steady, version
from benchmarks.progress import Progress
from benchmarks.rows import Benchmark, MismeasuredError, Row
from benchmarks.table import listing, show

ALL = (
    Benchmark(name="version", goals=(version.VERSION,), run=version.run),
    Benchmark(name="first-tick", goals=(first_tick.FIRST_TICK,), run=first_tick.run),
    Benchmark(name="starts", goals=(starts.STARTS,), run=starts.run),
    Benchmark(name="creates", goals=(creates.CREATES,), run=creates.run, slow=True),
    Benchmark(
        name="decide", goals=(deciding.MEDIAN, deciding.NINETY_NINE, deciding.A_WEEK), run=deciding.run
    ),
    Benchmark(name="steady", goals=(steady.CPU, steady.STALL), run=steady.run),
    Benchmark(name="memory", goals=(memory.RESIDENT, memory.GROWTH), run=memory.run),
    Benchmark(name="pools", goals=(memory.MANY,), run=memory.run_pools),
)
NAMES = tuple(benchmark.name for benchmark in ALL)


def main(arguments: Sequence[str]) -> int:
    """The exit code: 1 if anything could not be measured. A target that is missed is told, not punished."""
    asked = _asked(arguments)
    chosen = [
        one for one in ALL if one.name in asked.names or (not asked.names and (asked.slow or not one.slow))
    ]
    if asked.list:
        print(listing(chosen if asked.names else ALL))
        return 0
    rows: list[Row] = []
    failures = []
    for benchmark in chosen:
        progress = Progress(benchmark.name)
        progress.tell("begins")
        try:
            rows += benchmark.run(asked.quick, progress)
        except MismeasuredError as error:
            failures.append(f"{benchmark.name}: {error}")
        progress.done()
    show(rows)
    for failure in failures:
        print(f"not measured: {failure}", file=sys.stderr)
    return 1 if failures else 0


def _asked(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Speed and size: each figure beside a baseline of the same run, and its target.",
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"only these of: {', '.join(NAMES)}")
    parser.add_argument("--list", action="store_true", help="name every row of the table and measure nothing")
    parser.add_argument("--slow", action="store_true", help="also what takes most of a minute by its nature")
    parser.add_argument(
        "--quick", action="store_true", help="fewer Machines, ticks and rounds: a rough picture"
    )
    asked = parser.parse_args(arguments)
    if unknown := sorted(set(asked.names) - set(NAMES)):
        parser.error(f"no benchmark {', '.join(unknown)}; there are {', '.join(NAMES)}")
    return asked


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
