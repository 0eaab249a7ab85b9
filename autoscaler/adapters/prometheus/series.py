"""The JSON of the query API -> series of points, not yet judged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from autoscaler.adapters.http.exchange import Reply
from autoscaler.adapters.http.wording import printable
from autoscaler.domain.errors import GarbledError, RefusedError


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A number at unix time `at`; it may be NaN or infinite."""

    at: float
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Labels and points, oldest first; an instant answer has one point."""

    labels: Mapping[str, str]
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A whole answer. `partial` if the server had warnings or could not ask all its stores."""

    series: tuple[Series, ...]
    partial: bool = False


def instant(reply: Reply) -> Result:
    """The answer to an instant query: a vector, or a scalar, which is one series without labels.

    Raises RefusedError for an error inside a success, GarbledError for anything else.
    """
    body, kind, result = _data(reply)
    if kind == "scalar":
        return Result(series=(Series(labels={}, points=(_point(result),)),), partial=_partial(body))
    if kind != "vector":
        raise GarbledError(f"the query yields a {kind}, not a vector or scalar", status=reply.status)
    rows = [(_labels(entry), (_point(_part(entry, "value")),)) for entry in _entries(result)]
    return _result(body, rows)


def ranged(reply: Reply) -> Result:
    """The answer to a range query, always a matrix. Raises as `instant` does."""
    body, kind, result = _data(reply)
    if kind != "matrix":
        raise GarbledError(f"the range query yields a {kind}, not a matrix", status=reply.status)
    rows = [
        (_labels(entry), tuple(_point(point) for point in _entries(_part(entry, "values"))))
        for entry in _entries(result)
    ]
    return _result(body, rows)


def _result(body: Mapping[str, Any], rows: Sequence[tuple[Mapping[str, str], tuple[Point, ...]]]) -> Result:
    series = tuple(Series(labels=labels, points=points) for labels, points in rows)
    return Result(series=series, partial=_partial(body))


def _data(reply: Reply) -> tuple[Mapping[str, Any], str, object]:
    body = reply.json()
    if not isinstance(body, dict):
        raise GarbledError("the answer is not an object", status=reply.status)
    if body.get("status") == "error":
        raise RefusedError(str(body.get("error", "an error without a text"))[:300], status=reply.status)
    data = body.get("data")
    if body.get("status") != "success" or not isinstance(data, dict):
        raise GarbledError("the answer has neither data nor an error", status=reply.status)
    return body, str(data.get("resultType"))[:40], data.get("result")


def _partial(body: Mapping[str, Any]) -> bool:
    return bool(body.get("warnings")) or body.get("isPartial") is True


def _entries(value: object) -> Sequence[object]:
    if not isinstance(value, list):
        raise GarbledError("a list of the answer is none")
    return value


def _part(entry: object, key: str) -> object:
    if not isinstance(entry, dict) or key not in entry:
        # Native histograms come under another key; they are no numbers.
        raise GarbledError(f"a series of the answer has no {key}")
    return entry[key]


def _labels(entry: object) -> Mapping[str, str]:
    labels = _part(entry, "metric")
    if not isinstance(labels, dict) or not all(isinstance(value, str) for value in labels.values()):
        raise GarbledError("the labels of a series are not texts")
    return {name: printable(value) for name, value in labels.items()}


def _point(pair: object) -> Point:
    if not isinstance(pair, list) or len(pair) != 2:
        raise GarbledError("a point of the answer is no pair")
    at, value = pair
    if isinstance(at, bool) or not isinstance(at, int | float) or not isinstance(value, str):
        raise GarbledError("a point of the answer is no time and text")
    try:
        # Python also reads digits grouped with underscores, which no server writes.
        return Point(at=float(at), value=float(value.replace("_", "?")))
    except (OverflowError, ValueError) as error:
        raise GarbledError("a value of the answer is no number") from error
