"""The library's client, set up as the process's environment wants it: proxies and certificates.

HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY, in small letters too, mean what they mean to other programs,
with one exception: what no proxy gets to is asked directly whatever they say. A variable that cannot be meant
as it is set is a ConfigurationError.
"""

import functools
import ipaddress
import os
import ssl
from collections.abc import Mapping, Sequence
from http.cookiejar import CookieJar, DefaultCookiePolicy
from urllib.parse import urlsplit
from urllib.request import getproxies

import httpx

from autoscaler.domain.errors import ConfigurationError, Fault

KEEPALIVE_S = 4.0
"""Below the 5 s after which common servers hang up, so that a write rarely meets a dying connection."""
_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE")
_NEAR = (".localhost", ".internal", ".flycast")


def library_client(
    host: str, headers: Mapping[str, str], *, connections: int, idle: int
) -> httpx.AsyncClient:
    """A client that asks `host` alone, on at most so many connections, so many of them without work.

    Raises ConfigurationError, which names the variables that may be meant.
    """
    limits = httpx.Limits(
        max_connections=connections, max_keepalive_connections=idle, keepalive_expiry=KEEPALIVE_S
    )
    no_cookies = CookieJar(policy=DefaultCookiePolicy(allowed_domains=()))
    trusted, proxied = _certificates(), not is_near(host)
    try:
        if proxied:
            _look_at_proxies()
        return httpx.AsyncClient(
            headers=headers, cookies=no_cookies, limits=limits, verify=trusted, trust_env=proxied
        )
    except (httpx.InvalidURL, ImportError, ValueError) as error:
        # What the library says is left out: it may quote a password, or tell to install something.
        remedy = (
            "write a proxy like http://proxy.example:3128 (SOCKS is not spoken)"
            " and NO_PROXY like example.com,10.1.2.3"
        )
        raise _misunderstood(_PROXIES, "is not understood", remedy) from error


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
    try:
        _look_at_directories()
        return httpx.create_ssl_context()
    except OSError as error:
        remedy = (
            "correct it or unset it: certificates are read from a PEM file or from directories,"
            " keys are logged to a writable file"
        )
        raise _misunderstood(_CERTIFICATES, f"cannot be used ({error.strerror})", remedy) from error


def _look_at_directories() -> None:
    """Raise OSError for what the library would take for a directory without a certificate in it."""
    told = os.environ.get("SSL_CERT_DIR", "")
    if not os.environ.get("SSL_CERT_FILE"):
        for directory in filter(None, told.split(os.pathsep)):
            os.scandir(directory).close()


def _look_at_proxies() -> None:
    """Raise ValueError for an address that the library takes and cannot connect to."""
    told = getproxies()
    for address in filter(None, map(told.get, ("http", "https", "all"))):
        parts = urlsplit(address if "://" in address else f"//{address}")
        if not parts.hostname or parts.port == 0:
            raise ValueError("no host or no port")


def _misunderstood(names: Sequence[str], problem: str, remedy: str) -> ConfigurationError:
    """Of the variables with these names, in capital or small letters, those that are set are to blame."""
    present = sorted(name for name, value in os.environ.items() if name.upper() in names and value)
    return ConfigurationError([Fault(path=" or ".join(present or names), problem=problem, remedy=remedy)])
