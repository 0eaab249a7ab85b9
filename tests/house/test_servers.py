"""A metric server that is not installed is never passed over in silence."""

from collections.abc import Callable
from pathlib import Path

import pytest


def test_a_missing_server_skips_a_test_and_says_so(
    server_binary: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REQUIRE_SERVERS", raising=False)
    with pytest.raises(pytest.skip.Exception, match="NOT TESTED: no-such-server is not installed here"):
        server_binary("no-such-server")


def test_a_missing_server_is_a_failure_where_servers_are_required(
    server_binary: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUIRE_SERVERS", "1")
    with pytest.raises(pytest.fail.Exception, match="no-such-server is not installed, and REQUIRE_SERVERS=1"):
        server_binary("no-such-server")


def test_an_installed_command_is_found(server_binary: Callable[[str], Path]) -> None:
    assert server_binary("sh").is_file()
