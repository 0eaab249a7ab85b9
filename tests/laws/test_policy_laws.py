"""The laws of the policy. Numbers are those of the specification; 5 is in tests/policy/test_permutations.py,
7 in the planner's laws, and those of many ticks in test_policy_laws_over_time.py.
"""

from dataclasses import replace

from hypothesis import event, given
from hypothesis import strategies as st

from autoscaler.domain.desired import Bounds
from autoscaler.domain.fleet import Fleet
from autoscaler.domain.names import Region
from autoscaler.domain.pool import PerMachine, Pool, RegionSpec
from autoscaler.domain.reading import Absent, Measured, Split, Why
from autoscaler.domain.reason import ReasonCode
from autoscaler.policy.allocation import share_out
from tests.laws.policies import (
    ABROAD,
    HOMES,
    LARGEST,
    absences,
    answers_to,
    any_answers,
    any_reading,
    begun,
    counts,
    fleets,
    moments,
    pools,
    readings,
    rules,
    sane,
    sane_answers,
    split,
    undamped,
    with_rules,
)
from tests.policy.scene import LOAD, measured

OUTAGE = Absent(why=Why.UNREACHABLE)


@given(st.data())
def test_law_1_desired_is_within_the_bounds(data):
    pool = data.draw(pools())
    moment = data.draw(moments(pool))
    decision = moment.tick(data.draw(answers_to(pool, any_answers)), data.draw(fleets(pool)))
    for region, entry in decision.regions.items():
        configured = pool.regions[region].bounds
        assert entry.bounds == configured
        assert configured.min <= entry.desired <= configured.max


@given(st.data())
def test_law_2_an_unknown_demand_lets_nothing_go_in(data):
    pool = data.draw(pools())
    moment = data.draw(moments(pool))
    dark = data.draw(answers_to(pool, absences.filter(lambda absence: absence.why is not Why.EMPTY)))
    decision = moment.tick(dark, data.draw(fleets(pool)))
    assert sum(decision.desired.values()) >= min(sum(moment.last.values()), decision.total.max)
    cut = any(why.code is ReasonCode.TOTAL_MAX for each in decision.regions.values() for why in each.reasons)
    if not cut:
        assert all(decision.desired[region] >= moment.last[region] for region in moment.last)


@given(st.data(), st.sampled_from(HOMES))
def test_law_2_one_regions_absence_holds_that_region(data, region):
    pool = replace(
        data.draw(pools()),
        regions={home: RegionSpec(bounds=Bounds(min=0, max=LARGEST)) for home in HOMES},
        total=Bounds(min=0, max=LARGEST * len(HOMES)),
        spare=0,
    )
    pool = with_rules(pool, (PerMachine(metric=LOAD, target=10.0),))
    moment = data.draw(moments(pool, split(readings(sane))))
    given_regions = {home: data.draw(readings(sane)) for home in HOMES}
    decision = moment.tick({LOAD: Split(by_label={**given_regions, region: OUTAGE})})
    assert decision.desired[region] >= moment.last[region]


@given(st.data())
def test_law_3_the_sum_rises_with_each_metric(data):
    pool = data.draw(pools())
    moment = data.draw(moments(pool, sane_answers))
    low = data.draw(answers_to(pool, readings(sane.map(lambda value: value + 1))))
    raised = data.draw(st.sampled_from(sorted(low)))
    more = Measured(value=low[raised].value + data.draw(sane))
    fleet = data.draw(fleets(pool))
    before, after = moment.tick(low, fleet), moment.tick({**low, raised: more}, fleet)
    assert sum(after.desired.values()) >= sum(before.desired.values())


@given(st.data())
def test_law_3_the_sum_rises_with_each_regions_metric(data):
    pool = data.draw(pools())
    moment = data.draw(moments(pool, split(readings(sane))))
    values = st.fixed_dictionaries({home: sane.map(lambda value: value + 1) for home in HOMES})
    low = data.draw(st.fixed_dictionaries({query.name: values for query in pool.metrics}))
    raised, where = data.draw(st.sampled_from(sorted(low))), data.draw(st.sampled_from(HOMES))
    high = {**low, raised: {**low[raised], where: low[raised][where] + data.draw(sane)}}
    fleet = data.draw(fleets(pool))
    sums = [
        sum(moment.tick({name: _split(each) for name, each in answers.items()}, fleet).desired.values())
        for answers in (low, high)
    ]
    assert sums[0] <= sums[1]


# Laws 3, 4 and 11 compare two ways of sharing out. A Machine that the split takes from one region and gives
# to another changes the sum while damping keeps one of them where it is (docs/critiques.md has an example).
# So 4 and 11 are laws of undamped pools where something is shared out, and where every region has its own
# demand of all pools; 3 is one of all pools whose metrics are all regional or all pool-wide.


@given(st.data())
def test_law_4_another_valid_rule_never_lowers_the_sum(data):
    pool = undamped(data.draw(pools()))
    more = with_rules(pool, (*pool.rules, data.draw(rules)))
    answers = data.draw(answers_to(more, st.one_of(readings(sane), _everywhere)))
    fleet = data.draw(fleets(pool))
    assert _sum(more, fleet, answers) >= _sum(pool, fleet, answers)


