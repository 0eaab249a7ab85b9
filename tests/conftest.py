"""What every test may rely on: profiles of Hypothesis, time limits, metric servers, reference material."""

import os
import shutil
from collections.abc import Callable, Generator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, is_hypothesis_test, settings

ROOT = Path(__file__).resolve().parent.parent
# What starts processes, tells hours over HTTP, reads every file or tries many examples takes more than the
# usual limit on a machine that others load as well.
SECONDS_PER_TEST = {"integration": 60, "process": 120, "scenarios": 30, "house": 60}
SECONDS_PER_LAW = 60

# A slow shared machine must not turn a law into a coin toss, so no profile judges by the clock. Every day the
# same examples are tried, so that a red run is about the change at hand; the night looks for new ones.
UNTIMED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("everyday", UNTIMED, max_examples=60, derandomize=True)
settings.register_profile("nightly", UNTIMED, max_examples=2000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "everyday"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the time to those that need it, unless a test sets its own limit."""
    for item in items:
        folder = item.path.relative_to(ROOT / "tests").parts[0]
        seconds = SECONDS_PER_LAW if is_hypothesis_test(getattr(item, "obj", None)) else None
        seconds = SECONDS_PER_TEST.get(folder, seconds)
        if seconds and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(seconds))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """Keep looptime away from synchronous tests: it asks for their loop, which makes one nobody closes."""
    if pyfuncitem.get_closest_marker("asyncio") is None:
        pyfuncitem.funcargs.pop("event_loop_policy", None)
    return (yield)


@pytest.fixture(scope="session")
def root() -> Path:
    """The repository."""
    return ROOT


@pytest.fixture(scope="session")
def server_binary() -> Callable[[str], Path]:
    """Find an installed metric server by its command: `server_binary("prometheus")`.

    Without it the test is skipped and says so, or fails where REQUIRE_SERVERS=1 promised that it is there.
    """

    def find(command: str) -> Path:
        found = shutil.which(command)
        if found is not None:
            return Path(found)
        if os.environ.get("REQUIRE_SERVERS") == "1":
            pytest.fail(f"{command} is not installed, and REQUIRE_SERVERS=1 demands it", pytrace=False)
        pytest.skip(f"NOT TESTED: {command} is not installed here")

    return find


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """The reference material (official API description, recorded load), which is not part of the repository.

    Looked for in SHARED_DIR, else beside the repository. Without it the test is skipped and says so.
    """
    folder = Path(os.environ.get("SHARED_DIR", ROOT.parent / "shared"))
    if not folder.is_dir():
        pytest.skip(f"NOT TESTED: no reference material in {folder} (set SHARED_DIR)")
    return folder
