"""What a Machine knows of itself."""

from dataclasses import replace

from autoscaler.domain.desired import Override
from autoscaler.domain.fleet import Exit, Lease, Machine, MachineState
from autoscaler.domain.names import MachineId, MachineName, Region

MACHINE = Machine(
    id=MachineId("m1"), name=MachineName("one"), state=MachineState.STARTED, region=Region("ord")
)


def test_a_machine_is_leased_until_its_lease_expires():
    held = replace(MACHINE, lease=Lease(owner="somebody", expires_at=100.0))
    assert held.leased(99.9)
    assert not held.leased(100.0)
    assert not MACHINE.leased(0.0)


def test_a_machine_has_crashed_if_its_last_end_was_neither_clean_nor_asked_for():
    assert replace(MACHINE, last_exit=Exit(at=1.0, code=1)).crashed
    assert replace(MACHINE, last_exit=Exit(at=1.0, code=0, oom=True)).crashed
    assert not replace(MACHINE, last_exit=Exit(at=1.0, code=1, requested=True)).crashed
    assert not replace(MACHINE, last_exit=Exit(at=1.0, code=0)).crashed
    assert not MACHINE.crashed


def test_an_override_without_an_end_is_always_in_force():
    assert Override(kind="pause").in_force(1e12)
    assert Override(kind="pause", expires_at=100.0).in_force(99.9)
    assert not Override(kind="pause", expires_at=100.0).in_force(100.0)
