"""The platform's JSON becomes our values, whatever the platform leaves out."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoscaler.adapters.fly_machines import parse
from autoscaler.domain.errors import GarbledError
from autoscaler.domain.fleet import Exit, HostStatus, Lease, Machine, MachineState
from autoscaler.domain.names import GroupName, InstanceId, MachineId, MachineName, Region
from tests.adapters.fly_machines.recorded import CREATED, EXIT_EVENT


def parsed(**fields: Any) -> Machine:
    return parse.machine({**CREATED, **fields})


def configured(**config: Any) -> Machine:
    return parsed(config={**CREATED["config"], **config})


def test_a_created_machine_is_read_whole() -> None:
    assert parse.machine(CREATED) == Machine(
        id=MachineId("1857156b526dd8"),
        name=MachineName("aged-thunder-7371"),
        state=MachineState.CREATED,
        region=Region("ord"),
        instance_id=InstanceId("01HEPA330HZ37A78TK080NAK1M"),
        created_at=1699408350.0,
        updated_at=1699408350.0,
        auto_destroy=True,
        image="registry-1.docker.io/library/ubuntu:latest"
        "@sha256:c9cf959fd83770dfdefd8fb42cfef0761432af36a764c077aed54bbc5bb25368",
        config=CREATED["config"],
    )


@pytest.mark.parametrize("key", ["id", "name", "state", "region"])
@pytest.mark.parametrize("value", [None, "", 7, []])
def test_a_machine_without_its_essentials_is_unreadable(key: str, value: object) -> None:
    with pytest.raises(GarbledError, match=f"has no {key}"):
        parsed(**{key: value})


def test_what_cannot_be_shown_does_not_get_past_a_name_or_an_image() -> None:
    machine = parsed(region="ord\x1b[31m", name="as-\ud800", image_ref={"repository": "shop\n"})
    assert (machine.region, machine.name, machine.image) == ("ord\ufffd[31m", "as-\ufffd", "shop\ufffd")


@pytest.mark.parametrize("entry", [None, [], "machine", 7, {}])
def test_what_is_no_machine_is_unreadable(entry: object) -> None:
    with pytest.raises(GarbledError):
        parse.machine(entry)


def test_only_the_essentials_are_enough() -> None:
    machine = parse.machine({"id": "a", "name": "n", "state": "stopped", "region": "ams"})
    assert machine == Machine(
        id=MachineId("a"), name=MachineName("n"), state=MachineState.STOPPED, region=Region("ams")
    )


def test_a_state_nobody_knows_is_unknown() -> None:
    assert parsed(state="hibernating").state is MachineState.UNKNOWN


@pytest.mark.parametrize(
    ("metadata", "group"),
    [
        ({"fly_process_group": "worker", "process_group": "old"}, "worker"),
        ({"process_group": "release_command"}, "release_command"),
        ({"fly_process_group": ""}, ""),
        ({}, ""),
        (None, ""),
    ],
)
def test_the_group_comes_from_the_metadata_and_may_be_none(metadata: object, group: str) -> None:
    assert configured(metadata=metadata).group == GroupName(group)


def test_metadata_that_is_null_is_none() -> None:
    assert configured(metadata={"autoscaler_protect": None, "role": "web"}).metadata == {"role": "web"}


def test_on_a_lost_host_the_incomplete_configuration_counts_and_cannot_be_copied() -> None:
    partial = {"metadata": {"fly_process_group": "worker"}, "mounts": [{"volume": "vol_1"}], "image": "i"}
    machine = parsed(config=None, incomplete_config=partial, host_status="unreachable", image_ref={})
    assert (machine.host, machine.config, machine.image) == (HostStatus.UNREACHABLE, None, "i")
    assert (machine.group, machine.has_mounts) == (GroupName("worker"), True)


@pytest.mark.parametrize(
    ("status", "host"),
    [("ok", HostStatus.OK), (None, HostStatus.OK), ("", HostStatus.OK), ("melting", HostStatus.UNKNOWN)],
)
def test_a_host_status_nobody_knows_is_not_ok(status: object, host: HostStatus) -> None:
    assert parsed(host_status=status).host is host


def test_a_machine_started_when_its_newest_start_event_says_so() -> None:
    events = [
        {"id": "01K", "type": "start", "status": "started", "source": "flyd", "timestamp": 1723620000000},
        {"type": "start", "status": "starting", "source": "proxy", "timestamp": 1723619999000},
        {"type": "start", "status": "started", "source": "flyd", "timestamp": 1723610000000},
    ]
    assert parsed(events=events).started_at == 1723620000.0
    assert parsed(events=events[1:2]).started_at is None


def test_the_last_exit_is_the_newest_exit_event() -> None:
    newest = {"type": "exit", "status": "stopped", "timestamp": 1, "request": {"exit_event": EXIT_EVENT}}
    older = {"type": "exit", "timestamp": 1, "request": {"exit_event": {"exit_code": 1}}}
    found = parsed(events=[{"type": "start", "status": "starting"}, newest, older]).last_exit
    assert found == Exit(at=1786701455.123, code=137, oom=True, requested=False)


def test_an_older_kind_of_exit_event_tells_the_same() -> None:
    nested = {"exit_code": 3, "requested_stop": True, "exited_at": 1666300000123}
    event = {"type": "exit", "request": {"MonitorEvent": {"exit_event": nested}}, "timestamp": 5000}
    assert parsed(events=[event]).last_exit == Exit(at=1666300000.123, code=3, requested=True)


@pytest.mark.parametrize(
    "request_", [None, {}, {"exit_event": {}}, {"exit_event": None}, {"MonitorEvent": None}]
)
def test_what_an_exit_leaves_out_is_zero(request_: object) -> None:
    event = {"type": "exit", "status": "stopped", "timestamp": 5000, "request": request_}
    found = parsed(events=[event]).last_exit
    assert found == Exit(at=5.0, code=0)
    assert found is not None
    assert not found.crashed


def test_the_exit_code_of_the_guest_counts_where_the_other_is_left_out() -> None:
    event = {"type": "exit", "timestamp": 5000, "request": {"exit_event": {"guest_exit_code": 2}}}
    assert parsed(events=[event]).last_exit == Exit(at=5.0, code=2)


@pytest.mark.parametrize(
    ("checks", "critical"),
    [
        ([{"name": "servicecheck-00-http-8080", "status": "critical"}], True),
        ([{"name": "servicecheck-00-http-8080", "status": "warning"}], False),
        ([{"name": "a", "status": "passing"}, {"name": "b", "status": "critical"}], True),
        ([{"name": "bg_deployments_compat_1", "status": "critical"}], False),
        ([], False),
        (None, False),
    ],
)
def test_a_critical_check_is_seen_unless_it_is_a_ghost(checks: object, critical: bool) -> None:
    assert parsed(checks=checks, state="started").critical is critical


@pytest.mark.parametrize(
    ("service", "proxied"),
    [
        ({"autostart": True, "autostop": False}, True),
        ({"autostart": False, "autostop": True}, True),
        ({"autostart": False, "autostop": "suspend"}, True),
        ({"autostart": False, "autostop": "stop"}, True),
        ({"autostart": False, "autostop": "off"}, False),
        ({"autostart": False, "autostop": False}, False),
        ({"autostart": None, "autostop": None}, False),
        ({}, False),
    ],
)
def test_autostop_is_read_as_a_boolean_and_as_a_word(service: dict[str, Any], proxied: bool) -> None:
    machine = configured(services=[{"internal_port": 80}, service])
    assert (machine.has_services, machine.proxied) == (True, proxied)


def test_a_lease_is_read() -> None:
    told = {"description": "deploy", "expires_at": 1708569778, "owner": "hello@fly.io"}
    assert parsed(lease=told).lease == Lease(owner="hello@fly.io", expires_at=1708569778.0)
    assert parsed(lease=None).lease is None


def test_special_machines_are_told_apart() -> None:
    special = configured(standbys=["148e0"], schedule="hourly", auto_destroy=True, mounts=[{"path": "/data"}])
    assert special.standby
    assert special.scheduled
    assert special.auto_destroy
    assert special.has_mounts
    plain = configured(standbys=[], schedule=None, auto_destroy=False, mounts=None)
    assert not any([plain.standby, plain.scheduled, plain.auto_destroy, plain.has_mounts])


def test_a_cordon_is_seen() -> None:
    assert parsed(cordoned=True).cordoned
    assert not parsed(cordoned=None).cordoned


@pytest.mark.parametrize(
    ("ref", "image"),
    [
        ({"registry": "r.io", "repository": "a/b", "tag": "t", "digest": "sha256:1"}, "r.io/a/b:t@sha256:1"),
        ({"registry": "r.io", "repository": "a/b", "digest": "sha256:1"}, "r.io/a/b@sha256:1"),
        ({"repository": "a/b", "tag": "t"}, "a/b:t"),
        ({}, "registry-1.docker.io/library/ubuntu:latest"),
        (None, "registry-1.docker.io/library/ubuntu:latest"),
    ],
)
def test_the_image_is_pinned_as_far_as_the_platform_tells(ref: object, image: str) -> None:
    assert parsed(image_ref=ref).image == image


@pytest.mark.parametrize(
    ("stop_config", "seconds"),
    [
        ({"timeout": "30s", "signal": "SIGTERM"}, 30.0),
        ({"timeout": 30_000_000_000}, 30.0),
        ({"timeout": "1m30s"}, 90.0),
        ({"timeout": "2h"}, 300.0),
        ({"timeout": "soon"}, 5.0),
        ({"timeout": 0}, 5.0),
        ({}, 5.0),
        (None, 5.0),
    ],
)
def test_the_stop_timeout_is_read_in_both_notations(stop_config: object, seconds: float) -> None:
    assert configured(stop_config=stop_config).stop_timeout_s == seconds


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
KEYS = ["config", "incomplete_config", "events", "checks", "lease", "image_ref", "created_at", "host_status"]
INNER = ["metadata", "services", "mounts", "standbys", "stop_config", "request", "exit_event", "type"]


def test_numbers_beyond_all_bounds_are_left_out() -> None:
    huge = 10**400
    machine = parsed(
        lease={"expires_at": huge},
        config={"stop_config": {"timeout": huge}},
        events=[
            {"type": "start", "status": "started", "timestamp": huge},
            {"type": "exit", "timestamp": huge},
        ],
    )
    assert (machine.lease, machine.stop_timeout_s, machine.started_at) == (None, 5.0, None)
    assert machine.last_exit == Exit(at=0.0, code=0)


@given(fields=st.dictionaries(st.sampled_from(KEYS), json | st.dictionaries(st.sampled_from(INNER), json)))
def test_whatever_stands_beside_the_essentials_the_machine_is_read(fields: dict[str, Any]) -> None:
    assert parsed(**fields).id == CREATED["id"]
