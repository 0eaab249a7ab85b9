"""Where and when the planner's laws are tried, and the plainest strategies.

Strategies are made once: making one costs more than drawing from it.
"""

from hypothesis import strategies as st

from autoscaler.domain.instant import Instant
from autoscaler.domain.names import MachineId, PoolName, Region

NOW = Instant(wall=1_800_000_000.0, mono=50_000.0)
POOL = PoolName("web")
OWN = MachineId("own")
HERE = tuple(Region(code) for code in ("ams", "fra", "ord"))
ELSEWHERE = Region("syd")

BOOLEANS, SMALL, REGIONS = st.booleans(), st.integers(0, 5), st.sampled_from(HERE)
