"""Commands run inside this process, against an emulated Fly over HTTP."""

import logging
import os
from collections.abc import Callable, Iterator

import pytest

from autoscaler.domain.names import Region
from autoscaler.emulator.config import EmulatorConfig, TokenScope
from autoscaler.emulator.loads import Constant, Load
from autoscaler.emulator.server import Running, serve_in_thread
from autoscaler.emulator.world import World
from autoscaler.service import cli

APP = "shop"
TOKEN = "org-token-1234"
DEPLOY = "deploy-token-of-another-app"
Autoscaler = Callable[..., tuple[int, str, str]]


@pytest.fixture
def untouched_logging() -> Iterator[None]:
    """Logging as it was, whatever a command makes of it."""
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def fly() -> Iterator[Running]:
    config = EmulatorConfig(
        app=APP,
        regions=(Region("ord"), Region("ams"), Region("fra")),
        machines=6,
        tokens={TOKEN: TokenScope(), DEPLOY: TokenScope(kind="deploy", app="other")},
        stop_s=0,
        boot_s=0,
        rate_limits=False,
    )
    with serve_in_thread(config) as running:
        yield running


@pytest.fixture
def loads(fly: Running) -> Callable[..., None]:
    def load(name: str = "queue_depth", **by_region: float) -> None:
        def put(world: World) -> None:
            for region, value in by_region.items():
                labels = {"app": APP, "region": region}
                world.loads.set(name, labels, Load(shape=Constant(value=value), since=world.now))

        fly.run(put)

    return load


@pytest.fixture
def autoscaler(
    fly: Running,
    loads: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Autoscaler:
    """Run a command with a right environment and changes to it; exit code, stdout, stderr."""
    right = {
        "app": APP,
        "regions": "ord=1..5, ams=0..3, fra=0..2",
        "query": 'max by (region) (queue_depth{app="$app"})',
        "per_machine": "10",
        "api_url": fly.url,
        "api_token": TOKEN,
        "prometheus_url": f"{fly.url}/prometheus/personal",
        "prometheus_token": TOKEN,
    }

    loads(ord=25, ams=0)

    def run(*arguments: str, **changes: str | None) -> tuple[int, str, str]:
        for name in [name for name in os.environ if name.startswith(("AUTOSCALER_", "FLY_"))]:
            monkeypatch.delenv(name)
        for key, value in {**right, **changes}.items():
            if value is not None:
                monkeypatch.setenv(key if key.isupper() else f"AUTOSCALER_{key.upper()}", value)
        code = cli.run(arguments)
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        assert TOKEN not in out + err
        return code, out, err

    return run
