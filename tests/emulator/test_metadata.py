"""Metadata: single keys, all at once, and the guard against new versions."""

import pytest

from tests.emulator.client import Fly


async def test_single_keys_are_written_read_and_removed():
    fly = Fly()
    machine = await fly.only()
    path = f"/machines/{machine['id']}/metadata"
    assert (await fly.call("POST", path + "/busy", json={"value": "1"})).status_code == 204
    assert (await fly.call("GET", path + "/busy")).json() == {"value": "1"}
    assert (await fly.call("GET", path)).json()["busy"] == "1"
    assert (await fly.call("DELETE", path + "/busy")).status_code == 204
    assert (await fly.call("GET", path + "/busy")).status_code == 404
    assert (await fly.call("DELETE", path + "/busy")).status_code == 204
    assert (await fly.call("POST", path + "/busy", json={"value": 1})).status_code == 400


async def test_metadata_changes_neither_version_nor_state():
    fly = Fly(state="started")
    before = await fly.only()
    await fly.act(before["id"], "metadata/k", json={"value": "v"})
    after = await fly.only()
    assert after["config"]["metadata"] == {**before["config"]["metadata"], "k": "v"}
    for field in ("instance_id", "state", "events"):
        assert after[field] == before[field]


async def test_patch_merges_and_null_or_nothing_removes():
    fly = Fly()
    machine = await fly.only()
    path = f"/machines/{machine['id']}/metadata"
    await fly.call("PUT", path, json={"metadata": {"a": "1", "b": "2", "c": "3"}})
    merged = await fly.call("PATCH", path, json={"metadata": {"a": "9", "b": None, "c": "", "d": "4"}})
    assert merged.status_code == 204
    assert (await fly.call("GET", path)).json() == {"a": "9", "d": "4"}


@pytest.mark.parametrize("verb", ["PUT", "PATCH"])
async def test_another_version_is_a_failed_precondition(verb):
    fly = Fly()
    machine = await fly.only()
    path = f"/machines/{machine['id']}/metadata"
    body = {"metadata": {"k": "v"}, "machine_version": machine["instance_id"]}
    assert (await fly.call(verb, path, json=body)).status_code == 204
    stale = {"metadata": {"k": "w"}, "machine_version": "01OLD"}
    assert (await fly.call(verb, path, json=stale)).status_code == 412
    assert (await fly.call("GET", path + "/k")).json() == {"value": "v"}


@pytest.mark.parametrize("body", [{}, {"metadata": []}, {"metadata": {"k": 1}}])
@pytest.mark.parametrize("verb", ["PUT", "PATCH"])
async def test_no_map_of_strings_is_refused(verb, body):
    fly = Fly()
    machine = await fly.only()
    assert (await fly.call(verb, f"/machines/{machine['id']}/metadata", json=body)).status_code == 400
