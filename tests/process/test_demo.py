"""The demonstration as a user starts it: on a terminal, in a pipe, and ended early."""

import os
import pty
import re
import signal
import subprocess

from tests.process.processes import COMMAND, environment, finished

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
REGIONS = ("ams", "nrt", "ord")
TURBULENT = {"AUTOSCALER_APP": "mine", "AUTOSCALER_CONFIG": "/no/such/file.toml", "AUTOSCALER_REGIOSN": "x"}
"""What a shell may hold in which somebody has set up a daemon of their own."""


def test_without_a_terminal_it_prints_a_line_per_tick_and_a_summary_and_ends_by_itself():
    done = finished("demo", "--for", "4", **TURBULENT)
    assert (done.returncode, done.stderr) == (0, "")
    *said, last = done.stdout.splitlines()
    ticks = [line for line in said if re.match(r"\d\d:\d\d (scaled|steady)", line)]
    assert len(ticks) >= 3
    assert all(f"{region} load " in line for line in ticks for region in REGIONS)
    assert re.fullmatch(r"unserved [\d.]+% of the load; \d+ Machine-seconds, \d+% of the \d+ of .*", last)
    assert "\x1b" not in done.stdout
    ports = re.findall(r"http://127\.0\.0\.1:(\d+)/", done.stdout)
    assert len({int(port) for port in ports}) == 2


def test_a_proxy_in_the_environment_does_not_come_between_the_daemon_and_its_emulator():
    done = finished("demo", "--for", "2", HTTP_PROXY="http://127.0.0.1:1", ALL_PROXY="http://127.0.0.1:1")
    assert (done.returncode, done.stderr) == (0, "")
    assert " scaled " in done.stdout


def test_on_a_terminal_it_shows_a_live_table_and_leaves_the_summary_below():
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [*COMMAND, "demo", "--for", "4"],
        env=environment({"TERM": "xterm", "COLUMNS": "100"}),
        cwd="/",
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    ) as process:
        try:
            os.close(theirs)
            shown = everything(ours)
            assert process.wait(20) == 0
        finally:
            process.kill()
    assert shown.count("\x1b[?25l") == shown.count("\x1b[?25h")
    plain = ESCAPES.sub("", shown)
    assert "region bounds load demand desired started arriving stopped last reason" in plain
    assert all(re.search(rf"^{region} +\d+\.\.\d+ ", plain, re.MULTILINE) for region in REGIONS)
    assert plain.splitlines()[-1].startswith("unserved ")


def test_ctrl_c_ends_it_with_a_summary():
    process = subprocess.Popen(
        [*COMMAND, "demo"],
        env=environment({}),
        cwd="/",
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            assert process.stdout is not None
            while "desired" not in process.stdout.readline():
                assert process.poll() is None
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=30)
        finally:
            process.kill()
    assert (process.returncode, err) == (0, "")
    assert out.splitlines()[-1].startswith("unserved ")


def everything(terminal: int) -> str:
    """What is written to a terminal until nobody can write there any more."""
    with os.fdopen(terminal, "rb", buffering=0) as stream:
        parts = []
        while part := read(stream.fileno()):
            parts.append(part)
    return b"".join(parts).decode(errors="replace").replace("\r\n", "\n")


def read(terminal: int) -> bytes:
    """Some of it; nothing at the end, which Linux tells as an error."""
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""
