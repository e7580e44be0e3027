"""How long one call takes."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

_WARM_UPS = 5


def median_ms(call: Callable[[], object], seconds: float, runs: int = 200) -> float:
    """Return the median milliseconds of a call: of this many runs, or of those the seconds allow.

    A few calls before are not counted; they fill caches and let a runtime plan.
    """
    for _ in range(_WARM_UPS):
        call()
    times: list[float] = []
    while not times or (len(times) < runs and sum(times) < seconds):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return 1000 * statistics.median(times)
