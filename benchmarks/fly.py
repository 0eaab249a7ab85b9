"""An emulated Fly in a process of its own, so that neither its work nor its memory is counted as ours."""

import asyncio
import json
import multiprocessing
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from autoscaler.emulator.config import EmulatorConfig
from autoscaler.emulator.server import serve
from autoscaler.emulator.world import World

END_S = 10.0
METRICS = "/prometheus/personal"
LOAD = "load"
ANY_TOKEN = "any-token-will-do"  # noqa: S105 - the emulator takes any

Preparation = Callable[[World], None]
"""Changes the world before the first request; a function of a module, because it goes to another process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fly:
    """Where it is, and its controls."""

    url: str

    def environment(self, app: str, regions: dict[str, int], **more: str) -> dict[str, str]:
        """A daemon's settings: a Machine for every 10 of the load, up to so many in each region."""
        return {
            "AUTOSCALER_API_URL": self.url,
            "AUTOSCALER_API_TOKEN": ANY_TOKEN,
            "AUTOSCALER_PROMETHEUS_URL": self.url + METRICS,
            "AUTOSCALER_PROMETHEUS_TOKEN": ANY_TOKEN,
            "AUTOSCALER_APP": app,
            "AUTOSCALER_REGIONS": ", ".join(f"{region}=0..{most}" for region, most in regions.items()),
            "AUTOSCALER_QUERY": f'max by (region) ({LOAD}{{app="$app"}})',
            "AUTOSCALER_PER_MACHINE": "10",
            "AUTOSCALER_HTTP_HOST": "127.0.0.1",
            "AUTOSCALER_HTTP_PORT": "0",
            "AUTOSCALER_LOG_FORMAT": "json",
            **more,
        }

    def load(self, app: str, regions: dict[str, object]) -> None:
        """From now on each region's load is this: a number or a shape."""
        self._control("loads", {"name": LOAD, "labels": {"app": app}, "regions": regions})

    def warm(self) -> None:
        """Let it have answered everything once: that an emulator is slow at first is no delay of ours."""
        now = time.time()
        query = f"{self.url}{METRICS}/api/v1/query"
        self._ask(query, urlencode({"query": LOAD}))
        self._ask(f"{query}_range", urlencode({"query": LOAD, "start": now - 60, "end": now, "step": 15}))

    def reset(self) -> None:
        """All as it was in the beginning, without loads and without what `prepare` did."""
        self._control("reset", {})

    def _control(self, what: str, fields: dict[str, object]) -> None:
        self._ask(f"{self.url}/_emulator/{what}", json.dumps(fields), "application/json")

    def _ask(self, url: str, body: str, kind: str = "application/x-www-form-urlencoded") -> None:
        headers = {"Content-Type": kind, "Authorization": f"Bearer {ANY_TOKEN}"}
        request = Request(url, body.encode(), headers)  # noqa: S310 - our own server
        with urlopen(request, timeout=END_S):  # noqa: S310 - as above
            pass


@contextmanager
def fly(config: EmulatorConfig, prepare: Preparation | None = None) -> Iterator[Fly]:
    """Serve `config` until the block ends, or this process does."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_run, args=(config, prepare, there), daemon=True)
    process.start()
    there.close()
    try:
        yield Fly(url=here.recv())
    finally:
        here.close()
        process.join(END_S)
        process.kill()


def _run(config: EmulatorConfig, prepare: Preparation | None, parent: Connection) -> None:
    asyncio.run(_serve(config, prepare, parent))


async def _serve(config: EmulatorConfig, prepare: Preparation | None, parent: Connection) -> None:
    closed = asyncio.Event()
    asyncio.get_running_loop().add_reader(parent.fileno(), closed.set)
    async with serve(config) as running:
        if prepare is not None:
            prepare(running.world)
        parent.send(running.url)
        await closed.wait()
