"""Exclusive holds on a Machine."""

from dataclasses import replace

from autoscaler.emulator import errors
from autoscaler.emulator.record import Lease, Machine
from autoscaler.emulator.timestamps import rfc3339
from autoscaler.emulator.world import World, reach


def lease_of(world: World, machine_id: str) -> Lease | None:
    """The lease in force, None once it has expired."""
    lease = world.leases.get(machine_id)
    return lease if lease is not None and world.now < lease.expires_at else None


def fence(world: World, machine: Machine, nonce: str | None) -> None:
    """LeaseHeldError unless the Machine is free or the nonce is the lease's own."""
    lease = lease_of(world, machine.id)
    if lease is not None and lease.nonce != nonce:
        raise held(machine.id, lease)


def acquire(
    world: World,
    machine: Machine,
    *,
    owner: str,
    ttl_s: float | None = None,
    description: str = "",
    nonce: str | None = None,
) -> Lease:
    """Take the lease, or prolong it with its own nonce. LeaseHeldError while somebody else has it.

    ApiError 400 for a length that is not positive, 404 and 408 for a Machine that is gone or lost.
    """
    reach(machine)
    if ttl_s is not None and ttl_s <= 0:
        raise errors.invalid("lease ttl must be positive")
    current = lease_of(world, machine.id)
    if current is not None and current.nonce != nonce:
        raise held(machine.id, current)
    expires_at = world.now + (world.config.lease_ttl_s if ttl_s is None else ttl_s)
    if current is not None:
        lease = replace(current, expires_at=expires_at)
    else:
        lease = Lease(
            nonce=world.ids.nonce(),
            owner=owner,
            description=description,
            expires_at=expires_at,
            version=machine.instance_id,
        )
    world.leases[machine.id] = lease
    return lease


def release(world: World, machine: Machine, nonce: str | None) -> None:
    """Give the lease back. ApiError 404 when there is none, 400 without a nonce, 403 for another's."""
    current = lease_of(world, machine.id)
    if current is None:
        raise not_found()
    if not nonce:
        raise errors.invalid("missing lease nonce")
    if current.nonce != nonce:
        raise errors.refusal(403, "permission_denied: lease nonce does not match")
    del world.leases[machine.id]


def not_found() -> errors.ApiError:
    """404: nobody holds the Machine."""
    return errors.refusal(404, "not_found: lease not found")


def held(machine_id: str, lease: Lease) -> errors.LeaseHeldError:
    """409, naming the holder and the end of the lease."""
    text = (
        f"aborted: machine ID {machine_id} lease currently held by {lease.owner}, "
        f"expires at {rfc3339(lease.expires_at)}"
    )
    return errors.LeaseHeldError(text, lease.expires_at)
