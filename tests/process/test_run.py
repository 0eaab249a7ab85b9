"""`autoscaler run`, configured by environment variables alone, against an emulated Fly over HTTP."""

import json
import os
import signal
import socket
from collections import Counter
from collections.abc import Iterator

import httpx
import pytest

from autoscaler.domain.names import Region
from autoscaler.emulator.config import EmulatorConfig, TokenScope
from autoscaler.emulator.loads import Constant, Load
from autoscaler.emulator.server import Running, serve_in_thread
from autoscaler.emulator.world import World
from tests.process.processes import Daemon, daemon, finished

APP = "shop"
TOKEN = "token-that-must-not-appear"
BOUNDS = {"ams": (1, 4), "fra": (0, 3), "ord": (1, 5)}


def configured(**changes: object) -> EmulatorConfig:
    base: dict[str, object] = {
        "app": APP,
        "regions": tuple(Region(code) for code in BOUNDS),
        "machines": 6,
        "tokens": {TOKEN: TokenScope()},
        "create_s": 0.1,
        "boot_s": 0.2,
        "stop_s": 0.1,
    }
    return EmulatorConfig(**{**base, **changes})


@pytest.fixture
def fly() -> Iterator[Running]:
    with serve_in_thread(configured()) as running:
        yield running


def variables(url: str, **changes: str) -> dict[str, str]:
    base = {
        "app": APP,
        "regions": ", ".join(f"{region}={low}..{high}" for region, (low, high) in BOUNDS.items()),
        "query": 'max by (region) (queue_depth{app="$app"})',
        "per_machine": "10",
        "missing": "0",
        "interval": "1s",
        "scale_in_window": "2s",
        "scale_in_step": "100%/1s",
        "api_url": url,
        "api_token": TOKEN,
        "prometheus_url": f"{url}/prometheus/personal",
        "prometheus_token": TOKEN,
        "http_port": "0",
    }
    return {f"AUTOSCALER_{key.upper()}": value for key, value in {**base, **changes}.items()}


def load(fly: Running, **by_region: float) -> None:
    def put(world: World) -> None:
        for region, value in by_region.items():
            labels = {"app": APP, "region": region}
            world.loads.set("queue_depth", labels, Load(shape=Constant(value=value), since=world.now))

    fly.run(put)


def started(fly: Running) -> dict[str, int]:
    machines = fly.run(lambda world: list(world.of_app(APP)))
    counted = Counter(machine.region for machine in machines if machine.state in {"started", "starting"})
    return {region: counted[region] for region in BOUNDS}


def settle(running: Daemon, fly: Running, wanted: dict[str, int]) -> None:
    """Read ticks until the platform runs what is wanted; every tick on the way keeps the bounds."""
    while started(fly) != wanted:
        line = running.event("tick.done")
        for region, desired in line["desired"].items():
            low, high = BOUNDS[region]
            assert low <= desired <= high
        assert all(count <= BOUNDS[region][1] for region, count in started(fly).items())


def test_three_regions_go_from_their_minimum_to_what_the_load_needs_and_back(fly):
    load(fly, ams=0, fra=0, ord=0)
    with daemon(**variables(fly.url)) as running:
        port = running.event("http.listening")["port"]
        settle(running, fly, {"ams": 1, "fra": 0, "ord": 1})
        load(fly, ams=75, fra=10, ord=31)
        settle(running, fly, {"ams": 4, "fra": 1, "ord": 4})
        served = everything_served(port)
        explained = json.loads(finished("plan", "--json", **variables(fly.url)).stdout)
        load(fly, ams=0, fra=0, ord=0)
        settle(running, fly, {"ams": 1, "fra": 0, "ord": 1})
        running.signal(signal.SIGTERM)
        assert running.end() == 0
    (pool,) = explained["pools"]
    ams = next(region for region in pool["regions"] if region["region"] == "ams")
    assert (ams["demand"], ams["desired"]) == (8, 4)
    assert [reason["code"] for reason in ams["reasons"]] == ["rule", "bound_max"]
    assert "autoscaler_desired_machines" in served
    assert TOKEN not in served + json.dumps(running.lines)


def everything_served(port: int) -> str:
    """All endpoints answer, over IPv4 and IPv6; their texts."""
    hosts = ["127.0.0.1", *(["[::1]"] if socket.has_dualstack_ipv6() else [])]
    texts = []
    for path in ("/livez", "/readyz", "/metrics", "/", "/api/pools", "/api/decisions?pool=shop&limit=5"):
        for host in hosts:
            answer = httpx.get(f"http://{host}:{port}{path}", timeout=5)
            assert answer.status_code == 200, path
            texts.append(answer.text)
    return "\n".join(texts)


