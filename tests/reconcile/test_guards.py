"""What forbids a fleet to shrink or to grow, and what does not."""

from dataclasses import replace

import pytest

from autoscaler.domain.desired import OPEN_GATE, Gate, Override
from autoscaler.domain.fleet import HostStatus, MachineState
from autoscaler.domain.names import MachineId, MachineName
from autoscaler.domain.reading import Absent, Measured, Query, Split, Why
from autoscaler.domain.reason import ReasonCode, reason
from autoscaler.reconcile.guards import after_deciding, gate
from autoscaler.reconcile.ledger import EMPTY, Backoff, Departure, OnTheWay, Seen
from tests.reconcile.fleets import NOW, STOPPED, decided, jobs, member, observed, viewed
from tests.reconcile.samples import AMS, FRA, ORD, a_pool

BUSY = Query(name="busy", promql="jobs", label="instance")


def gated(machines, *, ledger=EMPTY, busy=None, overrides=(), pool=None):
    view = viewed(pool or a_pool(), machines)
    return gate(view, observed(view, ledger), busy=busy, overrides=overrides, now=NOW)


def codes(reasons):
    return [str(why.code) for why in reasons]


def test_a_healthy_fleet_is_free():
    free = gated([member("a"), member("b", STOPPED)])
    assert (free.paused, free.no_in, dict(free.hold_in), free.no_create, free.warnings) == (
        None,
        (),
        {},
        (),
        (),
    )


def test_a_deploy_forbids_going_in_and_creating_before_the_new_release_is_ready():
    old = member("a", meta={"fly_release_version": "7"})
    new = member("b", meta={"fly_release_version": "8"}, updated_at=NOW.wall, critical=True)
    closed = gated([old, new])
    assert (codes(closed.no_in), codes(closed.no_create)) == (["deploy"], ["deploy"])
    assert gated([old, replace(new, critical=False)]).no_create == ()


def test_a_lapsed_sign_only_warns():
    machines = [member("a"), member("b", meta={"fly_bluegreen_deployment_tag": "1"})]
    free = gated(machines, ledger=replace(EMPTY, signals={"bluegreen": NOW.mono - 3600}))
    assert (free.no_in, free.no_create, codes(free.warnings)) == ((), (), ["deploy_lapsed"])


def test_a_collapse_forbids_going_in_and_creating():
    closed = gated([member("a")], ledger=replace(EMPTY, vanished=frozenset({MachineId("z")})))
    assert (codes(closed.no_in), codes(closed.no_create)) == (["collapse"], ["collapse"])


def test_a_list_that_is_known_to_be_old_forbids_going_in():
    running = member("a", started_at=NOW.wall - 3600.0)
    left = Departure(since=NOW.mono - 600.0, started_at=running.started_at)
    ledger = replace(EMPTY, departures={running.id: left})
    assert codes(gated([running, member("b")], ledger=ledger).no_in) == ["old_list"]
    assert gated([replace(running, started_at=NOW.wall)], ledger=ledger).no_in == ()


SICK = {
    "critical": {"critical": True},
    "failed": {"state": MachineState.FAILED},
    "on a lost host": {"host": HostStatus.UNREACHABLE},
}


@pytest.mark.parametrize("changes", SICK.values(), ids=SICK)
@pytest.mark.parametrize(
    ("sick", "well", "closed"), [(4, 4, True), (4, 5, False), (3, 0, False), (9, 11, False), (10, 11, True)]
)
def test_a_fleet_is_unhealthy_above_a_share_and_a_count(changes, sick, well, closed):
    machines = [member(f"s{n}", **changes) for n in range(sick)] + [member(f"w{n}") for n in range(well)]
    resting = [member(f"r{n}", STOPPED) for n in range(50)]
    assert codes(gated([*machines, *resting]).no_in) == (["unhealthy"] if closed else [])


def test_a_region_with_arrivals_is_on_hold_and_no_other():
    entry = OnTheWay(machine=None, name=MachineName("x"), region=AMS, home=FRA, since=NOW.mono)
    held = gated([member("a")], ledger=replace(EMPTY, on_the_way=(entry,)))
    assert {region: codes(reasons) for region, reasons in held.hold_in.items()} == {FRA: ["arriving"]}


def test_pause_in_holds_every_region_and_pause_stops_all():
    held = gated([member("a")], overrides=[Override(kind="pause_in", because="launch")])
    assert {codes(reasons)[0] for reasons in held.hold_in.values()} == {"pause_in"}
    assert set(held.hold_in) == {ORD, AMS, FRA}
    paused = gated([member("a")], overrides=[Override(kind="pause", because="incident")])
    assert paused.paused is not None
    assert "incident" in paused.paused.detail


def test_overrides_that_have_expired_mean_nothing():
    over = Override(kind="pause", expires_at=NOW.wall - 1)
    free = gated([member("a")], overrides=[over])
    assert (free.paused, free.overrides) == (None, ())


def test_overrides_that_cannot_be_read_mean_paused():
    assert gated([member("a")], overrides=None).paused is not None


@pytest.mark.parametrize(("reporting", "closed"), [(4, False), (3, True), (0, True)])
def test_too_few_reports_of_busy_machines_forbid_going_in(reporting, closed):
    machines = [member(f"m{n}") for n in range(5)]
    busy = jobs(**{f"m{n}": 0.0 for n in range(reporting)})
    found = codes(gated(machines, busy=busy, pool=a_pool(busy=BUSY)).no_in)
    assert found == (["busy_coverage"] if closed else [])


