"""Sockets: one for both protocols, any free port, and a sentence when there is none."""

import asyncio
import socket

import pytest

from autoscaler.domain.errors import UsageError
from autoscaler.service.http_server import EmbeddedServer, listen


def connects(host: str, port: int) -> bool:
    with socket.create_connection((host, port), timeout=2):
        return True


def test_every_address_means_ipv4_and_ipv6_on_one_port():
    with listen("::", 0) as listening:
        port = listening.getsockname()[1]
        assert port > 0
        assert connects("127.0.0.1", port)
        if socket.has_dualstack_ipv6():
            assert connects("::1", port)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_host_means_that_host(host):
    with listen(host, 0) as listening:
        assert connects(host, listening.getsockname()[1])


@pytest.mark.parametrize("host", ["::", "127.0.0.1"])
def test_a_port_in_use_is_named_with_the_variable_to_set(host):
    with listen(host, 0) as taken, pytest.raises(UsageError) as raised:
        listen(host, taken.getsockname()[1])
    assert f"port {taken_port(raised)} is in use" in str(raised.value)
    assert "AUTOSCALER_HTTP_PORT" in str(raised.value)
    assert "\n" not in str(raised.value)


def taken_port(raised: pytest.ExceptionInfo[UsageError]) -> str:
    return str(raised.value).split()[1]


@pytest.mark.parametrize("host", ["192.0.2.1", "no such host", "a" * 300, ""])
def test_an_address_of_another_machine_is_refused_with_the_variable_to_set(host):
    with pytest.raises(UsageError, match="AUTOSCALER_HTTP_HOST"):
        listen(host, 0)


async def test_the_server_serves_on_the_given_socket_and_leaves_signals_alone():
    async def app(_scope, _receive, send):
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    listening = listen("127.0.0.1", 0)
    port = listening.getsockname()[1]
    server = EmbeddedServer(app)
    with server.capture_signals():
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        assert b"204" in await reader.readline()
        writer.close()
        await writer.wait_closed()
    server.should_exit = True
    await serving
