"""Whatever is sent, the emulator answers with a sentence, and no request spoils later ones."""

import json
from dataclasses import fields

import pytest

from autoscaler.emulator.control_api import FAULT
from autoscaler.emulator.faults import Facts, Fault, Kind
from autoscaler.emulator.json_shapes import check
from autoscaler.emulator.others_api import CHANGED, CHANGES
from tests.emulator.client import Fly

ODD = [None, True, -1, 1e308, "x", [5], [], {"a": 5}]
NO_JSON = [b"nonsense", b"[]", b"5", b"null", b"\xff\xfe", b'"x"', b"NaN", b'{"a":', b"[" * 5000]
CREATE = {"config": {"image": "alpine"}}
POINTS = {"name": "n", "points": [[0, 1], [1, 2]], "linear": True}
WAVE = {"base": 1, "amplitude": 1, "period_s": 5}

APP, MACHINE, EMULATOR = "/v1/apps/demo", "/v1/apps/demo/machines/$MACHINE", "/_emulator"
BODIES = [
    ("POST", f"{APP}/machines", CREATE, "name region config skip_launch lease_ttl skip_service_registration"),
    ("POST", MACHINE, CREATE, "name region config skip_launch lease_ttl current_version"),
    ("POST", f"{MACHINE}/stop", {}, "signal timeout"),
    ("POST", f"{MACHINE}/signal", {}, "signal"),
    ("POST", f"{MACHINE}/lease", {}, "ttl description"),
    ("PUT", f"{MACHINE}/metadata", {"metadata": {}}, "metadata machine_version"),
    ("PATCH", f"{MACHINE}/metadata", {"metadata": {}}, "metadata machine_version"),
    ("POST", f"{MACHINE}/metadata/key", {}, "value"),
    ("POST", f"{MACHINE}/exec", {}, "command cmd"),
    ("PUT", f"{MACHINE}/memory", {}, "limit_mb"),
    ("POST", f"{MACHINE}/memory/reclaim", {}, "amount_mb"),
    ("POST", "/v1/apps", {"name": "n"}, "name org_slug network app_name"),
    ("POST", f"{APP}/volumes", {"name": "n"}, "name region size_gb encrypted require_unique_zone fstype"),
    ("PUT", f"{APP}/volumes/$VOLUME", {}, "snapshot_retention auto_backup_enabled"),
    ("PUT", f"{APP}/volumes/$VOLUME/extend", {}, "size_gb"),
    ("POST", "/v1/platform/placements", {"org_slug": "personal"}, "org_slug region count compute weights"),
    ("POST", "/prometheus/personal/api/v1/query", {"query": "1"}, "query time lookback_delta"),
    ("POST", "/prometheus/personal/api/v1/query_range", {"query": "1"}, "query start end step"),
    ("POST", f"{EMULATOR}/loads", {"name": "n", "value": 1}, "name labels regions backfill lag_s value csv"),
    ("POST", f"{EMULATOR}/loads", POINTS, "linear speed scale repeat lag_s points"),
    ("POST", f"{EMULATOR}/loads", {"name": "n"}, "wave"),
    ("POST", f"{EMULATOR}/faults", {"kind": "partial_list"}, " ".join(FAULT)),
    ("POST", f"{EMULATOR}/faults", {"kind": "crash"}, "exit_code delay_s oom"),
    ("POST", f"{EMULATOR}/machines", {}, "app group regions count state release config age_s"),
    ("POST", f"{EMULATOR}/machines/$MACHINE", {}, "exit state stuck checks cordoned host_status lease"),
    ("POST", f"{EMULATOR}/deploys", {}, "app group release strategy release_command every_s"),
    ("POST", f"{EMULATOR}/proxy", {}, "app concurrency"),
]
CONFIG = [
    "guest",
    "metadata",
    "services",
    "mounts",
    "env",
    "restart",
    "init",
    "standbys",
    "auto_destroy",
    "checks",
]


@pytest.fixture
def fly():
    """Two started Machines."""
    return Fly(machines=2, state="started")


async def unbroken(fly: Fly, method: str, path: str, **sent) -> int:
    """The status of the answer; whoever reads afterwards is answered with success. Begins afresh first.

    An exception inside the application is not caught on the way here, so it fails the test.
    """
    assert (await fly.http.post("/_emulator/reset")).status_code == 200
    fly.world = fly.app.state.world
    volume = (await fly.call("POST", "/volumes", json={"name": "disk"})).json()["id"]
    machine = (await fly.machines())[0]["id"]
    path = path.replace("$MACHINE", machine).replace("$VOLUME", volume)
    status = (await fly.http.request(method, path, **sent)).status_code
    fly.pass_time(7)
    assert (await fly.call("GET", "/machines?include_leases=true")).status_code == 200
    await fly.query('n or {__name__="fly_instance_up"}')
    for shown in ("loads", "machines", "faults"):
        assert (await fly.http.get(f"/_emulator/{shown}")).status_code == 200
    return status


