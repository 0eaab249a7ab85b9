"""A pool as an operator declares it: every key, with its meaning and default."""

from typing import Annotated

from pydantic import BeforeValidator, Field, PlainValidator

from autoscaler.domain.desired import Bounds
from autoscaler.domain.pool import AbsentAction, Budget, Step
from autoscaler.service.configuration.declaration import Model, setting
from autoscaler.service.configuration.metric_tables import (
    METRIC_NAME,
    MetricTable,
    RuleTable,
    as_query,
)
from autoscaler.service.configuration.notation import (
    DAY_S,
    MOST_MACHINES,
    Duration,
    DurationOrForever,
    parse_bounds,
    parse_budget,
    parse_fraction,
    parse_step,
)
from autoscaler.service.configuration.regions import RegionTable, as_range, parse_region
from autoscaler.service.configuration.scalars import choice, flag, leaf, text, whole
from autoscaler.service.configuration.schedule_table import ScheduleTable
from autoscaler.service.configuration.spelling import MistakeError
from autoscaler.service.configuration.templates import parse_query

POOL_NAME = text(
    r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}",
    "a pool name",
    "write up to 63 letters, digits, dots, dashes, underscores",
)
APP_NAME = text(r"[a-z0-9][a-z0-9_-]{0,62}", "an app name", "write small letters, digits and dashes")
GROUP_NAME = text(
    r"""[^\s"'`\\{}$,=]{0,63}""", "a process group", "write its name as in fly.toml's [processes]"
)
MACHINES = whole(0, MOST_MACHINES)


def parse_on_absent(value: object) -> AbsentAction | int:
    """`hold`, `min`, `max` or a number of Machines. Raises MistakeError."""
    if not isinstance(value, str) or value.removeprefix("-").isdigit():
        return MACHINES(value)
    try:
        return AbsentAction(choice(*AbsentAction)(value))
    except MistakeError as mistake:
        raise MistakeError(mistake.problem, f"{mistake.remedy}, or a number of Machines") from mistake


class ScaleInTable(Model):
    """How going in is slowed down."""

    window: Annotated[float, leaf(Duration(0, DAY_S))] = setting(
        "5m",
        meaning="In only to the highest demand of this long, up to 1d.",
        reason="Stopping too early costs more than five minutes of a Machine.",
        example='"5m"',
        variable="AUTOSCALER_SCALE_IN_WINDOW",
    )
    step: Annotated[Step | None, leaf(parse_step)] = setting(
        "50%/1m",
        meaning="At most so much fewer Machines per period and region.",
        reason="A wrong number halves a fleet instead of ending it.",
        example='"100% or 4/15s"',
        variable="AUTOSCALER_SCALE_IN_STEP",
    )


class ScaleOutTable(Model):
    """How going out is slowed down."""

    window: Annotated[float, leaf(Duration(0, DAY_S))] = setting(
        "0s",
        meaning="Out only to the lowest demand of this long, up to 1d.",
        reason="Load is served at once.",
        example='"30s"',
        variable="AUTOSCALER_SCALE_OUT_WINDOW",
    )
    step: Annotated[Step | None, leaf(parse_step)] = setting(
        "none",
        meaning="At most so much more Machines per period and region.",
        reason="The bounds are the limit.",
        example='"100% or 4/15s"',
        variable="AUTOSCALER_SCALE_OUT_STEP",
    )


