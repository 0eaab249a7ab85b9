"""Machines come to be and are replaced as the platform does it."""

import re

import pytest

from autoscaler.emulator.faults import Fault, Kind
from tests.emulator.client import Fly


async def test_a_created_machine_passes_through_created_and_starting():
    fly = Fly(machines=0, create_s=3.5, boot_s=1.4)
    made = (await fly.create(name="one", region="ord")).json()
    assert (made["state"], made["name"], made["region"]) == ("created", "one", "ord")
    assert re.fullmatch(r"[0-9a-f]{14}", made["id"])
    assert re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{26}", made["instance_id"])
    assert made["version"] == made["instance_id"]
    assert [event["status"] for event in made["events"]] == ["created", "pending"]
    fly.pass_time(3.5)
    assert await fly.state(made["id"]) == "starting"
    fly.pass_time(1.4)
    assert await fly.state(made["id"]) == "started"


async def test_skip_launch_prepares_the_image_and_rests():
    fly = Fly(machines=0, image_prep_s=9)
    made = (await fly.create(skip_launch=True)).json()
    fly.pass_time(8)
    refused = await fly.act(made["id"], "start")
    assert refused.status_code == 412
    assert "current state: 'created'" in refused.json()["error"]
    fly.pass_time(1)
    assert await fly.state(made["id"]) == "stopped"
    assert (await fly.act(made["id"], "start")).status_code == 200


async def test_a_standby_does_not_start():
    fly = Fly()
    standby = {"image": "alpine", "standbys": [(await fly.only())["id"]]}
    made = (await fly.create(config=standby)).json()
    fly.pass_time(60)
    assert await fly.state(made["id"]) == "stopped"


async def test_names_are_unique_among_live_machines():
    fly = Fly(machines=0)
    first = (await fly.create(name="as-1")).json()
    second = await fly.create(name="as-1")
    assert second.status_code == 409
    assert second.json()["error"] == (
        f"already_exists: unique machine name violation, machine ID {first['id']} "
        'already exists with name "as-1"'
    )
    await fly.call("DELETE", f"/machines/{first['id']}?force=true")
    assert (await fly.create(name="as-1")).status_code == 409
    fly.pass_time(2)
    assert (await fly.create(name="as-1")).status_code == 200


@pytest.mark.parametrize(
    ("region", "chosen"),
    [("iad,dfw", "iad"), ("eu", "lhr"), ("us", "iad"), ("any", "iad"), (None, "iad"), (" ams , eu", "ams")],
)
async def test_a_region_may_be_a_list_or_an_alias(region, chosen):
    fly = Fly(machines=0)
    assert (await fly.create(region=region)).json()["region"] == chosen


async def test_a_full_region_is_passed_over_in_a_list_and_refused_alone():
    fly = Fly(machines=0, region_capacity={"ord": 1})
    assert (await fly.create(region="ord,iad")).json()["region"] == "ord"
    assert (await fly.create(region="ord,iad")).json()["region"] == "iad"
    refused = await fly.create(region="ord")
    assert (refused.status_code, refused.json()) == (
        422,
        {"error": "could not find a candidate host", "status": "insufficient_capacity"},
    )


async def test_a_stopped_machine_holds_no_place_and_may_not_get_one():
    fly = Fly(machines=2, regions=("ord",), host_capacity=1, hosts_per_region=1)
    one, two = await fly.machines()
    assert (await fly.act(one["id"], "start")).status_code == 200
    refused = await fly.act(two["id"], "start")
    assert refused.status_code == 409
    assert "could not reserve resource for machine" in refused.json()["error"]
    fly.pass_time(5)
    await fly.act(one["id"], "suspend")
    fly.pass_time(5)
    assert (await fly.act(two["id"], "start")).status_code == 409
    await fly.act(one["id"], "stop")
    assert (await fly.act(two["id"], "start")).status_code == 200


async def test_faults_fill_regions_and_hosts():
    fly = Fly()
    fly.world.inject(Fault(kind=Kind.REGION_FULL, region="ord"))
    assert (await fly.create(region="ord")).status_code == 422
    assert (await fly.create(region="ams")).status_code == 200
    fly.world.clear()
    fly.world.inject(Fault(kind=Kind.HOST_FULL))
    full = await fly.create(region="ord")
    assert full.status_code == 409
    assert "insufficient resources available" in full.json()["error"]
    stopped = (await fly.machines(state="stopped"))[0]
    assert (await fly.act(stopped["id"], "start")).status_code == 409


