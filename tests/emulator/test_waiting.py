"""The wait endpoint: states, bounds, versions."""

import pytest

from tests.emulator.client import Fly


def wait(fly, machine_id, query):
    return fly.call("GET", f"/machines/{machine_id}/wait?{query}")


async def test_it_answers_as_soon_as_the_state_is_reached():
    fly = Fly(boot_s=1.4)
    machine = await fly.only()
    await fly.act(machine["id"], "start")
    begun = fly.clock.now()
    answer = await fly.during(5, wait(fly, machine["id"], "state=started&timeout=30"))
    assert answer.status_code == 200
    assert answer.json()["ok"] is True
    assert answer.json()["state"] == "started"
    assert answer.json()["version"] == machine["instance_id"]
    assert 1.4 <= fly.clock.now() - begun <= 1.7


async def test_it_gives_up_after_its_timeout():
    fly = Fly()
    machine = await fly.only()
    answer = await fly.during(3, wait(fly, machine["id"], "timeout=2"))
    assert (answer.status_code, answer.json()) == (
        408,
        {"error": "deadline_exceeded: machine failed to reach desired state, started, currently stopped"},
    )


@pytest.mark.parametrize("text", ["0", "61", "-1", "soon"])
async def test_its_timeout_has_bounds(text):
    fly = Fly()
    answer = await wait(fly, (await fly.only())["id"], f"timeout={text}")
    assert (answer.status_code, answer.json()["error"]) == (
        400,
        "invalid_argument: invalid WaitMachineRequest.Timeout: value must be inside range [1s, 1m0s]",
    )


@pytest.mark.parametrize(
    "query", ["state=suspended&state=stopped", "state=suspended,stopped", "state=settled"]
)
async def test_several_states_will_do(query):
    fly = Fly()
    answer = await wait(fly, (await fly.only())["id"], query)
    assert answer.json()["state"] == "stopped"


async def test_an_unknown_state_is_refused():
    fly = Fly()
    assert (await wait(fly, (await fly.only())["id"], "state=happy")).status_code == 400


async def test_a_version_that_was_replaced_is_not_waited_for():
    fly = Fly()
    machine = await fly.only()
    await fly.call("POST", f"/machines/{machine['id']}", json={"config": machine["config"]})
    old = await wait(fly, machine["id"], f"version={machine['instance_id']}&state=stopped")
    assert old.status_code == 400
    assert (await wait(fly, machine["id"], "version=01UNKNOWN")).status_code == 404


async def test_destroyed_is_waited_for_too():
    fly = Fly(destroy_s=1)
    machine = await fly.only()
    await fly.call("DELETE", f"/machines/{machine['id']}")
    assert (await fly.during(2, wait(fly, machine["id"], "state=destroyed"))).status_code == 200
