"""The library's client, set up as the process's environment wants it: proxies and certificates.

HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY, in small letters too, mean what they mean to other programs,
with one exception: what no proxy gets to is asked directly whatever they say.
"""

import functools
import ipaddress
import ssl
from collections.abc import Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy

import httpx

KEEPALIVE_S = 4.0
"""Below the 5 s after which common servers hang up, so that a write rarely meets a dying connection."""
_NEAR = (".localhost", ".internal", ".flycast")


def library_client(
    host: str, headers: Mapping[str, str], *, connections: int, idle: int
) -> httpx.AsyncClient:
    """A client that asks `host` alone, on at most so many connections, so many of them without work."""
    limits = httpx.Limits(
        max_connections=connections, max_keepalive_connections=idle, keepalive_expiry=KEEPALIVE_S
    )
    return httpx.AsyncClient(
        headers=headers,
        cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=())),
        limits=limits,
        verify=_certificates(),
        trust_env=not is_near(host),
    )


def is_near(host: str) -> bool:
    """Whether a host is this machine, or one that only a private network can know by this name."""
    name = host.lower().rstrip(".")
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return f".{name}".endswith(_NEAR)
    return address.is_loopback or address.is_unspecified


@functools.cache
def _certificates() -> ssl.SSLContext:
    # Reading the authorities takes longer than everything else here, and every client trusts the same ones.
    return httpx.create_ssl_context()
