"""Guest sizes and region markups -> dollars."""

import pytest

from autoscaler.domain import geography, prices
from autoscaler.domain.names import Region


@pytest.mark.parametrize(
    ("preset", "region", "month"),
    [
        ("shared-cpu-1x", "iad", 1.945),
        ("shared-cpu-1x", "sjc", 2.32),
        ("shared-cpu-8x", "iad", 15.56),
        ("performance-1x", "ewr", 31),
        ("performance-1x", "ams", 32.19),
        ("performance-16x", "iad", 496),
    ],
)
def test_thirty_days_cost_what_the_platform_publishes(preset, region, month):
    per_second = prices.dollars_per_second(prices.PRESETS[preset], Region(region))
    assert per_second * prices.SECONDS_PER_MONTH == pytest.approx(month, abs=0.01)


def test_more_memory_costs_more():
    guest = prices.Guest(cpu_kind="shared", cpus=1, memory_mb=1024)
    assert prices.dollars_per_second(guest, Region("sjc")) * prices.SECONDS_PER_MONTH == pytest.approx(
        6.79, abs=0.01
    )


def test_every_region_has_a_markup():
    assert set(prices.MARKUPS) == set(geography.REGIONS)


def test_a_closed_region_costs_what_its_replacement_does_and_an_unheard_of_one_the_base_price():
    guest = prices.DEFAULT_GUEST
    assert prices.dollars_per_second(guest, Region("sea")) == prices.dollars_per_second(guest, Region("sjc"))
    assert prices.dollars_per_second(guest, Region("xxx")) == prices.dollars_per_second(guest, Region("iad"))


def test_a_cpu_kind_without_a_price_is_refused():
    with pytest.raises(ValueError, match="quantum"):
        prices.dollars_per_second(prices.Guest(cpu_kind="quantum", cpus=1, memory_mb=256), Region("iad"))


@pytest.mark.parametrize(
    ("config", "guest"),
    [
        ({}, prices.DEFAULT_GUEST),
        ({"size": "performance-2x"}, prices.Guest(cpu_kind="performance", cpus=2, memory_mb=4096)),
        (
            {"guest": {"cpu_kind": "shared", "cpus": 2, "memory_mb": 1024, "gpus": 0}},
            prices.Guest(cpu_kind="shared", cpus=2, memory_mb=1024),
        ),
        ({"size": "huge"}, None),
        ({"guest": {"cpu_kind": "quantum", "cpus": 1, "memory_mb": 256}}, None),
        ({"guest": {"cpus": 1}}, None),
        ({"guest": "large"}, None),
        ({"guest": {"cpu_kind": "shared", "cpus": float("inf"), "memory_mb": 256}}, None),
        ({"size": ["huge"]}, None),
    ],
)
def test_the_size_is_read_from_a_configuration(config, guest):
    assert prices.guest_of(config) == guest
