"""What is measured: no gateway at all, ours, and others that are found here.

Each is a context that yields where it listens, the headers it wants, and its processes.
"""

import http.client
import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from lectr_lab.bench.instant_provider import STREAM_MARK
from lectr_lab.bench.process import family
from lectr_lab.config.settings import ProviderSettings, Settings
from lectr_lab.core.errors import ProxyError
from lectr_lab.launch import Child, Order, Session
from lectr_lab.log.folder import LabFolder
from lectr_lab.log.key_file import create_key

HOW_TO_INSTALL = """\
nginx     apt-get install nginx-light        (proxy_pass: the floor)
Portkey   npm install @portkey-ai/gateway    (here, or with -g)
LiteLLM   pip install 'litellm[proxy]'       (any environment whose litellm is on PATH)
"""
_PATH = "/v1/chat/completions"
_STARTS_WITHIN_S = 90.0
_PROMPT = "How long does a proxy take? Answer as briefly as you can, please. " * 12


class Gateway(NamedTuple):
    """One that runs."""

    port: int
    headers: tuple[tuple[str, str], ...] = ()
    pids: tuple[int, ...] = ()

    def request(self, *, stream: bool) -> bytes:
        """A chat request of about 1 KB, as the bytes that go out."""
        text = {"role": "user", "content": _PROMPT}
        body: dict[str, object] = {"model": "gpt-4o-mini", "messages": [text]}
        data = json.dumps(body | ({"stream": True} if stream else {})).encode()
        data = data.replace(b'"stream": true', STREAM_MARK)
        headers = (
            ("Host", f"127.0.0.1:{self.port}"),
            ("Content-Type", "application/json"),
            ("Accept", "application/json"),
            ("User-Agent", "OpenAI/Python 3.57.0"),
            ("Authorization", "Bearer sk-bench"),
            ("Content-Length", str(len(data))),
            *self.headers,
        )
        lines = [f"POST {_PATH} HTTP/1.1", *(f"{n}: {v}" for n, v in headers)]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + data


Start = Callable[[int, Path], AbstractContextManager[Gateway]]
"""Takes the provider's port and a folder for what it writes."""


def found() -> dict[str, Start]:
    """Those that are installed, by name: nothing in between first, then ours."""
    others = {"nginx": (_nginx_program(), nginx), "portkey": (_portkey(), portkey)}
    others["litellm"] = (shutil.which("litellm"), litellm)
    named: dict[str, Start] = {"direct": direct, "lectr-lab": ours}
    return named | {name: start for name, (path, start) in others.items() if path}


@contextmanager
def direct(upstream_port: int, _: Path) -> Iterator[Gateway]:
    """Nothing in between."""
    yield Gateway(upstream_port)


@contextmanager
def ours(upstream_port: int, folder: Path, **more: Any) -> Iterator[Gateway]:
    """The proxy with its log, as `lectr-lab serve` runs it; `more` are settings."""
    openai = ProviderSettings(base_url=f"http://127.0.0.1:{upstream_port}/v1")
    lab, providers = str(folder / "lab"), {"openai": openai}
    settings = Settings(lab=lab, port=0, providers=providers, **more)
    session = Session(org="bench")
    child = Child(Order(settings=settings, session=session))
    try:
        port = int(child.base_url.rpartition(":")[2])
        yield Gateway(port, (("X-Lectr-Key", session.key),), (child.pid,))
    finally:
        child.stop()


