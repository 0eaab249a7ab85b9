"""The text of `docs/configuration.md`, made from the declarations; `python -m` this module prints it."""

import sys
from collections.abc import Iterable, Iterator

from autoscaler.service.configuration.declaration import Declared, Model, declared
from autoscaler.service.configuration.metric_tables import MetricTable, RuleTable
from autoscaler.service.configuration.pool_table import (
    EnvironmentOnly,
    PoolTable,
    ScaleInTable,
    ScaleOutTable,
)
from autoscaler.service.configuration.process import (
    ApiTable,
    DaemonTable,
    HttpTable,
    LogTable,
    Process,
    PrometheusTable,
)
from autoscaler.service.configuration.regions import RegionTable
from autoscaler.service.configuration.schedule_table import ScheduleTable

_INTRODUCTION = """\
# Configuration

*This page is generated from the declarations in `autoscaler/service/configuration/`:
`python -m autoscaler.service.reference > docs/configuration.md`. A test compares the two.*

One pool needs no file: set the variables below. Several pools, named metrics, schedules and a few manners
need a TOML file, named by `AUTOSCALER_CONFIG` or given as text in `AUTOSCALER_CONFIG_TOML`, so that a whole
configuration can be one secret. `config/autoscaler.example.toml` is a commented sample.

- Settings of the process may stand in both places; the environment beats the file.
- A pool stands in one place: variables of a pool beside pools in a file are an error, and so are
  `AUTOSCALER_CONFIG` and `AUTOSCALER_CONFIG_TOML` together.
- A misspelt variable or key, a value that is not understood and every contradiction are errors at start. All
  of them are told at once, each with where it is and what would be right.
- A variable that is set and empty is an error, lest a forgotten substitution pass for a decision. Two
  exceptions: an empty `AUTOSCALER_GROUP` means Machines without a group, an empty token counts as not set.
- Blanks around a variable's value are ignored.

## Notation

| what | how | examples |
|---|---|---|
| duration | whole numbers with units `d`, `h`, `m`, `s`, from large to small; a unit is required | `15s`, \
`5m`, `1h30m` |
| range | least and most Machines, both allowed; at most 10000 | `1..10`, `0..0` |
| regions, as a variable | region=range, separated by commas | `ord=1..10, ams=0..5` |
| percentage | a number and the sign; only 0 needs no sign | `20%` |
| step | `none`, a count per period, a percentage per period, or both: whichever allows more counts, and a \
side without a period shares the other's | `4/15s`, `50%/1m`, `100% or 4/15s` |
| budget | creations per period | `10/10m` |
| boolean | `true` or `false`, nothing else; without quotes in the file | `true` |
| query | PromQL, in which `$app` and `$group` are filled in and nothing else; other dollar signs before \
a name are an error, those of regular expressions and `label_replace` are left alone | \
`'max(queue_depth{app="$app"})'` |

Put a query between single quotes in a shell and in TOML. Between double quotes the shell replaces `$app` by
nothing, so a query that asks for `app=""` is refused.

## Variables
"""

_RULE_NOTE = """\

Exactly one of `AUTOSCALER_PER_MACHINE`, `AUTOSCALER_UTILIZATION` and `AUTOSCALER_EXPRESSION` is set. An
expression that names no metric needs no `AUTOSCALER_QUERY`.
"""

_SURROUNDINGS = """\

### Proxies and certificates

`HTTP_PROXY`, `HTTPS_PROXY` and `ALL_PROXY`, or the same in small letters, name a proxy for what begins
with `http://`, with `https://` and for all, written like `http://proxy.example:3128`; SOCKS is not spoken.
`NO_PROXY` lists what is asked without one: names, which stand for all that end in them as well, and single IP
addresses, separated by commas, or `*`. A metric source inside your own network is named there.

Never asked through a proxy are this machine (`localhost` and what ends in `.localhost`, `127.0.0.0/8`, `::1`)
and what ends in `.internal` or `.flycast`: Fly's private network is not known to any proxy outside.

`SSL_CERT_FILE`, or else `SSL_CERT_DIR`, replaces the certificate authorities that are believed. What cannot
be used as it is set is an error at start, as with the variables above.
"""

_FILE = """\

## Keys of the file

The tables of the process come first, then `[pools.NAME]` for every pool. NAME has up to 63 letters, digits,
dots, dashes and underscores; metrics, logs and commands use it.
"""

