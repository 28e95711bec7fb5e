"""The processor's time for a piece of work, for tests that bound how it grows."""

import gc
import time
from collections.abc import Callable


def cpu_s(
    work: Callable[[], object], times: int = 3, *, enough_s: float = 0.0
) -> float:
    """The least of several tries, in this thread alone. The collector is out of it: what
    it takes grows with what all tests before have left.

    Args:
        work: what is done.
        times: how often it is tried.
        enough_s: a try that took less is the last one: what is bounded by so much holds.
    """
    tried = []
    was_on = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        for _ in range(times):
            began_s = time.thread_time()
            work()
            tried.append(time.thread_time() - began_s)
            if tried[-1] < enough_s:
                break
    finally:
        if was_on:
            gc.enable()
    return min(tried)
