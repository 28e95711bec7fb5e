"""The plugin, as a user's pytest runs it."""

import json
import os
from importlib.util import find_spec

import pytest

from lectr_lab.tape.cassette import read_cassette
from lectr_lab.tape.scrub import RecordedCall
from lectr_lab.tape.timing_file import Timing, side_path
from lectr_lab.tape.write import write_cassette
from lectr_lab.testing.replay import replay

pytest_plugins = ["pytester"]

ASKED = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "hi"}]}
SAID = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-4o-mini-2024-07-18",
    "choices": [
        {
            "index": 0,
            "finish_reason": "stop",
            "message": {"role": "assistant", "content": "hello"},
        }
    ],
    "usage": {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100},
}
CREATE = f"chat.completions.create(**{ASKED!r})"


@pytest.fixture(scope="module")
def cassette(tmp_path_factory):
    """Write a cassette with one chat that took 812.345 ms."""

    def written(path):
        answer = json.dumps(SAID).encode()
        call = RecordedCall(
            method="POST",
            url="https://api.openai.com/v1/chat/completions",
            request_headers=((b"content-type", b"application/json"),),
            request_body=json.dumps(ASKED).encode(),
            status=200,
            response_headers=((b"content-type", b"application/json"),),
            chunks=(answer,),
        )
        chunks = ((len(answer), 812.345),)
        timing = Timing(started_ms=0, head_ms=800.0, chunks=chunks)
        write_cassette(path, [(call, timing)])
        return path

    # Load now what tests would load: pytester unloads what came during its run, and
    # compiled modules do not bear to be loaded twice.
    with replay(written(tmp_path_factory.mktemp("warm") / "chat.yaml")) as proxy:
        proxy.openai().chat.completions.create(**ASKED)
        proxy.assert_budget(p95_ms=1000)
    return written


@pytest.fixture
def run(pytester, monkeypatch):
    """Run tests of this text as a user's pytest does."""
    monkeypatch.setenv("OPENAI_API_KEY", "")

    def ran(text, *options):
        pytester.makepyfile(test_app=text)
        return pytester.runpytest_inprocess("-p", "no:cacheprovider", *options)

    return ran


def test_an_application_is_tested_on_its_cassette(run, cassette, pytester):
    """Clients it makes itself, ready ones, sync and async; figures are the recording's.

    The default path is pytest-recording's; a marker names another.
    """
    for name in ("test_own_client", "TestApp.test_ready_client"):
        cassette(pytester.path / f"cassettes/test_app/{name}.yaml")
    cassette(pytester.path / "other.yaml")
    done = run(
        f"""
        import os, socket
        import openai, pytest

        def test_own_client(lectr):
            with openai.OpenAI() as client:
                assert client.{CREATE}.choices[0].message.content == "hello"
            [row] = lectr.events().iter_rows(named=True)
            assert (row["total_ms"], row["ttfb_ms"]) == (812.345, 800.0)
            assert row["cost_usd"] == pytest.approx(0.00021)
            lectr.assert_budget(usd_per_call=0.00022, p95_ms=812.345, error_rate=0)

        class TestApp:
            def test_ready_client(self, lectr):
                lectr.openai(feature="chat").{CREATE}
                assert lectr.events()["feature"].to_list() == ["chat"]

        @pytest.mark.anyio
        @pytest.mark.parametrize("anyio_backend", ["asyncio"])
        @pytest.mark.lectr("other.yaml")
        async def test_async(lectr, anyio_backend):
            async with lectr.async_openai(task="generation") as client:
                await client.{CREATE}
            assert lectr.events()["task"].to_list() == ["generation"]

        @pytest.mark.lectr("other.yaml", ignore=["messages"])
        def test_other_words(lectr):
            lectr.openai().chat.completions.create(model="gpt-4o-mini", messages=[])

        @pytest.mark.lectr("other.yaml")
        def test_nothing_else_is_reached(lectr):
            with pytest.raises(RuntimeError, match="only loopback"):
                socket.create_connection(("192.0.2.1", 9))
            with pytest.raises(RuntimeError, match=r"reach example\\.com"):
                socket.create_connection(("example.com", 443))

        def test_afterwards_all_is_as_before():
            assert "LECTR_KEY" not in os.environ
            assert socket.socket.connect.__name__ == "connect"
        """,
        "-Werror",
    )

    done.assert_outcomes(passed=6)


