"""Deploys and Fly Proxy change Machines as they do on the platform."""

import pytest

from autoscaler.emulator import proxy
from autoscaler.emulator.deploys import Deploy
from autoscaler.emulator.faults import Fault, Kind
from tests.emulator.client import Fly


def deploy(fly, **options):
    return Deploy(world=fly.world, app="demo", group="app", release=64, **options)


def finish(fly, work, seconds=120):
    for _ in range(seconds):
        if work.step() == "done":
            return work.phases
        fly.pass_time(1)
    raise AssertionError(work.phases)


def releases(machines):
    return [machine["config"]["metadata"]["fly_release_version"] for machine in machines]


async def test_a_rolling_deploy_leases_all_and_updates_a_third_at_a_time():
    fly = Fly(machines=6, state="started")
    work = deploy(fly)
    assert work.step() == "leased"
    leased = await fly.machines(include_leases="true")
    assert all("lease" in machine for machine in leased)
    assert (await fly.act(leased[0]["id"], "start")).status_code == 409
    assert work.step() == "updating"
    states = [machine["state"] for machine in await fly.machines()]
    assert states.count("replacing") == 1
    phases = finish(fly, work)
    assert phases[-2:] == ["leases_released", "done"]
    after = await fly.machines(include_leases="true")
    assert set(releases(after)) == {"64"}
    assert {machine["state"] for machine in after} == {"started"}
    assert not any("lease" in machine for machine in after)
    assert {machine["id"] for machine in after} == {machine["id"] for machine in leased}
    assert after[0]["config"]["image"] == "registry.fly.io/demo:deployment-64"


async def test_a_rolling_deploy_leaves_stopped_machines_stopped_on_the_new_image():
    fly = Fly(machines=3)
    finish(fly, deploy(fly))
    after = await fly.machines()
    assert {machine["state"] for machine in after} == {"stopped"}
    assert set(releases(after)) == {"64"}


async def test_a_deploy_waits_for_the_leases_of_others():
    fly = Fly(machines=2, state="started")
    machine = (await fly.machines())[0]
    await fly.lease(machine["id"], ttl=5)
    work = deploy(fly)
    assert work.step() == "waiting"
    fly.pass_time(6)
    assert work.step() == "leased"


async def test_a_deploy_gives_up_after_a_minute_of_somebody_elses_lease():
    fly = Fly(machines=2, state="started")
    before = await fly.machines()
    await fly.lease(before[1]["id"], ttl=90)
    phases = finish(fly, deploy(fly))
    assert phases[-2:] == ["aborted", "done"]
    assert await fly.machines() == before
    assert len([m for m in await fly.machines(include_leases="true") if "lease" in m]) == 1


async def test_a_deploy_runs_its_release_command_first():
    fly = Fly(machines=1, state="started")
    work = deploy(fly, release_command=True)
    assert work.step() == "release_command"
    machines = await fly.machines()
    groups = [machine["config"]["metadata"]["fly_process_group"] for machine in machines]
    assert groups == ["app", "fly_app_release_command"]
    finish(fly, work)
    assert len(await fly.machines()) == 1


async def test_a_bluegreen_deploy_doubles_the_machines_for_a_while():
    fly = Fly(machines=2, state="started", services=True)
    blue = {machine["id"] for machine in await fly.machines()}
    work = deploy(fly, strategy="bluegreen")
    seen = {}
    for _ in range(60):
        phase = work.step()
        seen[phase] = await fly.machines()
        if phase == "done":
            break
        fly.pass_time(1)
    created = seen["green_created"]
    assert len(created) == 4
    green = [machine for machine in created if machine["id"] not in blue]
    assert all(machine["cordoned"] for machine in green)
    assert all("fly_bluegreen_deployment_tag" in machine["config"]["metadata"] for machine in green)
    tagged = [machine for machine in seen["blue_tagged"] if machine["id"] in blue]
    assert {m["config"]["metadata"]["fly_bluegreen_deployment_tag"] for m in tagged} == {"safe_to_destroy"}
    assert all(machine["cordoned"] for machine in tagged)
    fly.pass_time(5)
    left = await fly.machines()
    assert {machine["id"] for machine in left} == {machine["id"] for machine in green}
    assert set(releases(left)) == {"64"}
    assert not any(machine["cordoned"] for machine in left)


async def test_a_deploy_goes_on_when_a_machine_is_lost():
    fly = Fly(machines=3, state="started")
    lost = (await fly.machines())[0]
    fly.world.inject(Fault(kind=Kind.HOST_LOST, machine=lost["id"]))
    assert f"failed {lost['id']}" in finish(fly, deploy(fly))


