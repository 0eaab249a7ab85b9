"""Queries with `$app` and `$group` in them, the only two words that are filled in."""

import re

from autoscaler.service.configuration.spelling import MistakeError, shown

# `$1`, `${1}` and a bare `$` belong to PromQL's regular expressions and are left alone.
_PLACEHOLDER = re.compile(r"\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)\})", re.ASCII)
_EATEN = re.compile(r"""(?<![\w.])app\s*=~?\s*(?:""|''|``)""")
_KNOWN = {"app", "group"}


def parse_query(value: object) -> str:
    """A PromQL text in which nothing but `$app` and `$group` is left to fill in. Raises MistakeError."""
    if not isinstance(value, str) or not value.strip():
        raise MistakeError(
            f"{shown(value)} is not a query", "write PromQL, such as 'max(queue_depth{app=\"$app\"})'"
        )
    if _EATEN.search(value):
        raise MistakeError(
            'asks for app=""',
            "the shell ate $app, it seems: put the query between single quotes, or escape the dollar sign",
        )
    for match in _PLACEHOLDER.finditer(value):
        if match[1] not in _KNOWN:
            name = match[1] or match[2]
            guess = f"write ${name}" if name in _KNOWN else "only $app and $group are filled in"
            raise MistakeError(f"{shown(match[0])} is not filled in", guess)
    return str(value)


def uses_group(promql: str) -> bool:
    """Whether the query asks for the process group to be filled in."""
    return any(match[1] == "group" for match in _PLACEHOLDER.finditer(promql))


def fill(promql: str, *, app: str, group: str) -> str:
    """The query with `$app` and `$group` replaced; for a query that `parse_query` has read."""
    values = {"app": app, "group": group}
    return _PLACEHOLDER.sub(lambda match: values[match[1]], promql)
