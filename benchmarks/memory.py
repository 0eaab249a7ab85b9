"""How much memory a daemon holds: one pool after many ticks, and a thousand pools."""

import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping

from autoscaler.domain.names import Region
from autoscaler.emulator.config import EmulatorConfig
from autoscaler.emulator.seeding import seed
from autoscaler.emulator.world import World
from benchmarks.fly import LOAD, fly
from benchmarks.processes import clean
from benchmarks.progress import Progress
from benchmarks.rows import Goal, MismeasuredError, Row

TICKS, SETTLED = 10_000, 1_000
QUICK_TICKS, QUICK_SETTLED = 1_000, 500
LONGEST_S = 1800.0
APP = "bench"
REGIONS = (Region("ord"), Region("ams"), Region("fra"))
MACHINES_PER_REGION = 6
WAVE = {"base": 30.0, "amplitude": 30.0, "period_s": 6.0}
RESIDENT = Goal(
    what=f"resident memory, 1 pool, after {TICKS:,} ticks that start and stop Machines",
    beside="before the first tick",
    unit="MB",
    most=80.0,
)
GROWTH = Goal(
    what=f"growth of that between tick {SETTLED:,} and {TICKS:,}",
    beside=f"at tick {SETTLED:,}",
    unit="MB",
    most=1.0,
)

POOLS, MACHINES_PER_POOL, STARTED = 1_000, 10, 6
QUICK_POOLS = 100
ROUNDS = 3
MANY = Goal(
    what=f"resident memory, {POOLS:,} pools of {MACHINES_PER_POOL} Machines, after {ROUNDS} ticks of each",
    beside="before the first tick",
    unit="MB",
    most=150.0,
)

Line = Mapping[str, float]


def run(quick: bool, progress: Progress) -> list[Row]:
    ticks, settled = (QUICK_TICKS, QUICK_SETTLED) if quick else (TICKS, SETTLED)
    config = EmulatorConfig(
        app=APP,
        regions=REGIONS,
        machines=MACHINES_PER_REGION * len(REGIONS),
        rate_limits=False,
        boot_s=0.0,
        stop_s=0.0,
        settle_s=0.0,
    )
    with fly(config) as platform:
        platform.load(
            APP, {region: {"wave": {**WAVE, "phase_s": turn}} for turn, region in enumerate(REGIONS)}
        )
        environ = platform.environment(
            APP,
            dict.fromkeys(REGIONS, MACHINES_PER_REGION),
            AUTOSCALER_INTERVAL="1s",
            AUTOSCALER_SCALE_IN_WINDOW="1s",
            AUTOSCALER_SCALE_IN_STEP="100%/1s",
        )
        lines = list(_soak(environ, ticks, 1, progress))
    if not any(line.get("actions") for line in lines):
        raise MismeasuredError("nothing was ever started or stopped")
    at = {int(line["ticks"]): line["resident_mb"] for line in lines}
    instead = f"{ticks:,} ticks" if quick else ""
    return [
        Row(goal=RESIDENT, ours=at[ticks], baseline=at[0], instead=instead),
        Row(goal=GROWTH, ours=at[ticks] - at[settled], baseline=at[settled], instead=instead),
    ]


def run_pools(quick: bool, progress: Progress) -> list[Row]:
    pools = QUICK_POOLS if quick else POOLS
    config = EmulatorConfig(app="pool-0", regions=REGIONS, machines=0, rate_limits=False)
    with (
        fly(config, prepare_quick_pools if quick else prepare_pools) as platform,
        tempfile.NamedTemporaryFile("w", suffix=".toml") as file,
    ):
        file.write("\n".join(map(_pool_toml, range(pools))))
        file.flush()
        environ = platform.environment(APP, {}, AUTOSCALER_CONFIG=file.name, AUTOSCALER_INTERVAL="60s")
        # The file has the pools here, so the variables of a single one must go.
        for name in ("APP", "REGIONS", "QUERY", "PER_MACHINE"):
            del environ[f"AUTOSCALER_{name}"]
        first, *_, last = _soak(environ, ROUNDS, pools, progress)
    instead = f"{pools} pools" if quick else ""
    return [Row(goal=MANY, ours=last["resident_mb"], baseline=first["resident_mb"], instead=instead)]


def prepare_pools(world: World, pools: int = POOLS) -> None:
    """An app for each pool, with as many Machines started as its load needs."""
    for number in range(pools):
        app = f"pool-{number}"
        for state, count in (("started", STARTED), ("stopped", MACHINES_PER_POOL - STARTED)):
            seed(world, app=app, group="app", regions=REGIONS, count=count, state=state)
        world.set_load(f"{LOAD}_{number}", 10.0 * STARTED)


def prepare_quick_pools(world: World) -> None:
    prepare_pools(world, QUICK_POOLS)


def _pool_toml(number: int) -> str:
    regions = ", ".join(f'{region} = "0..{MACHINES_PER_POOL}"' for region in REGIONS)
    query = f'{{ query = "max({LOAD}_{number})", per_machine = 10 }}'
    return (
        f'[pools.pool-{number}]\napp = "pool-{number}"\ntotal = "0..{MACHINES_PER_POOL}"\n'
        f"regions = {{ {regions} }}\nrules = [{query}]\n"
    )


def _soak(environ: Mapping[str, str], rounds: int, pools: int, progress: Progress) -> Iterator[Line]:
    command = (sys.executable, "-m", "benchmarks.soak", str(rounds))
    process = subprocess.Popen(command, env=clean(environ), stdout=subprocess.PIPE, text=True)
    watchdog = threading.Timer(LONGEST_S, process.kill)
    watchdog.start()
    try:
        assert process.stdout is not None
        for text in process.stdout:
            line = json.loads(text)
            if line.get("blind") or line.get("failed"):
                raise MismeasuredError(f"ticks went wrong: {line}")
            progress.tell(f"{line['ticks']:,} of {rounds * pools:,} ticks, {line['resident_mb']:.1f} MB")
            yield line
        if process.wait() != 0:
            raise MismeasuredError("the measured process failed; see its words above")
    finally:
        watchdog.cancel()
        process.kill()
        process.communicate()
