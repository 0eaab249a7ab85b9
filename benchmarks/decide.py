"""How long one decision takes, and whether that grows with what it should not grow with.

`python -m benchmarks.decide` prints a table. The load is a noisy day with bursts; the pool has three
regions, three rules (regional, utilization, pool-wide expression over two metrics), one schedule, steps
and windows in both directions. Baseline: the same demand without any damping, region or reason.
"""

import gc
import math
import random
import statistics
import time
from collections.abc import Mapping

from autoscaler.domain.desired import OPEN_GATE, Bounds, Decision
from autoscaler.domain.fleet import Fleet, RegionCount
from autoscaler.domain.geography import REGIONS
from autoscaler.domain.instant import Instant
from autoscaler.domain.names import AppName, MetricName, PoolName
from autoscaler.domain.pool import (
    Damping,
    Expression,
    PerMachine,
    Pool,
    RegionSpec,
    Schedule,
    Step,
    Utilization,
)
from autoscaler.domain.reading import Answer, Measured, Query, Split
from autoscaler.policy.decide import decide
from autoscaler.policy.memory import initial
from autoscaler.policy.rules import compile_pool

TICK_S = 15.0
WEEK = 7 * 24 * 240
MONDAY = 1_767_571_200.0

METRICS = ("queue", "cpu", "backlog", "oldest")

Answers = Mapping[MetricName, Answer]


def a_pool(regions: int = 3, window_s: float = 300.0) -> Pool:
    names = sorted(REGIONS)[:regions]
    return Pool(
        name=PoolName("bench"),
        app=AppName("bench"),
        regions={
            name: RegionSpec(bounds=Bounds(min=1, max=40), weight=1.0 + 0.5 * i)
            for i, name in enumerate(names)
        },
        total=Bounds(min=regions, max=40 * regions),
        metrics=tuple(Query(name=MetricName(name), promql=name) for name in METRICS),
        rules=(
            PerMachine(metric=MetricName("queue"), target=10.0),
            Utilization(metric=MetricName("cpu"), target=0.7),
            Expression(text="ceil(backlog / 10) + (oldest > 300 ? 2 : 0)"),
        ),
        spare=1,
        schedules=(
            Schedule(
                start="0 8 * * mon-fri",
                end="0 18 * * mon-fri",
                timezone="Europe/Berlin",
                regions=(names[0],),
                min=4,
            ),
        ),
        scale_in=Damping(window_s=window_s, step=Step(period_s=60.0, fraction=0.5)),
        scale_out=Damping(window_s=30.0, step=Step(period_s=15.0, fraction=1.0, count=4)),
    )


def loads(pool: Pool, ticks: int) -> list[Answers]:
    lots = random.Random(7)
    answers: list[Answers] = []
    for tick in range(ticks):
        day = 1.1 + math.sin(tick / 5760 * 2 * math.pi)
        burst = 2.0 if tick % 480 < 20 else 1.0
        queue = {
            region: Measured(value=lots.uniform(80, 120) * day * burst, age_s=15.0) for region in pool.regions
        }
        cpu = {region: Measured(value=lots.uniform(0.35, 0.7), age_s=15.0) for region in pool.regions}
        answers.append(
            {
                MetricName("queue"): Split(by_label=queue),
                MetricName("cpu"): Split(by_label=cpu),
                MetricName("backlog"): Measured(value=lots.uniform(250, 400) * day * burst),
                MetricName("oldest"): Measured(value=lots.uniform(0, 600)),
            }
        )
    return answers


def replay(pool: Pool, answers: list[Answers], *, aloud: bool = False) -> list[float]:
    """Microseconds per decision, the fleet following at once. `aloud`: with every explanation read."""
    gc.collect()
    gc.freeze()
    policy = compile_pool(pool)
    counts = {region: RegionCount(running=9, ready=9, capacity=9) for region in pool.regions}
    fleet = Fleet(by_region=counts)
    memory = initial(policy, fleet, Instant(wall=MONDAY, mono=0.0), hold=False)
    taken = []
    for tick, answer in enumerate(answers):
        now = Instant(wall=MONDAY + TICK_S * tick, mono=TICK_S * tick)
        began = time.thread_time()
        decision, memory = decide(policy, answer, fleet, OPEN_GATE, memory, now)
        if aloud:
            _read(decision)
        taken.append((time.thread_time() - began) * 1e6)
        if tick % 4 == 0:
            counts = {
                region: RegionCount(running=count, ready=count, capacity=count, stopped=40 - count)
                for region, count in decision.desired.items()
            }
            fleet = Fleet(by_region=counts)
    return taken


def _read(decision: Decision) -> int:
    return len(decision.metrics) + sum(len(entry.reasons) for entry in decision.regions.values())


def baseline(answers: list[Answers]) -> list[float]:
    """Microseconds for the bare arithmetic of one regional rule in three regions."""
    taken = []
    for answer in answers:
        began = time.thread_time()
        split = answer[MetricName("queue")]
        if isinstance(split, Split):
            for reading in split.by_label.values():
                if isinstance(reading, Measured):
                    math.ceil(reading.value / 10.0)
        taken.append((time.thread_time() - began) * 1e6)
    return taken


def percentile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def main() -> None:
    answers = loads(a_pool(), 6000)
    print(f"bare arithmetic       median {statistics.median(baseline(answers)):6.1f} us")
    tell("3 regions, 3 rules", replay(a_pool(), answers)[200:])
    tell("every Reason read", replay(a_pool(), answers, aloud=True)[200:])
    for regions in (1, 6, 12):
        pool = a_pool(regions)
        tell(f"{regions} regions", replay(pool, loads(pool, 2000))[200:])
    for window_s in (60.0, 3600.0, 86_400.0):
        tell(f"window of {window_s:.0f} s", replay(a_pool(window_s=window_s), answers)[2000:])


def tell(what: str, taken: list[float]) -> None:
    print(f"{what:<21} median {statistics.median(taken):6.1f} us   p99 {percentile(taken, 0.99):6.1f} us")


if __name__ == "__main__":
    main()
