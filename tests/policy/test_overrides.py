"""What an operator commands stands above the rules, and below the bounds and the guards."""

import pytest

from autoscaler.domain.desired import Bounds, Gate, Override
from autoscaler.domain.pool import Schedule
from autoscaler.domain.reason import ReasonCode, reason
from autoscaler.policy.overrides import commands
from tests.policy.scene import AMS, ORD, UNDAMPED, WALL, Scene, a_fleet, a_pool, absent, spec

BOTH = {ORD: spec(1, 6), AMS: spec(0, 6)}
DEPLOY = reason(ReasonCode.DEPLOY, signal="updating")


def gate(*overrides: Override, **changes: object) -> Gate:
    return Gate(overrides=overrides, **changes)


def override(kind: str, machines: int = 0, *, expires_in: float | None = None) -> Override:
    return Override(
        kind=kind,
        machines=machines,
        because="test",
        expires_at=None if expires_in is None else WALL + expires_in,
    )


@pytest.mark.parametrize(
    ("machines", "desired"),
    [(0, {AMS: 0, ORD: 1}), (5, {AMS: 3, ORD: 2}), (99, {AMS: 6, ORD: 6}), (-3, {AMS: 0, ORD: 1})],
)
def test_a_pin_is_obeyed_at_once_within_bounds(machines: int, desired: dict[str, int]) -> None:
    scene = Scene(pool=a_pool(regions=BOTH), fleet=a_fleet(ord=4, ams=4), hold=True)
    assert scene.tick(absent(), gate=gate(override("pin", machines))) == desired


def test_a_pin_stays_within_the_total() -> None:
    scene = Scene(pool=a_pool(regions=BOTH, total=Bounds(min=2, max=4)), fleet=a_fleet(ord=2))
    assert sum(scene.tick(0, gate=gate(override("pin", 9))).values()) == 4
    assert sum(scene.tick(0, gate=gate(override("pin", 0))).values()) == 2


def test_a_pin_waits_for_a_deploy_to_go_in_and_not_to_go_out() -> None:
    scene = Scene(pool=a_pool(regions=BOTH), fleet=a_fleet(ord=4, ams=4))
    assert scene.tick(0, gate=gate(override("pin", 2), no_in=(DEPLOY,))) == {AMS: 4, ORD: 4}
    assert scene.codes()[-3:] == [ReasonCode.PIN, ReasonCode.DEPLOY, ReasonCode.HOLD]
    assert scene.tick(0, gate=gate(override("pin", 10), no_in=(DEPLOY,))) == {AMS: 5, ORD: 5}


def test_after_a_pin_the_rules_go_on_from_where_it_left() -> None:
    scene = Scene(pool=a_pool(regions=BOTH))
    scene.tick(20, gate=gate(override("pin", 8)))
    assert scene.tick(20) == {AMS: 2, ORD: 2}
    scene.tick(20, gate=gate(override("pin", 0)))
    assert scene.tick(20) == {AMS: 1, ORD: 1}


def test_of_several_pins_the_highest_holds_and_offsets_add_up() -> None:
    found = commands(
        [override("pin", 3), override("pin", 5), override("offset", 2), override("offset", -3)], WALL
    )
    assert (found.pin, found.offset) == (5, -1)


def test_an_override_that_has_expired_is_none() -> None:
    scene = Scene(pool=a_pool(scale_in=UNDAMPED))
    brief = gate(override("pin", 9, expires_in=20.0))
    assert [scene.tick(30, gate=brief)[ORD] for _ in range(2)] == [9, 3]


@pytest.mark.parametrize(("machines", "desired"), [(2, 5), (-2, 1), (-9, 0), (99, 10)])
def test_an_offset_corrects_the_demand(machines: int, desired: int) -> None:
    scene = Scene(pool=a_pool())
    assert scene.tick(30, gate=gate(override("offset", machines)))[ORD] == desired


def test_a_negative_offset_takes_where_most_are_for_their_weight_and_is_damped_like_any_demand() -> None:
    scene = Scene(pool=a_pool(regions={ORD: spec(0, 9), AMS: spec(0, 9, weight=2.0)}))
    assert scene.tick(90) == {AMS: 6, ORD: 3}
    down = gate(override("offset", -3))
    counts = [scene.tick(90, gate=down) for _ in range(21)]
    assert counts[0] == counts[19] == {AMS: 6, ORD: 3}
    assert counts[20] == {AMS: 4, ORD: 2}


def test_pauses_hold_one_direction() -> None:
    scene = Scene(pool=a_pool(scale_in=UNDAMPED))
    scene.tick(50)
    assert scene.tick(20, gate=gate(override("pause_in")))[ORD] == 5
    assert scene.codes()[-2:] == [ReasonCode.PAUSE_IN, ReasonCode.HOLD]
    assert scene.tick(80, gate=gate(override("pause_in")))[ORD] == 8
    assert scene.tick(90, gate=gate(override("pause_out")))[ORD] == 8
    assert scene.codes()[-2:] == [ReasonCode.PAUSE_OUT, ReasonCode.HOLD]
    assert scene.tick(20, gate=gate(override("pause_out")))[ORD] == 2


def test_a_pause_of_going_out_does_not_hold_a_minimum_back() -> None:
    night = Schedule(start="0 0 * * *", end="59 23 * * *", regions=(ORD,), min=4)
    scene = Scene(pool=a_pool(schedules=(night,)), fleet=a_fleet(ord=0))
    assert scene.tick(90, gate=gate(override("pause_out")))[ORD] == 4


def test_a_pause_of_everything_is_told_in_every_region() -> None:
    scene = Scene(pool=a_pool(regions=BOTH))
    paused = reason(ReasonCode.PAUSED, because="incident")
    scene.tick(50, gate=gate(paused=paused))
    assert all(entry.reasons[-1] == paused for entry in scene.decision.regions.values())
