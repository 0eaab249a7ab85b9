"""What the environment says about proxies is followed where a proxy can be of use, or is a mistake."""

import pytest

from autoscaler.adapters.http.client import HttpClient
from autoscaler.adapters.http.exchange import Call
from autoscaler.adapters.http.transport import is_near
from autoscaler.domain.errors import ConfigurationError
from tests.adapters.http.wire import answer, wire

GET = Call(operation="thing", method="GET", path="/thing", timeout_s=2.0)
NOBODY = "http://127.0.0.1:1"


@pytest.fixture(autouse=True)
def no_other_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever stands in the environment of the tests."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST",
        "metrics.localhost",
        "127.0.0.1",
        "127.1.2.3",
        "0.0.0.0",  # noqa: S104 - asked, not listened on
        "::1",
        "::",
        "_api.internal",
        "top1.nearest.of.prometheus.internal.",
        "prometheus.flycast",
    ],
)
def test_no_proxy_gets_to_this_machine_or_into_the_private_network(host: str) -> None:
    assert is_near(host)


@pytest.mark.parametrize(
    "host",
    ["api.machines.dev", "prometheus", "10.1.2.3", "fdaa::3", "notlocalhost", "internal.example", "a.local"],
)
def test_every_other_host_may_need_one(host: str) -> None:
    assert not is_near(host)


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
async def test_this_machine_is_asked_directly_whatever_the_environment_says(
    monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, NOBODY)
    async with wire(answer(200)) as server, HttpClient("x", server.url) as http:
        assert (await http.send(GET)).ok


async def test_another_host_is_asked_through_the_proxy_of_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with wire(answer(200)) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        async with HttpClient("x", "http://metrics.example") as http:
            assert (await http.send(GET)).ok
    assert [seen.path for seen in proxy.seen] == ["http://metrics.example/thing"]


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("ALL_PROXY", "socks5://127.0.0.1:1080"),
        ("http_proxy", "socks5://127.0.0.1:1080"),
        ("HTTPS_PROXY", "garbage://user:hunter2@x"),
        ("HTTP_PROXY", "http://[::1"),
        ("HTTP_PROXY", "http://"),
        ("HTTPS_PROXY", "proxy.example:99999"),
        ("https_proxy", "http://proxy.example:0"),
        ("HTTP_PROXY", "\udcff"),
        ("NO_PROXY", "[::1"),
        ("no_proxy", "fd00::/8"),
    ],
)
def test_what_cannot_be_a_proxy_is_a_fault_of_its_variable(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigurationError) as caught:
        HttpClient("x", "https://api.machines.dev")
    (fault,) = caught.value.faults
    assert fault.path == variable
    assert "http://proxy.example:3128" in fault.remedy
    assert "hunter2" not in str(caught.value)


def test_where_several_variables_may_be_meant_all_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "[::1")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    with pytest.raises(ConfigurationError, match=r"^HTTPS_PROXY or NO_PROXY: "):
        HttpClient("x", "https://api.machines.dev")


async def test_a_mistaken_proxy_is_none_for_what_needs_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:1080")
    async with wire(answer(200)) as server, HttpClient("x", server.url) as http:
        assert (await http.send(GET)).ok
