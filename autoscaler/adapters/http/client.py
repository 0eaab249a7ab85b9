"""A client for one upstream. Nothing outside this package knows which library carries the bytes.

It adds the token, keeps cookies (the Machines API binds a client to one of its servers by cookie, which is
how it reads its own writes), bounds every exchange in time and size, and turns every foreign exception into
an `UpstreamError`. It speaks HTTP/1.1 and follows no redirects.
"""

import asyncio
import functools
import logging
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import aclosing
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Self

import httpx

from autoscaler import __version__
from autoscaler.adapters.http.credentials import MAX_QUOTE_CHARS, authorization, quotable
from autoscaler.adapters.http.exchange import Call, Reply, accepted, decoded, encoded
from autoscaler.adapters.http.retry import retried
from autoscaler.adapters.http.transport import library_client
from autoscaler.domain.errors import ConfigurationError, Fault, GarbledError, UnreachableError, UpstreamError

MAX_BODY_BYTES = 16 * 1024 * 1024
CONNECT_TIMEOUT_S = 5.0
MAX_READS = 100
MAX_WRITES = 400
"""Writes that hang are many at once, and may keep nobody from reading, nor another region from writing."""
MAX_PORT = 65535

Observer = Callable[[str, str, int | None, float], None]
"""Told of every request: upstream, operation, HTTP status (None without an answer), seconds."""

FOREIGN_ERRORS = (httpx.HTTPError, httpx.InvalidURL, httpx.CookieConflict, httpx.StreamError)
"""The roots of everything the HTTP library raises."""
_UNREADABLE = (httpx.DecodingError, httpx.TooManyRedirects, httpx.StreamError)
_NOT_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.InvalidURL,
    httpx.CookieConflict,
)

# The library logs whole addresses, and an address may carry a password.
logging.getLogger("httpx").setLevel(logging.WARNING)


