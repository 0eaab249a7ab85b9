"""Apps, regions, placements, and what is inside a Machine."""

import pytest

from tests.emulator.client import Fly


async def test_apps_are_listed_only_for_an_organization():
    fly = Fly(machines=2)
    listed = (await fly.http.get("/v1/apps?org_slug=personal")).json()
    assert listed["total_apps"] == 1
    (app,) = listed["apps"]
    assert (app["name"], app["machine_count"], app["status"]) == ("demo", 2, "deployed")
    assert app["organization"]["slug"] == "personal"
    assert (await fly.http.get("/v1/apps/demo")).json() == app
    missing = await fly.http.get("/v1/apps")
    assert (missing.status_code, missing.text) == (404, "404 page not found")
    assert missing.headers["content-type"].startswith("text/plain")


async def test_apps_come_and_go():
    fly = Fly()
    made = await fly.http.post("/v1/apps", json={"name": "new", "org_slug": "personal"})
    assert made.status_code == 201
    assert (await fly.http.get("/v1/apps/new/machines")).json() == []
    taken = await fly.http.post("/v1/apps", json={"app_name": "new"})
    assert (taken.status_code, taken.json()) == (
        422,
        {"error": "Validation failed: Name has already been taken", "status": "name_taken"},
    )
    assert (await fly.http.post("/v1/apps", json={})).status_code == 400
    assert (await fly.http.delete("/v1/apps/demo")).status_code == 202
    assert (await fly.http.get("/v1/apps/demo/machines")).status_code == 404
    assert (await fly.http.get("/v1/apps/demo")).status_code == 404


async def test_regions_have_capitalised_keys_and_closed_ones_are_marked():
    told = (await Fly().http.get("/v1/platform/regions")).json()
    assert set(told) == {"Regions", "Nearest"}
    by_code = {row["code"]: row for row in told["Regions"]}
    assert sum(not row["deprecated"] for row in by_code.values()) == 18
    assert by_code["sea"]["deprecated"] is True
    assert by_code["gru"]["gateway_available"] is False
    assert by_code["ams"]["geo_region"] == "europe"
    assert told["Nearest"] == "iad"


async def test_placements_simulate_without_reserving():
    fly = Fly(machines=0, region_capacity={"lhr": 1})
    ask = {"org_slug": "personal", "region": "lhr,cdg", "count": 3}
    answer = (await fly.http.post("/v1/platform/placements", json=ask)).json()
    assert [(row["region"], row["count"]) for row in answer["regions"]] == [("lhr", 1), ("cdg", 2)]
    again = (await fly.http.post("/v1/platform/placements", json=ask)).json()
    assert again == answer
    alone = await fly.http.post("/v1/platform/placements", json={**ask, "region": "lhr"})
    assert (alone.status_code, alone.json()["status"]) == (422, "insufficient_capacity")
    limits = (await fly.http.post("/v1/platform/placements", json={**ask, "count": 0})).json()
    assert [row["count"] for row in limits["regions"]] == [1, 50]
    assert (await fly.http.post("/v1/platform/placements", json={})).status_code == 400


async def test_a_started_machine_shows_its_processes():
    fly = Fly(state="started")
    machine = await fly.only()
    shown = (await fly.call("GET", f"/machines/{machine['id']}/ps")).json()
    assert [process["command"] for process in shown] == ["/fly/init", "bin/run"]
    await fly.act(machine["id"], "stop")
    assert (await fly.call("GET", f"/machines/{machine['id']}/ps")).status_code == 412


@pytest.mark.parametrize(
    ("command", "code", "stdout"),
    [(["echo", "hi"], 0, "hi\n"), (["false"], 1, ""), (["sh", "-c", "exit 7"], 7, ""), (["true"], 0, "")],
)
async def test_a_failing_command_is_still_a_success(command, code, stdout):
    fly = Fly(state="started")
    answer = await fly.act((await fly.only())["id"], "exec", json={"command": command})
    assert answer.status_code == 200
    assert (answer.json()["exit_code"], answer.json()["stdout"]) == (code, stdout)


async def test_a_command_is_needed():
    fly = Fly(state="started")
    assert (await fly.act((await fly.only())["id"], "exec", json={})).status_code == 400


async def test_memory_is_limited_and_reclaimed():
    fly = Fly(state="started", guest={"cpu_kind": "shared", "cpus": 1, "memory_mb": 512})
    path = f"/machines/{(await fly.only())['id']}/memory"
    assert (await fly.call("GET", path)).json() == {"limit_mb": 512, "available_mb": 308}
    assert (await fly.call("PUT", path, json={"limit_mb": 300})).json() == {
        "limit_mb": 300,
        "available_mb": 96,
    }
    assert (await fly.call("POST", path + "/reclaim", json={"amount_mb": 200})).json() == {"actual_mb": 96}
    assert (await fly.call("PUT", path, json={"limit_mb": 9999})).status_code == 400
    assert (await fly.call("POST", path + "/reclaim", json={})).status_code == 400


async def test_checks_report_after_a_while_and_as_told():
    fly = Fly(services=True, checks_s=5, boot_s=0)
    machine = await fly.only()
    assert "checks" not in machine
    await fly.act(machine["id"], "start")
    fly.pass_time(1)
    assert "checks" not in await fly.only()
    fly.pass_time(5)
    (check,) = (await fly.only())["checks"]
    assert (check["name"], check["status"]) == ("servicecheck-00-http-8080", "passing")
    await fly.http.post(f"/_emulator/machines/{machine['id']}", json={"checks": "critical"})
    assert (await fly.only())["checks"][0]["status"] == "critical"
    await fly.act(machine["id"], "stop")
    assert "checks" not in await fly.only()
