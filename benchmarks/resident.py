"""How much memory this process holds."""

import resource
import sys
from pathlib import Path

MB = 1024 * 1024
STATUS = Path("/proc/self/status")


def resident_mb() -> float:
    """Megabytes of this process in memory; where the system does not tell (macOS), the most it ever had."""
    if STATUS.exists():
        line = next(line for line in STATUS.read_text().splitlines() if line.startswith("VmRSS:"))
        return int(line.split()[1]) * 1024 / MB
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / MB if sys.platform == "darwin" else peak * 1024 / MB
