"""Whatever a user gets wrong is told in sentences, with the right exit code, and never with a traceback."""

import os
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from tests.process.processes import COMMAND, daemon, environment, finished

RIGHT = {
    "AUTOSCALER_APP": "shop",
    "AUTOSCALER_REGIONS": "ord=1..5",
    "AUTOSCALER_QUERY": "queue_depth",
    "AUTOSCALER_PER_MACHINE": "10",
    "AUTOSCALER_API_TOKEN": "wrong-token-1234",
    "AUTOSCALER_API_URL": "http://127.0.0.1:1",
    "AUTOSCALER_PROMETHEUS_URL": "http://127.0.0.1:1",
    "AUTOSCALER_PROMETHEUS_TOKEN": "wrong-token-5678",
    "AUTOSCALER_HTTP_PORT": "0",
}


def told(done: subprocess.CompletedProcess[str], code: int, *texts: str) -> None:
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    for text in texts:
        assert text in done.stderr


def test_every_mistake_of_a_configuration_is_told_at_once():
    wrong = {
        **RIGHT,
        "AUTOSCALER_REGIONS": "ord=5..1, xyz=1..2",
        "AUTOSCALER_EXPRESSION": "(load + ",
        "AUTOSCALER_INTREVAL": "15s",
        "AUTOSCALER_HTTP_PORT": "many",
    }
    done = finished("run", **wrong)
    told(
        done, 2, "AUTOSCALER_REGIONS", "AUTOSCALER_EXPRESSION", "AUTOSCALER_INTREVAL", "AUTOSCALER_HTTP_PORT"
    )
    assert "AUTOSCALER_INTERVAL" in done.stderr
    assert done.stdout == ""


def test_a_missing_file_and_no_configuration_at_all_are_told():
    told(finished("run", AUTOSCALER_CONFIG="/no/such/file.toml"), 2, "/no/such/file.toml")
    told(finished("run"), 2, "AUTOSCALER_APP", "AUTOSCALER_REGIONS", "AUTOSCALER_API_TOKEN")


def test_a_port_in_use_is_told_with_the_variable_to_set():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = finished("run", **{**RIGHT, "AUTOSCALER_HTTP_PORT": port})
        told(done, 2, f"port {port} is in use", "AUTOSCALER_HTTP_PORT")
        assert len(done.stderr.splitlines()) == 1
        told(finished("emulate", "--port", port), 2, "choose another --port")


def test_unreachable_upstreams_are_exit_code_3_for_plan_and_no_end_for_run():
    told(finished("plan", **RIGHT), 3, "AUTOSCALER_API_URL")
    with daemon(**RIGHT) as running:
        line = running.event("tick.done")
        assert (line["verdict"], line["level"]) == ("blind", "warning")
        assert "AUTOSCALER_API_URL" in running.event("pool.trouble")["advice"]
        running.signal(signal.SIGTERM)
        assert running.end() == 0
    assert "wrong-token" not in str(running.lines)


def test_a_name_that_the_terminal_cannot_write_is_written_as_escapes():
    done = finished("plan", **RIGHT, AUTOSCALER_GROUP="wörker", PYTHONIOENCODING="ascii")
    told(done, 3)
    assert "group w\\xf6rker" in done.stdout


@pytest.mark.parametrize(
    ("command", "variable", "value"),
    [
        (("run",), "SSL_CERT_FILE", "/no/such/file"),
        (("plan",), "SSL_CERT_FILE", __file__),
        (("check", "--online"), "SSLKEYLOGFILE", "/no/such/file"),
        (("check",), "SSL_CERT_DIR", "/no/such/directory"),
        (("demo", "--for", "1"), "SSL_CERT_FILE", "/no/such/file"),
    ],
)
def test_what_cannot_be_certificates_is_told_with_the_variable(
    command: tuple[str, ...], variable: str, value: str
):
    done = finished(*command, **RIGHT, **{variable: value})
    told(done, 2)
    assert done.stderr.splitlines()[-1].startswith(f"error: {variable}: ")


def test_what_cannot_be_a_proxy_is_told_with_the_variable():
    public = {**RIGHT, "AUTOSCALER_API_URL": "https://api.machines.dev"}
    done = finished("run", **public, ALL_PROXY="socks5://127.0.0.1:1080")
    told(done, 2, "error: ALL_PROXY: ", "SOCKS is not spoken")


def test_a_reader_that_leaves_early_is_no_error_worth_words():
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [*COMMAND, "check"],
        env=environment(RIGHT),
        cwd="/",
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
    )
    os.close(writing)
    assert done.stderr == ""


def test_a_daemon_whose_log_nobody_reads_goes_on_and_ends_as_told():
    with subprocess.Popen(
        [*COMMAND, "run"], env=environment(RIGHT), cwd="/", stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stderr is not None
            while "tick.done" not in process.stderr.readline():
                assert process.poll() is None
            process.stderr.close()
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0
        finally:
            process.kill()


FULL = Path("/dev/full")
TAKING_NOTHING = [("2>&-", 3), (">&-", 3), *([(f"2>{FULL}", 3), (f">{FULL}", 1)] if FULL.exists() else [])]
"""Not every system has a file that is always full."""


@pytest.mark.parametrize(("where", "code"), TAKING_NOTHING)
def test_a_stream_that_takes_nothing_does_not_change_how_a_command_ends(where: str, code: int):
    done = subprocess.run(
        ["/bin/sh", "-c", f'exec "$@" {where}', "sh", *COMMAND, "plan"],
        env=environment(RIGHT),
        cwd="/",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    told(done, code)


def test_an_emulator_prints_how_to_use_it_and_ends_at_a_signal():
    process = subprocess.Popen(
        [*COMMAND, "emulate", "--port", "0", "--app", "shop", "--machines", "3", "--regions", "ord,ams,ord"],
        env=environment({}),
        cwd="/",
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            assert process.stdout is not None
            shell = [process.stdout.readline() for _ in range(10)]
            exports = dict(
                line.removeprefix("export ").strip().split("=", 1) for line in shell if "export" in line
            )
            planned = finished("plan", **{name: value.strip("'") for name, value in exports.items()})
            assert "shop" in planned.stdout
            assert planned.returncode == 0
            process.send_signal(signal.SIGINT)
            assert process.wait(10) == 0
        finally:
            process.kill()