@pytest.mark.parametrize(
    "busy",
    [None, Absent(why=Why.UNREACHABLE), Measured(value=0.0), Split(by_label={"a": Absent(why=Why.STALE)})],
)
def test_an_answer_without_machines_covers_nobody(busy):
    assert codes(gated([member("a")], busy=busy, pool=a_pool(busy=BUSY)).no_in) == ["busy_coverage"]


def test_machines_ready_for_less_than_a_minute_need_not_report():
    young = member("a", started_at=NOW.wall - 30)
    pool = a_pool(busy=BUSY)
    assert gated([young], busy=jobs(), pool=pool).no_in == ()
    seen = Seen(state="started", since=NOW.mono - 90, instance_id="v1", region=ORD)
    ledger = replace(EMPTY, seen={MachineId("a"): seen})
    assert codes(gated([young], busy=jobs(), pool=pool, ledger=ledger).no_in) == ["busy_coverage"]


def after_crashes(counts, over_for_s=-60.0):
    """What is remembered of these crashes so long after their wait was over."""
    waits = Backoff(until=NOW.mono - over_for_s, delay_s=300.0, reason=reason(ReasonCode.CRASH_LOOP))
    known = {MachineId(name): count for name, count in counts.items()}
    return replace(EMPTY, crashes=known, passed_over=dict.fromkeys(known, waits))


@pytest.mark.parametrize(("looping", "well", "closed"), [(1, 1, True), (1, 2, False), (2, 2, True)])
def test_half_a_group_in_crash_loops_creates_nothing(looping, well, closed):
    machines = [member(f"c{n}") for n in range(looping)] + [member(f"w{n}") for n in range(well)]
    ledger = after_crashes({f"c{n}": 3 for n in range(looping)})
    found = gated(machines, ledger=ledger)
    assert codes(found.no_create) == (["crash_loop"] if closed else [])
    assert codes(found.warnings) == ["crash_loop"] * looping


@pytest.mark.parametrize(("crashed", "of", "closed"), [(3, 6, True), (3, 7, False), (2, 2, False)])
def test_a_release_that_crashes_everywhere_creates_nothing_before_any_machine_loops(crashed, of, closed):
    ledger = after_crashes({f"c{n}": 1 for n in range(crashed)})
    found = gated([member(f"c{n}") for n in range(of)], ledger=ledger)
    assert codes(found.no_create) == (["crash_loop"] if closed else [])
    assert found.warnings == ()


@pytest.mark.parametrize(("over_for_s", "closed"), [(-1.0, True), (299.0, True), (300.0, False)])
def test_crashes_of_machines_that_nobody_wants_any_more_do_not_end_creating_for_ever(over_for_s, closed):
    found = gated([member("c0"), member("w0")], ledger=after_crashes({"c0": 3}, over_for_s=over_for_s))
    assert codes(found.no_create) == (["crash_loop"] if closed else [])


def test_a_machine_that_crashed_and_was_started_again_is_not_trusted_before_it_runs():
    ledger = replace(
        after_crashes({"c0": 3}, over_for_s=900.0), our_starts={MachineId("c0"): NOW.wall - 30.0}
    )
    assert codes(gated([member("c0"), member("w0")], ledger=ledger).no_create) == ["crash_loop"]


def test_two_crashes_are_no_loop():
    assert gated([member("a")], ledger=replace(EMPTY, crashes={MachineId("a"): 2})).warnings == ()


def held(*given, restarted_s=0.0, before=OPEN_GATE, **changes):
    """What holds ord after a decision that gave these reasons for its count."""
    pool = a_pool(**changes)
    decision = decided(pool, {ORD: 3})
    entry = decision.regions[ORD]._replace(reasons=tuple(reason(code) for code in given))
    decision = decision._replace(regions={**decision.regions, ORD: entry})
    return codes(after_deciding(before, decision, pool, restarted_s=restarted_s).hold_in.get(ORD, ()))


def test_a_demand_that_is_not_well_known_holds_its_region():
    assert held(ReasonCode.RULE) == []
    assert held(ReasonCode.RULE, ReasonCode.UNKNOWN, ReasonCode.LAST_KNOWN) == ["unknown"]
    assert held(ReasonCode.RULE, ReasonCode.PARTIAL) == ["partial"]
    arriving = Gate(hold_in={ORD: (reason(ReasonCode.ARRIVING),)})
    assert held(ReasonCode.UNKNOWN, before=arriving) == ["arriving", "unknown"]


def test_what_an_operator_decided_for_that_case_holds_nothing():
    assert held(ReasonCode.UNKNOWN, ReasonCode.ON_ABSENT) == ["unknown"]
    assert held(ReasonCode.UNKNOWN, ReasonCode.ON_ABSENT, allow_in=True) == []
    assert held(ReasonCode.PARTIAL, ReasonCode.ON_ABSENT, allow_in=True) == ["partial"]
    assert held(ReasonCode.UNKNOWN, ReasonCode.PIN, restarted_s=60.0) == []


def test_a_restart_holds_every_region_for_a_window():
    assert held(ReasonCode.RULE, restarted_s=12.0) == ["restart_hold"]
