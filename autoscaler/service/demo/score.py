"""How well a fleet followed its load, summed up while the demonstration runs."""

from collections.abc import Mapping
from dataclasses import dataclass

from autoscaler.domain.names import Region


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Request-seconds asked for and not served, and Machine-seconds used, ours and a fixed fleet's."""

    seconds: float = 0.0
    load: float = 0.0
    unserved: float = 0.0
    machine_seconds: float = 0.0
    fixed_machine_seconds: float = 0.0

    def after(
        self,
        *,
        dt: float,
        load: Mapping[Region, float],
        machines: Mapping[Region, int],
        fixed: Mapping[Region, int],
        per_machine: int,
    ) -> "Score":
        """The score after `dt` seconds more with so much load on so many started Machines per region."""
        missing = sum(max(0.0, load[region] - machines[region] * per_machine) for region in load)
        return Score(
            seconds=self.seconds + dt,
            load=self.load + dt * sum(load.values()),
            unserved=self.unserved + dt * missing,
            machine_seconds=self.machine_seconds + dt * sum(machines.values()),
            fixed_machine_seconds=self.fixed_machine_seconds + dt * sum(fixed.values()),
        )

    @property
    def unserved_percent(self) -> float:
        """Share of the load that found no Machine."""
        return 100 * self.unserved / self.load if self.load else 0.0

    @property
    def of_fixed_percent(self) -> float:
        """Machine-seconds used, as a share of the fixed fleet's."""
        if not self.fixed_machine_seconds:
            return 0.0
        return 100 * self.machine_seconds / self.fixed_machine_seconds
