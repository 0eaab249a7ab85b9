"""A base address is that of an HTTP server, or a mistake."""

import pytest

from autoscaler.adapters.http.client import HttpClient
from autoscaler.domain.errors import ConfigurationError


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ftp://host",
        "http://[::1",
        "nonsense",
        "host:4280",
        "http://host:99999",
        "http://",
        "http://h/?q=1",
        "http://xn--/",
        "http://xn--ls8h.la",
    ],
)
def test_an_address_that_is_none_is_a_fault(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^url of x: is no address of an HTTP server"):
        HttpClient("x", url)