@contextmanager
def several(upstream_port: int, folder: Path, workers: int) -> Iterator[Gateway]:
    """The same with several processes at its port; their parent's time is theirs."""
    _, key = create_key(LabFolder.create(folder / "lab"), "bench")
    config = folder / "lectr.toml"
    config.write_text(_SEVERAL % (workers, upstream_port))
    process = subprocess.Popen(
        [sys.executable, "-m", "lectr_lab.cli", "serve", "--config", str(config)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl-C is ours: it is stopped below
    )
    assert process.stdout is not None
    try:
        port = re.search(r":(\d+) with", process.stdout.readline())
        if port is None:
            raise ProxyError(f"{workers} workers did not start.")
        pids = tuple(family(process.pid))
        yield Gateway(int(port[1]), (("X-Lectr-Key", key),), pids)
    finally:
        process.terminate()
        process.communicate()


@contextmanager
def nginx(upstream_port: int, folder: Path) -> Iterator[Gateway]:
    """`proxy_pass` with kept connections and one worker."""
    port = _free_port()
    (folder / "nginx.conf").write_text(_NGINX % (folder, upstream_port, port))
    program = _nginx_program() or "nginx"
    command = [program, "-p", str(folder), "-c", "nginx.conf", "-e", "stderr"]
    with _running(command, Gateway(port)) as gateway:
        yield gateway


@contextmanager
def portkey(upstream_port: int, _: Path) -> Iterator[Gateway]:
    """Portkey's gateway, sent to the provider by its own header."""
    port = _free_port()
    headers = (
        ("x-portkey-provider", "openai"),
        ("x-portkey-custom-host", f"http://127.0.0.1:{upstream_port}/v1"),
    )
    command = ["node", str(_portkey()), f"--port={port}", "--headless"]
    with _running(command, Gateway(port, headers)) as gateway:
        yield gateway


@contextmanager
def litellm(upstream_port: int, folder: Path) -> Iterator[Gateway]:
    """LiteLLM's proxy with one worker and no database."""
    port = _free_port()
    parameters = {
        "model": "openai/gpt-4o-mini",
        "api_base": f"http://127.0.0.1:{upstream_port}/v1",
        "api_key": "sk-bench",
    }
    models = [{"model_name": "gpt-4o-mini", "litellm_params": parameters}]
    key = f"sk-{secrets.token_hex(24)}"  # it does not start without a strong one
    config = folder / "litellm.yaml"  # JSON is YAML
    general = {"master_key": key}
    config.write_text(json.dumps({"model_list": models, "general_settings": general}))
    command = ["litellm", "--config", str(config), "--port", str(port)]
    with_key = Gateway(port, (("x-litellm-api-key", key),))
    with _running([*command, "--host", "127.0.0.1"], with_key) as gateway:
        yield gateway


@contextmanager
def _running(command: Sequence[str], gateway: Gateway) -> Iterator[Gateway]:
    """Another's program, from its first good answer to its end."""
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is ours: it is stopped below
    )
    try:
        _wait_until_it_answers(process, gateway)
        yield gateway._replace(pids=tuple(family(process.pid)))
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_it_answers(process: subprocess.Popen[bytes], gateway: Gateway) -> None:
    head, _, body = gateway.request(stream=False).partition(b"\r\n\r\n")
    lines = (line.partition(": ") for line in head.decode().split("\r\n")[1:])
    headers = {name: value for name, _, value in lines}
    deadline_s = time.monotonic() + _STARTS_WITHIN_S
    while process.poll() is None and time.monotonic() < deadline_s:
        connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=10)
        try:
            connection.request("POST", _PATH, body, headers)
            if connection.getresponse().status == 200:
                return
        except OSError:
            pass
        finally:
            connection.close()
        time.sleep(0.1)
    raise ProxyError(
        f"{process.args!r} did not answer. Leave it out, or see with it by hand why."
    )


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port: int = sock.getsockname()[1]
        return port


def _nginx_program() -> str | None:
    return shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


def _portkey() -> Path | None:
    """The gateway's script: in ./node_modules, or where npm keeps what is global."""
    if not shutil.which("node"):
        return None
    roots = [Path("node_modules")]
    if shutil.which("npm"):
        command = ["npm", "root", "-g"]
        told = subprocess.run(command, capture_output=True, text=True, check=False)
        roots.append(Path(told.stdout.strip()))
    scripts = [root / "@portkey-ai/gateway/build/start-server.js" for root in roots]
    return next((script for script in scripts if script.is_file()), None)


_SEVERAL = """\
port = 0
workers = %d
[providers.openai]
base_url = "http://127.0.0.1:%d/v1"
"""

_NGINX = """\
daemon off;
worker_processes 1;
pid %s/nginx.pid;
error_log stderr crit;
events { worker_connections 1024; }
http {
  access_log off;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  keepalive_requests 100000000;
  upstream provider {
    server 127.0.0.1:%d;
    keepalive 128;
    keepalive_requests 100000000;
  }
  server {
    listen 127.0.0.1:%d backlog=1024;
    location / {
      proxy_pass http://provider;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
    }
  }
}
"""