@given(st.data(), st.booleans())
def test_law_4_another_rule_of_the_same_kind_never_lowers_the_damped_sum(data, regional):
    pool = data.draw(pools())
    more = with_rules(pool, (*pool.rules, data.draw(rules)))
    answers = data.draw(answers_to(more, _everywhere if regional else readings(sane)))
    fleet = data.draw(fleets(pool))
    assert _sum(more, fleet, answers) >= _sum(pool, fleet, answers)


@given(st.data())
def test_law_10_whatever_is_measured_no_bound_breaks_and_nothing_is_raised(data):
    pool = data.draw(pools())
    moment = data.draw(moments(pool, any_answers, most=8))
    decision = moment.tick(data.draw(answers_to(pool, any_answers)))
    assert set(decision.regions) == set(pool.regions)
    assert all(pool.regions[region].bounds.clamp(n) == n for region, n in decision.desired.items())
    event("unknown" if any(entry.demand is None for entry in decision.regions.values()) else "known")


@given(st.data())
def test_law_11_raising_a_min_never_lowers_the_sum_and_lowering_a_max_never_raises_it(data):
    pool = undamped(data.draw(pools()))
    _check_law_11(data, pool, data.draw(answers_to(pool, st.one_of(readings(sane), _everywhere))))


@given(st.data())
def test_law_11_holds_with_any_damping_and_any_answer_where_nothing_is_shared_out(data):
    pool = replace(data.draw(pools()), spare=0)
    _check_law_11(data, pool, data.draw(answers_to(pool, split(any_reading, ABROAD).filter(_has_series))))


def _check_law_11(data, drawn: Pool, answers):
    pool = replace(drawn, total=Bounds(min=0, max=LARGEST * 10))
    region = data.draw(st.sampled_from(sorted(pool.regions)))
    low, high = pool.regions[region].bounds.min, pool.regions[region].bounds.max
    raised = Bounds(min=data.draw(st.integers(low, high)), max=high)
    lowered = Bounds(min=low, max=data.draw(st.integers(max(low, min(high, 1)), high)))
    fleet = data.draw(fleets(pool))
    usual = _sum(pool, fleet, answers)
    assert _sum(_bounded(pool, region, raised), fleet, answers) >= usual
    assert _sum(_bounded(pool, region, lowered), fleet, answers) <= usual


@given(st.data(), st.sampled_from([0.25, 2.0, 1024.0]))
def test_law_14_scaling_metric_and_target_alike_changes_nothing(data, factor):
    pool = data.draw(pools())
    pool = with_rules(pool, (PerMachine(metric=LOAD, target=10.0),))
    scaled = replace(pool, rules=(PerMachine(metric=LOAD, target=10.0 * factor),))
    value, fleet = data.draw(sane), data.draw(fleets(pool))
    one = begun(pool, fleet).tick({LOAD: measured(value)})
    other = begun(scaled, fleet).tick({LOAD: measured(value * factor)})
    assert one.desired == other.desired


@given(st.data())
def test_law_15_the_sum_is_within_the_total(data):
    pool = data.draw(pools())
    moment = data.draw(moments(pool))
    decision = moment.tick(data.draw(answers_to(pool, any_answers)), data.draw(fleets(pool)))
    most = sum(spec_of.bounds.max for spec_of in pool.regions.values())
    assert min(pool.bounds.min, most) <= sum(decision.desired.values()) <= pool.bounds.max


@given(st.data(), st.integers(0, 400))
def test_law_15_the_split_grows_with_what_is_shared_out(data, extra):
    base = data.draw(st.lists(counts, min_size=1, max_size=5))
    limit = [count + data.draw(st.integers(0, 150)) for count in base]
    weights = [data.draw(st.sampled_from([0.5, 1.0, 3.0])) for _ in base]
    one, more = (share_out(base, limit, weights, n) for n in (extra, extra + 1))
    assert sum(one) - sum(base) == min(extra, sum(limit) - sum(base))
    for low, here, then, high in zip(base, one, more, limit, strict=True):
        assert low <= here <= then <= high


@given(st.data())
def test_law_16_every_change_carries_a_reason(data):
    pool = data.draw(pools())
    moment = data.draw(moments(pool))
    decision = moment.tick(data.draw(answers_to(pool, any_answers)), data.draw(fleets(pool)))
    for region, entry in decision.regions.items():
        if entry.desired != moment.last[region] or entry.desired != entry.demand:
            assert entry.reasons
        numbers = {value for why in entry.reasons for _, value in why.numbers}
        if entry.desired not in (moment.last[region], entry.demand):
            assert entry.desired in numbers, f"{entry.desired} appears in no Reason: {entry.reasons}"


def _split(values):
    return Split(by_label={region: measured(value) for region, value in values.items()})


def _has_series(answer: Split) -> bool:
    return bool(answer.by_label)


_everywhere = st.fixed_dictionaries(dict.fromkeys(HOMES, sane)).map(_split)


def _bounded(pool: Pool, region: Region, bounds: Bounds) -> Pool:
    return replace(pool, regions={**pool.regions, region: replace(pool.regions[region], bounds=bounds)})


def _sum(pool: Pool, fleet: Fleet, answers) -> int:
    return sum(begun(pool, fleet).tick(answers).desired.values())
