"""Each of the platform's ways of saying no has one meaning, whatever its status says."""

import pytest

from autoscaler.adapters.fly_machines.refusals import already_so, judged
from autoscaler.adapters.http.exchange import Reply
from autoscaler.domain.names import MachineId, Region, VolumeId
from autoscaler.domain.outcome import Failed, Refusal, Refused, Uncertain
from autoscaler.domain.plan import Action, Cordon, Destroy, DestroyVolume, Start, Stop, Suspend
from autoscaler.domain.reason import ReasonCode, reason

WHY = reason(ReasonCode.DEMAND)
HERE = {"machine": MachineId("1857156b526dd8"), "region": Region("ord"), "reason": WHY}
FULL = "aborted: could not reserve resource for machine: insufficient"
NO_ROOM = "aborted: insufficient resources available to fulfill request: insufficient memory available"
HELD = "lease currently held by"
NAME = 'already_exists: unique machine name violation, machine ID 1857 already exists with name "as-1"'

REFUSALS = [
    (422, "insufficient_capacity", "could not find a candidate host", Refusal.REGION_FULL),
    (503, "insufficient_capacity", "could not find a candidate host", Refusal.REGION_FULL),
    (422, "", "could not find a candidate host", Refusal.REGION_FULL),
    (409, "", "aborted: no capacity", Refusal.REGION_FULL),
    (409, "", f"{FULL} CPUs available to fulfill request on the current host", Refusal.HOST_FULL),
    (409, "", f"{FULL} memory available to fulfill request on the current host", Refusal.HOST_FULL),
    (409, "unknown", f"{FULL} CPUs available to fulfill request on the current host", Refusal.HOST_FULL),
    (409, "", f"{NO_ROOM} to fulfill request", Refusal.HOST_FULL),
    (409, "", "aborted: insufficient IPs available to fulfill request", Refusal.HOST_FULL),
    (412, "", "deploys to this host are temporarily disabled", Refusal.HOST_FULL),
    (409, "", "governor policy blocked start", Refusal.HOST_FULL),
    (
        412,
        "volume_placement_capacity",
        "insufficient resources to create new machine with existing volume id 'vol_123'",
        Refusal.VOLUME,
    ),
    (
        412,
        "",
        "insufficient resources to create new machine with existing volume id 'vol_123'",
        Refusal.VOLUME,
    ),
    (412, "", "failed_precondition: volume already claimed by machine 1857", Refusal.VOLUME),
    (
        422,
        "",
        "Your organization has reached its machine limit. Please contact billing@fly.io",
        Refusal.ORG_LIMIT,
    ),
    (422, "", "Your organization has reached its volume limit", Refusal.ORG_LIMIT),
    (
        422,
        "",
        "To create more than 1 machine per app please add a payment method.",
        Refusal.ORG_LIMIT,
    ),
    (400, "", "invalid config.guest.memory_mb, minimum required 1024 MiB", Refusal.INVALID),
    (400, "", "invalid config.guest.cpu_kind", Refusal.INVALID),
    (400, "", "invalid_argument: unknown region", Refusal.INVALID),
    (400, "", "json: cannot unmarshal array into Go value of type main.stopRequest", Refusal.INVALID),
    (400, "", "invalid machine ID, '5683d707f16058'", Refusal.INVALID),
    (422, "", "something is not right", Refusal.INVALID),
    (400, "", "failed to get manifest r.io/a:t: MANIFEST_UNKNOWN", Refusal.IMAGE),
    (422, "", "MANIFEST_UNKNOWN: manifest unknown", Refusal.IMAGE),
    (
        412,
        "",
        "failed_precondition: unable to start machine from current state: 'created'",
        Refusal.WRONG_STATE,
    ),
    (
        400,
        "",
        "failed_precondition: unable to start machine from current state: 'created'",
        Refusal.WRONG_STATE,
    ),
    (
        412,
        "",
        "failed_precondition: machine getting replaced, refusing to start",
        Refusal.WRONG_STATE,
    ),
    (
        412,
        "",
        "failed_precondition: machine still active, refusing to start",
        Refusal.WRONG_STATE,
    ),
    (
        412,
        "",
        "failed_precondition: unable to destroy machine, not currently stopped, suspended, failed or created",
        Refusal.WRONG_STATE,
    ),
    (412, "", "", Refusal.WRONG_STATE),
    (404, "", "machine not found", Refusal.NOT_FOUND),
    (404, "", "app not found", Refusal.NOT_FOUND),
    (400, "", "could not find app", Refusal.NOT_FOUND),
    (404, "", "", Refusal.NOT_FOUND),
    (409, "", NAME, Refusal.NAME_TAKEN),
    (422, "name_taken", "Validation failed: Name has already been taken", Refusal.NAME_TAKEN),
    (
        409,
        "",
        f"aborted: machine ID 2879325b42d318 {HELD} 7a1f@tokens.fly.io, expires at 2026-08-14T09:57:35Z",
        Refusal.LEASED,
    ),
    (
        409,
        "error",
        f"machine ID 3d8d413b29d089 {HELD} hello@fly.io, expires at 2022-10-20 19:59:06 +0000 UTC",
        Refusal.LEASED,
    ),
    (409, "", "aborted: machine update failed due to concurrent update", Refusal.CONFLICT),
    (409, "", "aborted: something else", Refusal.CONFLICT),
    (429, "", "rate limit exceeded", Refusal.RATE_LIMITED),
    (429, "", "", Refusal.RATE_LIMITED),
    (401, "", "Authenticate: token validation error", Refusal.UNAUTHORIZED),
    (403, "", "unauthorized", Refusal.UNAUTHORIZED),
]


