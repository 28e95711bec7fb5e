"""`[watch]` in lectr.toml: who is told of what is odd, and how."""

import math

import msgspec

_MOST_BUDGET = 10.0
_LEAST_EVERY_S = 1.0


class WebhookSettings(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True
):
    """`[watch.webhook]`: an address that is sent a JSON object for each incident.

    `url_env` names the environment variable that holds the address, `secret_env` one
    that holds a secret to sign with (`X-Lectr-Signature`). `form` is "slack" or
    "generic".
    """

    url_env: str
    form: str = "generic"
    secret_env: str | None = None


class WatchSettings(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True
):
    """What is looked for, how often, and who is told.

    Times in seconds; `budget` in false alarms a feature-week. `file` gets a line of JSON
    for each; `command` is a program and its arguments, never a shell's text, and gets
    the same JSON on its standard input.
    """

    every_s: float = 60.0
    budget: float = 0.3
    by: str = "feature"
    terminal: bool = True
    file: str | None = None
    command: tuple[str, ...] = ()
    command_timeout_s: float = 10.0
    webhook: WebhookSettings | None = None

    def fault(self) -> tuple[str, str] | None:
        """A field that cannot be followed, and what to write.

        >>> WatchSettings(budget=0).fault()
        ('budget', 'write false alarms a feature-week, above 0 and up to 10')
        """
        if not (math.isfinite(self.every_s) and self.every_s >= _LEAST_EVERY_S):
            return "every_s", "write a number of seconds, 1 at least"
        if not 0 < self.budget <= _MOST_BUDGET:
            return "budget", "write false alarms a feature-week, above 0 and up to 10"
        if not 0 < self.command_timeout_s <= 600:
            return "command_timeout_s", "write seconds above 0, up to 600"
        if not self.by.strip():
            return "by", 'name a column, such as "feature"'
        if self.command and not self.command[0].strip():
            return "command", 'begin with a program: ["notify-send", "lectr-lab"]'
        hook = self.webhook
        if hook is not None and hook.form not in ("slack", "generic"):
            return "form", 'write "slack" or "generic"'
        if hook is not None and not _is_variable(hook.url_env):
            return "url_env", 'name an environment variable: "LECTR_WEBHOOK_URL"'
        if hook and hook.secret_env is not None and not _is_variable(hook.secret_env):
            return "secret_env", "name an environment variable"
        return None


def _is_variable(name: str) -> bool:
    return name.isidentifier() and name.isascii()
