"""Whatever an environment or a file says, it is settings or a ConfigurationError, never anything else."""

from hypothesis import example, given
from hypothesis import strategies as st

from autoscaler.domain.errors import ConfigurationError
from autoscaler.service.configuration.environment import KNOWN_VARIABLES
from autoscaler.service.settings import Settings, load
from tests.service.configurations import PROCESS, environment, file_environment, one_pool
from tests.service.test_settings_file import FULL

SCRAPS = st.sampled_from(
    [
        "",
        "0",
        "1",
        "-1",
        "1..2",
        "9..1",
        "5m",
        "5",
        "50%/1m",
        "1/1s or 2",
        "true",
        "no",
        "ord=1..2",
        "ord=",
        "=",
        "nan",
        "1e400",
        "a$app",
        "${x}",
        "\ud800",
        "\x00",
        "٣",
        "9" * 30,
        "http://[",
        "http://x:99999",
        "../..",
        "/dev/null",
        "/",
        "[[[",
        "a = 1",
        "[pools.a]",
        "::",
        "load / 0",
        "((",
        "stop",
        "hold",
        "none",
    ]
)
VALUES = SCRAPS | st.text(max_size=20)
VARIABLES = st.sampled_from(sorted({*KNOWN_VARIABLES, "FLY_API_TOKEN", "FLY_FLAPS_BASE_URL", "AUTOSCALER_"}))
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | VALUES
KEYS = st.sampled_from(
    [
        "prometheus",
        "api",
        "daemon",
        "http",
        "log",
        "pools",
        "url",
        "token",
        "interval",
        "app",
        "group",
        "match",
        "regions",
        "total",
        "metrics",
        "rules",
        "query",
        "per_machine",
        "expression",
        "metric",
        "schedules",
        "start",
        "end",
        "min",
        "scale_in",
        "step",
        "window",
        "ord",
        "range",
        "weight",
        "on_absent",
        "headroom",
        "_env_file",
        "__init__",
    ]
)
TREES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS | VALUES, inner, max_size=4),
    max_leaves=12,
)


def toml(value: object) -> str:
    """A value in TOML's inline notation, as far as it has one."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{quoted(key)} = {toml(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(toml(inner) for inner in value) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return quoted(value) if isinstance(value, str) else str(value)


def quoted(text: str) -> str:
    plain = "".join(f"\\u{ord(char):04x}" if ord(char) < 32 or char in '"\\\x7f' else char for char in text)
    return f'"{plain}"'


def judged(environ: dict[str, str]) -> bool:
    """Whether loading ends in one of the two ways it may."""
    try:
        return isinstance(load(environ), Settings)
    except ConfigurationError as error:
        return len(error.faults) > 0 and all(fault.path and fault.problem for fault in error.faults)


@given(st.dictionaries(VARIABLES, VALUES, max_size=8))
def test_any_variables_are_judged(changes: dict[str, str]) -> None:
    assert judged(changes)
    assert judged({**environment(), **changes})


@given(st.dictionaries(KEYS, TREES, max_size=4))
def test_any_file_is_judged(tree: dict[str, object]) -> None:
    assert judged(file_environment("\n".join(f"{key} = {toml(value)}" for key, value in tree.items())))


@given(st.dictionaries(KEYS, TREES, max_size=4))
def test_any_pool_is_judged(table: dict[str, object]) -> None:
    pool = {"app": "shop", "regions": {"ord": "1..2"}, "rules": [{"expression": "1"}], **table}
    assert judged({**PROCESS, "AUTOSCALER_CONFIG_TOML": f"pools.shop = {toml(pool)}"})
    lines = "".join(f"{quoted(key)} = {toml(value)}\n" for key, value in table.items() if key not in pool)
    assert judged(one_pool(lines))


@given(st.text(max_size=60))
@example("[" * 5000)
@example("x = " + "[" * 5000)
@example("x = " + "{a=" * 3000)
@example("x = " + "9" * 5000)
@example("[pools.a]\nspare = 0x" + "f" * 5000)
@example("a." * 3000 + "b = 1")
def test_any_text_in_place_of_a_file_is_judged(scrap: str) -> None:
    assert judged({**PROCESS, "AUTOSCALER_CONFIG_TOML": scrap})


@given(st.text(max_size=60), st.integers(0, len(FULL)), st.integers(0, 30))
def test_any_text_within_a_file_is_judged(scrap: str, at: int, cut: int) -> None:
    assert judged({**PROCESS, "AUTOSCALER_CONFIG_TOML": FULL[:at] + scrap + FULL[at + cut :]})


CRON_FIELDS = st.sampled_from(
    ["*", "0", "7", "59", "60", "*/2", "*/0", "mon-fri", "sat-mon", "31", "2", "1,2", "x"]
)
CRONTABS = st.lists(CRON_FIELDS, min_size=4, max_size=6).map(" ".join) | VALUES


@given(
    CRONTABS, CRONTABS, st.sampled_from(["UTC", "Europe/Berlin", "Europe", "/etc", "."]), st.integers(0, 9)
)
def test_any_schedule_is_judged(start: str, end: str, zone: str, least: int) -> None:
    table = {"start": start, "end": end, "timezone": zone, "min": least}
    assert judged(one_pool(f"schedules = [{toml(table)}]"))
