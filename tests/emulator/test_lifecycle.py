"""Machines move along the platform's documented transitions, in its time and with its words."""

import pytest

from autoscaler.emulator import lifecycle
from tests.emulator.client import Fly


async def test_a_stopped_machine_starts():
    fly = Fly(boot_s=1.4)
    machine = await fly.only()
    answer = await fly.act(machine["id"], "start")
    assert (answer.status_code, answer.json()) == (
        200,
        {"previous_state": "stopped", "migrated": False, "new_host": ""},
    )
    assert await fly.state(machine["id"]) == "starting"
    fly.pass_time(1.3)
    assert await fly.state(machine["id"]) == "starting"
    fly.pass_time(0.1)
    assert await fly.state(machine["id"]) == "started"


async def test_starting_a_started_machine_changes_nothing():
    fly = Fly(state="started")
    before = await fly.only()
    answer = await fly.act(before["id"], "start")
    assert answer.json()["previous_state"] == "started"
    assert await fly.machine(before["id"]) == before


@pytest.mark.parametrize(
    ("state", "text"),
    [
        ("created", "unable to start machine from current state: 'created'"),
        ("starting", "machine still attempting to start"),
        ("stopping", "machine still active, refusing to start"),
        ("replacing", "machine getting replaced, refusing to start"),
        ("updating", "machine getting replaced, refusing to start"),
        ("destroying", "unable to start machine from current state: 'destroying'"),
        ("destroyed", "unable to start machine from current state: 'destroyed'"),
        ("launch_failed", "unable to start machine from current state: 'launch_failed'"),
    ],
)
async def test_start_is_refused_from_the_wrong_state(state, text):
    fly = Fly()
    machine = await fly.only()
    fly.world.move(fly.world.machines[machine["id"]], state)
    answer = await fly.act(machine["id"], "start")
    assert (answer.status_code, answer.json()) == (412, {"error": f"failed_precondition: {text}"})


async def test_a_machine_that_just_stopped_is_still_active_for_a_moment():
    fly = Fly(state="started", stop_s=1.0, settle_s=0.4)
    machine = await fly.only()
    await fly.act(machine["id"], "stop")
    fly.pass_time(1.1)
    refused = await fly.act(machine["id"], "start")
    assert refused.status_code == 412
    assert "still active" in refused.json()["error"]
    fly.pass_time(0.4)
    assert (await fly.act(machine["id"], "start")).status_code == 200


@pytest.mark.parametrize("state", ["suspended", "suspending", "failed"])
async def test_start_is_accepted_from_rest(state):
    fly = Fly()
    machine = await fly.only()
    fly.world.move(fly.world.machines[machine["id"]], state)
    assert (await fly.act(machine["id"], "start")).json()["previous_state"] == state
    fly.pass_time(5)
    assert await fly.state(machine["id"]) == "started"


async def test_stop_is_asynchronous_and_tells_of_the_exit():
    fly = Fly(state="started", stop_s=1.3)
    machine = await fly.only()
    answer = await fly.act(machine["id"], "stop", json={"signal": "SIGTERM", "timeout": "30s"})
    assert (answer.status_code, answer.json()) == (200, {"ok": True})
    assert await fly.state(machine["id"]) == "stopping"
    fly.pass_time(1.3)
    stopped = await fly.machine(machine["id"])
    assert stopped["state"] == "stopped"
    newest = stopped["events"][0]
    assert (newest["type"], newest["status"], newest["source"]) == ("exit", "stopped", "flyd")
    assert newest["request"]["exit_event"]["requested_stop"] is True
    assert "exit_code" not in newest["request"]["exit_event"]
    assert [event["status"] for event in stopped["events"][:2]] == ["stopped", "stopping"]


@pytest.mark.parametrize("state", ["stopped", "stopping"])
async def test_stopping_what_does_not_run_is_no_error(state):
    fly = Fly()
    machine = await fly.only()
    fly.world.move(fly.world.machines[machine["id"]], state)
    assert (await fly.act(machine["id"], "stop")).status_code == 200
    assert await fly.state(machine["id"]) == state


async def test_stop_drops_a_snapshot():
    fly = Fly(state="suspended")
    machine = await fly.only()
    assert (await fly.act(machine["id"], "stop")).status_code == 200
    assert await fly.state(machine["id"]) == "stopped"


