"""The files that `lectr-lab init` writes: comments, to be changed."""

from pathlib import Path
from textwrap import indent

from lectr_lab.clients import shell_lines
from lectr_lab.core.errors import ConfigError
from lectr_lab.core.routing.rules_file import RULES_FILE

SETTINGS = """\
# What the proxy is told. Every line may be left out: these are the defaults.
lab = "lab"            # the folder of the log, relative to this file
host = "127.0.0.1"
port = 8484

# Names by which /health and /v1/orgs may be asked for, beside addresses and localhost.
# allowed_hosts = ["proxy.example"]

# For clients that cannot send headers: http://127.0.0.1:8484/key/<lc_key>/v1
# key_in_path = true

# One server for everything: a local llama.cpp, Ollama or vLLM. Or recorded traffic: give
# it a lab of its own, for nobody pays for a replay.
# upstream = "http://127.0.0.1:8080/v1"
# upstream = "tape:cassettes/llama"

# Of closed days, the log keeps the provider's ids of failed calls alone; or of all:
# keep_request_ids = true

# Your Azure endpoint, asked where a request says X-Lectr-Provider: azure.
# [azure]
# endpoint = "https://<your resource>.openai.azure.com"
# api_version = "2024-10-21"

# Your own key of a provider, by the name of its environment variable: used where a rule
# in rules.toml sends a request there that was for another.
# [providers.groq]
# operator_key_env = "GROQ_API_KEY"

# Ask a candidate again what a share of requests asked, after their clients have their
# replies, under your own key: how far the answers agree is logged as a number.
# [shadow]
# provider = "groq"
# model = "llama-3.1-8b-instant"
# share = 0.01
# features = ["faq"]
# calls_per_day = 500

# What one organisation may do. Nothing is limited unless it is said here.
# [orgs.my-team]
# requests_per_minute = 600
# concurrent_streams = 20
# daily_spend_usd = 50.0

# What may be spent: by day, week, month or run (a session of an agent); for all, or for
# each org, key, feature, user or session, or for the one that is named. "warn" says so,
# "stop" refuses what could cost more than is left. `lectr-lab budgets` shows each.
# [[budget]]
# usd = 20
# per = "day"
# for = { feature = "faq" }
# action = "stop"
# tz = "Europe/Berlin"

# Look each minute for what is odd, and for budgets that are reached, beside the proxy;
# tell of each once. The URL of a webhook is in the environment, never here.
# [watch]
# file = "odd.jsonl"
# command = ["notify-send", "lectr-lab"]
# [watch.webhook]
# url_env = "SLACK_WEBHOOK_URL"
# form = "slack"

# Put sealed rows into an object store beside the proxy, for `lectr.scan("s3://…")` to
# read what many proxies logged. Credentials are in the environment, never here.
# [ship]
# to = "s3://bucket/prefix"
# every_s = 900
"""

RULES = """\
# Which model a request is sent to. The first enabled rule that matches decides, the one
# of priority 1 first; a condition that is left out always holds, and a * at the end of a
# feature or model stands for any ending. A running proxy follows a change within seconds.
# `lectr-lab rules check` says what to look at again.

# [[rules]]
# name = "faq-to-mini"
# priority = 1
# when = { feature = "faq", task = "classification", model = "gpt-4o" }
# then = { model = "gpt-4o-mini" }

# To another provider, under your own key of it. In lectr.toml:
#   [providers.groq]
#   operator_key_env = "GROQ_API_KEY"
# [[rules]]
# name = "drafts-to-groq"
# priority = 2
# when = { feature = "drafts" }
# then = { provider = "groq", model = "llama-3.1-8b-instant" }
"""


def write_rules(folder: Path) -> None:
    """Write a file of rules to begin with, all of them comments; an older one stays.

    Raises:
        ConfigError: it cannot be written.
    """
    file = folder / RULES_FILE
    try:
        with file.open("x", encoding="utf-8") as new:
            new.write(RULES)
    except FileExistsError:
        return
    except OSError as error:
        raise ConfigError(f"{file} cannot be written: {error.strerror}.") from None


def environment(base_url: str) -> str:
    """The variables that point programs at a proxy, unchanged."""
    lines = indent(shell_lines(base_url), "  ")
    return (
        "Point programs at it, unchanged (`lectr-lab run -- PROGRAM` does all of this\n"
        f"for one program, coding agents included):\n\n{lines}"
    )
