"""What `/_emulator` is told, it does, and what it does not understand it refuses."""

import httpx
import pytest

from autoscaler.emulator.app import build
from autoscaler.emulator.clock import RunningClock
from autoscaler.emulator.config import EmulatorConfig
from tests.emulator.client import Fly


async def control(fly, method, path, expected=200, **body):
    response = await fly.http.request(method, f"/_emulator/{path}", json=body or None)
    assert response.status_code == expected, response.text
    return response.json()


async def depth(fly):
    return {row["metric"].get("region", ""): float(row["value"][1]) for row in await fly.query("queue_depth")}


async def test_a_load_is_a_number_for_all_or_per_region():
    fly = Fly()
    await control(fly, "POST", "loads", name="queue_depth", value=7)
    assert await depth(fly) == {"": 7}
    await control(fly, "DELETE", "loads")
    await control(
        fly, "POST", "loads", name="queue_depth", labels={"app": "demo"}, regions={"ord": 3, "ams": "NaN"}
    )
    assert await fly.query('queue_depth{region="ord"}') == [
        {
            "metric": {"__name__": "queue_depth", "app": "demo", "region": "ord"},
            "value": [fly.clock.now(), "3"],
        }
    ]
    shown = await fly.http.get("/_emulator/loads")
    assert [(load["labels"].get("region"), load["value"]) for load in shown.json()] == [
        (None, None),
        ("ord", "3"),
        ("ams", "NaN"),
    ]
    assert await control(fly, "DELETE", "loads?name=queue_depth&region=ams") == {"ended": 1}
    assert set(await depth(fly)) == {"ord"}


async def test_a_load_is_a_wave_points_or_a_recording():
    fly = Fly()
    wave = {"base": 10, "amplitude": 5, "period_s": 40}
    await control(
        fly,
        "POST",
        "loads",
        name="queue_depth",
        regions={"ord": {"wave": wave}, "ams": {"points": [[0, 1], [10, 9]]}},
    )
    await control(
        fly,
        "POST",
        "loads",
        name="queue_depth",
        labels={"region": "fra"},
        csv="t,value\n0,1\n600,6\n",
        speed=60,
        linear=True,
    )
    fly.pass_time(10)
    assert await depth(fly) == pytest.approx({"ord": 15, "ams": 9, "fra": 6})


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": "x"},
        {"name": "x", "value": 1, "csv": "0,1"},
        {"name": "x", "value": "many"},
        {"name": "x", "value": True},
        {"name": "x", "value": None},
        {"name": "x", "points": []},
        {"name": "x", "csv": "nothing"},
        {"name": "x", "wave": {"height": 1}},
        {"name": "x", "vlaue": 1},
        {"name": "x", "csv": "0,1", "speed": 0},
        {"name": "x", "points": [[0, 1]], "speed": -1},
        {"name": "x", "value": 1, "lag_s": -5},
        {"name": "x", "regions": {}},
        {"name": "x", "regions": {"ord": 1, "mars": 1}},
        {"name": "x", "regions": {"ord": 1}, "value": 1},
    ],
)
async def test_a_load_nobody_understands_is_refused(body):
    fly = Fly()
    assert (await fly.http.post("/_emulator/loads", json=body)).status_code == 400
    assert (await fly.http.get("/_emulator/loads")).json() == []


async def test_a_fault_is_injected_listed_and_cleared():
    fly = Fly()
    fault = await control(fly, "POST", "faults", kind="status", operation="list", status=500, count=2)
    assert (await fly.call("GET", "/machines")).status_code == 500
    (listed,) = await control(fly, "GET", "faults")
    assert (listed["id"], listed["hits"], listed["kind"]) == (fault["id"], 1, "status")
    await control(fly, "DELETE", f"faults?id={fault['id']}")
    assert (await fly.call("GET", "/machines")).status_code == 200
    await control(fly, "POST", "faults", kind="empty_list")
    await control(fly, "DELETE", "faults")
    assert await control(fly, "GET", "faults") == []


@pytest.mark.parametrize(
    ("path", "body", "named"),
    [
        ("loads", {"name": "x", "csv": "0,1", "speed": 0}, "speed"),
        ("loads", {"name": "x", "value": 1, "lag_s": -5}, "lag_s"),
        ("loads", {"name": "x", "regions": {"mars": 1}}, "'mars'"),
        ("loads", {"name": "x", "regions": {"ord": 1}, "value": 1}, "value"),
        ("faults", {"kind": "region_full", "region": "mars"}, "'mars'"),
        ("machines", {"regions": ["ord", "mars"]}, "'mars'"),
        ("proxy", {"concurrency": {"mars": 5}}, "'mars'"),
    ],
)
async def test_what_is_refused_is_refused_by_name(path, body, named):
    response = await Fly().http.post(f"/_emulator/{path}", json=body)
    assert response.status_code == 400
    assert named in response.text


@pytest.mark.parametrize("body", [{}, {"kind": "earthquake"}, {"kind": "status", "stauts": 500}])
async def test_a_fault_nobody_knows_is_refused(body):
    fly = Fly()
    assert (await fly.http.post("/_emulator/faults", json=body)).status_code == 400
    assert (await fly.http.post("/_emulator/faults", content=b"[1]")).status_code == 400


async def test_the_log_is_filtered_and_cleared_and_does_not_log_itself():
    fly = Fly()
    await fly.only()
    await fly.create()
    assert [entry["operation"] for entry in await control(fly, "GET", "log")] == ["list", "create"]
    (one,) = await control(fly, "GET", "log?operation=create")
    assert await control(fly, "GET", f"log?since={one['number'] + 1}") == []
    await control(fly, "DELETE", "log")
    assert await control(fly, "GET", "log") == []


