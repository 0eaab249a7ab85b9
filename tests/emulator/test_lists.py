"""Lists: filters, lag, lies, and the organization's pages."""

import pytest

from autoscaler.emulator.faults import Fault, Kind
from autoscaler.emulator.seeding import seed
from tests.emulator.client import Fly


def ids(machines):
    return [machine["id"] for machine in machines]


async def test_seeded_machines_are_spread_evenly_and_look_deployed():
    fly = Fly(machines=7, group="worker", release=9)
    machines = await fly.machines()
    counts = [len(await fly.machines(region=region)) for region in ("ord", "ams", "fra")]
    assert counts == [3, 2, 2]
    metadata = machines[0]["config"]["metadata"]
    assert metadata["fly_process_group"] == "worker"
    assert metadata["fly_platform_version"] == "v2"
    assert metadata["fly_release_version"] == "9"
    assert machines[0]["image_ref"]["digest"].startswith("sha256:")
    assert len({machine["name"] for machine in machines}) == 7


async def test_machines_without_a_group_carry_none():
    machine = await Fly(group="").only()
    assert "fly_process_group" not in machine["config"]["metadata"]
    assert "FLY_PROCESS_GROUP" not in machine["config"]["env"]


async def test_lists_are_filtered_by_state_region_and_metadata():
    fly = Fly(machines=3)
    seed(fly.world, app="demo", group="web", regions=("ord",), count=2, state="started")
    assert len(await fly.machines(state="started")) == 2
    assert len(await fly.machines(state="started,stopped")) == 5
    assert len(await fly.machines(region="ord")) == 3
    assert len(await fly.machines(**{"metadata.fly_process_group": "web"})) == 2
    both = {"metadata.fly_process_group": "web", "metadata.fly_platform_version": "v1"}
    assert await fly.machines(**both) == []


async def test_a_summary_omits_the_bulk():
    (short,) = await Fly().machines(summary="true")
    assert not {"config", "events", "checks", "host_status"} & set(short)
    assert short["state"] == "stopped"


async def test_a_list_may_be_behind():
    fly = Fly(list_lag_s=5, boot_s=0)
    fly.pass_time(10)
    machine = await fly.only()
    await fly.act(machine["id"], "start")
    made = (await fly.create()).json()
    fly.pass_time(4)
    assert [(shown["id"], shown["state"]) for shown in await fly.machines()] == [(machine["id"], "stopped")]
    assert (await fly.machine(made["id"]))["state"] == "started"
    fly.pass_time(2)
    assert {shown["id"]: shown["state"] for shown in await fly.machines()} == {
        machine["id"]: "started",
        made["id"]: "created",
    }


async def test_a_get_may_be_behind_for_callers_without_the_affinity_cookie():
    fly = Fly(machines=0, get_lag_s=2)
    made = (await fly.create()).json()
    assert fly.http.cookies.get("fly_flaps_affinity")
    assert await fly.state(made["id"]) == "created"
    fly.http.cookies.clear()
    assert (await fly.call("GET", f"/machines/{made['id']}")).status_code == 404
    fly.http.cookies.clear()
    fly.pass_time(2)
    assert await fly.state(made["id"]) == "created"


async def test_a_list_can_be_empty_for_a_while_for_one_region():
    fly = Fly(machines=6)
    fly.world.inject(Fault(kind=Kind.EMPTY_LIST, region="ord", count=1))
    assert {machine["region"] for machine in await fly.machines()} == {"ams", "fra"}
    assert len(await fly.machines()) == 6
    fly.world.inject(Fault(kind=Kind.EMPTY_LIST, for_s=10))
    assert await fly.machines() == []
    fly.pass_time(10)
    assert len(await fly.machines()) == 6


async def test_a_list_can_be_stale():
    fly = Fly(boot_s=0)
    machine = await fly.only()
    fly.pass_time(1)
    fly.world.inject(Fault(kind=Kind.STALE_LIST))
    fly.pass_time(1)
    await fly.act(machine["id"], "start")
    await fly.create()
    assert [(shown["id"], shown["state"]) for shown in await fly.machines()] == [(machine["id"], "stopped")]
    fly.world.clear()
    assert len(await fly.machines()) == 2