@pytest.mark.parametrize("state", ["created", "failed", "replacing", "launch_failed"])
async def test_stop_is_refused_from_the_wrong_state(state):
    fly = Fly()
    machine = await fly.only()
    fly.world.move(fly.world.machines[machine["id"]], state)
    answer = await fly.act(machine["id"], "stop")
    assert answer.status_code == 412
    assert (
        answer.json()["error"] == f"failed_precondition: unable to stop machine from current state: '{state}'"
    )


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ([], "json: cannot unmarshal array into Go value of type main.stopRequest"),
        ({"timeout": "soon"}, "time: invalid duration 'soon'"),
        ({"signal": "SIGBOGUS"}, "invalid_argument: unknown signal 'SIGBOGUS'"),
    ],
)
async def test_a_bad_stop_is_refused(body, text):
    fly = Fly(state="started")
    machine = await fly.only()
    answer = await fly.act(machine["id"], "stop", json=body)
    assert (answer.status_code, answer.json()) == (400, {"error": text})
    assert await fly.state(machine["id"]) == "started"


async def test_suspend_freezes_and_start_resumes_quickly():
    fly = Fly(state="started", suspend_s=3, resume_s=0.4, boot_s=60)
    machine = await fly.only()
    assert (await fly.act(machine["id"], "suspend")).json() == {"ok": True}
    assert await fly.state(machine["id"]) == "suspending"
    fly.pass_time(3)
    assert await fly.state(machine["id"]) == "suspended"
    await fly.act(machine["id"], "start")
    fly.pass_time(0.4)
    assert await fly.state(machine["id"]) == "started"


@pytest.mark.parametrize(
    "over",
    [
        {"guest": {"cpu_kind": "shared", "cpus": 2, "memory_mb": 4096}},
        {"init": {"swap_size_mb": 512}},
        {"schedule": "hourly"},
    ],
)
async def test_suspend_is_refused_where_the_configuration_forbids_it(over):
    fly = Fly(state="started", machine_config=over)
    answer = await fly.act((await fly.only())["id"], "suspend")
    assert answer.status_code == 412
    assert "cannot be suspended" in answer.json()["error"]


async def test_suspend_is_refused_unless_started():
    fly = Fly()
    answer = await fly.act((await fly.only())["id"], "suspend")
    assert answer.status_code == 412
    assert "from current state: 'stopped'" in answer.json()["error"]


async def test_restart_comes_back_by_itself():
    fly = Fly(state="started")
    machine = await fly.only()
    assert (await fly.act(machine["id"], "restart?timeout=10s&signal=SIGTERM")).status_code == 200
    assert await fly.state(machine["id"]) == "restarting"
    fly.pass_time(5)
    assert await fly.state(machine["id"]) == "started"


async def test_destroy_needs_force_while_it_runs():
    fly = Fly(state="started")
    machine = await fly.only()
    refused = await fly.call("DELETE", f"/machines/{machine['id']}")
    assert (refused.status_code, refused.json()) == (
        412,
        {
            "error": "failed_precondition: unable to destroy machine, "
            "not currently stopped, suspended, failed or created"
        },
    )
    assert (await fly.call("DELETE", f"/machines/{machine['id']}?kill=true")).json() == {"ok": True}
    assert await fly.state(machine["id"]) == "destroying"
    fly.pass_time(1)
    assert await fly.state(machine["id"]) == "destroyed"


@pytest.mark.parametrize("state", ["stopped", "suspended", "failed", "created"])
async def test_destroy_without_force_takes_what_rests(state):
    fly = Fly()
    machine = await fly.only()
    fly.world.move(fly.world.machines[machine["id"]], state)
    assert (await fly.call("DELETE", f"/machines/{machine['id']}")).status_code == 200


