"""Creating Machines: what forbids it, from which template, under which name, upon which volume."""

from dataclasses import dataclass
from itertools import islice

from autoscaler.domain.fleet import Machine
from autoscaler.domain.names import MachineName, Region, VolumeId
from autoscaler.domain.plan import Create
from autoscaler.domain.reason import Reason, ReasonCode, reason
from autoscaler.reconcile import shelf, template
from autoscaler.reconcile.naming import free_names
from autoscaler.reconcile.situation import Draft, Situation

NO_ROOM = frozenset({ReasonCode.REGION_FULL, ReasonCode.HOST_FULL})
"""Why Machines are refused that another region may have room for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Machines to create in `region` for the demand of `home`; `asleep` ones are not launched."""

    region: Region
    home: Region
    machines: int
    reason: Reason
    asleep: bool = False


def forbidden(situation: Situation, draft: Draft, region: Region) -> Reason | None:
    """Why nothing at all may be created in a region now, None if it may."""
    if situation.gate.no_create:
        return situation.gate.no_create[0]
    if not situation.pool.create:
        return reason(ReasonCode.CREATE_OFF)
    if parked(situation, region):
        entry = situation.ledger.parked[region]
        return reason(ReasonCode.PARKED, why=entry.reason.code, for_s=entry.delay_s)
    source = draft.template(region)
    if source is None:
        return reason(ReasonCode.NO_TEMPLATE, machines=len(situation.view.group))
    if template.mount(source) is not None and situation.pool.volumes is None:
        return reason(ReasonCode.VOLUMES)
    if situation.created_recently is None:
        return reason(ReasonCode.BUDGET_UNREADABLE)
    if template.mount(source) is not None and situation.volumes is None:
        return reason(ReasonCode.VOLUMES_UNREADABLE)
    return None


def parked(situation: Situation, region: Region) -> bool:
    """Whether creates in the region have been refused so lately that it is left alone."""
    entry = situation.ledger.parked.get(region)
    return entry is not None and entry.until > situation.now.mono


def full(situation: Situation, region: Region) -> bool:
    """Whether the region is left alone because it had no room, which another one may have."""
    entry = situation.ledger.parked.get(region)
    return parked(situation, region) and entry is not None and entry.reason.code in NO_ROOM


def at_once(situation: Situation, region: Region, machines: int) -> int:
    """How many of them to try in one tick: what was refused as invalid is probed with one."""
    entry = situation.ledger.parked.get(region)
    probing = entry is not None and entry.reason.code is ReasonCode.INVALID_CONFIG
    return min(machines, 1) if probing else machines


def place(situation: Situation, draft: Draft, order: Order) -> int:
    """Put creates into the draft, as many as ordered and as its budget allows; how many are dealt with.

    The region must not be `forbidden`. Where a volume has to be made first, that is this tick's step.
    """
    wanted = min(order.machines, draft.creations_left)
    machines = at_once(situation, order.region, wanted)
    draft.lack(order.home, wanted - machines, reason(ReasonCode.INVALID_CONFIG, probing=machines))
    names = free_names(situation.pool.name, order.region, draft.names)
    for name in islice(names, machines):
        _one(situation, draft, order, name)
    draft.budget_left -= machines
    draft.room[order.region] -= machines
    return wanted


def again(situation: Situation, draft: Draft, former: Create) -> bool:
    """Repeat a create of unknown result under its old name, if that is allowed now; whether it is.

    Its place, its name and its share of the budget have been kept all the time.
    """
    possible = draft.budget_left > 0 and draft.has_kept_room(former.region)
    if not possible or forbidden(situation, draft, former.region) is not None:
        return False
    draft.budget_left -= 1
    draft.promised -= 1
    order = Order(
        region=former.region,
        home=former.home,
        machines=1,
        reason=reason(ReasonCode.REPEAT),
        asleep=former.stopped,
    )
    _one(situation, draft, order, former.name, volume=former.volume)
    return True


def _one(
    situation: Situation, draft: Draft, order: Order, name: MachineName, *, volume: VolumeId | None = None
) -> None:
    source = draft.template(order.region)
    if source is None:
        return
    draft.names.add(name)
    if template.mount(source) is None:
        draft.add(_create(situation, order, source, name, None))
        return
    found = shelf.take(situation, draft, order.region, source, preferred=volume)
    if found is None:
        made = shelf.make(situation, order.region, source)
        draft.add(made)
        draft.lack(order.home, 1, situation.ledger.doubts.get(made.kind, reason(ReasonCode.VOLUMES, made=1)))
    else:
        draft.add(_create(situation, order, source, name, found))


def _create(
    situation: Situation, order: Order, source: Machine, name: MachineName, volume: VolumeId | None
) -> Create:
    return Create(
        region=order.region,
        home=order.home,
        name=name,
        config=template.inherit(
            source,
            pool=situation.pool.name,
            home=order.home if order.home != order.region else None,
            asleep=order.asleep,
            volume=volume,
        ),
        reason=order.reason,
        stopped=order.asleep,
        volume=volume,
    )
