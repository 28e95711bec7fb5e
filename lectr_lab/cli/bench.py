"""`lectr-lab bench`: what the proxy adds, measured on this machine."""

from pathlib import Path


def bench(
    *,
    seconds: float = 30.0,
    json: Path | None = None,
    only: tuple[str, ...] = (),
    soak_requests: int = 0,
    workers: int = 1,
) -> None:
    """Measure what the proxy adds, beside nginx, LiteLLM and Portkey where installed.

    Install others to compare with, each as its own project says: nginx from your
    system's packages, `npm install @portkey-ai/gateway`, `pip install litellm[proxy]`.

    Example: lectr-lab bench --seconds 60 --json figures.json

    Args:
        seconds: how long the turns take together.
        json: a file to write the figures to as well.
        only: gateways to measure, others are left out.
        soak_requests: so many more go to the proxy alone, to watch its memory.
        workers: measure it with so many processes at its port as well.
    """
    from lectr_lab.bench.run import run_bench

    run_bench(seconds, json, only, soak_requests, workers)
