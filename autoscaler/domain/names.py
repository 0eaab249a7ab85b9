"""Identifiers, each its own type, so that a Machine's id is never passed where its region belongs."""

from typing import NewType

AppName = NewType("AppName", str)
GroupName = NewType("GroupName", str)
"""A process group; the empty name stands for Machines that carry no group at all."""
PoolName = NewType("PoolName", str)
Region = NewType("Region", str)
"""A platform region code such as `ord`."""
MachineId = NewType("MachineId", str)
MachineName = NewType("MachineName", str)
InstanceId = NewType("InstanceId", str)
"""Names one version of a Machine; changes with every update."""
VolumeId = NewType("VolumeId", str)
MetricName = NewType("MetricName", str)
