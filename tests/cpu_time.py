"""The processor's time for a piece of work, for tests that bound how it grows."""

import gc
import time
from collections.abc import Callable


def cpu_s(work: Callable[[], object], times: int = 3) -> float:
    """The least of several tries, in this thread alone. The collector is out of it: what
    it takes grows with what all tests before have left."""
    tried = []
    was_on = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        for _ in range(times):
            began_s = time.thread_time()
            work()
            tried.append(time.thread_time() - began_s)
    finally:
        if was_on:
            gc.enable()
    return min(tried)
