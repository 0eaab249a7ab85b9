"""How long the shortest command takes, which is how long any command takes before it does anything."""

from benchmarks.processes import BARE, PROGRAM, medians, seconds
from benchmarks.progress import Progress
from benchmarks.rows import Goal, Row

ROUNDS = 9
QUICK_ROUNDS = 3

VERSION = Goal(what="`autoscaler version`", beside="`python -c pass`", unit="s", most=0.3)


def run(quick: bool, progress: Progress) -> list[Row]:
    def ours() -> float:
        progress.tell("starting both in turn")
        return seconds((*PROGRAM, "version"))

    rounds = QUICK_ROUNDS if quick else ROUNDS
    mine, baseline = medians((ours, lambda: seconds(BARE)), rounds)
    return [Row(goal=VERSION, ours=mine, baseline=baseline)]
