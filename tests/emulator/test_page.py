"""Every request on the emulator's page of the documentation works as it is written there."""

import re
import shlex

import httpx
import pytest

from autoscaler.emulator.config import EmulatorConfig
from autoscaler.emulator.faults import Kind
from autoscaler.emulator.server import Running, serve_in_thread


def requests_of(page):
    """The curl lines of the page: method, address, headers, body."""
    for line in re.findall(r"^curl .*$", page, re.MULTILINE):
        words = shlex.split(line)[1:]
        method, headers, body, address = "GET", {}, None, ""
        while words:
            word = words.pop(0)
            if word == "-X":
                method = words.pop(0)
            elif word == "-H":
                name, _, value = words.pop(0).partition(": ")
                headers[name] = value
            elif word == "-d":
                body = words.pop(0)
            else:
                address = word
        yield method, address, headers, body


def filled(page: str, fly: Running) -> str:
    """The page with its names replaced by those of a running emulator."""
    return page.replace("$BASE", fly.url).replace("$MACHINE", next(iter(fly.world.machines)))


@pytest.fixture
def page(root):
    return (root / "docs" / "emulator.md").read_text()


def test_every_request_is_answered_with_success(page):
    assert len(list(requests_of(page))) >= 30
    with serve_in_thread(EmulatorConfig()) as fly, httpx.Client(timeout=5) as http:
        for method, address, headers, body in requests_of(filled(page, fly)):
            response = http.request(method, address, headers=headers, content=body)
            assert response.status_code == 200, f"{method} {address} {body}: {response.text}"


def test_every_kind_of_fault_is_on_the_page(page):
    assert [kind for kind in Kind if f"`{kind}`" not in page] == []
