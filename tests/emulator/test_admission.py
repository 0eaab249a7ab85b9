"""Who may call, how often, and what is answered when something is wrong with the way."""

import asyncio

import httpx
import pytest

from autoscaler.emulator.config import TokenScope
from autoscaler.emulator.faults import Fault, Kind
from tests.emulator.client import Fly

TOKENS = {
    "fm2_org": TokenScope(),
    "fm2_deploy": TokenScope(kind="deploy", app="demo"),
    "fm2_other": TokenScope(kind="deploy", app="other"),
    "fm2_read": TokenScope(kind="readonly"),
}


async def status(fly, token, method, path):
    headers = {"Authorization": token} if token else {"Authorization": ""}
    return (await fly.http.request(method, path, headers=headers)).status_code


@pytest.mark.parametrize(
    "token",
    [
        "Bearer fm2_org",
        "FlyV1 fm2_org",
        "FlyV1 fm2_unknown,fm2_org",
        "Bearer FlyV1 fm2_org",
        "FlyV1 fm2_other,fm2_deploy",
    ],
)
async def test_both_forms_of_authorization_are_understood(token):
    assert await status(Fly(tokens=TOKENS), token, "GET", "/v1/apps/demo/machines") == 200


@pytest.mark.parametrize(
    "token", ["", "fm2_org", "Bearer ", "Basic fm2_org", "Bearer FlyV1fm2_org", "FlyV1 fm2_nobody"]
)
async def test_any_other_form_and_unknown_tokens_are_not(token):
    fly = Fly(tokens=TOKENS)
    answer = await fly.http.get("/v1/apps/demo/machines", headers={"Authorization": token})
    assert answer.status_code == 401
    assert answer.json() == {"error": "Authenticate: token validation error"}
    assert answer.headers["www-authenticate"] == 'Basic realm="api.machines.dev"'


@pytest.mark.parametrize(
    ("token", "method", "path", "expected"),
    [
        ("fm2_deploy", "POST", "/v1/apps/demo/volumes", 400),
        ("fm2_deploy", "GET", "/v1/apps/other/machines", 403),
        ("fm2_deploy", "GET", "/v1/apps?org_slug=personal", 403),
        ("fm2_deploy", "GET", "/v1/orgs/personal/machines", 403),
        ("fm2_deploy", "GET", "/prometheus/personal/api/v1/query?query=1", 403),
        ("fm2_other", "GET", "/v1/apps/demo/machines", 403),
        ("fm2_read", "GET", "/v1/apps/demo/machines", 200),
        ("fm2_read", "POST", "/v1/apps/demo/volumes", 403),
        ("fm2_read", "GET", "/v1/apps?org_slug=personal", 200),
        ("fm2_read", "POST", "/prometheus/personal/api/v1/query?query=1", 200),
        ("fm2_org", "GET", "/v1/apps?org_slug=personal", 200),
        ("fm2_org", "DELETE", "/v1/apps/demo", 202),
        ("fm2_read", "GET", "/v1/tokens/current", 200),
    ],
)
async def test_a_token_reaches_as_far_as_its_scope(token, method, path, expected):
    assert await status(Fly(tokens=TOKENS), f"Bearer {token}", method, path) == expected


async def test_a_wrong_scope_is_told_in_the_platforms_words():
    answer = await Fly(tokens=TOKENS).http.get(
        "/v1/apps/demo/machines", headers={"Authorization": "Bearer fm2_other"}
    )
    assert (answer.status_code, answer.json()) == (403, {"error": "unauthorized"})


async def test_without_configured_tokens_everyone_is_the_organization_but_nobody_is_not():
    fly = Fly()
    assert await status(fly, "Bearer whatever", "GET", "/v1/apps?org_slug=personal") == 200
    assert await status(fly, "", "GET", "/v1/apps?org_slug=personal") == 401
    assert await status(fly, "", "GET", "/v1/platform/regions") == 200


