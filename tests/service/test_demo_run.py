"""A demonstration that shows nothing does not end like a good one."""

import asyncio
import io

import pytest
from rich.console import Console

from autoscaler.emulator.faults import Fault, Kind
from autoscaler.emulator.server import serve
from autoscaler.service.demo import stage
from autoscaler.service.demo.run import perform


@pytest.mark.usefixtures("untouched_logging")
async def test_a_daemon_that_never_saw_its_machines_is_told_and_is_exit_code_1(
    capsys: pytest.CaptureFixture[str],
) -> None:
    shown = io.StringIO()
    async with serve(stage.fly()) as fly:
        fly.world.inject(Fault(kind=Kind.STATUS, status=503, operation="list"))
        code = await perform(fly, 1.5, asyncio.Event(), Console(file=shown))
    assert code == 1
    assert "no survey" in shown.getvalue()
    assert "unserved" not in shown.getvalue()
    (sentence,) = capsys.readouterr().err.splitlines()
    assert sentence.startswith("error: the daemon never saw the Machines of the emulated Fly (503")
    assert sentence.endswith(f"may connect to {fly.url}")
