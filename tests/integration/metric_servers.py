"""Real metric servers on free ports of this machine, and what they are fed with."""

import json
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import GaugeMetricFamily, Metric

from autoscaler.adapters.http.client import HttpClient
from autoscaler.adapters.prometheus.source import PrometheusSource
from autoscaler.domain.names import MetricName
from autoscaler.domain.reading import Answer, History, Query

PATIENCE_S = 20.0
POLL_S = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposed:
    """One sample of a metrics page; `at` (unix seconds) stamps it, None leaves that to the scraper."""

    name: str
    value: float
    labels: Mapping[str, str] = field(default_factory=dict)
    at: float | None = None


class Exporter:
    """A `/metrics` page whose samples a test sets."""

    def __init__(self) -> None:
        self.samples: tuple[Exposed, ...] = ()
        self.port = 0

    def collect(self) -> Iterator[Metric]:
        for sample in self.samples:
            family = GaugeMetricFamily(sample.name, "A gauge.", labels=tuple(sample.labels))
            family.add_metric(tuple(sample.labels.values()), sample.value, timestamp=sample.at)
            yield family


@contextmanager
def exporting() -> Iterator[Exporter]:
    exporter, registry = Exporter(), CollectorRegistry()
    registry.register(exporter)
    server, thread = start_http_server(0, addr="127.0.0.1", registry=registry)
    exporter.port = server.server_port
    try:
        yield exporter
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def prometheus(binary: Path, folder: Path, exporter: Exporter) -> Iterator[str]:
    """A Prometheus that scrapes the exporter five times a second; yields its address."""
    config = folder / "prometheus.yml"
    scrape = {"job_name": "app", "static_configs": [{"targets": [f"127.0.0.1:{exporter.port}"]}]}
    pace = {"scrape_interval": "200ms", "scrape_timeout": "200ms"}
    config.write_text(json.dumps({"global": pace, "scrape_configs": [scrape]}))
    port = free_port()
    command = [
        str(binary),
        f"--config.file={config}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with running(command, f"http://127.0.0.1:{port}", "/-/ready") as url:
        yield url


@contextmanager
def victoria_metrics(binary: Path, folder: Path) -> Iterator[str]:
    """A VictoriaMetrics without any data; yields its address."""
    port = free_port()
    command = [str(binary), f"-storageDataPath={folder / 'data'}", f"-httpListenAddr=127.0.0.1:{port}"]
    with running(command, f"http://127.0.0.1:{port}", "/health") as url:
        yield url


def import_samples(url: str, labels: Mapping[str, str], values: Mapping[float, float]) -> None:
    """Give VictoriaMetrics one series, as values by unix time, and make it visible."""
    line = {
        "metric": labels,
        "values": list(values.values()),
        "timestamps": [int(at * 1000) for at in values],
    }
    httpx.post(f"{url}/api/v1/import", content=json.dumps(line)).raise_for_status()
    httpx.get(f"{url}/internal/force_flush").raise_for_status()


@contextmanager
def running(command: Sequence[str], url: str, health: str) -> Iterator[str]:
    """A process that answers under `health` within 20 s, until the block ends."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        with httpx.Client() as client:
            until(lambda: healthy(process, client, url + health))
        yield url
    finally:
        process.terminate()
        process.wait()


def healthy(process: "subprocess.Popen[bytes]", client: httpx.Client, url: str) -> bool:
    assert process.poll() is None, "the server ended"
    try:
        return client.get(url).is_success
    except httpx.TransportError:
        return False


def until(condition: Callable[[], bool]) -> None:
    """Ask again and again, for at most 20 s."""
    pause, deadline = threading.Event(), time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "the server did not get there in time"
        pause.wait(POLL_S)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def ask(url: str, query: Query) -> Answer:
    """One question, as the program asks it."""
    async with HttpClient("prometheus", url) as http:
        return (await PrometheusSource(http).read([query], timeout_s=5.0))[0]


async def past(url: str, query: Query, *, start: float, end: float, step_s: float) -> History:
    """The past, as the program asks for it."""
    async with HttpClient("prometheus", url) as http:
        source = PrometheusSource(http)
        return (await source.history([query], start=start, end=end, step_s=step_s, timeout_s=5.0))[0]


def query(promql: str, **fields: Any) -> Query:
    return Query(name=MetricName("load"), promql=promql, **fields)