async def test_a_new_deploy_token_works_for_its_app():
    fly = Fly(tokens=TOKENS)
    org = {"Authorization": "Bearer fm2_org"}
    token = (await fly.http.post("/v1/apps/demo/deploy_token", headers=org)).json()["token"]
    assert await status(fly, token, "GET", "/v1/apps/demo/machines") == 200
    assert await status(fly, token, "GET", "/v1/apps?org_slug=personal") == 403


async def test_the_current_tokens_are_described_without_being_told():
    fly = Fly(tokens=TOKENS)
    answer = await fly.http.get("/v1/tokens/current", headers={"Authorization": "FlyV1 fm2_deploy"})
    (token,) = answer.json()["tokens"]
    assert token["apps"] == ["demo"]
    assert "fm2_deploy" not in answer.text


async def test_each_action_on_each_machine_has_a_burst_of_three_and_one_a_second():
    fly = Fly(machines=2, rate_limits=True, state="started")
    one, two = await fly.machines()
    answers = [await fly.act(one["id"], "start") for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert answers[-1].json() == {"error": "rate limit exceeded"}
    assert (await fly.act(two["id"], "start")).status_code == 200
    assert (await fly.act(one["id"], "cordon")).status_code == 200
    fly.pass_time(1)
    assert [(await fly.act(one["id"], "start")).status_code for _ in range(2)] == [200, 429]


async def test_get_is_more_generous():
    fly = Fly(rate_limits=True)
    machine = await fly.only()
    answers = [await fly.call("GET", f"/machines/{machine['id']}") for _ in range(11)]
    assert [answer.status_code for answer in answers] == [200] * 10 + [429]
    fly.pass_time(0.2)
    assert (await fly.call("GET", f"/machines/{machine['id']}")).status_code == 200


async def test_creates_are_limited_per_app():
    fly = Fly(machines=0, rate_limits=True)
    fly.world.add_app("other")
    assert [(await fly.create()).status_code for _ in range(4)] == [200, 200, 200, 429]
    body = {"config": {"image": "alpine"}}
    assert (await fly.http.post("/v1/apps/other/machines", json=body)).status_code == 200


async def test_every_answer_has_a_request_id():
    fly = Fly()
    one, two = [(await fly.call("GET", "/machines")).headers["fly-request-id"] for _ in range(2)]
    assert one != two


async def test_a_status_fault_answers_instead_of_the_platform():
    fly = Fly()
    body = {"error": "Your organization has reached its machine limit"}
    fly.world.inject(Fault(kind=Kind.STATUS, operation="create", status=422, body=body, count=2))
    fly.world.inject(
        Fault(kind=Kind.STATUS, operation="list,get", status=429, headers={"retry-after": "7"}, skip=1)
    )
    assert (await fly.create()).json() == body
    assert (await fly.create()).status_code == 422
    assert (await fly.create()).status_code == 200
    assert (await fly.call("GET", "/machines")).status_code == 200
    limited = await fly.call("GET", "/machines")
    assert (limited.status_code, limited.headers["retry-after"]) == (429, "7")


async def test_a_plain_text_fault_is_plain_text():
    fly = Fly()
    fly.world.inject(Fault(kind=Kind.STATUS, status=502, body="<html>bad gateway</html>"))
    answer = await fly.call("GET", "/machines")
    assert (answer.status_code, answer.text) == (502, "<html>bad gateway</html>")


async def test_a_fault_may_strike_by_chance_but_by_the_same_chance_each_time():
    async def outcomes():
        fly = Fly(seed=4)
        fly.world.inject(Fault(kind=Kind.STATUS, probability=0.5))
        return [(await fly.call("GET", "/machines")).status_code for _ in range(30)]

    first = await outcomes()
    assert set(first) == {200, 503}
    assert await outcomes() == first


async def test_a_fault_may_be_narrowed_to_a_region_or_a_machine():
    fly = Fly(machines=3)
    ord_one, ams_one, fra_one = await fly.machines()
    fly.world.inject(Fault(kind=Kind.STATUS, region="ord", operation="start"))
    fly.world.inject(Fault(kind=Kind.STATUS, machine=ams_one["id"]))
    codes = [(await fly.act(machine["id"], "start")).status_code for machine in (ord_one, ams_one, fra_one)]
    assert codes == [503, 503, 200]


async def test_delays_and_latency_pass_on_the_clock():
    fly = Fly(latency_s=0.4)
    begun = fly.clock.now()
    await fly.during(1, fly.call("GET", "/machines"))
    assert fly.clock.now() - begun == pytest.approx(0.4)
    fly.world.inject(Fault(kind=Kind.DELAY, delay_s=2))
    await fly.during(4, fly.call("GET", "/machines"))
    assert fly.clock.now() - begun == pytest.approx(2.8, abs=0.15)


async def test_the_log_names_the_machine_of_a_caller_that_did_not_wait():
    fly = Fly(latency_s=0.4)
    (machine,) = fly.world.of_app("demo")
    gone = asyncio.ensure_future(fly.act(machine.id, "start"))
    await asyncio.sleep(0.01)
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)
    (entry,) = (await fly.during(1, fly.http.get("/_emulator/log"))).json()
    assert (entry["operation"], entry["app"], entry["machine"]) == ("start", "demo", machine.id)
    assert entry["status"] is None
    assert fly.world.machines[machine.id].state == "stopped"