@pytest.mark.parametrize(
    ("config", "text"),
    [
        (None, "config is required"),
        ({}, "config.image is required"),
        ({"image": "a", "guest": {"cpu_kind": "quantum"}}, "invalid config.guest.cpu_kind"),
        ({"image": "a", "guest": {"cpu_kind": "shared", "cpus": 3}}, "invalid config.guest.cpus"),
        (
            {"image": "a", "guest": {"cpu_kind": "shared", "cpus": 4, "memory_mb": 256}},
            "invalid config.guest.memory_mb, minimum required 1024 MiB",
        ),
        (
            {"image": "a", "guest": {"cpu_kind": "shared", "cpus": 1, "memory_mb": 4096}},
            "invalid config.guest.memory_mb, cannot exceed 2048 MiB",
        ),
        ({"image": "a", "metadata": {"n": 1}}, "config.metadata"),
    ],
)
async def test_a_configuration_that_cannot_run_is_refused(config, text):
    fly = Fly(machines=0)
    refused = await fly.create(config=config)
    assert refused.status_code == 400
    assert text in refused.json()["error"]
    assert await fly.machines() == []


async def test_an_unknown_region_is_refused():
    refused = await Fly(machines=0).create(region="maa")
    assert (refused.status_code, refused.json()) == (
        400,
        {"error": "invalid_argument: region maa is not available"},
    )


async def test_unknown_fields_of_a_configuration_survive():
    fly = Fly(machines=0)
    config = {"image": "alpine", "novelty": {"deep": [1, None]}, "guest": {"cpu_kind": "shared", "cpus": 1}}
    made = (await fly.create(config=config)).json()
    assert made["config"]["novelty"] == {"deep": [1, None]}
    assert (await fly.machine(made["id"]))["config"] == made["config"]


@pytest.mark.parametrize(("sent", "answered"), [("off", False), ("stop", True), ("suspend", "suspend")])
async def test_autostop_is_answered_in_another_type(sent, answered):
    fly = Fly(machines=0)
    services = [{"internal_port": 80, "autostop": sent}]
    made = (await fly.create(config={"image": "alpine", "services": services})).json()
    assert made["config"]["services"][0]["autostop"] == answered


@pytest.mark.parametrize(
    ("image", "parts"),
    [
        ("registry.fly.io/worker:deployment-1", ("registry.fly.io", "worker", "deployment-1")),
        ("alpine", ("registry-1.docker.io", "library/alpine", "latest")),
        ("ghcr.io/me/app:v2", ("ghcr.io", "me/app", "v2")),
    ],
)
async def test_an_image_is_told_in_parts_with_its_digest(image, parts):
    fly = Fly(machines=0)
    told = (await fly.create(config={"image": image})).json()["image_ref"]
    assert (told["registry"], told["repository"], told["tag"]) == parts
    pinned = f"{image}@{told['digest']}"
    again = (await fly.create(config={"image": pinned})).json()
    assert again["image_ref"] == told
    assert again["config"]["image"] == pinned


async def test_a_lease_can_come_with_the_machine_and_only_then_is_its_nonce_told():
    fly = Fly(machines=0)
    made = (await fly.create(lease_ttl=60)).json()
    assert "nonce" not in await fly.machine(made["id"])
    fly.pass_time(5)
    assert (await fly.act(made["id"], "cordon")).status_code == 409
    headers = {"fly-machine-lease-nonce": made["nonce"]}
    assert (await fly.act(made["id"], "cordon", headers=headers)).status_code == 200


async def test_skip_service_registration_means_cordoned():
    fly = Fly(machines=0)
    made = (await fly.create(skip_service_registration=True)).json()
    assert made["cordoned"] is True
    assert (await fly.act(made["id"], "uncordon")).json() == {"ok": True}
    assert (await fly.machine(made["id"]))["cordoned"] is False