async def test_a_list_can_repeat_itself_and_lose_some():
    fly = Fly(machines=20)
    fly.world.inject(Fault(kind=Kind.DUPLICATE_LIST))
    assert len(await fly.machines()) == 40
    fly.world.clear()
    fly.world.inject(Fault(kind=Kind.PARTIAL_LIST, share=0.5))
    assert 0 < len(await fly.machines()) < 20


async def test_machines_of_a_lost_host_have_no_config():
    fly = Fly(state="started")
    machine = await fly.only()
    fly.world.inject(Fault(kind=Kind.HOST_LOST, machine=machine["id"]))
    lost = await fly.only()
    assert lost["host_status"] == "unreachable"
    assert lost["config"] is None
    assert set(lost["incomplete_config"]) == {"image", "guest", "metadata"}
    refused = await fly.act(machine["id"], "stop")
    assert refused.status_code == 408
    fly.world.clear()
    assert await fly.only() == machine


async def test_clearing_one_lost_host_leaves_the_other_lost():
    fly = Fly(machines=3)
    first = fly.world.inject(Fault(kind=Kind.HOST_LOST, region="ord"))
    fly.world.inject(Fault(kind=Kind.HOST_LOST, region="ams"))
    fly.world.clear(first.id)
    status = {machine["region"]: machine["host_status"] for machine in await fly.machines()}
    assert status == {"ord": "ok", "ams": "unreachable", "fra": "ok"}


async def org(fly, **params):
    response = await fly.http.get("/v1/orgs/personal/machines", params=params)
    assert response.status_code == 200, response.text
    return response.json()


async def test_the_organization_is_listed_in_pages():
    fly = Fly(machines=5)
    fly.world.add_app("second")
    seed(fly.world, app="second", group="app", regions=("nrt",), count=2)
    whole = await org(fly)
    assert {machine["app_name"] for machine in whole["machines"]} == {"demo", "second"}
    assert whole["next_cursor"] == ""
    assert whole["error_regions"] == []
    seen, cursor = [], ""
    while True:
        page = await org(fly, limit="3", cursor=cursor)
        seen += ids(page["machines"])
        cursor = page["next_cursor"]
        if not cursor:
            break
    assert seen == ids(whole["machines"])
    assert page["last_machine_id"] == seen[-1]


async def test_the_organization_is_listed_since_a_moment():
    fly = Fly(machines=3)
    fly.pass_time(100)
    started = (await fly.machines())[0]
    await fly.act(started["id"], "start")
    page = await org(fly, updated_after="2026-01-01T00:01:00Z")
    assert ids(page["machines"]) == [started["id"]]
    assert page["machines"][0]["config"]["metadata"]["fly_process_group"] == "app"
    summary = await org(fly, summary="true")
    assert all("config" not in machine for machine in summary["machines"])


async def test_a_region_that_cannot_be_asked_is_told():
    fly = Fly(machines=3)
    fly.world.inject(Fault(kind=Kind.ERROR_REGION, region="ams"))
    page = await org(fly)
    assert page["error_regions"] == ["ams"]
    assert {machine["region"] for machine in page["machines"]} == {"ord", "fra"}


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=x", "cursor=%21%21", "updated_after=yesterday", "updated_after=2026-01-01T00:00:00"],
)
async def test_a_page_nobody_can_give_is_refused(query):
    assert (await Fly().http.get(f"/v1/orgs/personal/machines?{query}")).status_code == 400


async def test_another_organization_is_unknown():
    assert (await Fly().http.get("/v1/orgs/other/machines")).status_code == 404


async def test_the_volumes_of_the_organization_are_listed():
    fly = Fly()
    made = (await fly.call("POST", "/volumes", json={"name": "data", "region": "ams"})).json()
    page = (await fly.http.get("/v1/orgs/personal/volumes")).json()
    assert ids(page["volumes"]) == [made["id"]]
    assert page["volumes"][0]["app_name"] == "demo"
    assert page["last_volume_id"] == made["id"]
