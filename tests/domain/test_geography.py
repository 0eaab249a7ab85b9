"""Regions, their past, and the way between them."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoscaler.domain import geography
from autoscaler.domain.names import Region

regions = st.sampled_from(sorted(geography.REGIONS))


def test_there_are_eighteen_regions_and_two_lack_a_gateway():
    assert len(geography.REGIONS) == 18
    assert {code for code, place in geography.REGIONS.items() if not place.gateway} == {"gru", "jnb"}


@pytest.mark.parametrize(
    ("a", "b", "km"),
    [
        ("fra", "ams", 365),
        ("lhr", "cdg", 343),
        ("iad", "nrt", 10900),
        ("gru", "jnb", 7430),
        ("syd", "sjc", 11950),
    ],
)
def test_distances_agree_with_the_map(a, b, km):
    assert geography.distance_km(Region(a), Region(b)) == pytest.approx(km, rel=0.01)


@given(a=regions, b=regions, c=regions)
def test_distance_is_a_metric(a, b, c):
    there = geography.distance_km(a, b)
    assert geography.distance_km(b, a) == pytest.approx(there)
    assert (there == 0) is (a == b)
    assert there <= geography.distance_km(a, c) + geography.distance_km(c, b) + 1e-6


@given(region=regions, candidates=st.lists(regions, min_size=1))
def test_candidates_are_ranked_from_near_to_far_whatever_their_order(region, candidates):
    ranked = geography.catchments(candidates)[region]
    assert sorted(ranked) == sorted(candidates)
    assert all(
        geography.distance_km(region, near) <= geography.distance_km(region, far)
        for near, far in pairwise(ranked)
    )
    assert geography.catchments(reversed(candidates))[region] == ranked


def test_ties_are_broken_by_name():
    same_place = [Region("otp"), Region("fra")]
    assert geography.catchments(same_place)[Region("fra")] == ("fra", "otp")
    assert geography.catchments(reversed(same_place))[Region("fra")] == ("fra", "otp")


def test_a_closed_region_is_not_known_but_has_a_replacement():
    assert not geography.is_known("sea")
    assert geography.current("sea") == "sjc"
    assert geography.distance_km(Region("sea"), Region("sjc")) == 0
    assert all(geography.is_known(new) for new in geography.DEPRECATED.values())
    assert not set(geography.DEPRECATED) & set(geography.REGIONS)


@pytest.mark.parametrize("code", ["maa", "", "any", "ORD"])
def test_an_unheard_of_code_is_refused(code):
    assert not geography.is_known(code)
    assert geography.current(code) is None
    with pytest.raises(ValueError, match="no region is called"):
        geography.distance_km(Region(code), Region("ord"))


def test_nothing_is_near_without_candidates():
    assert set(geography.catchments([]).values()) == {()}


def test_the_platforms_own_list_adds_regions_and_moves_them():
    homes = [Region("ord"), Region("fra")]
    assert geography.catchments(homes)[Region("waw")] == ("fra", "ord")
    listed = {
        Region(code): replace(geography.REGIONS[Region(like)], city="elsewhere")
        for code, like in {"new": "yyz", "waw": "dfw"}.items()
    }
    found = geography.catchments(homes, listed)
    assert (found[Region("new")], found[Region("waw")]) == (("ord", "fra"),) * 2
    assert (
        found.items()
        >= {key: home for key, home in geography.catchments(homes).items() if key != "waw"}.items()
    )


def test_aliases_name_parts_of_the_world():
    assert geography.ALIASES["us"] == geography.ALIASES["usa"] == ("dfw", "ewr", "iad", "lax", "ord", "sjc")
    assert set(geography.ALIASES["na"]) == {*geography.ALIASES["us"], "yyz"}
    assert geography.ALIASES["eu"] == ("ams", "arn", "cdg", "fra", "lhr")
    assert geography.ALIASES["sa"] == ("gru",)
    assert geography.ALIASES["apac"] == ("bom", "nrt", "sin", "syd")
    assert set(geography.ALIASES["any"]) == set(geography.REGIONS)