async def test_dropping_after_the_fact_leaves_the_machine_behind():
    fly = Fly(machines=0)
    fly.world.inject(Fault(kind=Kind.DROP_AFTER_COMMIT, operation="create", count=1))
    with pytest.raises(httpx.ReadError):
        await fly.create(name="one")
    assert (await fly.only())["name"] == "one"
    assert (await fly.create(name="one")).status_code == 409


async def test_dropping_before_leaves_nothing():
    fly = Fly(machines=0)
    fly.world.inject(Fault(kind=Kind.DROP, count=1))
    with pytest.raises(httpx.ReadError):
        await fly.create(name="one")
    assert await fly.machines() == []


async def test_hanging_never_answers_and_may_still_have_done_it():
    fly = Fly(machines=0)
    fly.world.inject(Fault(kind=Kind.HANG_AFTER_COMMIT, operation="create", count=1))
    fly.world.inject(Fault(kind=Kind.HANG, operation="create", count=1, skip=1))
    for name in ("one", "two"):
        task = asyncio.ensure_future(fly.create(name=name))
        done, _ = await asyncio.wait({task}, timeout=0.05)
        assert not done
        task.cancel()
    assert [machine["name"] for machine in await fly.machines()] == ["one"]


async def test_a_hang_with_a_length_ends_in_a_closed_connection():
    fly = Fly()
    fly.world.inject(Fault(kind=Kind.HANG, delay_s=3))
    begun = fly.clock.now()
    with pytest.raises(httpx.ReadError):
        await fly.during(5, fly.call("GET", "/machines"))
    assert fly.clock.now() - begun == pytest.approx(3)


async def test_a_body_that_is_no_json_is_refused():
    fly = Fly()
    answer = await fly.call(
        "POST", "/machines", content="{nope", headers={"content-type": "application/json"}
    )
    assert answer.status_code == 400


async def test_the_log_tells_every_request():
    fly = Fly()
    machine = await fly.only()
    await fly.act(machine["id"], "start")
    fly.world.inject(Fault(kind=Kind.STATUS, operation="stop", status=500))
    await fly.act(machine["id"], "stop")
    made = (await fly.create(region="ams")).json()
    log = (await fly.http.get("/_emulator/log")).json()
    told = [(e["operation"], e["status"], e["machine"], e["region"], e["fault"]) for e in log]
    assert told == [
        ("list", 200, "", "", ""),
        ("start", 200, machine["id"], "ord", ""),
        ("stop", 500, machine["id"], "ord", "status"),
        ("create", 200, made["id"], "ams", ""),
    ]
    assert log[0]["method"] == "GET"
    assert log[0]["path"] == "/v1/apps/demo/machines"
    assert log[0]["started"] <= log[0]["finished"]
    assert "secret" not in str(log)
