"""A file has several pools, and keys that the environment has not."""

import pytest

from autoscaler.domain.desired import Bounds
from autoscaler.domain.pool import (
    AbsentAction,
    Budget,
    Elsewhere,
    Expression,
    Leave,
    PerMachine,
    Pool,
    RegionSpec,
    Schedule,
    Spill,
    Step,
    Utilization,
    Volumes,
)
from autoscaler.domain.reading import Query
from autoscaler.service.settings import load
from tests.service.configurations import POOL_TABLE, file_environment, one_pool

FULL = """
[pools.shop-worker]
app     = "shop-worker"
group   = "worker"
regions = { ord = "1..10", ams = { range = "0..5", weight = 2 } }
total   = "2..12"
create  = true
leave   = "destroy"
reserve = 1
volumes = "reuse"
busy    = 'max by (instance) (jobs_running{app="$app"})'
drain   = "1h"
force   = true
spare   = 1
headroom = "20%"
on_absent = 3
failures = 5
allow_in = true
elsewhere = "ignore"
spill = "off"
budget = "10/10m"
scale_in = { window = "10m", step = "100% or 4/15s" }
scale_out.step = "4/15s"

rules = [
  { query = 'max by (at) (depth{app="$app"})', region_label = "at", per_machine = 10, missing = 0 },
  { expression = "ceil(backlog / 10) + (oldest > 300 ? 2 : 0)" },
  { metric = "backlog", utilization = 0.7, tolerance = 0.2 },
]

[pools.shop-worker.metrics]
backlog = 'max(queue_depth{app="$app"})'
oldest  = { query = 'max(oldest{app="$app"})', missing = 0, max_age = "5m", age_query = 'age{app="$app"}' }

[[pools.shop-worker.schedules]]
start = "0 8 * * mon-fri"
end = "0 18 * * mon-fri"
timezone = "Europe/Berlin"
regions = ["ams"]
min = 2
"""


METRICS = (
    Query(name="backlog", promql='max(queue_depth{app="shop-worker"})'),
    Query(
        name="oldest",
        promql='max(oldest{app="shop-worker"})',
        missing=0.0,
        max_age_s=300.0,
        age_promql='age{app="shop-worker"}',
    ),
    Query(
        name="rules[0]",
        promql='max by (at) (depth{app="shop-worker"})',
        label="at",
        missing=0.0,
    ),
)

BUSY = Query(
    name="busy",
    promql='max by (instance) (jobs_running{app="shop-worker"})',
    label="instance",
    by_region=False,
)


def test_every_key_of_a_pool_arrives() -> None:
    [pool] = load(file_environment(FULL)).pools
    assert pool == Pool(
        name="shop-worker",
        app="shop-worker",
        group="worker",
        regions={
            "ord": RegionSpec(bounds=Bounds(min=1, max=10)),
            "ams": RegionSpec(bounds=Bounds(min=0, max=5), weight=2.0),
        },
        total=Bounds(min=2, max=12),
        leave=Leave.DESTROY,
        reserve=1,
        volumes=Volumes.REUSE,
        busy=BUSY,
        drain_s=3600.0,
        force=True,
        spare=1,
        headroom=0.2,
        on_absent=3,
        failures=5,
        allow_in=True,
        elsewhere=Elsewhere.IGNORE,
        spill=Spill.OFF,
        budget=Budget(count=10, window_s=600.0),
        scale_in=pool.scale_in,
        scale_out=pool.scale_out,
        metrics=METRICS,
        rules=(
            PerMachine(metric="rules[0]", target=10.0),
            Expression(text="ceil(backlog / 10) + (oldest > 300 ? 2 : 0)"),
            Utilization(metric="backlog", target=0.7, tolerance=0.2),
        ),
        schedules=(
            Schedule(
                start="0 8 * * mon-fri",
                end="0 18 * * mon-fri",
                timezone="Europe/Berlin",
                regions=("ams",),
                min=2,
            ),
        ),
    )


def test_damping_of_both_directions_arrives() -> None:
    [pool] = load(file_environment(FULL)).pools
    assert (pool.scale_in.window_s, pool.scale_in.step) == (600.0, Step(period_s=15.0, fraction=1.0, count=4))
    assert (pool.scale_out.window_s, pool.scale_out.step) == (0.0, Step(period_s=15.0, count=4))


def test_pools_keep_the_order_of_the_file() -> None:
    toml = POOL_TABLE + POOL_TABLE.replace("pools.shop", "pools.another").replace(
        "shop-worker", "another-app"
    )
    assert [pool.name for pool in load(file_environment(toml)).pools] == ["shop", "another"]


def test_a_pool_of_matching_machines_has_no_group() -> None:
    [pool] = load(one_pool('match = { role = "room" }')).pools
    assert (pool.match, pool.group) == ({"role": "room"}, "")


def test_on_absent_takes_words_and_numbers() -> None:
    [pool] = load(one_pool('on_absent = "max"')).pools
    assert pool.on_absent is AbsentAction.MAX


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('group = "a"', 'group = "b"'),
        ('match = { role = "a" }', 'match = { role = "b" }'),
        ("", 'group = "b"'),
    ],
)
def test_pools_of_one_app_may_differ_in_group_or_match(one: str, other: str) -> None:
    toml = f"{POOL_TABLE}{one}\n{POOL_TABLE.replace('pools.shop', 'pools.second')}{other}"
    assert len(load(file_environment(toml)).pools) == 2


def test_every_pool_has_the_sums_of_its_own_regions_as_total() -> None:
    toml = POOL_TABLE + '[pools.idle]\napp = "idle"\nregions.lhr = "0..0"\nrules = [{ expression = "0" }]\n'
    first, second = load(file_environment(toml)).pools
    assert first.bounds == Bounds(min=1, max=15)
    assert second.bounds == Bounds(min=0, max=0)
