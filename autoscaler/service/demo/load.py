"""The load of the demonstration: a day that moves west around the globe, with one burst.

Units: requests in flight, per region; jobs, for the whole app. Time runs in seconds from the start of
the demonstration; a day lasts `day_s` seconds and then begins again.
"""

import math
from dataclasses import dataclass

from autoscaler.domain.names import Region

PER_MACHINE = 10
"""Requests in flight that one Machine serves."""
BASE = 4.0
PEAK = 56.0
BURST = 45.0
JOBS = 120.0

NOON = {Region("nrt"): 0.2, Region("ams"): 0.5, Region("ord"): 0.8}
"""At which fraction of the demonstration's day each region has its noon, from east to west."""
BURST_REGION = Region("ams")
BURST_FROM, BURST_TO = 0.60, 0.66
JOBS_FROM, JOBS_TO = 0.85, 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """A day of `length_s` seconds."""

    length_s: float

    def fraction(self, t: float) -> float:
        """How much of the day has passed at `t`, from 0 to 1."""
        return (t % self.length_s) / self.length_s

    def requests(self, region: Region, t: float) -> float:
        """Requests in flight in `region` at `t`."""
        now = self.fraction(t)
        height = max(0.0, math.cos(2 * math.pi * (now - NOON[region])))
        burst = BURST if region == BURST_REGION and BURST_FROM <= now < BURST_TO else 0.0
        return BASE + PEAK * height * height + burst

    def jobs(self, t: float) -> float:
        """Jobs waiting for any Machine of the app at `t`: the nightly batch."""
        return JOBS if JOBS_FROM <= self.fraction(t) < JOBS_TO else 0.0

    def peak_machines(self, region: Region) -> int:
        """Machines a fixed fleet would need in `region` to serve the whole day."""
        moments = (self.requests(region, self.length_s * i / 1000) for i in range(1000))
        return math.ceil(max(moments) / PER_MACHINE)
