"""Leases fence what they should, and nothing else."""

import pytest

from tests.emulator.client import Fly

FENCED = ["start", "stop", "suspend", "restart", "cordon", "uncordon"]


async def test_a_lease_is_taken_refreshed_shown_and_released():
    fly = Fly()
    machine = await fly.only()
    path = f"/machines/{machine['id']}/lease"
    taken = await fly.call("POST", path, json={"description": "scaler", "ttl": 120})
    assert taken.status_code == 201
    envelope = taken.json()
    assert envelope["status"] == "success"
    lease = envelope["data"]
    assert lease["expires_at"] == fly.clock.now() + 120
    assert lease["version"] == machine["instance_id"]
    assert lease["description"] == "scaler"
    assert lease["owner"].endswith("@tokens.fly.io")
    fly.pass_time(100)
    nonce = {"fly-machine-lease-nonce": lease["nonce"]}
    again = (await fly.call("POST", path + "?ttl=60", headers=nonce)).json()["data"]
    assert (again["nonce"], again["expires_at"]) == (lease["nonce"], fly.clock.now() + 60)
    assert (await fly.call("GET", path)).json()["data"] == again
    released = await fly.call("DELETE", path, headers=nonce)
    assert (released.status_code, released.json()) == (200, {"status": "success", "data": {"ok": True}})
    assert (await fly.call("GET", path)).status_code == 404
    gone = await fly.call("DELETE", path, headers=nonce)
    assert gone.status_code == 404
    assert "lease not found" in gone.json()["error"]


async def test_a_second_lease_is_refused_until_the_first_expires():
    fly = Fly()
    machine = await fly.only()
    first = await fly.lease(machine["id"], ttl=2)
    refused = await fly.act(machine["id"], "lease?ttl=2")
    assert refused.status_code == 409
    owner = fly.world.leases[machine["id"]].owner
    assert refused.json()["error"] == (
        f"aborted: machine ID {machine['id']} lease currently held by {owner}, "
        "expires at 2026-01-01T00:00:02Z"
    )
    fly.pass_time(3)
    assert await fly.lease(machine["id"]) != first
    stale = {"fly-machine-lease-nonce": first}
    assert (await fly.act(machine["id"], "lease", headers=stale)).status_code == 409


async def test_releasing_with_another_nonce_is_forbidden():
    fly = Fly()
    machine = await fly.only()
    await fly.lease(machine["id"])
    path = f"/machines/{machine['id']}/lease"
    wrong = await fly.call("DELETE", path, headers={"fly-machine-lease-nonce": "0" * 12})
    assert wrong.status_code == 403
    assert (await fly.call("DELETE", path)).status_code == 400


@pytest.mark.parametrize("verb", FENCED)
@pytest.mark.parametrize("nonce", [None, "0" * 12])
async def test_a_long_lease_of_others_refuses_everything_that_changes_the_machine(verb, nonce):
    fly = Fly(state="started", lease_patience_s=2)
    machine = await fly.only()
    await fly.lease(machine["id"], ttl=120)
    headers = {"fly-machine-lease-nonce": nonce} if nonce else {}
    refused = await fly.during(3, fly.act(machine["id"], verb, headers=headers))
    assert refused.status_code == 409
    assert "lease currently held by" in refused.json()["error"]
    assert await fly.machine(machine["id"]) == machine


async def test_update_and_destroy_are_fenced_too():
    fly = Fly(lease_patience_s=2)
    machine = await fly.only()
    await fly.lease(machine["id"])
    path = f"/machines/{machine['id']}"
    assert (await fly.call("POST", path, json={"config": machine["config"]})).status_code == 409
    assert (await fly.during(3, fly.call("DELETE", path + "?force=true"))).status_code == 409
    assert await fly.machine(machine["id"]) == machine


@pytest.mark.parametrize("verb", FENCED)
async def test_the_holder_passes(verb):
    fly = Fly(state="started")
    machine = await fly.only()
    nonce = await fly.lease(machine["id"])
    answer = await fly.act(machine["id"], verb, headers={"fly-machine-lease-nonce": nonce})
    assert answer.status_code == 200


async def test_stop_waits_for_a_short_lease_and_then_succeeds():
    fly = Fly(state="started", lease_patience_s=20)
    machine = await fly.only()
    await fly.lease(machine["id"], ttl=5)
    begun = fly.clock.now()
    assert (await fly.during(10, fly.act(machine["id"], "stop"))).status_code == 200
    assert 5 <= fly.clock.now() - begun <= 5.3


async def test_start_does_not_wait():
    fly = Fly()
    machine = await fly.only()
    await fly.lease(machine["id"], ttl=1)
    assert (await fly.act(machine["id"], "start")).status_code == 409


async def test_metadata_is_not_fenced():
    fly = Fly()
    machine = await fly.only()
    await fly.lease(machine["id"])
    assert (await fly.act(machine["id"], "metadata/k", json={"value": "v"})).status_code == 204


async def test_a_lease_survives_an_update():
    fly = Fly()
    machine = await fly.only()
    nonce = await fly.lease(machine["id"])
    headers = {"fly-machine-lease-nonce": nonce}
    body = {"config": machine["config"]}
    assert (
        await fly.call("POST", f"/machines/{machine['id']}", json=body, headers=headers)
    ).status_code == 200
    lease = (await fly.call("GET", f"/machines/{machine['id']}/lease")).json()["data"]
    assert lease["nonce"] == nonce


async def test_lists_show_leases_on_request_without_their_nonce():
    fly = Fly()
    machine = await fly.only()
    await fly.lease(machine["id"])
    assert "lease" not in await fly.only()
    (shown,) = await fly.machines(include_leases="true")
    assert set(shown["lease"]) == {"description", "expires_at", "owner"}
    fly.pass_time(121)
    (shown,) = await fly.machines(include_leases="true")
    assert "lease" not in shown


@pytest.mark.parametrize("ttl", ["0", "-1", "soon"])
async def test_a_lease_without_length_is_refused(ttl):
    fly = Fly()
    assert (await fly.act((await fly.only())["id"], f"lease?ttl={ttl}")).status_code == 400
