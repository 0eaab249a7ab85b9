"""What a new process learns from the Machines about the one before it."""

from dataclasses import replace

from autoscaler.domain.fleet import Machine, MachineState, Survey
from autoscaler.domain.instant import Instant
from autoscaler.domain.names import GroupName, MachineId, MachineName, Region
from autoscaler.reconcile.bookkeeping import Sight, inherited, observe
from autoscaler.reconcile.counting import new_for, ours
from autoscaler.reconcile.ledger import EMPTY, Ledger
from tests.reconcile.samples import AMS, APP, ORD, a_machine, a_pool, at

STOPPED = MachineState.STOPPED
DESTROYED = MachineState.DESTROYED


def test_a_new_process_learns_from_the_machines_what_left_lately():
    wall = at(100.0).wall
    machines = (
        a_machine("a", updated_at=wall - 30),
        a_machine("b", STOPPED, updated_at=wall - 30),
        a_machine("c", STOPPED, updated_at=wall - 7200),
        a_machine("d", metadata={"autoscaler_draining": str(wall - 45)}),
        a_machine("e", MachineState.SUSPENDED, updated_at=wall - 15, metadata={"autoscaler_home": "ams"}),
        a_machine("f", STOPPED, updated_at=None),
    )
    pool = a_pool()
    view = ours(pool, Survey(app=APP, at=wall, machines=machines), None)
    changes = inherited(EMPTY, view, (), at(100.0)).changes
    assert sorted((change.region, round(change.mono), change.machines) for change in changes) == [
        (AMS, 85, -1),
        (ORD, 55, -1),
        (ORD, 70, -1),
    ]


def test_it_learns_also_of_those_that_were_destroyed_and_of_no_others():
    wall = at(100.0).wall
    present = (a_machine("a"), a_machine("b", MachineState.DESTROYING, updated_at=wall - 5))
    destroyed = (
        a_machine("c", DESTROYED, updated_at=wall - 30),
        a_machine("d", DESTROYED, updated_at=wall - 45, metadata={"autoscaler_home": "ams"}),
        a_machine("e", DESTROYED, updated_at=wall - 7200),
        a_machine("f", DESTROYED, updated_at=wall - 30, group=GroupName("cron")),
        a_machine("g", DESTROYED, updated_at=wall - 30, region=Region("lhr")),
        a_machine("c", DESTROYED, updated_at=wall - 30),
    )
    view = ours(a_pool(), Survey(app=APP, at=wall, machines=present), None)
    changes = inherited(EMPTY, view, destroyed, at(100.0)).changes
    assert sorted((change.region, round(change.mono), change.machines) for change in changes) == [
        (AMS, 55, -1),
        (ORD, 70, -1),
        (ORD, 95, -1),
    ]


def after(ledger: Ledger, machines: tuple[Machine, ...], now: Instant) -> Ledger:
    survey = Survey(app=APP, at=now.wall, machines=machines)
    return observe(ledger, a_pool(), Sight(survey=survey, members=machines), now).ledger


def test_the_platform_tells_it_once_how_long_a_machine_has_been_created_and_nothing_of_our_own_new_ones():
    old = a_machine("a", MachineState.CREATED, created_at=at(-300.0).wall)
    others, ours_by_id, ours_by_name = (
        replace(old, id=MachineId(label), name=MachineName(label)) for label in ("b", "c", "d")
    )
    known = replace(EMPTY, creations={MachineId("c"): 0.0, MachineName("d"): 0.0})
    ahead = Instant(wall=at(15.0).wall + 3600.0, mono=15.0)
    machines = (old, others, ours_by_id, ours_by_name)
    ledger = after(after(known, (old,), at(0.0)), machines, ahead)
    assert [new_for(machine, ledger, ahead) for machine in machines] == [315.0, 3915.0, 0.0, 0.0]


def test_what_one_list_leaves_out_is_no_younger_for_it():
    stuck = a_machine("a", MachineState.CREATED, created_at=at(-300.0).wall)
    ledger = after(after(after(EMPTY, (stuck,), at(0.0)), (), at(15.0)), (stuck,), at(30.0))
    assert new_for(stuck, ledger, at(30.0)) == 330.0
