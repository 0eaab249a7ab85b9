"""The metric source: instant and range queries over the loads and a few series of the Machines."""

import math
from collections.abc import Iterable, Iterator

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from autoscaler.emulator.faults import Facts, Kind
from autoscaler.emulator.gateway import Call, Gateway, Reach
from autoscaler.emulator.promql.evaluate import LOOKBACK_S, POINTS_MOST, Evaluation
from autoscaler.emulator.promql.grammar import parse, seconds
from autoscaler.emulator.promql.samples import Sample, Value, written
from autoscaler.emulator.promql.syntax import QueryError
from autoscaler.emulator.record import Json, Machine
from autoscaler.emulator.timestamps import parse as parse_time
from autoscaler.emulator.world import World

BASE = "/prometheus/{org}/api/v1"
MIB = 1024 * 1024


def routes(gateway: Gateway) -> list[Route]:
    """Both queries, by GET and by POST."""
    return [
        gateway.route(method, f"{BASE}/{name}", name, operation, Reach.ORG)
        for name, operation in (("query", query), ("query_range", query_range))
        for method in ("GET", "POST")
    ]


class WorldSource:
    """Loads, `fly_instance_up` and `fly_instance_memory_mem_total`."""

    def __init__(self, world: World) -> None:
        self._world = world

    def samples(self, name: str | None, at: float, lookback_s: float) -> Iterable[Sample]:
        """Every series of this name at a moment."""
        for series in self._world.loads:
            read = series.sample(at, lookback_s) if name in (None, series.name) else None
            if read is not None:
                value, stamp = read
                yield Sample(labels={"__name__": series.name, **series.labels}, value=value, stamp=stamp)
        for own in ("fly_instance_up", "fly_instance_memory_mem_total"):
            if name in (None, own):
                yield from self._of_machines(own, at)

    def _of_machines(self, name: str, at: float) -> Iterator[Sample]:
        for machine_id in self._world.machines:
            machine = self._world.seen_at(machine_id, at)
            if machine is not None and machine.state == "started":
                value = 1.0 if name == "fly_instance_up" else float(_memory_mb(machine) * MIB)
                labels = {
                    "__name__": name,
                    "app": machine.app,
                    "region": machine.region,
                    "host": machine.host,
                    "instance": machine.id,
                }
                yield Sample(labels=labels, value=value, stamp=at)


def query(call: Call) -> Response:
    """One moment: `query`, `time`, `lookback_delta` (or `max_lookback`)."""
    try:
        parameters = _parameters(call)
        at = _moment(parameters.get("time"), call.world.now)
        value = _evaluation(call, parameters, at).value(parse(_asked(parameters)))
    except QueryError as error:
        return _failed(error)
    if isinstance(value, float):
        return _answer(call, "scalar", [at, written(value)])
    return _answer(call, "vector", [_instant(sample, at) for sample in value])


def query_range(call: Call) -> Response:
    """Many moments: `query`, `start`, `end`, `step`."""
    try:
        parameters = _parameters(call)
        node = parse(_asked(parameters))
        start, end = (_moment(parameters.get(name), None) for name in ("start", "end"))
        step = _step(parameters.get("step", ""), end - start)
        rows: dict[tuple[tuple[str, str], ...], list[list[float | str]]] = {}
        for number in range(int((end - start) / step + 1e-9) + 1):
            at = start + number * step
            for labels, number_at in _points(_evaluation(call, parameters, at).value(node)):
                rows.setdefault(labels, []).append([at, written(number_at)])
    except QueryError as error:
        return _failed(error)
    return _answer(call, "matrix", [{"metric": dict(key), "values": values} for key, values in rows.items()])


def _evaluation(call: Call, parameters: dict[str, str], at: float) -> Evaluation:
    asked = parameters.get("lookback_delta") or parameters.get("max_lookback")
    lookback = seconds(asked) if asked else LOOKBACK_S
    return Evaluation(source=WorldSource(call.world), at=at, lookback_s=lookback)


def _parameters(call: Call) -> dict[str, str]:
    form = call.body if isinstance(call.body, dict) else {}
    return {**dict(call.request.query_params), **form}


def _asked(parameters: dict[str, str]) -> str:
    if not parameters.get("query", "").strip():
        raise QueryError("the parameter query is missing")
    return parameters["query"]


def _step(text: str, length_s: float) -> float:
    step = seconds(text)
    if length_s < 0 or step <= 0 or length_s / step > POINTS_MOST:
        raise QueryError(f"the range must be forward, of at most {POINTS_MOST} steps")
    return step


def _moment(text: str | None, default: float | None) -> float:
    """Unix seconds or RFC 3339. QueryError for anything else, no number included."""
    if not text:
        if default is None:
            raise QueryError("start and end are required")
        return default
    try:
        moment = parse_time(text) if "T" in text else float(text)
    except ValueError as error:
        raise QueryError(f"{text!r} is no time") from error
    if not math.isfinite(moment):
        raise QueryError(f"{text!r} is no time")
    return moment


def _points(value: Value) -> list[tuple[tuple[tuple[str, str], ...], float]]:
    if isinstance(value, float):
        return [((), value)]
    return [(tuple(sorted(sample.labels.items())), sample.value) for sample in value]


def _instant(sample: Sample, at: float) -> Json:
    return {"metric": dict(sample.labels), "value": [at, written(sample.value)]}


def _answer(call: Call, kind: str, result: object) -> Response:
    body: Json = {"status": "success", "data": {"resultType": kind, "result": result}}
    facts = Facts(operation=call.entry.operation)
    if call.world.faults.hit(Kind.WARNINGS, facts, call.world.now):
        body["warnings"] = ["some of the storage did not answer"]
        body["isPartial"] = True
    return JSONResponse(body)


def _failed(error: QueryError) -> Response:
    status = 422 if error.kind == "execution" else 400
    return JSONResponse({"status": "error", "errorType": error.kind, "error": str(error)}, status_code=status)


def _memory_mb(machine: Machine) -> int:
    return int((machine.config.get("guest") or {}).get("memory_mb", 256))
