"""What is used before the first test."""

import subprocess
import sys

ASK = """
import sys
from lectr_lab.resources import shipped_cassettes
from lectr_lab.testing.replay import replay
from lectr_lab.testing.warm_up import warm_up
import openai, openai.resources.chat
warm_up()
caches = lambda: {
    f"{name}.{its}": value.cache_info().currsize
    for name, module in list(sys.modules.items()) if name.startswith("lectr_lab.")
    for its, value in vars(module).items() if hasattr(value, "cache_info")
}
before, were = set(sys.modules), caches()
with replay(shipped_cassettes() / "simulated") as proxy:
    try:
        proxy.openai(max_retries=0).chat.completions.create(model="m", messages=[])
    except openai.APIStatusError:
        pass
    proxy.events()
    proxy.assert_budget(error_rate=1)
ours = ("lectr_lab", "polars", "genai_prices", "msgspec", "uvicorn", "litestar")
print(*(n for n in set(sys.modules) - before if n.split(".")[0] in ours))
print(*(n for n, size in caches().items() if size and not were.get(n)))
"""


def test_afterwards_a_test_loads_no_module_and_no_table():
    """Else it would keep the clock that the test has stopped."""
    done = subprocess.run(
        [sys.executable, "-c", ASK], capture_output=True, text=True, check=True
    )

    modules, tables = done.stdout.split("\n")[:2]
    assert modules == ""
    assert tables == ""
