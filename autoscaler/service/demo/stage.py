"""The scenery: the emulated app, its load as metrics, and the configuration of the daemon.

The configuration is the one thing here a user may want to copy: a rule per region, a rule for the whole
app, an expression and a schedule, in the same TOML that a real deployment reads.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from autoscaler.domain.names import Region
from autoscaler.emulator.config import EmulatorConfig
from autoscaler.emulator.loads import Load, Shape
from autoscaler.emulator.world import World
from autoscaler.service.demo.load import JOBS_FROM, NOON, PER_MACHINE, Day

APP = "demo"
ORG = "demo"
STOPPED_PER_REGION = 8
"""Fewer than the burst needs, so that the rest has to be created."""

CONFIGURATION = """
[prometheus]
url = "{url}/prometheus/{org}"
token = "a-token-of-the-emulator"

[api]
url = "{url}"
token = "a-token-of-the-emulator"

[daemon]
interval = "1s"

[http]
host = "127.0.0.1"
port = 0

[pools.demo]
app = "{app}"
regions = {{ nrt = "1..8", ams = "1..12", ord = "1..8" }}
total = "3..22"
headroom = "20%"
scale_in = {{ window = "{window}s", step = "50%/1s" }}
rules = [
  # each region follows the requests it has in flight
  {{ metric = "requests", per_machine = {per_machine} }},
  # jobs may run anywhere: a demand of the whole pool, shared out over its regions
  {{ metric = "jobs", per_machine = 12 }},
  # a backlog that grows old is worth more Machines
  {{ expression = "oldest > 2 ? ceil(jobs / 8) : 0" }},
]

[pools.demo.metrics]
requests = {{ query = 'sum by (region) (requests_in_flight{{app="$app"}})', missing = 0 }}
jobs = 'sum(jobs_waiting{{app="$app"}})'
oldest = 'max(job_oldest_seconds{{app="$app"}})'

# every other minute a third region is kept ready for visitors
[[pools.demo.schedules]]
start = "*/2 * * * *"
end = "1-59/2 * * * *"
regions = ["ord"]
min = 3
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Requests:
    day: Day
    region: Region

    def at(self, elapsed_s: float) -> float:
        return self.day.requests(self.region, elapsed_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Jobs:
    day: Day

    def at(self, elapsed_s: float) -> float:
        return self.day.jobs(elapsed_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Oldest:
    day: Day

    def at(self, elapsed_s: float) -> float:
        waiting = self.day.jobs(elapsed_s) > 0
        return (self.day.fraction(elapsed_s) - JOBS_FROM) * self.day.length_s if waiting else 0.0


def fly() -> EmulatorConfig:
    """An app of stopped Machines in three regions; they boot faster than real ones, as the day does."""
    return EmulatorConfig(
        app=APP,
        org=ORG,
        regions=tuple(NOON),
        machines=STOPPED_PER_REGION * len(NOON),
        state="stopped",
        latency_s=0.05,
        create_s=0.5,
        boot_s=0.6,
        stop_s=0.4,
    )


def configuration(url: str, day: Day) -> str:
    """The daemon's configuration for an emulator at `url`. The in-window shrinks with the day."""
    window = max(2, round(day.length_s / 24))
    return CONFIGURATION.format(url=url, org=ORG, app=APP, window=window, per_machine=PER_MACHINE)


def let_it_dawn(world: World, day: Day, now: float) -> None:
    """Set the loads: from now on the metrics follow the day."""
    for region in NOON:
        labels = {"app": APP, "region": region}
        _set(world, "requests_in_flight", labels, _Requests(day=day, region=region), now)
    _set(world, "jobs_waiting", {"app": APP}, _Jobs(day=day), now)
    _set(world, "job_oldest_seconds", {"app": APP}, _Oldest(day=day), now)


def serving(world: World) -> Mapping[Region, int]:
    """Started Machines per region, as the platform knows them."""
    started = dict.fromkeys(NOON, 0)
    for machine in world.of_app(APP):
        if machine.state == "started":
            started[Region(machine.region)] += 1
    return started


def _set(world: World, name: str, labels: Mapping[str, str], shape: Shape, now: float) -> None:
    world.loads.set(name, labels, Load(shape=shape, since=now))