async def test_an_update_makes_a_new_version_and_starts_unless_told_not_to():
    fly = Fly(update_s=3.5, boot_s=1)
    old = await fly.only()
    config = {**old["config"], "env": {"NEW": "1"}}
    path = f"/machines/{old['id']}"
    new = (await fly.call("POST", path, json={"config": config})).json()
    assert new["state"] == "replacing"
    assert new["instance_id"] != old["instance_id"]
    assert new["config"]["env"] == {"NEW": "1"}
    concurrent = await fly.call("POST", path, json={"config": config})
    assert (concurrent.status_code, concurrent.json()) == (
        409,
        {"error": "aborted: machine update failed due to concurrent update"},
    )
    fly.pass_time(5)
    assert await fly.state(old["id"]) == "started"
    await fly.call("POST", path, json={"config": config, "skip_launch": True})
    fly.pass_time(5)
    assert await fly.state(old["id"]) == "stopped"
    versions = (await fly.call("GET", path + "/versions")).json()
    assert [version["version"] for version in versions][1:] == [new["instance_id"], old["instance_id"]]
    assert versions[-1]["user_config"] == old["config"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"name": "another"}, 400),
        ({"region": "nrt"}, 400),
        ({"config": {"image": "a", "mounts": [{"volume": "vol_1", "path": "/d"}]}}, 400),
        ({"config": {}}, 400),
        ({"current_version": "01H"}, 412),
    ],
)
async def test_what_an_update_may_not_change_is_refused(body, status):
    fly = Fly()
    old = await fly.only()
    told = {"config": {"image": "a"}, **body}
    refused = await fly.call("POST", f"/machines/{old['id']}", json=told)
    assert refused.status_code == status
    assert await fly.only() == old


async def test_a_launch_can_fail():
    fly = Fly(machines=0)
    fly.world.inject(Fault(kind=Kind.LAUNCH_FAILED, count=1))
    made = (await fly.create()).json()
    fly.pass_time(3.5)
    assert await fly.state(made["id"]) == "launch_failed"
    fly.pass_time(1)
    assert await fly.state(made["id"]) == "destroyed"


async def test_volumes_pin_machines_and_are_held_by_one_at_a_time():
    fly = Fly(machines=0, destroy_s=1, detach_s=60)
    made = await fly.call("POST", "/volumes", json={"name": "data", "region": "ams", "size_gb": 1})
    volume = made.json()
    config = {"image": "alpine", "mounts": [{"volume": volume["id"], "path": "/data"}]}
    machine = (await fly.create(config=config)).json()
    assert machine["region"] == "ams"
    assert fly.world.machines[machine["id"]].host == volume["zone"]
    assert (await fly.call("GET", f"/volumes/{volume['id']}")).json()["attached_machine_id"] == machine["id"]
    taken = await fly.create(config=config)
    assert (taken.status_code, taken.json()["error"]) == (
        412,
        f"failed_precondition: volume already claimed by machine {machine['id']}",
    )
    assert (await fly.call("DELETE", f"/volumes/{volume['id']}")).status_code == 412
    assert (await fly.create(config=config, region="nrt")).status_code == 400
    await fly.call("DELETE", f"/machines/{machine['id']}?force=true")
    fly.pass_time(31)
    assert (await fly.create(config=config)).status_code == 412
    fly.pass_time(31)
    assert (await fly.create(config=config)).status_code == 200


async def test_a_full_host_keeps_its_volumes_to_itself():
    fly = Fly(machines=0, hosts_per_region=1, host_capacity=1)
    volume = (await fly.call("POST", "/volumes", json={"name": "data", "region": "ams"})).json()
    await fly.create(region="ams")
    mounts = [{"volume": volume["id"], "path": "/data"}]
    refused = await fly.create(config={"image": "alpine", "mounts": mounts})
    assert (refused.status_code, refused.json()["status"]) == (412, "volume_placement_capacity")


async def test_volumes_are_listed_extended_configured_saved_and_destroyed():
    fly = Fly(machines=0)
    make = {"name": "data", "region": "ams", "size_gb": 2}
    one = (await fly.call("POST", "/volumes", json=make)).json()
    two = (await fly.call("POST", "/volumes", json=make)).json()
    assert one["zone"] != two["zone"]
    path = f"/volumes/{one['id']}"
    assert [volume["id"] for volume in (await fly.call("GET", "/volumes")).json()] == [one["id"], two["id"]]
    extended = (await fly.call("PUT", path + "/extend", json={"size_gb": 5})).json()
    assert (extended["volume"]["size_gb"], extended["needs_restart"]) == (5, False)
    assert (await fly.call("PUT", path + "/extend", json={"size_gb": 5})).status_code == 400
    assert (await fly.call("PUT", path, json={"snapshot_retention": 9})).json()["snapshot_retention"] == 9
    assert (await fly.call("PUT", path, json={"snapshot_retention": 99})).status_code == 400
    assert (await fly.call("POST", path + "/snapshots")).status_code == 200
    assert len((await fly.call("GET", path + "/snapshots")).json()) == 1
    assert (await fly.call("DELETE", path)).json()["state"] == "scheduling_destroy"
    assert (await fly.call("GET", "/volumes/vol_nothing")).status_code == 404
    assert (await fly.call("POST", "/volumes", json={})).status_code == 400