def test_a_broken_budget_shows_where_the_money_went(run, cassette, pytester):
    """The limit, what was found, and a line per feature and model."""
    cassette(pytester.path / "chat.yaml")
    done = run(
        f"""
        import pytest
        pytestmark = pytest.mark.lectr("chat.yaml")

        def test_cost(lectr):
            lectr.openai(feature="chat").{CREATE}
            lectr.assert_budget(feature="chat", usd_per_call=0.0001, p95_ms=1000)
        """
    )

    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(
        [
            "*Over budget: 1 call of chat",
            "*OVER cost per call: $0.00021; allowed $0.00010",
            "*ok   total p95: 812 ms; allowed 1.0 s",
            "*chat *gpt-4o-mini-2024-07-18 *1 *$0.00021 *1,000 *100 *812 ms *0",
        ]
    )


def test_latency_without_recorded_times_is_no_pass(run, cassette, pytester):
    """A cassette of stock vcrpy has no side file, so nothing was measured."""
    side_path(cassette(pytester.path / "chat.yaml")).unlink()
    done = run(
        f"""
        import pytest

        @pytest.mark.lectr("chat.yaml")
        def test_latency(lectr):
            lectr.openai().{CREATE}
            lectr.assert_budget(usd_per_call=0.01)
            lectr.assert_budget(p95_ms=1000)
        """
    )

    done.assert_outcomes(failed=1)
    done.stdout.fnmatch_lines(["*#1 was recorded without times*"])


def test_what_cannot_be_played_says_so(run, cassette, pytester):
    """A missing cassette, an unknown option, a request that was not recorded."""
    cassette(pytester.path / "chat.yaml")
    done = run(
        """
        import pytest

        def test_missing(lectr): ...

        @pytest.mark.lectr("chat.yaml", speed=2)
        def test_option(lectr): ...

        @pytest.mark.lectr("chat.yaml")
        def test_miss(lectr):
            lectr.openai(max_retries=0).chat.completions.create(
                model="gpt-4o-mini", messages=[])
        """
    )

    done.assert_outcomes(failed=1, errors=2)
    done.stdout.fnmatch_lines(
        [
            "*There is no cassette at *cassettes/test_app/test_missing.yaml*",
            "*pytest.mark.lectr: speed. It is lectr(cassette, *",
            "*The nearest is *chat.yaml #1; what differs: body.messages*",
        ]
    )


RECORDING = f"""
import pytest

@pytest.fixture
def lectr_config():
    return {{"upstream": "<upstream>"}}

def test_chat(lectr):
    reply = lectr.openai().{CREATE}
    assert reply.choices[0].message.content == "hello"

"""
TWO = RECORDING + "    lectr.openai().models.list()\n"


def test_what_a_run_may_record(run, cassette, pytester, origin):
    """once: where there is nothing. new_episodes: what is missing. rewrite: anew."""
    path = pytester.path / "cassettes/test_app/test_chat.yaml"
    [one] = read_cassette(cassette(pytester.path / "source.yaml"))
    origin.play(one)  # whatever it is asked
    text, two = (t.replace("<upstream>", f"{origin.url}/v1") for t in (RECORDING, TWO))
    run(text, "--record-mode=once").assert_outcomes(passed=1)
    first = path.read_bytes()
    run(two, "--record-mode=once").assert_outcomes(failed=1)
    assert path.read_bytes() == first
    run(two, "--record-mode=new_episodes").assert_outcomes(passed=1)
    second = path.read_bytes()
    run(text, "--record-mode=rewrite").assert_outcomes(passed=1)
    origin.pieces = []  # nobody answers any more
    run(text).assert_outcomes(passed=1)

    assert second.count(b"- request:") == 2  # the chat, and /models
    assert path.read_bytes().count(b"- request:") == 1


@pytest.mark.slow
def test_it_works_with_xdist(run, cassette, pytester):
    """Each worker's tests have proxies of their own."""
    cassette(pytester.path / "chat.yaml")
    done = run(
        f"""
        import pytest

        @pytest.mark.parametrize("n", range(6))
        @pytest.mark.lectr("chat.yaml")
        def test_chat(lectr, n):
            lectr.openai().{CREATE}
            assert lectr.events().height == 1
        """,
        "-n2",
    )

    done.assert_outcomes(passed=6)


@pytest.mark.skipif(
    find_spec("pytest_recording") is None and os.environ.get("CI") != "true",
    reason="needs pytest-recording",
)
def test_it_lives_beside_pytest_recording(run, cassette, pytester):
    """One --record-mode serves both, whichever plugin comes first."""
    cassette(pytester.path / "chat.yaml")
    text = f"""
        import pytest

        @pytest.mark.lectr("chat.yaml")
        def test_chat(lectr, record_mode):
            assert record_mode == "none"
            lectr.openai().{CREATE}
        """

    run(text, "--record-mode=none").assert_outcomes(passed=1)
    alone = run("def test_alone(lectr_config): ...", "-p", "no:recording")
    alone.assert_outcomes(passed=1)
