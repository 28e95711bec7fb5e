"""rules.toml as a running proxy has it: the last rules that could be followed.

A thread looks at the file once a second, so a request never waits for the disk; what it
reads it puts in the place of the old rules in one step, between two requests.
"""

import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from lectr_lab.config.text_files import text_of
from lectr_lab.core.errors import ConfigError
from lectr_lab.core.registry import Registry
from lectr_lab.core.routing.rules import Rule
from lectr_lab.core.routing.rules_file import read_rules
from lectr_lab.files import read_regular
from lectr_lab.proxy.stderr import say

_say = partial(say, code="rules")
_EVERY_S = 1.0
_Stamp = tuple[int, int, int]


class RuleBook:
    """The rules in force: always some, never an error. `start` it and `stop` it.

    `problem` says why the file as it is now is not followed. A file that is gone is no
    rules, once it was missed twice: editors write anew what they save.
    """

    def __init__(
        self,
        path: Path | None,
        say: Callable[[str], None] = _say,
        providers: Registry | None = None,
    ) -> None:
        self._path, self._say, self._providers = path, say, providers
        self._stamp: _Stamp | None = None
        self._missed = 0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="lectr-rules")
        self.rules: tuple[Rule, ...] = ()
        self.problem: str | None = None

    def start(self) -> None:
        """Read the file now, then look at it every second."""
        if self._path is not None:
            self.look()
            self._thread.start()

    def stop(self) -> None:
        """Look no more."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def about(self) -> dict[str, Any]:
        """For whoever looks at /health: how many rules, and what is wrong."""
        on = sum(rule.enabled for rule in self.rules)
        return {"in_force": on, "problem": self.problem}

    def look(self) -> None:
        """Follow the file, if it is another than at the last look. Never raises."""
        if self._path is None:
            return
        try:
            stat = self._path.stat()
            stamp = (stat.st_ino, stat.st_mtime_ns, stat.st_size)
            if stamp == self._stamp:
                return
            name = self._path.name
            text = text_of(read_regular(self._path), name)
            rules = read_rules(text, name, self._providers)
            self._stamp, self._missed = stamp, 0
            self._follow(rules)
        except FileNotFoundError:
            self._gone()
        except ConfigError as error:
            self._stamp, self._missed = stamp, 0
            self._keep(str(error))
        except Exception as error:  # noqa: BLE001 - the next look may go better
            self._stamp = None
            self._keep(f"{self._path.name} cannot be read: {type(error).__name__}.")

    def _run(self) -> None:
        while not self._stopping.wait(_EVERY_S):
            self.look()

    def _gone(self) -> None:
        self._missed += 1
        if self._missed > 1 and (self.rules or self.problem):
            self._stamp = None
            self._follow(())

    def _follow(self, rules: tuple[Rule, ...]) -> None:
        if rules != self.rules or self.problem:
            self.rules, self.problem = rules, None
            on = sum(rule.enabled for rule in rules)
            self._say(f"rules: {on} in force, {len(rules) - on} disabled.")

    def _keep(self, problem: str) -> None:
        first, _, _ = problem.partition("\n")
        if first != self.problem:
            self.problem = first
            self._say(f"{problem}\nThe {len(self.rules)} rules read before stay.")