@pytest.mark.parametrize(("status", "code", "said", "refusal"), REFUSALS)
def test_a_refusal_is_told_by_code_then_text_then_status(
    status: int, code: str, said: str, refusal: Refusal
) -> None:
    expected = Refused(refusal=refusal, detail=f"{status} {said}".strip())
    assert judged(Reply(status=status, code=code, said=said)) == expected


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (408, "deadline_exceeded: machine failed to reach desired state, started, currently created"),
        (408, ""),
        (500, "unknown: internal error"),
        (502, "<html>bad gateway</html>"),
        (503, ""),
        (504, "upstream request timeout"),
    ],
)
def test_a_broken_platform_leaves_the_result_unknown(status: int, said: str) -> None:
    assert judged(Reply(status=status, said=said)) == Uncertain(detail=f"{status} {said}".strip())


@pytest.mark.parametrize(
    ("status", "said", "detail"),
    [
        (404, "404 page not found", "404 page not found"),
        (405, "method not allowed", "405 method not allowed"),
        (418, "", "418"),
        (302, "", "302"),
    ],
)
def test_what_is_neither_a_refusal_nor_unknown_has_failed(status: int, said: str, detail: str) -> None:
    assert judged(Reply(status=status, said=said)) == Failed(detail=detail)


STATE = "failed_precondition: unable to {} machine from current state: '{}'"
ALREADY: list[tuple[Action, int, str]] = [
    (Start(**HERE), 412, STATE.format("start", "started")),
    (Start(**HERE), 412, STATE.format("start", "starting")),
    (Start(**HERE), 412, "failed_precondition: machine still attempting to start"),
    (Start(**HERE), 409, "machine already started"),
    (Stop(**HERE), 412, STATE.format("stop", "stopped")),
    (Stop(**HERE), 412, STATE.format("stop", "stopping")),
    (Suspend(**HERE), 412, STATE.format("suspend", "suspended")),
    (Destroy(**HERE), 412, STATE.format("destroy", "destroying")),
    (Destroy(**HERE), 404, "machine not found"),
    (DestroyVolume(volume=VolumeId("vol_1"), region=Region("ord"), reason=WHY), 404, "volume not found"),
]


@pytest.mark.parametrize(("action", "status", "said"), ALREADY)
def test_what_is_so_already_is_no_refusal(action: Action, status: int, said: str) -> None:
    assert already_so(action, judged(Reply(status=status, said=said)))


@pytest.mark.parametrize(
    ("action", "status", "said"),
    [
        (Start(**HERE), 412, STATE.format("start", "created")),
        (Start(**HERE), 412, "failed_precondition: machine still active, refusing to start"),
        (Start(**HERE), 404, "machine not found"),
        (Stop(**HERE), 412, STATE.format("stop", "created")),
        (Stop(**HERE), 404, "machine not found"),
        (Suspend(**HERE), 412, STATE.format("suspend", "stopped")),
        (Destroy(**HERE), 404, "404 page not found"),
        (Destroy(**HERE), 412, STATE.format("destroy", "started")),
        (Destroy(**HERE), 500, "already destroyed"),
        (Cordon(**HERE), 412, STATE.format("start", "started")),
    ],
)
def test_what_is_not_so_is_a_refusal(action: Action, status: int, said: str) -> None:
    assert not already_so(action, judged(Reply(status=status, said=said)))
