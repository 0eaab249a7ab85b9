"""Volumes, regions and durations are read as the platform writes them."""

import pytest

from autoscaler.adapters.fly_machines import parse
from autoscaler.adapters.fly_machines.notation import duration_s
from autoscaler.domain.errors import GarbledError
from autoscaler.domain.fleet import HostStatus, Volume
from autoscaler.domain.geography import Place
from autoscaler.domain.names import MachineId, Region, VolumeId


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("1.5h", 5400.0),
        ("250ms", 0.25),
        ("10us", 1e-5),
        ("1h1m1s", 3661.0),
        ("5", None),
        ("", None),
        (True, None),
    ],
)
def test_durations_are_read_as_go_writes_them(written: object, seconds: float | None) -> None:
    assert duration_s(written) == (None if seconds is None else pytest.approx(seconds))


def test_a_volume_is_read() -> None:
    entry = {
        "id": "vol_9vw681egy1jj5xm4",
        "name": "disk",
        "state": "created",
        "size_gb": 3,
        "region": "yul",
        "zone": "09cd",
        "encrypted": True,
        "attached_machine_id": "908057ef21e487",
        "attached_alloc_id": None,
        "created_at": "2023-09-01T19:47:14.774Z",
    }
    assert parse.volume(entry) == Volume(
        id=VolumeId("vol_9vw681egy1jj5xm4"),
        name="disk",
        region=Region("yul"),
        state="created",
        attached_to=MachineId("908057ef21e487"),
        host=HostStatus.OK,
        created_at=1693597634.774,
        size_gb=3,
        encrypted=True,
    )
    assert parse.volume({**entry, "attached_machine_id": None}).attached_to is None
    with pytest.raises(GarbledError):
        parse.volume({**entry, "id": None})


@pytest.mark.parametrize("key", ["Regions", "regions"])
def test_regions_are_read_in_either_case_without_the_deprecated(key: str) -> None:
    ams = {
        "code": "ams",
        "name": "Amsterdam, Netherlands",
        "latitude": 52.374342,
        "longitude": 4.895439,
        "gateway_available": True,
        "requires_paid_plan": False,
        "deprecated": False,
        "capacity": 0,
        "geo_region": "europe",
        "mpg_available": True,
    }
    answer = {key: [ams, {**ams, "code": "waw", "deprecated": True}], "Nearest": "iad"}
    place = Place(city="Amsterdam, Netherlands", latitude=52.374342, longitude=4.895439, area="europe")
    assert parse.regions(answer) == {Region("ams"): place}


@pytest.mark.parametrize(
    "answer",
    [None, {}, {"regions": []}, {"regions": [{}]}, {"regions": [{"code": "ams"}]}, {"regions": [None]}],
)
def test_regions_nobody_can_read_are_garbled(answer: object) -> None:
    with pytest.raises(GarbledError):
        parse.regions(answer)
