"""Volumes for Machines to come: which lie unused, which have to be made, and which are left over."""

from collections.abc import Mapping
from typing import Any

from autoscaler.domain.fleet import HostStatus, Machine, Volume
from autoscaler.domain.names import Region, VolumeId
from autoscaler.domain.plan import CreateVolume, DestroyVolume
from autoscaler.domain.pool import Volumes
from autoscaler.domain.reason import Reason, ReasonCode, reason
from autoscaler.reconcile import template
from autoscaler.reconcile.backoff import FIRST_S
from autoscaler.reconcile.situation import Draft, Situation

USABLE = "created"
UNUSED_FOR_S = 120.0
"""A volume that lies unattached for less may belong to a Machine that somebody is just making."""

HALF_MADE_FOR_S = 600.0
"""For how long a volume that no Machine ever held is taken for one whose maker died before its Machine was
made. The creation budget relies as long on the platform's memory of Machines that are gone.
"""


def take(
    situation: Situation, draft: Draft, region: Region, source: Machine, *, preferred: VolumeId | None
) -> VolumeId | None:
    """An unattached volume for a copy of a Machine, taken out of the draft's stock; None if there is none."""
    called = name(situation, source)
    found = [
        volume
        for volume in situation.volumes or ()
        if volume.name == called and volume.region == region and _free(situation, draft, volume)
    ]
    best = min(found, key=lambda volume: (volume.id != preferred, volume.id), default=None)
    if best is None:
        return None
    draft.touched.add(best.id)
    return best.id


def make(situation: Situation, region: Region, source: Machine) -> CreateVolume:
    """A volume like that of the Machine to be copied."""
    mount: Mapping[str, Any] = template.mount(source) or {}
    held = _held_by(situation, source)
    called = name(situation, source)
    return CreateVolume(
        region=region,
        name=called,
        reason=reason(ReasonCode.VOLUMES, name=called),
        size_gb=mount.get("size_gb") or (held.size_gb if held else None),
        encrypted=mount.get("encrypted", held.encrypted if held else None),
        compute=(source.config or {}).get("guest"),
        known=frozenset(volume.id for volume in situation.volumes or ()),
    )


def name(situation: Situation, source: Machine) -> str:
    """What the volumes of a Machine's copies are called: its mount may say, else its own volume does."""
    told = (template.mount(source) or {}).get("name")
    if told:
        return str(told)
    held = _held_by(situation, source)
    return held.name if held else ""


def _held_by(situation: Situation, machine: Machine) -> Volume | None:
    held = [volume for volume in situation.volumes or () if volume.attached_to == machine.id]
    return min(held, key=lambda volume: volume.id, default=None)


def clear(situation: Situation, draft: Draft) -> None:
    """Destroy what this process made for Machines that are not wanted any more, or cannot have it."""
    if situation.gate.no_in:
        return
    for volume in situation.volumes or ():
        made_by_us = volume.id in situation.ledger.made_volumes
        unused = volume.attached_to is None and volume.id not in draft.touched
        if made_by_us and unused and not _awaits_machine(situation, draft, volume):
            why = reason(ReasonCode.VOLUMES, name=volume.name)
            draft.add(DestroyVolume(region=volume.region, volume=volume.id, reason=why))


def _awaits_machine(situation: Situation, draft: Draft, volume: Volume) -> bool:
    """Whether a Machine is lacking that may still get it, of another region's where the pool spills.

    One that was refused twice does better on another host.
    """
    passed = situation.ledger.passed_volumes.get(volume.id)
    refused_twice = passed is not None and passed.delay_s > FIRST_S
    wanted = bool(draft.lacking) if situation.spills else volume.region in draft.lacking
    return wanted and not refused_twice


def orphans(situation: Situation) -> tuple[Reason, ...]:
    """A warning with the number of volumes like the pool's own that nothing is attached to."""
    names = {name(situation, machine) for machine in situation.view.group if template.mount(machine)}
    unattached = [one for one in situation.volumes or () if one.attached_to is None and one.name in names]
    return (reason(ReasonCode.ORPHAN_VOLUMES, volumes=len(unattached)),) if unattached else ()


def _free(situation: Situation, draft: Draft, volume: Volume) -> bool:
    passed = situation.ledger.passed_volumes.get(volume.id)
    return (
        volume.attached_to is None
        and volume.state == USABLE
        and volume.host is HostStatus.OK
        and volume.id not in draft.touched
        and (passed is None or passed.until <= situation.now.mono)
        and (volume.id in situation.ledger.made_volumes or _lies_about(situation, volume))
    )


def _lies_about(situation: Situation, volume: Volume) -> bool:
    """Whether it may be taken although this process did not make it: unused, or, of new ones, never used."""
    if volume.created_at is None:
        return False
    age_s = situation.now.wall - volume.created_at
    if situation.pool.volumes is Volumes.REUSE:
        return age_s >= UNUSED_FOR_S
    never_held = situation.mounted is not None and volume.id not in situation.mounted
    return never_held and UNUSED_FOR_S <= age_s < HALF_MADE_FOR_S