def test_a_signal_lets_the_running_tick_finish_and_more_signals_change_nothing():
    with serve_in_thread(configured(latency_s=0.7)) as fly:
        load(fly, ams=0, fra=0, ord=40)
        with daemon(**variables(fly.url)) as running:
            running.event("daemon.started")
            running.signal(signal.SIGTERM)
            running.event("daemon.stopping")
            running.signal(signal.SIGTERM)
            running.signal(signal.SIGINT)
            tick = running.event("tick.done")
            assert running.end() == 0
        assert tick["verdict"] == "scaled"
        assert tick["results"] == {"applied": 5}
        assert started(fly) == {"ams": 1, "fra": 0, "ord": 4}
    assert [line["event"] for line in running.lines][-1] == "daemon.stopped"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_before_anything_has_begun_ends_as_quietly(tmp_path, number):
    slow = tmp_path / "autoscaler.toml"
    os.mkfifo(slow)
    with daemon(AUTOSCALER_CONFIG=str(slow)) as starting, slow.open("w"):
        # The pipe opens when the other side reads it: the configuration is being waited for.
        starting.signal(number)
        assert starting.end() == 0
    assert starting.lines == []


def test_a_pool_in_trouble_disturbs_no_other_and_says_what_to_do_once(fly):
    load(fly, ams=0, fra=0, ord=20)
    metric = "max by (region) (queue_depth)"
    toml = f"""
        [prometheus]
        url = "{fly.url}/prometheus/personal"
        [daemon]
        interval = "1s"
        [pools.good]
        app = "{APP}"
        regions = {{ ord = "1..5" }}
        rules = [{{ query = "{metric}", per_machine = 10 }}]
        [pools.unknown-app]
        app = "not-there"
        regions = {{ ord = "1..5" }}
        rules = [{{ query = "{metric}", per_machine = 10 }}]
        [pools.bad-query]
        app = "{APP}"
        group = "other"
        regions = {{ ams = "1..5" }}
        rules = [{{ query = "max by (", per_machine = 10 }}]
    """
    kept = ("API_URL", "API_TOKEN", "PROMETHEUS_TOKEN", "HTTP_PORT")
    process = {name: text for name, text in variables(fly.url).items() if name.endswith(kept)}
    with daemon(**process, AUTOSCALER_CONFIG_TOML=toml) as running:
        while started(fly)["ord"] != 2 or sum(line.get("verdict") == "blind" for line in running.lines) < 3:
            running.event("tick.done")
        running.signal(signal.SIGINT)
        assert running.end() == 0
    advice = [(line["pool"], line["advice"]) for line in running.lines if line["event"] == "pool.trouble"]
    assert [pool for pool, _ in advice].count("unknown-app") == 1
    assert "no app not-there" in dict(advice)["unknown-app"]
    of_bad_query = " ".join(sentence for pool, sentence in advice if pool == "bad-query")
    assert "is refused" in of_bad_query
    assert "no Machine to start or to copy" in of_bad_query
    assert "good" not in dict(advice)
    verdicts = {line["pool"]: line["verdict"] for line in running.lines if line["event"] == "tick.done"}
    assert verdicts["unknown-app"] == "blind"
    assert verdicts["good"] in {"steady", "scaled"}


def test_a_daemon_outlives_a_platform_that_does_not_answer():
    with serve_in_thread(configured()) as brief:
        url, port = brief.url, brief.port
    with daemon(**variables(url)) as running:
        running.event("tick.done", verdict="blind")
        assert "AUTOSCALER_API_URL" in running.event("pool.trouble")["advice"]
        with serve_in_thread(configured(), port=port) as fly:
            load(fly, ams=0, fra=0, ord=0)
            settle(running, fly, {"ams": 1, "fra": 0, "ord": 1})
        running.signal(signal.SIGTERM)
        assert running.end() == 0
    assert "pool.well" in [line["event"] for line in running.lines]


def test_a_dry_run_acts_on_nothing_and_says_so(fly):
    load(fly, ams=30, fra=30, ord=30)
    with daemon(**variables(fly.url, dry_run="true")) as running:
        port = running.event("http.listening")["port"]
        assert [running.event("tick.done")["dry_run"] for _ in range(2)] == [True, True]
        assert "autoscaler_dry_run 1.0" in httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=5).text
        running.signal(signal.SIGTERM)
        assert running.end() == 0
    assert started(fly) == {"ams": 0, "fra": 0, "ord": 0}
