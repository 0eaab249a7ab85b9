"""`/_emulator`: loads, faults, the request log, the clock, and a fresh start.

`POST loads` sets a load: `name`, `labels`, and one of `value` (a number, or "NaN"), `wave`
(`base amplitude period_s phase_s floor`), `points` ([[t, value], ...]) or `csv` (lines t,value);
the last two with `linear speed scale repeat`. `regions` gives one of these per region. `backfill` lets it
tell of the past too, `lag_s` makes its samples old. `GET loads` shows what they are worth now,
`DELETE loads?name=` ends them.

`POST faults` takes the fields of `faults.Fault`; `GET faults` lists, `DELETE faults?id=` clears one or all.

`GET log?operation=&since=` and `DELETE log`; `GET clock` and `POST clock {"advance": seconds}` (manual
clocks only); `POST reset` begins again with the same seed.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from starlette.routing import Route

from autoscaler.emulator import errors
from autoscaler.emulator.clock import ManualClock
from autoscaler.emulator.control import Command, check_regions, control_route
from autoscaler.emulator.faults import Fault, Injected, Kind
from autoscaler.emulator.gateway import Gateway
from autoscaler.emulator.json_shapes import Shape, check
from autoscaler.emulator.loads import Constant, Recorded, Wave, parse_csv
from autoscaler.emulator.loads import Shape as Curve
from autoscaler.emulator.promql.evaluate import LOOKBACK_S
from autoscaler.emulator.promql.samples import written
from autoscaler.emulator.record import Json
from autoscaler.emulator.seeding import new_world

RECORDED: Mapping[str, Shape] = {"linear": "bool", "speed": "number", "scale": "number", "repeat": "bool"}
CURVES: Mapping[str, Shape] = {
    "value": "number|string",
    "wave": {"*": "number"},
    "points": [["number|string"]],
    "csv": "string",
}
LOAD: Mapping[str, Shape] = {
    "name": "string",
    "labels": {"*": "string|number|bool"},
    "regions": {"*": "number|string|object"},
    "backfill": "bool",
    "lag_s": "number",
    **CURVES,
    **RECORDED,
}
HEADER_NAME = re.compile(r"[\w!#$%&'*+.^`|~-]+", re.ASCII)
HEADER_VALUE = re.compile(r"([!-~\x80-\xff]([\t -~\x80-\xff]*[!-~\x80-\xff])?)?")
OWN_HEADERS = frozenset({"content-length", "transfer-encoding"})
FAULT: Mapping[str, Shape] = {
    "kind": "string",
    "operation": "string",
    "app": "string",
    "region": "string",
    "machine": "string",
    "state": "string",
    "release": "string",
    "count": "int|null",
    "probability": "number",
    "skip": "int",
    "for_s": "number|null",
    "status": "int",
    "body": "object|string|null",
    "headers": {"*": "string"},
    "delay_s": "number",
    "share": "number",
    "exit_code": "int",
    "oom": "bool",
}


def routes(gateway: Gateway) -> list[Route]:
    """All of them."""
    table = (
        ("GET", "/loads", show_loads),
        ("POST", "/loads", set_load),
        ("DELETE", "/loads", end_loads),
        ("GET", "/faults", show_faults),
        ("POST", "/faults", inject),
        ("DELETE", "/faults", clear_faults),
        ("GET", "/log", show_log),
        ("DELETE", "/log", clear_log),
        ("GET", "/clock", show_clock),
        ("POST", "/clock", move_clock),
        ("POST", "/reset", reset),
    )
    return [control_route(gateway, method, path, handler) for method, path, handler in table]


def set_load(command: Command) -> None:
    """From now on."""
    command.only(LOAD)
    told = command.fields
    if not told.get("name"):
        raise errors.invalid("name is required")
    labels = {label: str(text) for label, text in told.get("labels", {}).items()}
    per_region = _per_region(told)
    curves = {region: curve_of(one, told) for region, one in per_region.items()}
    for region, curve in curves.items():
        command.world.set_load(
            told["name"],
            curve,
            labels={**labels, "region": region} if region else labels,
            backfill=bool(told.get("backfill")),
            lag_s=float(told.get("lag_s", 0)),
        )


def _per_region(told: Json) -> Mapping[str, object]:
    """What is asked for by region, or under no name for all. ApiError 400 for both, or unknown regions."""
    if "regions" not in told:
        return {"": told}
    asked: Mapping[str, object] = told["regions"]
    if both := [curve for curve in CURVES if curve in told]:
        raise errors.invalid(f"{both[0]} beside regions: give one of them")
    if not asked:
        raise errors.invalid("regions must not be empty")
    check_regions(asked)
    return asked


def curve_of(one: object, options: Mapping[str, Any]) -> Curve:
    """A number, or one of the curves. ValueError for none or several of them."""
    if not isinstance(one, Mapping):
        return Constant(value=_number(one))
    check(one, {**CURVES, **RECORDED}, "load")
    chosen = [curve for curve in CURVES if curve in one]
    if len(chosen) != 1:
        raise ValueError(f"exactly one of {', '.join(CURVES)} is needed")
    kind = chosen[0]
    if kind == "value":
        return Constant(value=_number(one["value"]))
    if kind == "wave":
        return Wave(**{name: float(value) for name, value in one["wave"].items()})
    points = (
        parse_csv(one["csv"])
        if kind == "csv"
        else tuple(sorted((float(at), float(value)) for at, value in one["points"]))
    )
    if not points:
        raise ValueError("points must not be empty")
    chosen_options = {name: {**options, **one}[name] for name in RECORDED if name in {**options, **one}}
    return Recorded(points=points, **chosen_options)


def show_loads(command: Command) -> list[Json]:
    """Every series with its present value as text, null where it has none."""
    shown = []
    for series in command.world.loads:
        read = series.sample(command.world.now, LOOKBACK_S)
        value = None if read is None else written(read[0])
        shown.append({"name": series.name, "labels": series.labels, "value": value})
    return shown


def end_loads(command: Command) -> Json:
    """By name and labels in the query; all of them without."""
    labels = dict(command.request.query_params)
    name = labels.pop("name", None)
    return {"ended": command.world.loads.end(name, labels, command.world.now)}


def inject(command: Command) -> Json:
    """Returns the fault with its id."""
    command.only(FAULT)
    told = {**command.fields, "kind": Kind(command.fields.get("kind", ""))}
    if not 200 <= told.get("status", 503) <= 599:
        raise errors.invalid("status must be between 200 and 599")
    if told.get("region"):
        check_regions([told["region"]])
    _check_headers(told.get("headers", {}))
    return _told(command.world.inject(Fault(**told)))


def _check_headers(headers: Mapping[str, str]) -> None:
    """ApiError 400 for those that HTTP could not carry, and for those that the server writes itself."""
    for name, value in headers.items():
        if not HEADER_NAME.fullmatch(name) or name.lower() in OWN_HEADERS:
            raise errors.invalid(f"headers: {name!r} cannot be set")
        if not HEADER_VALUE.fullmatch(value):
            raise errors.invalid(f"headers: {name!r} cannot be {value!r}")


def show_faults(command: Command) -> list[Json]:
    """Those in force, with how often they struck."""
    return [_told(injected) for injected in command.world.faults]


def clear_faults(command: Command) -> None:
    """One by `id`, or all."""
    number = command.request.query_params.get("id")
    command.world.clear(int(number) if number else None)


def show_log(command: Command) -> list[Json]:
    """Oldest first; `since` is the number of the first entry wanted."""
    operation = command.request.query_params.get("operation", "")
    since = int(command.request.query_params.get("since", "0"))
    return [
        entry.as_json()
        for entry in command.gateway.log
        if entry.number >= since and operation in ("", entry.operation)
    ]


def clear_log(command: Command) -> None:
    """Forgets it."""
    command.gateway.log.clear()


def show_clock(command: Command) -> Json:
    """Unix seconds."""
    return {"now": command.gateway.clock.now()}


def move_clock(command: Command) -> Json:
    """ApiError 409 for a clock that runs by itself."""
    command.only({"advance": "number"})
    clock = command.gateway.clock
    if not isinstance(clock, ManualClock):
        raise errors.refusal(409, "this clock runs by itself")
    clock.advance(float(command.fields["advance"]))
    command.world.advance(clock.now())
    return {"now": clock.now()}


def reset(command: Command) -> None:
    """The same seed again: the same Machines, no faults, no loads, an empty log."""
    gateway = command.gateway
    gateway.reset(new_world(gateway.world.config, gateway.clock.now()))
    command.request.app.state.world = gateway.world


def _told(injected: Injected) -> Json:
    return {"id": injected.id, "hits": injected.hits, **asdict(injected.fault)}


def _number(value: object) -> float:
    """JSON has no NaN, so it comes as text."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TypeError(f"{value!r} is no number")
    return float(value)