class HttpClient:
    """One upstream: where it is, who we are there, what may not be exceeded. Close it with `async with`."""

    def __init__(
        self, upstream: str, base_url: str, *, token: str = "", observe: Observer | None = None
    ) -> None:
        """`upstream` names it in metrics and errors; every path is appended to `base_url`.

        Raises ConfigurationError for an address or a token that cannot be one, and for an environment that
        speaks of proxies or certificates and means none.
        """
        self.upstream = upstream
        self._base_url = base_url.rstrip("/")
        if not (host := _host(self._base_url)):
            raise ConfigurationError(
                [
                    Fault(
                        path=f"url of {upstream}",
                        problem="is no address of an HTTP server",
                        remedy="write it like https://api.machines.dev",
                    )
                ]
            )
        self._observe = observe
        self._authorization = authorization(token) if token else ""
        headers = {"User-Agent": f"autoscaler/{__version__}", "Accept": "application/json"}
        if self._authorization:
            headers["Authorization"] = self._authorization
        self._cookies = defaultdict[str, httpx.Cookies](httpx.Cookies)
        # The library's own queue takes time with the square of its length, so it is kept empty.
        self._reads = asyncio.Semaphore(MAX_READS)
        self._writes = asyncio.Semaphore(MAX_WRITES)
        client = functools.partial(library_client, host, connections=MAX_READS + MAX_WRITES)
        self._pooled = client(headers, idle=MAX_READS)
        # Sent on a connection that the server is just closing, a DELETE would have an unknown result.
        self._single = client({**headers, "Connection": "close"}, idle=0)

    def __repr__(self) -> str:
        """The upstream, without address and token."""
        return f"HttpClient({self.upstream!r})"

    async def __aenter__(self) -> Self:
        """Connections open by themselves, on first use."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close every connection."""
        await self._pooled.aclose()
        await self._single.aclose()

    async def read(self, call: Call) -> Reply:
        """A successful reply, after one retry if need be. Raises UpstreamError."""
        return await retried(lambda: self._read_once(call))

    async def send(self, call: Call) -> Reply:
        """Make one request; a reply of any status is returned. A DELETE has a connection of its own.

        Raises UnreachableError without an answer, GarbledError for one that is too long or broken.
        """
        began = time.monotonic()
        sent, status = False, None
        turns = self._reads if call.method == "GET" else self._writes
        try:
            async with asyncio.timeout(call.timeout_s), turns:
                sent = True
                reply = await self._exchange(call)
            status = reply.status
        except TimeoutError as error:
            silence = f"{self.upstream}: no answer within {call.timeout_s:g} s"
            raise UnreachableError(silence, sent=sent, timed_out=True) from error
        except FOREIGN_ERRORS as error:
            raise self.translate(error) from error
        except GarbledError as error:
            status = error.status
            raise
        finally:
            if self._observe is not None:
                self._observe(self.upstream, call.operation, status, time.monotonic() - began)
        return reply

    def quote(self, said: str) -> str:
        """The upstream's words for logs and people: one line, cut, without our token."""
        return quotable(said, self._authorization)

    def translate(self, error: Exception) -> UpstreamError:
        """What an exception of the HTTP library means for us."""
        words = self.quote(str(error)) or type(error).__name__
        if isinstance(error, _UNREADABLE):
            return GarbledError(f"{self.upstream}: {words}")
        return UnreachableError(
            f"{self.upstream}: {words}",
            sent=not isinstance(error, _NOT_SENT),
            timed_out=isinstance(error, httpx.TimeoutException),
        )

    async def _read_once(self, call: Call) -> Reply:
        return accepted(await self.send(call))

    async def _exchange(self, call: Call) -> Reply:
        client = self._single if call.method == "DELETE" else self._pooled
        cookies = self._cookies[_realm(call.path)]
        request = client.build_request(
            call.method,
            self._base_url + call.path,
            params=dict(call.params) or None,
            data=None if call.form is None else dict(call.form),
            content=None if call.json is None else encoded(call.json),
            headers=dict(call.headers) | ({} if call.json is None else {"Content-Type": "application/json"}),
            timeout=httpx.Timeout(call.timeout_s, connect=min(CONNECT_TIMEOUT_S, call.timeout_s)),
        )
        cookies.set_cookie_header(request)
        async with aclosing(await client.send(request, stream=True)) as response:
            cookies.extract_cookies(response)
            body = await _body(response)
            if response.is_success:
                return Reply(status=response.status_code, body=body)
            said, code = _problem(body)
            return Reply(
                status=response.status_code,
                body=body,
                said=self.quote(said),
                code=code,
                retry_after_s=_seconds(response.headers.get("Retry-After")),
            )


def _host(base_url: str) -> str:
    """The host of an HTTP server's base address, empty if it is none."""
    try:
        url = httpx.URL(base_url)
        host = url.host
    except (httpx.InvalidURL, UnicodeError):
        return ""
    proper = url.scheme in {"http", "https"} and not url.query and 0 <= (url.port or 0) <= MAX_PORT
    return host if proper else ""


def _realm(path: str) -> str:
    """The app's own part of a path, `/v1/apps/<app>`. Cookies are kept apart by it: a jar that has those of
    a thousand apps is searched, copied and swept for every single request.
    """
    return "/".join(path.split("/", 4)[:4])


async def _body(response: httpx.Response) -> bytes:
    chunks, size = [], 0
    async for chunk in response.aiter_bytes():
        size += len(chunk)
        if size > MAX_BODY_BYTES:
            raise GarbledError("the answer is longer than 16 MB", status=response.status_code)
        chunks.append(chunk)
    return b"".join(chunks)


def _problem(body: bytes) -> tuple[str, str]:
    """Text and code of an error: some services call it `message`, most `error`, some send no JSON at all."""
    try:
        told = decoded(body)
    except GarbledError:
        told = None
    if not isinstance(told, dict):
        return body[: 4 * MAX_QUOTE_CHARS].decode("utf-8", "replace"), ""
    texts = (told.get(key) for key in ("message", "error"))
    return next((text for text in texts if isinstance(text, str) and text), ""), str(told.get("status", ""))


def _seconds(retry_after: str | None) -> float | None:
    """Seconds to wait, from either form the header has; None for anything else."""
    if retry_after is None:
        return None
    if retry_after.strip().isdecimal():
        return float(retry_after)
    try:
        moment = parsedate_to_datetime(retry_after).astimezone(UTC)
    except (OverflowError, ValueError):
        return None
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
