"""How long one decision takes, beside the bare arithmetic, and a week of them."""

import statistics

from benchmarks.decide import TICK_S, WEEK, a_pool, baseline, loads, percentile, replay
from benchmarks.progress import Progress
from benchmarks.rows import Goal, Row

WARM = 200
TICKS, QUICK_TICKS = 6_000, 2_000
QUICK_WEEK = WEEK // 7
BARE = "ceil(value / target) per region"

MEDIAN = Goal(
    what="`decide`, median: 3 regions, 3 rules, a schedule, full windows", beside=BARE, unit="us", most=50.0
)
NINETY_NINE = Goal(what="`decide`, 99th percentile of the same", beside=BARE, unit="us", most=200.0)
A_WEEK = Goal(what=f"a week of {TICK_S:.0f} s ticks through `decide`", beside=BARE, unit="s", most=3.0)


def run(quick: bool, progress: Progress) -> list[Row]:
    progress.tell("single decisions")
    answers = loads(a_pool(), QUICK_TICKS if quick else TICKS)
    mine, bare = replay(a_pool(), answers)[WARM:], baseline(answers)[WARM:]
    progress.tell("a week of decisions")
    week = loads(a_pool(), QUICK_WEEK if quick else WEEK)
    return [
        Row(goal=MEDIAN, ours=statistics.median(mine), baseline=statistics.median(bare)),
        Row(goal=NINETY_NINE, ours=percentile(mine, 0.99), baseline=percentile(bare, 0.99)),
        Row(
            goal=A_WEEK,
            ours=sum(replay(a_pool(), week)) / 1e6,
            baseline=sum(baseline(week)) / 1e6,
            instead="a day" if quick else "",
        ),
    ]
