"""The signs of somebody's deploy, read from one survey.

Starts of ours are no sign: they change `updated_at` and nothing else that is looked at here.
"""

from collections.abc import Iterable, Iterator

from autoscaler.domain.fleet import Machine, MachineState
from autoscaler.domain.instant import Instant
from autoscaler.domain.reason import Reason, ReasonCode, reason
from autoscaler.reconcile.counting import UNDER_DEPLOY, PoolView
from autoscaler.reconcile.ledger import Ledger

RELEASE_COMMAND = "fly_app_release_command"
RELEASE = "fly_release_version"
BLUEGREEN_TAG = "fly_bluegreen_deployment_tag"
AT_WORK = frozenset({MachineState.CREATED, MachineState.STARTING, MachineState.STARTED})

BLUEGREEN = "bluegreen"
NEW_RELEASE = "release "

RELEASE_IS_NEW_FOR_S = 600.0
SIGNAL_LAPSES_AFTER_S = 1800.0
"""A sign that stays for so long is no deploy but a state of affairs."""


def signals(view: PoolView, now: Instant) -> frozenset[str]:
    """The names of the signs present now. That of a new release carries its number."""
    return frozenset(_present(view, now.wall))


def active(view: PoolView, ledger: Ledger, now: Instant) -> tuple[str, ...]:
    """The signs to be heeded now, by name. `ledger` has observed those of the view."""
    return tuple(name for name in sorted(ledger.signals) if _heeded(name, view, ledger, now))


def lapsed(view: PoolView, ledger: Ledger, now: Instant) -> tuple[Reason, ...]:
    """A warning for every sign that `ledger` has observed for too long to be heeded."""
    return tuple(
        reason(ReasonCode.DEPLOY_LAPSED, signal=name)
        for name in sorted(ledger.signals)
        if not name.startswith(NEW_RELEASE) and not _heeded(name, view, ledger, now)
    )


def switching(view: PoolView, ledger: Ledger, now: Instant) -> bool:
    """Whether a deploy is moving the traffic from all Machines of the group to others."""
    return BLUEGREEN in active(view, ledger, now)


def release(machine: Machine) -> int:
    """The number of the release a Machine runs; -1 where it names none."""
    text = machine.metadata.get(RELEASE, "")
    return int(text) if text.isascii() and text.isdigit() else -1


def newest_release(machines: Iterable[Machine]) -> int:
    """The highest release among them; -1 where none is named."""
    return max(map(release, machines), default=-1)


def _present(view: PoolView, wall: float) -> Iterator[str]:
    if any(machine.state in UNDER_DEPLOY for machine in view.group):
        yield "updating"
    if any(one.group == RELEASE_COMMAND and one.state in AT_WORK for one in view.survey.machines):
        yield "release_command"
    if len({machine.metadata.get(BLUEGREEN_TAG) for machine in view.group}) > 1:
        yield BLUEGREEN
    leased = sum(machine.leased(wall) for machine in view.group)
    if leased >= 2 and 2 * leased >= len(view.group):
        yield "leases"
    releases = set(map(release, view.group))
    if len(releases) > 1:
        yield f"{NEW_RELEASE}{max(releases)}"


def _heeded(name: str, view: PoolView, ledger: Ledger, now: Instant) -> bool:
    seen_for = now.mono - ledger.signals[name]
    if not name.startswith(NEW_RELEASE):
        return seen_for < SIGNAL_LAPSES_AFTER_S
    return max(seen_for, _running_for(view.group, now.wall)) < RELEASE_IS_NEW_FOR_S


def _running_for(group: tuple[Machine, ...], wall: float) -> float:
    """For how long the newest release has run at least, as its least recently changed Machine proves.

    A process that has just started could not know otherwise that a mixture of releases is an old one.
    """
    newest = newest_release(group)
    changes = [machine.updated_at for machine in group if release(machine) == newest]
    return max((wall - at for at in changes if at is not None), default=0.0)
