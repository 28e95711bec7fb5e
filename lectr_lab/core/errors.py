"""Every error a user can meet, and what each means.

LabError
├── ConfigError          lectr.toml or a price file: which file, which line, what to write
├── CassetteError        a recording that cannot be read, with its file and the reason
├── LogError             a lab folder or a file in it that cannot be used
├── MissingExtra         a part that the small install leaves out
├── ProxyError           the proxy did not start, or is not running
├── StoreError           an object store cannot be reached, or refuses
└── UpstreamError        the provider could not be asked, or broke off
    ├── UpstreamUnreachable   no connection: nothing was sent
    └── UpstreamBroken        the answer stopped before its end

Each message says what happened and what to do next. None ever holds a key, a
prompt or an answer.
"""

from lectr_lab.core.printable import printable


class LabError(Exception):
    """Something a user can put right; the message says how."""

    def __str__(self) -> str:
        """The message, whatever characters the names in it have."""
        return printable(super().__str__())


class ConfigError(LabError, ValueError):
    """A configuration file says something that cannot be followed."""


class CassetteError(LabError, ValueError):
    """A cassette cannot be read or written."""


class LogError(LabError, OSError):
    """A lab folder, or a file in it, cannot be used."""


class MissingExtra(LabError, ImportError):
    """A part is called for that is not installed; the message says what brings it."""

    def __init__(self, module: str | None, extra: str = "lab") -> None:
        package = (module or "").partition(".")[0]
        super().__init__(
            f"pip install 'lectr-lab[{extra}]' brings {package}, which is not installed.",
            name=module,
        )


class ProxyError(LabError, RuntimeError):
    """The proxy did not start, or is not there any more."""


class StoreError(LabError):
    """An object store cannot be reached, or refuses what it is asked."""


class UpstreamError(LabError):
    """A provider could not be asked, or broke off."""


class UpstreamUnreachable(UpstreamError):
    """No connection to the provider: nothing was sent."""


class UpstreamBroken(UpstreamError):
    """The provider's answer stopped before its end."""