@pytest.mark.timeout(60)  # some hundred requests each
@pytest.mark.parametrize(("method", "path", "body", "names"), BODIES)
async def test_a_field_of_any_kind_is_answered_and_breaks_nothing(fly, method, path, body, names):
    for name in names.split():
        for odd in ODD:
            assert await unbroken(fly, method, path, json={**body, name: odd}) < 500, (name, odd)


@pytest.mark.parametrize("body", NO_JSON)
async def test_a_body_that_is_no_object_is_refused(fly, body):
    for method, path, _, _ in BODIES:
        if "prometheus" not in path:
            status = await unbroken(fly, method, path, content=body)
            assert status == 400 or body == b"null", path


@pytest.mark.parametrize("text", [b'"\\ud800"', b'"s\xed\xa0\x80"', b'{"\\udfff": 1}'])
async def test_text_that_cannot_be_written_is_refused_before_anything_has_happened(fly, text):
    for method, path, body, names in BODIES:
        if "prometheus" not in path:
            given = json.dumps({**body, names.split()[0]: None}).encode().replace(b"null", text)
            assert await unbroken(fly, method, path, content=given) == 400, path
            assert fly.world.faults.hit(Kind.STATUS, Facts(), fly.world.now) is None


@pytest.mark.timeout(60)  # as above
@pytest.mark.parametrize("part", CONFIG)
async def test_any_part_of_a_configuration_is_judged_before_there_is_a_machine(fly, part):
    for odd in ODD:
        sent = {"config": {"image": "alpine", part: odd}}
        status = await unbroken(fly, "POST", f"{APP}/machines", json=sent)
        assert len(await fly.machines()) == (3 if status == 200 else 2), odd


@pytest.mark.parametrize("ttl", ["x", -1, 0.5, [5]])
async def test_a_lease_that_cannot_be_given_leaves_no_machine_behind(fly, ttl):
    assert (await fly.create(lease_ttl=ttl)).status_code == 400
    assert len(await fly.machines()) == 2


@pytest.mark.parametrize("ttl", ["nan", "inf", "x", "1.5", "-1"])
async def test_a_lease_lasts_whole_seconds(fly, ttl):
    machine = (await fly.machines())[0]["id"]
    assert (await fly.act(machine, f"lease?ttl={ttl}")).status_code == 400


async def test_json_is_read_whatever_the_header_calls_it(fly):
    """As `curl -d` sends it without more ado."""
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    sent = b'{"name": "mine", "config": {"image": "alpine"}}'
    response = await fly.call("POST", "/machines", content=sent, headers=form)
    assert response.status_code == 200
    assert response.json()["name"] == "mine"


async def test_checks_of_a_service_are_objects(fly):
    service = {"internal_port": 8080, "checks": [5]}
    response = await fly.create(config={"image": "alpine", "services": [service]})
    assert response.status_code == 400
    assert "config.services[0].checks[0] of type object" in response.text


async def test_a_refusal_names_the_field_and_what_it_should_be(fly):
    response = await fly.create(region=5)
    assert response.status_code == 400
    assert response.json() == {"error": "json: cannot unmarshal int into field create.region of type string"}


@pytest.mark.parametrize("every_s", [0, -1])
async def test_a_deploy_that_would_never_let_time_pass_is_refused(fly, every_s):
    response = await fly.http.post("/_emulator/deploys", json={"every_s": every_s})
    assert response.status_code == 400
    assert "every_s must be positive" in response.text


@pytest.mark.parametrize("status", [0, 99, 100, 600])
async def test_a_fault_answers_with_a_status_that_can_be_sent(fly, status):
    response = await fly.http.post("/_emulator/faults", json={"kind": "status", "status": status})
    assert response.status_code == 400


@pytest.mark.parametrize(
    "headers", [{"a b": "x"}, {"": "x"}, {"x": "a\nb"}, {"x": "日"}, {"x": " a"}, {"Content-Length": "7"}]
)
async def test_a_fault_answers_with_headers_that_can_be_sent(fly, headers):
    response = await fly.http.post("/_emulator/faults", json={"kind": "status", "headers": headers})
    assert response.status_code == 400
    assert "headers" in response.text
    assert (await fly.http.get("/_emulator/faults")).json() == []


def test_every_field_of_a_fault_and_every_change_has_a_shape():
    assert list(FAULT) == [field.name for field in fields(Fault)]
    assert list(CHANGED) == list(CHANGES)


def test_null_is_a_value_like_others_unless_it_means_not_given():
    check({"region": None}, {"region": "string"}, "body", nulls=True)
    with pytest.raises(Exception, match=r"cannot unmarshal null into field body\.region of type string"):
        check({"region": None}, {"region": "string"}, "body")