async def test_the_clock_is_moved_by_hand_only_if_it_stands_still():
    fly = Fly(boot_s=30)
    machine = await fly.only()
    await fly.act(machine["id"], "start")
    before = (await control(fly, "GET", "clock"))["now"]
    assert (await control(fly, "POST", "clock", advance=31))["now"] == before + 31
    assert await fly.state(machine["id"]) == "started"
    await control(fly, "POST", "clock", 400, advance=-1)
    await control(fly, "POST", "clock", 400, forward=1)
    transport = httpx.ASGITransport(app=build(EmulatorConfig(), RunningClock()))
    async with httpx.AsyncClient(transport=transport, base_url="http://fly.test") as running:
        assert (await running.post("/_emulator/clock", json={"advance": 1})).status_code == 409


async def test_a_reset_begins_again_with_the_same_seed():
    fly = Fly(machines=3)
    before = await fly.machines()
    await fly.act(before[0]["id"], "start")
    await control(fly, "POST", "faults", kind="empty_list")
    await control(fly, "POST", "loads", name="x", value=1)
    await control(fly, "POST", "reset")
    assert await fly.machines() == before
    assert await control(fly, "GET", "loads") == []
    assert [entry["operation"] for entry in await control(fly, "GET", "log")] == ["list"]
    assert fly.app.state.world is not fly.world


async def test_the_machine_table_shows_everything():
    fly = Fly()
    machine = await fly.only()
    await fly.lease(machine["id"])
    (row,) = await control(fly, "GET", "machines")
    assert row["app"] == "demo"
    assert row["lease"]["nonce"]
    assert row["host"].startswith("ord")
    assert {key: row[key] for key in machine} == machine


async def test_more_machines_are_seeded_with_any_configuration():
    fly = Fly()
    made = await control(
        fly, "POST", "machines", group="web", count=2, regions=["nrt"], state="started", release=70,
        config={"metadata": {"autoscaler_protect": "true"}, "restart": None},
    )  # fmt: skip
    assert [machine["region"] for machine in made] == ["nrt", "nrt"]
    shown = await fly.machine(made[0]["id"])
    assert shown["state"] == "started"
    assert shown["config"]["metadata"]["autoscaler_protect"] == "true"
    assert shown["config"]["metadata"]["fly_release_version"] == "70"
    assert "restart" not in shown["config"]
    await control(fly, "POST", "machines", app="another")
    assert len((await fly.http.get("/v1/apps/another/machines")).json()) == 1
    await control(fly, "POST", "machines", 400, region="ord")


async def test_a_machine_crashes_on_request():
    fly = Fly(state="started")
    machine = await fly.only()
    row = await control(fly, "POST", f"machines/{machine['id']}", exit={"code": 1, "oom": True})
    assert row["state"] == "restarting"
    assert row["events"][0]["request"]["exit_event"]["oom_killed"] is True


async def test_a_machine_gets_stuck_and_is_freed():
    fly = Fly(boot_s=1)
    machine = await fly.only()
    await fly.act(machine["id"], "start")
    await control(fly, "POST", f"machines/{machine['id']}", stuck=True)
    fly.pass_time(600)
    assert await fly.state(machine["id"]) == "starting"
    await control(fly, "POST", f"machines/{machine['id']}", stuck=False)
    assert await fly.state(machine["id"]) == "started"


async def test_a_machine_is_put_into_any_condition():
    fly = Fly(services=True, state="started")
    machine = await fly.only()
    await control(
        fly,
        "POST",
        f"machines/{machine['id']}",
        checks="critical",
        cordoned=True,
        lease={"ttl": 60, "owner": "me"},
    )
    (shown,) = await fly.machines(include_leases="true")
    assert shown["checks"][0]["status"] == "critical"
    assert shown["cordoned"] is True
    assert shown["lease"]["owner"] == "me"
    await control(fly, "POST", f"machines/{machine['id']}", 409, lease={"ttl": 60})
    await control(fly, "POST", f"machines/{machine['id']}", state="failed", host_status="unknown")
    shown = await fly.only()
    assert (shown["state"], shown["host_status"], shown["config"]) == ("failed", "unknown", None)
    for bad in ({"checks": "green"}, {"host_status": "gone"}, {"colour": "red"}):
        await control(fly, "POST", f"machines/{machine['id']}", 400, **bad)
    await control(fly, "POST", "machines/00000000000000", 404, state="failed")


async def test_machines_of_a_bad_release_crash_after_each_start():
    fly = Fly(boot_s=1, machine_config={"restart": {"policy": "no"}})
    machine = await fly.only()
    await control(fly, "POST", "faults", kind="crash", release="63", delay_s=10, exit_code=3)
    await fly.act(machine["id"], "start")
    fly.pass_time(5)
    assert await fly.state(machine["id"]) == "started"
    fly.pass_time(7)
    stopped = await fly.only()
    assert stopped["state"] == "stopped"
    assert stopped["events"][0]["request"]["exit_event"]["exit_code"] == 3


async def test_a_created_machine_may_stay_created():
    fly = Fly(machines=0)
    await control(fly, "POST", "faults", kind="stuck", state="created", count=1)
    stuck, fine = [(await fly.create()).json()["id"] for _ in range(2)]
    fly.pass_time(3600)
    assert (await fly.state(stuck), await fly.state(fine)) == ("created", "started")
    assert (await fly.act(stuck, "start")).status_code == 412
    assert (await fly.call("DELETE", f"/machines/{stuck}")).status_code == 200
