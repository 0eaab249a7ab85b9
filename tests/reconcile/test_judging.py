"""A tick's verdict follows from its gate, decision, plan and outcomes, the gravest first."""

import pytest

from autoscaler.domain.desired import OPEN_GATE, Bounds, Decision, Desired, Gate
from autoscaler.domain.fleet import RegionCount
from autoscaler.domain.outcome import (
    AlreadySo,
    Applied,
    Failed,
    NotSent,
    Outcome,
    Refusal,
    Refused,
    Result,
    Uncertain,
    Verdict,
)
from autoscaler.domain.plan import EMPTY_PLAN, Plan, Shortfall
from autoscaler.domain.reason import ReasonCode, reason
from autoscaler.reconcile.judging import judge
from tests.reconcile.samples import ORD, so, start

ACTING = Plan(actions=(start("a"),))
SHORT = Plan(shortfall=(Shortfall(region=ORD, missing=1, reason=reason(ReasonCode.NO_TEMPLATE)),))


def decision(*codes: ReasonCode, demand: int | None = 2, desired: int = 3) -> Decision:
    bounds = Bounds(min=0, max=9)
    entry = Desired(
        region=ORD,
        bounds=bounds,
        demand=demand,
        desired=desired,
        reasons=tuple(reason(code) for code in codes),
    )
    return Decision(regions={ORD: entry}, total=bounds)


def verdict(
    *outcomes: Outcome, plan: Plan = EMPTY_PLAN, codes: tuple[ReasonCode, ...] = (), gate: Gate = OPEN_GATE
) -> Verdict:
    return judge(gate, decision(*codes), plan, outcomes, {})


def test_nothing_to_do_is_steady():
    assert verdict() is Verdict.STEADY


@pytest.mark.parametrize("code", [ReasonCode.WINDOW_IN, ReasonCode.STEP_IN, ReasonCode.BOUND_MAX])
def test_damping_and_bounds_are_steady(code: ReasonCode):
    assert verdict(codes=(code,)) is Verdict.STEADY


@pytest.mark.parametrize(
    "code", [ReasonCode.HOLD, ReasonCode.RESTART_HOLD, ReasonCode.DEPLOY, ReasonCode.ARRIVING]
)
def test_a_hold_that_kept_a_count_is_held(code: ReasonCode):
    assert verdict(codes=(code,)) is Verdict.HELD


@pytest.mark.parametrize(("demand", "desired"), [(3, 3), (None, 0)])
def test_a_hold_that_changed_nothing_is_steady(demand: int | None, desired: int):
    found = judge(OPEN_GATE, decision(ReasonCode.UNKNOWN, demand=demand, desired=desired), EMPTY_PLAN, (), {})
    assert found is Verdict.STEADY


def test_a_count_kept_while_the_demand_is_unknown_is_held():
    found = judge(OPEN_GATE, decision(ReasonCode.UNKNOWN, demand=None), EMPTY_PLAN, (), {})
    assert found is Verdict.HELD


def test_a_shortfall_is_held():
    assert verdict(plan=SHORT) is Verdict.HELD


@pytest.mark.parametrize("result", [Applied(), AlreadySo(), NotSent()])
def test_acting_is_scaled(result: Result):
    outcome = so(start("a"), result)
    assert verdict(outcome, plan=ACTING, codes=(ReasonCode.HOLD,)) is Verdict.SCALED


def test_a_dry_run_that_would_act_is_scaled():
    assert verdict(plan=ACTING) is Verdict.SCALED


@pytest.mark.parametrize("result", [Refused(refusal=Refusal.LEASED), Failed(), Uncertain()])
def test_an_action_that_went_wrong_is_failed(result: Result):
    assert verdict(so(start("a"), result), so(start("b"), Applied()), plan=ACTING) is Verdict.FAILED


def test_a_pause_outranks_everything():
    paused = Gate(paused=reason(ReasonCode.PAUSED))
    assert verdict(plan=ACTING, codes=(ReasonCode.HOLD,), gate=paused) is Verdict.PAUSED


DEPLOYING = Gate(no_in=(reason(ReasonCode.DEPLOY),))
HOLDING = Gate(hold_in={ORD: (reason(ReasonCode.ARRIVING),)})


@pytest.mark.parametrize(
    ("gate", "capacity", "draining", "expected"),
    [
        (DEPLOYING, 4, 0, Verdict.HELD),
        (HOLDING, 4, 0, Verdict.HELD),
        (DEPLOYING, 3, 0, Verdict.STEADY),
        (DEPLOYING, 4, 1, Verdict.HELD),
        (HOLDING, 4, 1, Verdict.STEADY),
        (OPEN_GATE, 4, 0, Verdict.STEADY),
    ],
)
def test_a_surplus_that_nothing_may_take_away_is_held(gate, capacity, draining, expected):
    counts = {ORD: RegionCount(capacity=capacity, draining=draining)}
    assert judge(gate, decision(), EMPTY_PLAN, (), counts) is expected


@pytest.mark.parametrize(("capacity", "expected"), [(4, Verdict.HELD), (3, Verdict.STEADY)])
def test_a_surplus_that_does_not_leave_whatever_it_is_told_is_held(capacity, expected):
    plan = Plan(warnings=(reason(ReasonCode.STAYS, machine="a"),))
    counts = {ORD: RegionCount(capacity=capacity, draining=1)}
    assert judge(OPEN_GATE, decision(), plan, (), counts) is expected