class PoolTable(Model):
    """The Machines of one app in one process group, and how they scale."""

    app: Annotated[str, leaf(APP_NAME)] = setting(
        meaning="Target app. In the environment also the pool's name.",
        reason="Nobody can guess it.",
        example='"shop-worker"',
        variable="AUTOSCALER_APP",
    )
    group: Annotated[str, PlainValidator(GROUP_NAME)] = setting(
        "app",
        meaning="Process group; empty means Machines without a group.",
        reason="What `fly deploy` calls the group of an app that declares none.",
        example='"worker"',
        variable="AUTOSCALER_GROUP",
    )
    match: dict[str, Annotated[str, leaf(text(r"(?s:.{1,1000})", "a text", "put it between quotes"))]] = (
        setting(
            factory=dict,
            meaning="Instead of `group`: the metadata that a Machine must carry to belong to the pool.",
            reason="For Machines that no `fly deploy` made.",
            example='{ role = "room" }',
        )
    )
    regions: dict[
        Annotated[str, PlainValidator(parse_region)], Annotated[RegionTable, BeforeValidator(as_range)]
    ] = setting(
        meaning="Where the pool may run, with the least and most Machines; `weight` shares pool-wide demand.",
        reason="There is no unbounded pool.",
        example='{ ord = "1..10", ams = { range = "0..5", weight = 2 } }',
        variable="AUTOSCALER_REGIONS",
        variable_example="ord=1..10, ams=0..5",
    )
    total: Annotated[Bounds | None, leaf(parse_bounds)] = setting(
        None,
        default_text="sums of the regions",
        meaning="Least and most Machines of the whole pool.",
        reason="The regions bound it already.",
        example='"2..12"',
        variable="AUTOSCALER_TOTAL",
    )
    create: Annotated[bool, leaf(flag)] = setting(
        True,
        meaning="May create what cannot be started.",
        reason="Otherwise somebody must keep enough stopped Machines; what is missing is a shortfall.",
        example="false",
        variable="AUTOSCALER_CREATE",
    )
    leave: Annotated[str, leaf(choice("stop", "suspend", "destroy"))] = setting(
        "stop",
        meaning="How Machines leave: `stop`, `suspend` (stop where refused) or `destroy`.",
        reason="A stopped Machine costs little and comes back fast.",
        example='"destroy"',
        variable="AUTOSCALER_LEAVE",
    )
    reserve: Annotated[int, leaf(MACHINES)] = setting(
        0,
        meaning="Stopped Machines kept per region, with `destroy` and with `proxy`.",
        reason="Starting is faster than creating, and stopped Machines cost a little.",
        example="1",
        variable="AUTOSCALER_RESERVE",
    )
    proxy: Annotated[bool, leaf(flag)] = setting(
        False,
        meaning="Fly Proxy starts and stops; we keep `reserve` spare Machines in existence.",
        reason="Two masters of one Machine work against each other.",
        example="true",
        variable="AUTOSCALER_PROXY",
    )
    volumes: Annotated[str | None, leaf(choice("reuse", "new"))] = setting(
        None,
        meaning="Where a created Machine with mounts gets its volume: `reuse` an unattached one, or `new`.",
        reason="Data is nobody's to guess about: without it such Machines are not created.",
        example='"reuse"',
    )
    metrics: dict[
        Annotated[str, PlainValidator(METRIC_NAME)], Annotated[MetricTable, BeforeValidator(as_query)]
    ] = setting(
        factory=dict,
        meaning="Named metrics, each a query or a table.",
        reason="Expressions call them by name.",
        example="{ backlog = 'max(queue_depth{app=\"$app\"})' }",
    )
    rules: list[RuleTable] = setting(
        meaning="What the load asks for; the largest demand wins, in any order.",
        reason="A pool without a rule has nothing to follow.",
        example='[{ metric = "backlog", per_machine = 10 }]',
    )
    busy: Annotated[str | None, leaf(parse_query)] = setting(
        None,
        meaning="PromQL by `instance`: a Machine above 0 is busy and is not stopped.",
        reason="Without it, going in means stop.",
        example="'max by (instance) (jobs_running{app=\"$app\"})'",
        variable="AUTOSCALER_BUSY",
        variable_example='max by (instance) (jobs_running{app="$app"})',
    )
    drain: Annotated[float | None, leaf(DurationOrForever(0))] = setting(
        "forever",
        meaning="How long a busy Machine is spared: a duration up to 30d, or `forever`.",
        reason="A duration is your permission to stop a busy Machine.",
        example='"1h"',
        variable="AUTOSCALER_DRAIN",
    )
    force: Annotated[bool, leaf(flag)] = setting(
        False,
        meaning="May kill what does not stop by itself.",
        reason="A Machine's own `stop_config` says how it ends.",
        example="true",
    )
    spare: Annotated[int, leaf(MACHINES)] = setting(
        0,
        meaning="Machines on top of the pool's demand.",
        reason="Spare Machines cost money; say how many you want.",
        example="1",
        variable="AUTOSCALER_SPARE",
    )
    headroom: Annotated[float, leaf(parse_fraction)] = setting(
        "0",
        meaning="Percentage on top of every demand, before it is rounded up.",
        reason="As `spare`.",
        example='"20%"',
        variable="AUTOSCALER_HEADROOM",
    )
    on_absent: Annotated[AbsentAction | int, leaf(parse_on_absent)] = setting(
        "hold",
        meaning="What to do once a demand was unknown `failures` times: `hold`, `min`, `max` or a number.",
        reason="Holding is right for most outages: the load is still there.",
        example='"max"',
        variable="AUTOSCALER_ON_ABSENT",
    )
    failures: Annotated[int, leaf(whole(1, 10_000))] = setting(
        3,
        meaning="Ticks in a row without a demand before `on_absent` counts.",
        reason="One lost answer is no outage.",
        example="3",
    )
    allow_in: Annotated[bool, leaf(flag)] = setting(
        False,
        meaning="`on_absent` may also go in.",
        reason="Nobody should lose Machines because a metric is lost.",
        example="true",
    )
    elsewhere: Annotated[str, leaf(choice("nearest", "ignore"))] = setting(
        "nearest",
        meaning="Demand from where the pool may not run (regions it does not name, of at most 0 Machines, or"
        " that a schedule closes): to the `nearest` one where it may, or `ignore` it.",
        reason="Somebody is waiting there.",
        example='"ignore"',
    )
    spill: Annotated[str | None, leaf(choice("nearest", "off"))] = setting(
        None,
        default_text="`nearest` for pool-wide demand, `off` for demand per region",
        meaning="Where the Machines of a full region are started or created instead.",
        reason="Work that is read per region may be useless elsewhere.",
        example='"off"',
    )
    schedules: list[ScheduleTable] = setting(
        factory=list,
        meaning="Calendar windows that move bounds.",
        reason="For load that comes by the clock.",
        example='[{ start = "0 8 * * mon-fri", end = "0 18 * * mon-fri", min = 4 }]',
    )
    scale_in: ScaleInTable = Field(default_factory=ScaleInTable)
    scale_out: ScaleOutTable = Field(default_factory=ScaleOutTable)
    budget: Annotated[Budget | None, leaf(parse_budget)] = setting(
        None,
        default_text="max(10, the pool's max) in `10m`",
        meaning="Creations per period.",
        reason="A loop of crashes or a lying list must not buy a data centre.",
        example='"10/10m"',
    )


class EnvironmentOnly(Model):
    """What only the environment can say."""

    config: str | None = setting(
        None,
        meaning="Path of a TOML file.",
        reason="One pool needs no file.",
        example='"/etc/autoscaler.toml"',
        variable="AUTOSCALER_CONFIG",
    )
    config_toml: str | None = setting(
        None,
        meaning="The file's text itself, instead of a path.",
        reason="A whole configuration can be one secret.",
        example="",
        variable="AUTOSCALER_CONFIG_TOML",
    )
    metric: Annotated[str, leaf(METRIC_NAME)] = setting(
        "load",
        meaning="The name of `AUTOSCALER_QUERY`'s metric in expressions and reports.",
        reason="Something must be said, and this is what it is.",
        example='"backlog"',
        variable="AUTOSCALER_METRIC",
    )
