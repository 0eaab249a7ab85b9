"""What a new process learns from the Machines about the one before it."""

from autoscaler.domain.fleet import MachineState, Survey
from autoscaler.reconcile.bookkeeping import inherited
from autoscaler.reconcile.counting import ours
from autoscaler.reconcile.ledger import EMPTY
from tests.reconcile.samples import AMS, APP, ORD, a_machine, a_pool, at

STOPPED = MachineState.STOPPED


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
    changes = inherited(EMPTY, pool, view, at(100.0)).changes
    assert sorted((change.region, round(change.mono), change.machines) for change in changes) == [
        (AMS, 85, -1),
        (ORD, 55, -1),
        (ORD, 70, -1),
    ]
