"""The signs of a deploy, how long they are heeded, and what a fresh process can know."""

from dataclasses import replace

import pytest

from autoscaler.domain.fleet import Lease, MachineState
from autoscaler.domain.names import GroupName
from autoscaler.reconcile import deploys
from autoscaler.reconcile.ledger import EMPTY
from tests.reconcile.fleets import NOW, STOPPED, member, observed, viewed
from tests.reconcile.samples import a_pool

LEASE = Lease(owner="flyctl", expires_at=NOW.wall + 13)
COMMAND = GroupName("fly_app_release_command")


def release(label, number, **changes):
    meta = {"fly_release_version": str(number), **changes.pop("meta", {})}
    return member(label, meta=meta, **changes)


SIGNS = {
    "updating": [member("a", MachineState.UPDATING)],
    "release_command": [member("a"), member("r", group=COMMAND)],
    "bluegreen": [member("a"), member("b", meta={"fly_bluegreen_deployment_tag": "1700000000"})],
    "leases": [member("a", lease=LEASE), member("b", lease=LEASE), member("c"), member("d")],
    "release 8": [release("a", 7), release("b", 8, updated_at=NOW.wall - 30)],
}


@pytest.mark.parametrize("name", SIGNS)
def test_each_sign_is_seen_and_heeded(name):
    view = viewed(a_pool(), SIGNS[name])
    assert deploys.signals(view, NOW) == {name}
    assert deploys.active(view, observed(view), NOW) == (name,)


QUIET = {
    "a plain fleet": [member("a"), member("b", STOPPED)],
    "a finished release command": [member("a"), member("r", STOPPED, group=COMMAND)],
    "a finished bluegreen": [
        member(label, meta={"fly_bluegreen_deployment_tag": "1700000000"}) for label in "ab"
    ],
    "one lease of many": [member("a", lease=LEASE), member("b")],
    "leases on less than half": [*(member(x, lease=LEASE) for x in "ab"), *(member(x) for x in "cde")],
    "leases that have ended": [
        member(label, lease=replace(LEASE, expires_at=NOW.wall - 1)) for label in "ab"
    ],
    "starts of ours": [member("a", updated_at=NOW.wall), member("b", STOPPED)],
}


@pytest.mark.parametrize("machines", QUIET.values(), ids=QUIET)
def test_what_is_no_deploy_shows_no_sign(machines):
    assert deploys.signals(viewed(a_pool(), machines), NOW) == frozenset()


def test_a_sign_lapses_after_half_an_hour_with_a_warning():
    view = viewed(a_pool(), SIGNS["bluegreen"])
    for age, heeded in ((1799, True), (1800, False)):
        ledger = replace(EMPTY, signals={"bluegreen": NOW.mono - age})
        assert bool(deploys.active(view, ledger, NOW)) is heeded
        assert bool(deploys.lapsed(view, ledger, NOW)) is not heeded


def test_a_release_is_new_for_ten_minutes_and_then_no_matter_of_warnings():
    view = viewed(a_pool(), SIGNS["release 8"])
    for age, heeded in ((599, True), (600, False)):
        ledger = replace(EMPTY, signals={"release 8": NOW.mono - age})
        assert bool(deploys.active(view, ledger, NOW)) is heeded
        assert deploys.lapsed(view, ledger, NOW) == ()


def test_a_fresh_process_learns_a_releases_age_from_the_machines_that_run_it():
    fleet = [
        release("a", 7),
        release("b", 8, updated_at=NOW.wall - 601),
        release("c", 8, updated_at=NOW.wall),
    ]
    view = viewed(a_pool(), fleet)
    assert deploys.signals(view, NOW) == {"release 8"}
    assert deploys.active(view, observed(view), NOW) == ()


@pytest.mark.parametrize(("text", "number"), [("12", 12), ("", -1), ("v3", -1), ("²", -1)])
def test_releases_are_numbers_or_none(text, number):
    assert deploys.release(member("a", meta={"fly_release_version": text})) == number
