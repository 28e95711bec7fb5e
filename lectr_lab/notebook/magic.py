"""`%lectr` in IPython and Jupyter: start, stop, status and tail in one word.

`%load_ext lectr_lab` brings it.
"""

from typing import Any

from IPython.core.error import UsageError
from IPython.core.magic import Magics, line_magic, magics_class
from IPython.core.magic_arguments import argument, magic_arguments, parse_argstring

from lectr_lab.core.errors import LabError
from lectr_lab.notebook.proxy import running, start

_WORDS = ("start", "stop", "status", "tail")
_OPTIONS = ("--lab", "--upstream", "--port", "--record")


@magics_class
class LectrMagics(Magics):
    """The `%lectr` magic."""

    @magic_arguments()
    @argument("word", nargs="?", default="status", help=f"one of {', '.join(_WORDS)}")
    @argument("n", nargs="?", type=int, default=10, help="tail: how many requests")
    @argument("--lab", help="start: the folder of the log")
    @argument("--upstream", help="start: one server for everything, or tape:<path>")
    @argument("--port", type=int, help="start: where to listen")
    @argument("--record", help="start: write what passes to this cassette")
    @line_magic
    def lectr(self, line: str) -> Any:
        """Start, stop and look at the proxy of this kernel.

        Examples:

          %lectr start
          %lectr start --upstream http://127.0.0.1:8080/v1
          %lectr tail 20
          %lectr stop
        """
        arguments = parse_argstring(self.lectr, line)
        if arguments.word not in _WORDS:
            raise UsageError(f"%lectr {arguments.word}? It knows {', '.join(_WORDS)}.")
        try:
            return getattr(self, f"_{arguments.word}")(arguments)
        except LabError as error:
            raise UsageError(str(error)) from None

    def _start(self, arguments: Any) -> Any:
        wishes = {
            "upstream": arguments.upstream,
            "port": arguments.port,
            "record": arguments.record,
        }
        proxy = start(arguments.lab, **wishes)
        assert self.shell is not None
        self.shell.push({"proxy": proxy})  # the name that every example uses
        return proxy

    def _stop(self, arguments: Any) -> None:
        for proxy in running():
            proxy.stop()
            print(f"Stopped. The log stays in {proxy.lab}.")

    def _status(self, arguments: Any) -> Any:
        proxies = running()
        if not proxies:
            print("No proxy runs in this kernel. `%lectr start` starts one.")
            return None
        return proxies[-1]

    def _tail(self, arguments: Any) -> Any:
        proxy = self._status(arguments)
        return None if proxy is None else proxy.tail(arguments.n)


def completions(line: str) -> list[str]:
    """What can stand where the line ends: words first, then the options of `start`.

    >>> completions("%lectr st")
    ['start', 'stop', 'status']
    >>> completions("%lectr start --")
    ['--lab', '--upstream', '--port', '--record']
    """
    typed = line.split()[1:]
    begun = typed.pop() if typed and not line.endswith(" ") else ""
    if not typed:
        return [word for word in _WORDS if word.startswith(begun)]
    if typed[0] != "start" or typed[-1] in _OPTIONS:
        return []  # files, as everywhere
    return [o for o in _OPTIONS if o.startswith(begun) and o not in typed]


def register(ipython: Any) -> None:
    """Bring `%lectr` to a shell, and its words to the Tab key."""
    ipython.register_magics(LectrMagics)

    def complete(_: Any, event: Any) -> list[str]:
        return completions(event.line)

    for key in ("%lectr", "lectr"):
        ipython.set_hook("complete_command", complete, str_key=key)