@pytest.mark.parametrize("strategy", ["rolling", "bluegreen"])
async def test_a_deploy_goes_on_when_a_host_is_lost_that_it_has_leased(strategy):
    fly = Fly(machines=3, state="started")
    work = deploy(fly, strategy=strategy)
    assert work.step() == "leased"
    lost = (await fly.machines())[0]
    fly.world.inject(Fault(kind=Kind.HOST_LOST, machine=lost["id"]))
    assert f"failed {lost['id']}" in finish(fly, work)


@pytest.mark.parametrize("options", [{"strategy": "bluegreen"}, {"release_command": True}])
async def test_a_deploy_without_room_is_given_up_with_nothing_left_behind_and_disturbs_nobody(options):
    fly = Fly(machines=3, state="started", regions=("ord", "ams", "fra"))
    before = await fly.machines()
    fly.world.inject(Fault(kind=Kind.REGION_FULL, skip=0 if "release_command" in options else 2))
    work = deploy(fly, **options)
    work.run(every_s=1.0)
    fly.pass_time(60)
    assert "aborted" in work.phases
    assert work.phases[-1] == "done"
    assert [machine["id"] for machine in await fly.machines()] == [machine["id"] for machine in before]
    assert fly.world.leases == {}


async def test_a_deploy_over_http_steps_by_hand_or_by_itself():
    fly = Fly(machines=1, state="started")
    made = (await fly.http.post("/_emulator/deploys", json={"strategy": "rolling"})).json()
    assert made == {"id": 1, "phase": "pending", "phases": []}
    stepped = (await fly.http.post("/_emulator/deploys/1/step")).json()
    assert stepped["phase"] == "leased"
    again = (await fly.http.post("/_emulator/deploys", json={"release": 65, "every_s": 1})).json()
    fly.pass_time(30)
    assert (await fly.http.get(f"/_emulator/deploys/{again['id']}")).json()["phase"] == "done"
    assert releases(await fly.machines()) == ["65"]
    assert (await fly.http.get("/_emulator/deploys/9")).status_code == 404
    assert (await fly.http.post("/_emulator/deploys", json={"strategy": "canary"})).status_code == 400


async def test_the_proxy_starts_one_machine_when_all_are_above_their_soft_limit():
    fly = Fly(machines=3, regions=("ord",), services=True)
    assert [verb for verb, _ in proxy.look(fly.world, "demo", {"ord": 1})] == ["start"]
    fly.pass_time(5)
    assert proxy.look(fly.world, "demo", {"ord": 20}) == []
    ((verb, started),) = proxy.look(fly.world, "demo", {"ord": 21})
    assert verb == "start"
    assert (await fly.machine(started))["events"][0]["source"] == "proxy"


async def test_the_proxy_stops_one_at_a_time_and_the_last_only_without_any_load():
    fly = Fly(machines=3, regions=("ord",), services=True, state="started")
    for expected in (2, 1, 1):
        proxy.look(fly.world, "demo", {"ord": 1})
        fly.pass_time(5)
        assert len(await fly.machines(state="started")) == expected
    proxy.look(fly.world, "demo", {})
    fly.pass_time(5)
    assert await fly.machines(state="started") == []


@pytest.mark.parametrize(
    ("settings", "load"),
    [
        ({"services": False, "state": "started"}, {}),
        ({"services": False}, {"ord": 100}),
        ({"services": True, "state": "started", "machine_config": {"services": [{"autostop": "off"}]}}, {}),
        ({"services": True, "machine_config": {"services": [{"autostart": False}]}}, {"ord": 100}),
        (
            {
                "state": "started",
                "machine_config": {"services": [{"autostop": "stop", "min_machines_running": 1}]},
            },
            {},
        ),
    ],
)
async def test_the_proxy_leaves_alone_what_is_not_its_business(settings, load):
    fly = Fly(**settings)
    assert proxy.look(fly.world, "demo", load) == []


async def test_the_proxy_suspends_where_it_is_told_to_and_respects_leases():
    services = [{"autostop": "suspend", "internal_port": 80}]
    fly = Fly(machines=2, regions=("ord",), state="started", machine_config={"services": services})
    last = (await fly.machines())[-1]
    await fly.lease(last["id"], ttl=10)
    assert proxy.look(fly.world, "demo", {}) == []
    fly.pass_time(11)
    answer = await fly.http.post("/_emulator/proxy", json={"concurrency": {"ord": 0}})
    assert answer.json() == {"actions": [{"action": "suspend", "machine": last["id"]}]}
    assert await fly.state(last["id"]) == "suspending"
