"""The process whose memory is measured: a daemon's parts, ticking without a pause.

`python -m benchmarks.soak ROUNDS` takes its settings from the environment, lets every pool tick so many
times, and prints a line of JSON at the start and after every hundredth tick. What is not the daemon's is
the clock that is put forward between two rounds, and who asks for the next one.
"""

import asyncio
import json
import os
import sys
from collections import Counter
from collections.abc import Sequence

from autoscaler.adapters.http.client import HttpClient
from autoscaler.adapters.http.exchange import Call
from autoscaler.domain.names import PoolName
from autoscaler.domain.outcome import TickReport
from autoscaler.service import endpoints
from autoscaler.service.board import Board
from autoscaler.service.daemon import read_clocks
from autoscaler.service.http_server import EmbeddedServer, listen
from autoscaler.service.timetable import Timetable
from autoscaler.service.worker import Worker
from benchmarks.daemons import daemon, workers
from benchmarks.resident import resident_mb
from benchmarks.skipping import run, skip

TICKS_PER_LINE = 100
ROUNDS_PER_SCRAPE = 4
AT_ONCE = 50
SCRAPE = Call(operation="scrape", method="GET", path="/metrics")


class Tally:
    """Ticks so far, verdicts and actions since the last line."""

    def __init__(self) -> None:
        self.ticks = 0
        self.counts: Counter[str] = Counter()

    def began(self, pool: PoolName, delay_s: float) -> None:
        """Nothing to count."""

    def ended(self, report: TickReport) -> None:
        self.ticks += 1
        self.counts[report.verdict.value] += 1
        self.counts["actions"] += len(report.outcomes)
        if self.ticks % TICKS_PER_LINE == 0:
            self.tell()

    def tell(self) -> None:
        print(json.dumps({"ticks": self.ticks, "resident_mb": resident_mb(), **self.counts}), flush=True)
        self.counts.clear()


async def soak(rounds: int) -> None:
    async with daemon(os.environ) as (assembly, log):
        tally = Tally()
        board = Board([job.pool for job in assembly.jobs], now=read_clocks())
        ticking = workers(assembly, log, board, tally)
        timetable = Timetable(ticking, clock=read_clocks, log=log)
        with listen("127.0.0.1", 0) as listening:
            server = EmbeddedServer(endpoints.build(board, assembly.registry, read_clocks, dry_run=False))
            serving = asyncio.create_task(server.serve(sockets=[listening]))
            async with HttpClient("self", f"http://127.0.0.1:{listening.getsockname()[1]}") as scraper:
                tally.tell()
                for number in range(rounds):
                    if number % ROUNDS_PER_SCRAPE == 1:
                        await scraper.read(SCRAPE)
                    await _round(ticking)
            server.should_exit = True
            await serving
        await timetable.stop(within_s=0.0)


async def _round(ticking: Sequence[Worker]) -> None:
    # As the cadences of many pools do, which differ so that they do not all tick at once.
    for begin in range(0, len(ticking), AT_ONCE):
        await asyncio.gather(*(worker.run() for worker in ticking[begin : begin + AT_ONCE]))
    # Our own rate budget would make the next round wait for the rest of the interval.
    skip(ticking[0].pool.interval_s)


if __name__ == "__main__":
    run(soak(int(sys.argv[1])))