async def test_a_destroyed_machine_leaves_the_list_at_once_and_lingers_for_get():
    fly = Fly(linger_s=10)
    machine = await fly.only()
    await fly.call("DELETE", f"/machines/{machine['id']}")
    fly.pass_time(2)
    assert await fly.machines() == []
    assert [gone["state"] for gone in await fly.machines(include_deleted="true")] == ["destroyed"]
    assert await fly.state(machine["id"]) == "destroyed"
    fly.pass_time(10)
    assert (await fly.call("GET", f"/machines/{machine['id']}")).status_code == 404
    for verb in ("stop", "suspend", "restart", "cordon", "lease"):
        assert (await fly.act(machine["id"], verb)).status_code == 404


async def test_what_is_not_a_machine_is_told_apart():
    fly = Fly()
    malformed = await fly.act("nothex", "start")
    assert (malformed.status_code, malformed.json()) == (400, {"error": "invalid machine ID, 'nothex'"})
    unknown = await fly.act("00000000000000", "start")
    assert (unknown.status_code, unknown.json()) == (404, {"error": "machine not found"})
    no_app = await fly.http.get("/v1/apps/nope/machines")
    assert (no_app.status_code, no_app.json()) == (404, {"error": "app not found"})
    no_path = await fly.http.get("/v1/watch")
    assert (no_path.status_code, no_path.text) == (404, "404 page not found")


@pytest.mark.parametrize(
    ("policy", "code", "state"),
    [
        ({"policy": "no"}, 1, "stopped"),
        ({"policy": "on-failure"}, 0, "stopped"),
        ({"policy": "on-failure"}, 1, "restarting"),
        ({}, 1, "restarting"),
        ({"policy": "always"}, 0, "restarting"),
    ],
)
async def test_the_restart_policy_says_what_follows_an_exit(policy, code, state):
    fly = Fly(state="started", machine_config={"restart": None})
    machine = await fly.only()
    stored = fly.world.machines[machine["id"]]
    fly.world.change(stored, config={**stored.config, "restart": policy})
    lifecycle.end(fly.world, fly.world.machines[machine["id"]], code)
    assert await fly.state(machine["id"]) == state


async def test_retries_run_out_within_their_window():
    fly = Fly(
        state="started", boot_s=1, machine_config={"restart": {"policy": "on-failure", "max_retries": 3}}
    )
    machine = await fly.only()
    for _ in range(4):
        lifecycle.end(fly.world, fly.world.machines[machine["id"]], 1, oom=True)
        fly.pass_time(1)
    stopped = await fly.machine(machine["id"])
    assert stopped["state"] == "stopped"
    told = stopped["events"][0]["request"]
    assert told["restart_count"] == 3
    assert told["exit_event"]["exit_code"] == 137
    assert told["exit_event"]["oom_killed"] is True
    assert "restarting" not in told["exit_event"]


async def test_auto_destroy_ends_a_machine_that_exits():
    fly = Fly(state="started", machine_config={"auto_destroy": True, "restart": {"policy": "no"}})
    machine = await fly.only()
    answer = await fly.act(machine["id"], "signal", json={"signal": 9})
    assert answer.status_code == 200
    fly.pass_time(5)
    assert await fly.state(machine["id"]) == "destroyed"


async def test_a_signal_that_ends_nothing_changes_nothing():
    fly = Fly(state="started")
    machine = await fly.only()
    assert (await fly.act(machine["id"], "signal", json={"signal": "SIGUSR1"})).status_code == 200
    assert await fly.state(machine["id"]) == "started"
    assert (await fly.act(machine["id"], "signal", json={"signal": "SIGNOT"})).status_code == 400


async def test_events_are_newest_first_and_lists_show_twenty():
    fly = Fly(state="started", stop_s=0, boot_s=0, settle_s=0)
    machine = await fly.only()
    for _ in range(20):
        await fly.act(machine["id"], "stop")
        await fly.act(machine["id"], "start")
    assert len((await fly.only())["events"]) == 20
    events = (await fly.call("GET", f"/machines/{machine['id']}/events?limit=50")).json()
    assert len(events) == 50
    stamps = [event["timestamp"] for event in events]
    assert stamps == sorted(stamps, reverse=True)
    ids = [event["id"] for event in events]
    assert ids == sorted(ids, reverse=True)
    assert len((await fly.call("GET", f"/machines/{machine['id']}/events")).json()) == 20
    for limit in ("0", "51", "x"):
        assert (await fly.call("GET", f"/machines/{machine['id']}/events?limit={limit}")).status_code == 400
