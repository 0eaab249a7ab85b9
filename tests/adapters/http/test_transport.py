"""What the environment says about proxies is followed where a proxy can be of use."""

import pytest

from autoscaler.adapters.http.client import HttpClient
from autoscaler.adapters.http.exchange import Call
from autoscaler.adapters.http.transport import is_near
from tests.adapters.http.wire import answer, wire

GET = Call(operation="thing", method="GET", path="/thing", timeout_s=2.0)
NOBODY = "http://127.0.0.1:1"


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
