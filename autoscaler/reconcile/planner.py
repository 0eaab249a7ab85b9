"""From a fleet and its desired size to a plan: pure, deterministic, and without effect when repeated."""

from collections.abc import Iterator

from autoscaler.domain.desired import Decision, Gate
from autoscaler.domain.fleet import Volume
from autoscaler.domain.instant import Instant
from autoscaler.domain.names import VolumeId
from autoscaler.domain.plan import EMPTY_PLAN, Plan
from autoscaler.domain.reading import Answer
from autoscaler.domain.reason import Reason, ReasonCode, reason
from autoscaler.reconcile import drains, inward, leftovers, outward, probing, proxying, shelf, staying
from autoscaler.reconcile.busy import answered
from autoscaler.reconcile.counting import PoolView, muster, stuck
from autoscaler.reconcile.ledger import Ledger
from autoscaler.reconcile.situation import Draft, Situation


def make_plan(
    view: PoolView,
    decision: Decision,
    gate: Gate,
    ledger: Ledger,
    *,
    busy: Answer | None,
    created_recently: int | None,
    now: Instant,
    volumes: tuple[Volume, ...] | None = None,
    mounted: frozenset[VolumeId] | None = None,
) -> Plan:
    """What is to be done now. `ledger` has observed the view's survey, idle readings included.

    `created_recently` (see `budget`) and `volumes` cost a request each, so a tick plans without them
    first: a Shortfall BUDGET_UNREADABLE or VOLUMES_UNREADABLE in the plan says that they are needed.
    A pool with volumes needs both; while `ledger.made_volumes` is not empty it needs its volumes anyway.
    `mounted` are the volumes that any Machine ever held, None if that is not known.
    """
    if gate.paused is not None:
        return EMPTY_PLAN
    situation = Situation(
        view=view,
        rosters=muster(view, ledger, now),
        decision=decision,
        gate=gate,
        ledger=ledger,
        busy=answered(view.pool, busy),
        created_recently=created_recently,
        volumes=volumes,
        mounted=mounted,
        now=now,
    )
    draft = Draft(situation)
    if situation.pool.proxy:
        inward.take_back(situation, draft, {})
        proxying.plan(situation, draft)
    else:
        leaving = inward.leavers(situation)
        inward.take_back(situation, draft, leaving)
        outward.plan(situation, draft)
        inward.plan(situation, draft, leaving)
    shelf.clear(situation, draft)
    return probing.restrained(draft.sealed(_warnings(situation)), ledger.doubts)


def _warnings(situation: Situation) -> Iterator[Reason]:
    view, ledger = situation.view, situation.ledger
    yield from situation.gate.warnings
    if not view.group:
        yield reason(ReasonCode.NO_TEMPLATE, machines=0)
    if view.outside:
        regions = ",".join(sorted({machine.region for machine in view.outside}))
        yield reason(ReasonCode.OUTSIDE_REGIONS, machines=len(view.outside), regions=regions)
    proxied = sum(member.machine.proxied for member in view.members)
    if proxied and not view.pool.proxy:
        yield reason(ReasonCode.TWO_MASTERS, machines=proxied)
    for member in view.members:
        if stuck(member.machine, ledger, situation.now) or leftovers.abandoned(situation, member):
            yield reason(ReasonCode.STUCK, machine=member.machine.id, state=member.machine.state)
    yield from drains.long_lasting(situation)
    yield from staying.warnings(ledger)
    yield from shelf.orphans(situation)
