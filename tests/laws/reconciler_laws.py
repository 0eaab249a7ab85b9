"""The reconciler's laws as checks of one tick: the truth before it, what it did, the truth after it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from autoscaler.domain.names import Region
from autoscaler.domain.outcome import TickReport, Uncertain, Verdict
from autoscaler.domain.plan import Mark, Stop, Suspend
from autoscaler.domain.pool import Pool
from autoscaler.domain.reading import Why
from autoscaler.domain.reason import ReasonCode
from autoscaler.emulator.record import Machine
from autoscaler.emulator.request_log import Entry
from autoscaler.policy.rules import FRESH_INTERVALS
from autoscaler.reconcile.budget import budget
from autoscaler.reconcile.deadline import tick_seconds
from autoscaler.reconcile.executor import TIME_TO_ANSWER_S
from autoscaler.reconcile.naming import prefix

SERVING = frozenset({"started", "starting", "restarting", "created", "creating", "replacing", "updating"})
TOLERANCE_S = 0.01
OK = 200
WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
UNLIMITED = frozenset({"lease_release", "query", "query_range"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """The platform's truth when a step began. `lying` if its lists do not tell it.

    `leased` says until when somebody holds a Machine; `bystanders` are Machines that are not ours to touch;
    `requests` is how many there had been; `unseen` are Machines that stopped to serve without our doing, as
    lists may still show them; `alone` that no second autoscaler acts in this step.
    """

    machines: Mapping[str, Machine]
    bystanders: frozenset[str]
    leased: Mapping[str, float]
    busy: frozenset[str]
    lying: bool
    deploying: bool
    requests: int
    unseen: tuple[Machine, ...] = ()
    alone: bool = True


def writes(entry: Entry) -> bool:
    """Whether a request may change something on the platform."""
    return entry.method in WRITES and "/v1/apps/" in entry.path


def ends(entry: Entry) -> bool:
    """Whether a request may send a Machine away."""
    return entry.operation in {"stop", "suspend", "destroy", "cordon", "metadata_merge"}


def serves(machine: Machine) -> bool:
    """Whether the platform runs it, or is about to, and nobody but us has taken it out of routing."""
    draining = "autoscaler_draining" in machine.metadata
    return (
        machine.state in SERVING
        and (draining or not machine.cordoned)
        and machine.metadata.get("autoscaler_asleep") is None
        and machine.host_status == "ok"
        and not machine.stuck
    )


def home(machine: Machine) -> Region:
    """The region whose demand it serves."""
    return Region(machine.metadata.get("autoscaler_home", machine.region))


def no_write_without_leave(report: TickReport, entries: Sequence[Entry]) -> None:
    """19 and 29: a blind, paused or dry tick writes nothing, and without a list every tick is blind."""
    surveyed = any(entry.operation == "list" and entry.status == OK for entry in entries)
    assert surveyed or report.verdict is Verdict.BLIND
    if report.verdict in {Verdict.BLIND, Verdict.PAUSED} or not report.acted:
        assert [entry.operation for entry in entries if writes(entry)] == []


def in_time(report: TickReport, pool: Pool) -> None:
    """26: whatever is slow, hangs or drains, the tick ends at its deadline."""
    allowed = tick_seconds(pool.interval_s) + TIME_TO_ANSWER_S
    assert report.duration_s <= allowed + TOLERANCE_S, f"{report.duration_s:.2f} s, {allowed:.2f} s allowed"


def never_above_max(pool: Pool, before: Before, after: Iterable[Machine]) -> None:
    """20: no action of ours makes what serves exceed a max, given a truthful survey.

    Two at once may disagree about who gives way to the total; docs/critiques.md admits it.
    """
    if before.lying or before.deploying:
        return
    was = tally(before.machines.values())
    for region, count in tally(after).items():
        most = pool.regions[region].bounds.max if region in pool.regions else 0
        assert count <= max(most, was[region]), f"{region} grew from {was[region]} to {count}, max {most}"
    total, earlier = sum(tally(after).values()), sum(was.values())
    assert not before.alone or total <= max(pool.bounds.max, earlier), (
        f"the pool grew from {earlier} to {total}"
    )


def tally(machines: Iterable[Machine]) -> defaultdict[Region, int]:
    """What serves, by the region it runs in."""
    counts: defaultdict[Region, int] = defaultdict(int)
    for machine in machines:
        counts[Region(machine.region)] += serves(machine)
    return counts


def within_budget(pool: Pool, created: Iterable[float], now: float, *, clock_error_s: float) -> None:
    """21 and 28: gross creations within the window, whatever was restarted and whatever the lists said.

    The window is laid over the platform's times by our own clock, which may be wrong.
    """
    allowed = budget(pool)
    recent = [at for at in created if at > now - allowed.window_s + clock_error_s]
    assert len(recent) <= allowed.count, f"{len(recent)} creations, {allowed.count} allowed"


def victims_are_fair_game(pool: Pool, before: Before, entries: Iterable[Entry], error_s: float) -> None:
    """23: nobody's but ours, not protected, not held by others, not busy unless a drain has run out.

    `error_s` is by how much the clock that began the drain and the one that ends it may differ.
    """
    for entry in entries:
        if entry.machine in before.bystanders:
            assert not writes(entry), f"{entry.operation} of a bystander"
        machine = before.machines.get(entry.machine)
        if machine is None or entry.operation not in {"stop", "suspend", "destroy"}:
            continue
        what = f"{entry.operation} of {machine.id}"
        assert entry.started >= before.leased.get(machine.id, 0.0), f"{what}, which is leased"
        draining = machine.metadata.get("autoscaler_draining")
        if not before.lying:
            assert "autoscaler_protect" not in machine.metadata, f"{what}, which is protected"
            assert machine.host_status == "ok", f"{what}, whose host is lost"
            assert draining or not machine.cordoned, f"{what}, which others cordoned"
        if entry.operation != "destroy" and machine.id in before.busy:
            assert pool.drain_s is not None, f"{what}, which is busy"
            assert draining, f"{what}, which is busy and does not drain"
            assert entry.started - float(draining) >= pool.drain_s - error_s, f"{what}, which is still busy"


def goes_in_only_for_a_surplus(report: TickReport, before: Before) -> None:
    """22 and 28: a region loses no more than it truly has above its desired count, as far as one can know."""
    if report.decision is None:
        return
    known = {**before.machines, **{machine.id: machine for machine in before.unseen}}
    leaving = [
        action for action in report.plan.actions if isinstance(action, Stop | Suspend) or drains(action)
    ]
    for region, entry in report.decision.regions.items():
        here = [machine for machine in known.values() if home(machine) == region]
        gone = {action.machine for action in leaving if action.machine in {machine.id for machine in here}}
        serving = {machine.id for machine in here if serves(machine)}
        left = len(serving - gone)
        assert not gone & serving or left >= min(entry.desired, len(serving)), (
            f"{region} is left with {left} of {len(serving)}, desired {entry.desired}"
        )


def unsure(report: TickReport) -> bool:
    """Whether the tick does not know of all its stops whether they happened."""
    return any(
        isinstance(one.action, Stop | Suspend) and isinstance(one.result, Uncertain)
        for one in report.outcomes
    )


def drains(action: object) -> bool:
    """Whether an action begins a drain."""
    return isinstance(action, Mark) and action.metadata.get("autoscaler_draining") is not None


def no_new_departure(report: TickReport, before: Before, pool: Pool, former: Mapping[Region, int]) -> None:
    """24 and 25: after a restart or a jump of the clock nothing new leaves, but for the sake of a bound.

    `former` is what this process desired a tick ago: a departure decided then may still be under way.
    """
    counts = tally(before.machines.values())
    for action in report.plan.actions:
        if report.decision is None or not (isinstance(action, Stop | Suspend) or drains(action)):
            continue
        machine = before.machines[str(action.machine)]
        served, region = home(machine), Region(machine.region)
        known = former.get(served, counts[region]) <= report.decision.desired[served] < counts[region]
        above = counts[region] > pool.regions[region].bounds.max
        marked = {"autoscaler_draining", "autoscaler_doomed"} & machine.metadata.keys()
        assert known or above or marked or _gave_up(report, served), (
            f"{action.kind} of {machine.id} in a hold"
        )


def _gave_up(report: TickReport, region: Region) -> bool:
    """Whether the region was told to give up Machines for the pool's total."""
    return _told(report, region, ReasonCode.TOTAL_MAX)