_TABLES: tuple[tuple[str, str, type[Model]], ...] = (
    ("[prometheus]", "", PrometheusTable),
    ("[api]", "", ApiTable),
    ("[daemon]", "", DaemonTable),
    ("[http]", "", HttpTable),
    ("[log]", "", LogTable),
    ("[pools.NAME]", "", PoolTable),
    ("[pools.NAME.scale_in]", "", ScaleInTable),
    ("[pools.NAME.scale_out]", "", ScaleOutTable),
    ("[pools.NAME.regions.REGION]", 'A region may also be its range alone: `ord = "1..10"`.', RegionTable),
    (
        "[pools.NAME.metrics.METRIC]",
        "A metric may also be its query alone: `backlog = 'max(queue_depth)'`.",
        MetricTable,
    ),
    (
        "[[pools.NAME.rules]]",
        (
            "Either `metric` or `query` (with any key of a metric) and one of `per_machine` and"
            " `utilization`; or an `expression` alone."
        ),
        RuleTable,
    ),
    ("[[pools.NAME.schedules]]", "", ScheduleTable),
)

_SOURCES = """\

## Metric sources

Anything that answers `/api/v1/query` as Prometheus does is a metric source; `/api/v1/query_range` is asked
after a restart, for the window's past. Every question carries `max_age` as the oldest sample it wants. What
differs between servers, as seen with Prometheus 2.42 and VictoriaMetrics 1.79:

- **Prometheus before 2.43** takes no notice of that wish and looks back five minutes, or as its own
  `--query.lookback-delta` says. There only an `age_query` makes sure that nothing older is believed.
- **VictoriaMetrics** hides its newest 30 seconds from those who do not ask for them; the autoscaler does. It
  leaves out what is not a number, so that `0/0` is an empty answer, which `missing` fills in. Over a range
  its newest minute repeats an older value, so that a window that is refilled does not know of a peak in it.
- **No server** tells the age of a sample of its own accord: an instant answer bears the time of the question.

`AUTOSCALER_CONFIG_TOML` is limited by Linux: one variable has at most 128 KiB, its name included, and a
process with a longer one does not start. A longer file is named by `AUTOSCALER_CONFIG`.
"""

_REFUSED = """\

## What is refused together

- minimums that sum up to more than the total's maximum, or maximums to less than its minimum;
- `leave = "destroy"` with `create = false`;
- `utilization` as the only rule where a region may be at 0: no Machine, no mean, so it would stay there;
- a metric that no rule uses, and a rule that names a metric that does not exist;
- a region that the platform does not have, or has closed;
- a schedule that never comes, ends whenever it starts, changes no bound, names a region the pool does not \
have, would lift a minimum above a maximum, or would open a region at 0 for `utilization` alone;
- a metric with the name of a function, of a number of the fleet, or of `and`, `or` and `not`;
- `group` beside `match`, and `$group` in the queries of a pool that is chosen by `match`;
- two pools that claim the same Machines.

A key that does nothing beside the others, such as `drain` without `busy`, is told as a warning.
"""


def page() -> str:
    """The whole page."""
    return "".join((_INTRODUCTION, *_variables(), _SURROUNDINGS, _FILE, *_keys(), _SOURCES, _REFUSED))


def _variables() -> Iterator[str]:
    pool = list(declared(PoolTable))
    load = [entry for entry in pool if entry.path[0] in {"metrics", "rules"}]
    own = [entry for entry in declared(EnvironmentOnly) if entry.path == ("metric",)]
    query = [entry for entry in load if entry.path == ("metrics", "query")]
    yield from _group("A pool", (entry for entry in pool if entry not in load))
    yield from _group("Its load", (*query, *own, *(entry for entry in load if entry not in query)))
    yield _RULE_NOTE
    yield from _group("The process", declared(Process))
    yield from _group("The file", (entry for entry in declared(EnvironmentOnly) if entry not in own))


def _group(title: str, entries: Iterable[Declared]) -> Iterator[str]:
    yield f"\n### {title}\n\n" + _row("variable", "meaning", "default", "example") + _row(*["---"] * 4)
    unique = {entry.variable: entry for entry in reversed(list(entries)) if entry.variable}
    for variable, entry in reversed(unique.items()):
        name = f"`{variable}`" + (f" (or `{entry.fallback}`)" if entry.fallback else "")
        yield _row(name, entry.meaning, _default(entry), _code(entry.variable_example))


def _keys() -> Iterator[str]:
    for title, note, model in _TABLES:
        yield f"\n### `{title}`\n\n{model.__doc__}\n"
        yield f"\n{note}\n" if note else ""
        yield "\n" + _row("key", "meaning", "default", "why", "example") + _row(*["---"] * 5)
        for entry in _own(model):
            yield _row(
                f"`{entry.path[0]}`", entry.meaning, _default(entry), entry.reason, _code(entry.example)
            )


def _own(model: type[Model]) -> Iterable[Declared]:
    shared = set(MetricTable.model_fields) - {"query"} if model is RuleTable else set()
    own = (entry for entry in declared(model) if len(entry.path) == 1 and entry.path[0] not in shared)
    return sorted(own, key=lambda entry: entry.path[0] != "query")


def _default(entry: Declared) -> str:
    plain = " " in entry.default or "`" in entry.default or entry.default in {"required", "none"}
    return entry.default if plain else f"`{entry.default}`"


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


if __name__ == "__main__":
    sys.stdout.write(page())
