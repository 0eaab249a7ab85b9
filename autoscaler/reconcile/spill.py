"""What a full region cannot hold goes to the nearest one with room, and is counted where it belongs."""

from collections.abc import Mapping

from autoscaler.domain.geography import by_distance
from autoscaler.domain.names import Region
from autoscaler.domain.reason import ReasonCode, reason
from autoscaler.reconcile import creating, steps
from autoscaler.reconcile.creating import Order
from autoscaler.reconcile.placing import Overflow
from autoscaler.reconcile.situation import Draft, Situation
from autoscaler.reconcile.starting import candidates


def plan(situation: Situation, draft: Draft, overflows: Mapping[Region, Overflow]) -> None:
    """Find a place for each region's overflow, near before far, never above a region's max."""
    for home, overflow in sorted(overflows.items()):
        missing = overflow.machines
        for region in by_distance(home, set(situation.rosters) - set(overflows)) if situation.spills else ():
            missing -= _start_there(situation, draft, home, region, missing)
            missing -= _create_there(situation, draft, home, region, missing)
        draft.lack(home, missing, overflow.reason)


def _start_there(situation: Situation, draft: Draft, home: Region, region: Region, missing: int) -> int:
    able = candidates(situation, draft, region)[: max(0, min(missing, draft.room[region]))]
    for member in able:
        draft.add(*steps.start(member, reason(ReasonCode.SPILLED, home=home), home=home))
        draft.room[region] -= 1
    return len(able)


def _create_there(situation: Situation, draft: Draft, home: Region, region: Region, missing: int) -> int:
    machines = max(0, min(missing, draft.room[region]))
    if machines == 0 or creating.forbidden(situation, draft, region) is not None:
        return 0
    why = reason(ReasonCode.SPILLED, home=home)
    return creating.place(situation, draft, Order(region=region, home=home, machines=machines, reason=why))