def _told(report: TickReport, region: Region, code: ReasonCode) -> bool:
    reasons = report.decision.regions[region].reasons if report.decision else ()
    return any(why.code is code for why in reasons)


def read_the_demand(entries: Iterable[Entry]) -> bool:
    """Whether any question for the load was answered, and in full."""
    return any(entry.operation == "query" and entry.status == OK for entry in entries)


def read_all_along(pool: Pool, reports: Sequence[TickReport]) -> bool:
    """Whether the load was read in every tick of the window before the last of these, and none was left out.

    A first zero that waits for the next tick was read. What was not is made up in a window, from the count
    that was last desired; and a new process, which asks for the past later on, may know it.
    """
    *former, last = reports
    ended, patience_s = last.at.mono, FRESH_INTERVALS * pool.interval_s
    for report in reversed(former):
        if ended - report.at.mono > patience_s or not _read(report):
            return False
        ended = report.at.mono
        if ended < last.at.mono - pool.scale_in.window_s:
            return True
    return False


def _read(report: TickReport) -> bool:
    rows = report.decision.metrics if report.decision else ()
    return bool(rows) and all(row.absent in {None, Why.UNCONFIRMED} for row in rows)


def a_restart_takes_nothing(staying: TickReport, restarted: TickReport) -> None:
    """24: where the old process would keep its Machines the new one does, both asked at the same moment.

    Not where the pool is above its total, since which region gives up first depends on how far back one
    knows; nor where the old one holds because of a jump of its clock, of which the new one knows nothing.
    """
    if staying.decision is None or restarted.decision is None:
        return
    for region, count in restarted.counts.items():
        if _gave_up(restarted, region) or _told(staying, region, ReasonCode.RESTART_HOLD):
            continue
        kept = min(staying.decision.desired[region], count.capacity - count.draining)
        desired = restarted.decision.desired[region]
        assert desired >= kept, f"{region}: {desired} after a restart, {kept} without"


def at_the_platforms_pace(entries: Iterable[Entry]) -> None:
    """27: for every action and identifier at most a burst of 3 and one request a second."""
    times: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
    for entry in entries:
        if entry.operation not in UNLIMITED:
            times[entry.operation, entry.machine or entry.app].append(entry.started)
    for key, moments in times.items():
        for first, moment in enumerate(moments):
            for later in range(first + 3, len(moments)):
                sent, span = later - first + 1, moments[later] - moment
                assert sent <= 3 + span + TOLERANCE_S, f"{sent} of {key} within {span:.2f} s"


def creations(pool: Pool, machines: Iterable[Machine]) -> list[float]:
    """When each Machine that bears a name of ours was created, answered or not, alive or not."""
    ours = tuple(prefix(pool.name, region) for region in pool.regions)
    return [machine.created_at for machine in machines if machine.name.startswith(ours)]
