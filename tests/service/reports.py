"""TickReports for tests of what is made of them."""

from autoscaler.domain.desired import Bounds, Decision, Desired, MetricRow
from autoscaler.domain.fleet import RegionCount
from autoscaler.domain.instant import Instant
from autoscaler.domain.names import AppName, GroupName, MachineId, MachineName, MetricName, PoolName, Region
from autoscaler.domain.outcome import Applied, Outcome, Refusal, Refused, TickReport, Verdict
from autoscaler.domain.plan import Create, Plan, Shortfall, Start
from autoscaler.domain.pool import Pool, RegionSpec
from autoscaler.domain.reading import Why
from autoscaler.domain.reason import ReasonCode, reason

ORD, AMS = Region("ord"), Region("ams")
NOW = Instant(wall=1_800_000_000.25, mono=100.0)


def pool(name: str = "shop", interval_s: float = 15.0) -> Pool:
    return Pool(
        name=PoolName(name),
        app=AppName("shop-app"),
        regions={ORD: RegionSpec(bounds=Bounds(min=1, max=5))},
        total=Bounds(min=1, max=5),
        interval_s=interval_s,
    )


def steady(name: str = "shop", at: Instant = NOW) -> TickReport:
    return TickReport(
        pool=PoolName(name), app=AppName("shop-app"), group=GroupName("app"), at=at, verdict=Verdict.STEADY
    )


def blind(name: str = "shop", at: Instant = NOW) -> TickReport:
    return TickReport(
        pool=PoolName(name),
        app=AppName("shop-app"),
        group=GroupName("app"),
        at=at,
        verdict=Verdict.BLIND,
        duration_s=6.0,
        warnings=(reason(ReasonCode.SURVEY_FAILED, status=503),),
    )


def scaled(name: str = "shop", at: Instant = NOW, *, acted: bool = True) -> TickReport:
    """Two regions; ord starts one Machine and is refused another, ams has an absent metric."""
    start = Start(machine=MachineId("m1"), region=ORD, reason=reason(ReasonCode.DEMAND, missing=2))
    create = Create(
        region=ORD,
        name=MachineName("as-1-ord-1"),
        config={"image": "secret-image"},
        reason=reason(ReasonCode.DEMAND, missing=1),
        home=ORD,
    )
    refused = Refused(refusal=Refusal.REGION_FULL, detail="could not find a candidate host")
    return TickReport(
        pool=PoolName(name),
        app=AppName("shop-app"),
        group=GroupName("app"),
        at=at,
        verdict=Verdict.SCALED,
        duration_s=0.4567,
        counts={
            ORD: RegionCount(running=2, ready=2, capacity=2, stopped=1, arriving=0),
            AMS: RegionCount(running=1, ready=1, capacity=1, suspended=1),
        },
        decision=_decision(),
        plan=Plan(
            actions=(start, create),
            shortfall=(Shortfall(region=ORD, missing=1, reason=reason(ReasonCode.PARKED, until_s=300)),),
            warnings=(reason(ReasonCode.OUTSIDE_REGIONS, machines=2),),
        ),
        outcomes=(Outcome(action=start, result=Applied()), Outcome(action=create, result=refused))
        if acted
        else (),
        parked=(ORD,),
        acted=acted,
        dollars_per_hour=0.0125,
    )


def _decision() -> Decision:
    bounds = Bounds(min=0, max=5)
    metric = MetricName("load")
    return Decision(
        regions={
            ORD: Desired(
                region=ORD,
                bounds=bounds,
                demand=7,
                desired=5,
                reasons=(reason(ReasonCode.RULE, value=61.5), reason(ReasonCode.BOUND_MAX, max=5)),
            ),
            AMS: Desired(
                region=AMS, bounds=bounds, demand=None, desired=1, reasons=(reason(ReasonCode.HOLD),)
            ),
        },
        total=Bounds(min=0, max=10),
        metrics=(
            MetricRow(name=metric, region=ORD, value=61.5, age_s=12.0, absent=None),
            MetricRow(name=metric, region=AMS, value=None, age_s=None, absent=Why.EMPTY),
            MetricRow(name=metric, region=Region("warehouse-7"), value=3.0, age_s=4.0, absent=None),
        ),
    )
