"""The whole loop on real input: a real Prometheus scrapes a real page, the daemon drives an emulated Fly."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from autoscaler.domain.names import Region
from autoscaler.emulator.config import EmulatorConfig
from autoscaler.emulator.server import Running, serve_in_thread
from autoscaler.emulator.world import World
from tests.integration.metric_servers import Exporter, Exposed, exporting, prometheus, until

BOUNDS = {"ord": (1, 4), "ams": (0, 4), "fra": (1, 3)}
PER_MACHINE = 10
FLY = EmulatorConfig(
    app="shop",
    regions=tuple(Region(code) for code in BOUNDS),
    machines=12,
    boot_s=0.3,
    stop_s=0.2,
    create_s=0.3,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """The page that is scraped, the emulated platform, and the environment that joins them."""

    exporter: Exporter
    fly: Running
    environ: Mapping[str, str]

    def load(self, **depth: float) -> None:
        self.exporter.samples = tuple(
            Exposed(name="queue_depth", value=value, labels={"app": "shop", "region": region})
            for region, value in depth.items()
        )

    def live(self) -> Counter[str]:
        """Machines per region that run or are about to; never outside the upper bounds."""
        counted = self.fly.run(_live)
        assert all(counted[region] <= most for region, (_, most) in BOUNDS.items()), counted
        return counted

    def autoscaler(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            _command(*arguments), env=self.environ, capture_output=True, text=True, check=False
        )


@pytest.fixture(scope="module")
def stage(server_binary: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    binary, folder = server_binary("prometheus"), tmp_path_factory.mktemp("prometheus")
    with (
        exporting() as exporter,
        prometheus(binary, folder, exporter) as url,
        serve_in_thread(FLY) as fly,
    ):
        yield Stage(exporter=exporter, fly=fly, environ=_environment(url, fly.url))


def test_three_regions_follow_their_load_and_return(stage: Stage) -> None:
    stage.load(ord=0, ams=0, fra=0)
    with daemon(stage) as process:
        until(lambda: stage.live() == Counter(ord=1, fra=1))

        stage.load(ord=35, ams=18, fra=90)
        until(lambda: stage.live() == Counter(ord=4, ams=2, fra=3))
        never_below_min(stage)

        stage.load(ord=5, ams=18, fra=11)
        until(lambda: stage.live() == Counter(ord=1, ams=2, fra=2))

        stage.load(ord=0, ams=0, fra=0)
        until(lambda: stage.live() == Counter(ord=1, fra=1))
        never_below_min(stage)

        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=15) == 0


def test_a_plan_explains_what_the_load_asks_for(stage: Stage) -> None:
    stage.load(ord=35, ams=18, fra=90)
    until(lambda: "90" in _value(stage, "fra"))

    done = stage.autoscaler("plan", "--json")

    assert done.returncode == 0, done.stderr
    pool = json.loads(done.stdout)["pools"][0]
    regions = {entry["region"]: entry for entry in pool["regions"]}
    assert {code: entry["demand"] for code, entry in regions.items()} == {"ord": 4, "ams": 2, "fra": 9}
    assert {code: entry["desired"] for code, entry in regions.items()} == {"ord": 4, "ams": 2, "fra": 3}
    assert {metric["region"]: metric["value"] for metric in pool["metrics"]} == {
        "ord": 35,
        "ams": 18,
        "fra": 90,
    }
    assert "bound_max" in {reason["code"] for reason in regions["fra"]["reasons"]}
    assert all(action["kind"] == "start" for action in pool["actions"])


def test_a_plan_writes_nothing(stage: Stage) -> None:
    before = stage.fly.run(_live)
    assert stage.autoscaler("plan").returncode == 0
    assert stage.fly.run(_live) == before


def never_below_min(stage: Stage) -> None:
    counted = stage.live()
    assert all(counted[region] >= least for region, (least, _) in BOUNDS.items()), counted


@contextmanager
def daemon(stage: Stage) -> "Iterator[subprocess.Popen[bytes]]":
    process = subprocess.Popen(_command("run"), env=stage.environ, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "autoscaler", *arguments]


def _environment(metrics: str, api: str) -> Mapping[str, str]:
    ranges = ", ".join(f"{region}={least}..{most}" for region, (least, most) in BOUNDS.items())
    return {
        "PATH": os.environ["PATH"],
        "AUTOSCALER_APP": "shop",
        "AUTOSCALER_REGIONS": ranges,
        "AUTOSCALER_QUERY": 'max by (region) (queue_depth{app="$app"})',
        "AUTOSCALER_PER_MACHINE": str(PER_MACHINE),
        "AUTOSCALER_INTERVAL": "1s",
        "AUTOSCALER_SCALE_IN_WINDOW": "2s",
        "AUTOSCALER_SCALE_IN_STEP": "100%/1s",
        "AUTOSCALER_PROMETHEUS_URL": metrics,
        "AUTOSCALER_PROMETHEUS_TOKEN": "not-checked-by-this-server",
        "AUTOSCALER_API_URL": api,
        "AUTOSCALER_API_TOKEN": "any-token-will-do",
        "AUTOSCALER_HTTP_HOST": "127.0.0.1",
        "AUTOSCALER_HTTP_PORT": "0",
    }


def _live(world: World) -> Counter[str]:
    return Counter(
        machine.region
        for machine in world.of_app("shop")
        if machine.state in {"created", "starting", "started"}
    )


def _value(stage: Stage, region: str) -> str:
    done = stage.autoscaler("plan", "--json")
    metrics = json.loads(done.stdout)["pools"][0]["metrics"] if done.returncode == 0 else []
    return str([metric["value"] for metric in metrics if metric["region"] == region])
