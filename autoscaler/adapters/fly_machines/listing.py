"""A list of Machines, read in slices so that the loop keeps turning.

The list is not paginated: a thousand Machines with their events are several megabytes, and reading them in
one go would hold up every other pool. So entries are decoded one by one, with a pause for others between
slices. Anything that is not a whole array of readable Machines is an error: a fleet half seen must not be
acted upon.
"""

import asyncio
import json
import re
from collections.abc import Iterator

from autoscaler.adapters.fly_machines import parse
from autoscaler.adapters.http.exchange import no_number
from autoscaler.domain.errors import GarbledError
from autoscaler.domain.fleet import Machine
from autoscaler.domain.names import MachineId

SLICE = 25
"""Machines between two pauses: a few milliseconds."""

_OPENING = re.compile(r"\s*\[\s*")
_SEPARATOR = re.compile(r"\s*([,\]])\s*")
_DECODER = json.JSONDecoder(parse_constant=no_number)


async def machines_in(body: bytes) -> tuple[Machine, ...]:
    """Every Machine of the list, each id once, in its order. GarbledError if anything is unreadable."""
    found: dict[MachineId, Machine] = {}
    for index, entry in enumerate(_entries(body)):
        machine = parse.machine(entry)
        known = found.get(machine.id)
        if known is None or _age(known) <= _age(machine):
            found[machine.id] = machine
        if index % SLICE == SLICE - 1:
            await asyncio.sleep(0)
    return tuple(found.values())


def _age(machine: Machine) -> tuple[float, str]:
    """Grows with every change; versions are named in the order of their making."""
    return (machine.updated_at or 0.0, machine.instance_id)


def _entries(body: bytes) -> Iterator[object]:
    try:
        yield from _decoded(body.decode())
    except ValueError as error:
        raise GarbledError("the list of Machines is not JSON") from error
    except RecursionError as error:
        raise GarbledError("the list of Machines is nested too deeply") from error


def _decoded(listing: str) -> Iterator[object]:
    opening = _OPENING.match(listing)
    if opening is None:
        raise GarbledError("the list of Machines is not an array")
    position, end = opening.end(), listing.startswith("]", opening.end())
    if end:
        position += 1
    while not end:
        entry, position = _DECODER.raw_decode(listing, position)
        separator = _SEPARATOR.match(listing, position)
        if separator is None:
            raise GarbledError("the list of Machines is cut off")
        yield entry
        position, end = separator.end(), separator[1] == "]"
    if listing[position:].strip():
        raise GarbledError("the list of Machines goes on after its end")
