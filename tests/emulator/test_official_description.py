"""Answers fit the platform's official description, where that describes what is really on the wire."""

import json
import re

import pytest
from openapi_schema_validator import OAS30Validator

from tests.emulator.client import Fly

WIRE_DIFFERS = {
    ("get", "/apps/{app_name}/machines/{machine_id}/lease"): "the wire wraps leases in an envelope",
    ("post", "/apps/{app_name}/machines/{machine_id}/lease"): "the wire wraps leases in an envelope",
    ("get", "/platform/regions"): "the wire capitalises the keys on top",
}


@pytest.fixture(scope="module")
def description(shared_dir):
    return json.loads((shared_dir / "machines-openapi.json").read_text())


def schema_of(description, method, path, status):
    operation = description["paths"][path][method]
    content = operation["responses"][str(status)].get("content", {})
    return content.get("application/json", {}).get("schema")


def wire(schema):
    """The description calls nothing nullable, but the platform's Go encoder writes null for what is not set;
    and autostop is answered as a boolean, as the description's own text says.
    """
    if isinstance(schema, list):
        return [wire(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    changed = {key: wire(part) for key, part in schema.items()}
    if "type" in changed and isinstance(changed["type"], str):
        changed["nullable"] = True
        if "enum" in changed:
            changed["enum"] = [*changed["enum"], None]
    for name, part in (changed.get("properties") or {}).items():
        if name == "autostop":
            changed["properties"][name] = {}
        elif name == "config" and "$ref" in part:
            changed["properties"][name] = {"nullable": True, "anyOf": [part, {"enum": [None]}]}
    return changed


def complaints(description, schema, answer):
    whole = {**wire(schema), "components": wire(description["components"])}
    return [
        f"{'/'.join(map(str, error.path))}: {error.message}"
        for error in OAS30Validator(whole).iter_errors(answer)
    ]


async def conversation():
    """Every endpoint the description and the emulator share, called once: (method, template, response)."""
    fly = Fly(machines=2, services=True, state="started", get_lag_s=0)
    one, two = await fly.machines()
    volume = (await fly.call("POST", "/volumes", json={"name": "data", "region": "ams"})).json()
    m, v = f"/machines/{one['id']}", f"/volumes/{volume['id']}"
    calls = [
        ("get", "", None), ("get", "/machines", None), ("get", "/machines?summary=true", None),
        ("post", "/machines", {"config": one["config"], "lease_ttl": 30}),
        ("get", m, None), ("post", m + "/start", None), ("post", m + "/stop", {"timeout": "1s"}),
        ("get", m + "/wait?state=stopping&timeout=0", None),
        ("post", f"/machines/{two['id']}", {"config": two["config"]}),
        ("get", m + "/metadata", None), ("get", m + "/metadata/fly_process_group", None),
        ("get", m + "/metadata/none", None), ("put", m + "/metadata", {"metadata": {"a": "b"}}),
        ("patch", m + "/metadata", {"metadata": {"a": "c"}, "machine_version": "old"}),
        ("get", m + "/events", None), ("get", m + "/versions", None), ("get", m + "/lease", None),
        ("post", m + "/signal", {"signal": "SIGBOGUS"}), ("post", m + "/cordon", None),
        ("get", "/volumes", None), ("post", "/volumes", {"name": "two", "region": "ams"}), ("get", v, None),
        ("put", v, {"snapshot_retention": 7}), ("put", v + "/extend", {"size_gb": 9}),
        ("post", v + "/snapshots", None), ("get", v + "/snapshots", None), ("delete", v, None),
        ("post", "/deploy_token", None),
    ]  # fmt: skip
    for method, path, body in calls:
        response = await fly.call(method.upper(), path, json=body)
        yield method, f"/apps/demo{path}", response
    third = (await fly.machines(state="created"))[0]
    fly.pass_time(60)
    for method, path, body in [
        ("get", f"/machines/{third['id']}/ps", None), ("get", f"/machines/{third['id']}/memory", None),
        ("post", f"/machines/{third['id']}/memory/reclaim", {"amount_mb": 1}),
        ("post", f"/machines/{third['id']}/exec", {"command": ["true"]}),
        ("get", f"/machines/{third['id']}/wait?timeout=1", None), ("delete", m, None),
    ]:  # fmt: skip
        yield method, f"/apps/demo{path}", await fly.call(method.upper(), path, json=body)
    for method, path, body in [
        ("get", "/apps?org_slug=personal", None), ("post", "/apps", {"name": "x"}), ("post", "/apps", {}),
        ("get", "/orgs/personal/machines", None), ("get", "/orgs/personal/volumes", None),
        ("get", "/platform/regions", None), ("get", "/tokens/current", None),
        ("post", "/platform/placements", {"org_slug": "personal", "region": "eu", "count": 2}),
    ]:  # fmt: skip
        yield method, path, await fly.http.request(method, f"/v1{path}", json=body)


def template_of(description, path):
    bare = path.partition("?")[0]
    fitting = [
        template
        for template in description["paths"]
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), bare)
    ]
    return min(fitting, key=lambda template: template.count("{"))


async def test_answers_fit_the_official_description(description):
    judged = set()
    async for method, path, response in conversation():
        template = template_of(description, path)
        if (method, template) in WIRE_DIFFERS:
            continue
        assert str(response.status_code) in {
            *description["paths"][template][method]["responses"],
            "404",
            "412",
        }, f"{method} {path}: {response.status_code} {response.text}"
        if str(response.status_code) not in description["paths"][template][method]["responses"]:
            continue
        schema = schema_of(description, method, template, response.status_code)
        if schema is not None:
            assert complaints(description, schema, response.json()) == [], f"{method} {path}"
            judged.add((method, template))
    assert len(judged) >= 28


async def test_a_machine_on_a_lost_host_fits_too(description):
    fly = Fly(state="started")
    fly.world.set_hosts({machine.host for machine in fly.world.machines.values()}, "unreachable")
    schema = schema_of(description, "get", "/apps/{app_name}/machines", 200)
    answer = await fly.machines()
    assert answer[0]["config"] is None
    assert complaints(description, schema, answer) == []


def test_the_check_sees_an_answer_that_does_not_fit(description):
    schema = schema_of(description, "get", "/apps/{app_name}/machines", 200)
    assert complaints(description, schema, [{"id": 7}]) != []
    assert complaints(description, schema, {"machines": []}) != []
