"""The socket and the embedded HTTP server. Signals stay with the daemon."""

import contextlib
import errno
import socket
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp

from autoscaler.domain.errors import UsageError

EVERY_ADDRESS = "::"
GRACE_S = 2
"""How long open connections may take to end when the process does."""


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; `::` takes IPv4 as well, port 0 any free port. Raises UsageError."""
    try:
        if host == EVERY_ADDRESS:
            return _listen_everywhere(port)
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family)
    except (OSError, UnicodeError, OverflowError) as error:
        raise UsageError(_advice(host, port, error)) from error


def _listen_everywhere(port: int) -> socket.socket:
    # Servers made by the event loop itself would bind :: for IPv6 alone.
    if socket.has_dualstack_ipv6():
        return socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True)
    return socket.create_server(("0.0.0.0", port))  # noqa: S104 - what `::` asks for on a machine without IPv6


def _advice(host: str, port: int, error: Exception) -> str:
    code = getattr(error, "errno", None)
    if code == errno.EADDRINUSE:
        return f"port {port} is in use; set AUTOSCALER_HTTP_PORT to a free one, or to 0 to let one be chosen"
    if code == errno.EACCES:
        return f"port {port} needs privileges; set AUTOSCALER_HTTP_PORT to one above 1023"
    return f"cannot listen on {host}: {error}; set AUTOSCALER_HTTP_HOST to an address of this machine"


class EmbeddedServer(uvicorn.Server):
    """A server inside somebody else's process: it takes no signals and writes no log of its own."""

    def __init__(self, app: ASGIApp) -> None:
        """`app` is served once `serve` is given a socket."""
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="off",
            ws="none",
            http="h11",
            loop="asyncio",
            timeout_graceful_shutdown=GRACE_S,
            server_header=False,
        )
        super().__init__(config)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave SIGTERM and SIGINT to the daemon, which finishes its ticks first."""
        yield
