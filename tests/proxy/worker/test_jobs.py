"""What a worker is asked and answers, at a real socket."""

import gzip
import json
import socket
import threading

import pytest

from lectr_lab.core.llm_api.lenient_json import QUICK_BYTES
from lectr_lab.core.llm_api.reply import ReplyFacts, ReplyReader
from lectr_lab.core.llm_api.request import read_names, read_request
from lectr_lab.core.llm_api.splice import model_place
from lectr_lab.core.prefix.joints import read_prompt
from lectr_lab.core.prefix.rules import rule_of
from lectr_lab.proxy.worker.jobs import (
    CountTokens,
    NamesAnswer,
    PromptAnswer,
    ReadNames,
    ReadPrompt,
    ReadReply,
    ReadRequest,
    ReplyAnswer,
    RequestAnswer,
    TokensAnswer,
    answer_job,
    decoded,
    receive,
    send_job,
)

TEXT = "word " * QUICK_BYTES
BODY = json.dumps(
    {"model": "gpt-4o", "messages": [{"role": "user", "content": TEXT}]}
).encode()
REPLY = json.dumps({"model": "m", "usage": {"prompt_tokens": 7}, "pad": TEXT}).encode()
STREAM = b'data: {"choices":[{"delta":{"content":"Hello, world!"}}]}\n\n'
SMALL = b'{"messages":[{"role":"user","content":"Hi"}]}'


def answer_to(job, texts, kind):
    """What comes back, when a job goes to the other end of a socket."""
    ours, its = socket.socketpair()
    with ours, its:
        ours.settimeout(30)
        worker = threading.Thread(target=answer_job, args=(its,))
        worker.start()
        send_job(ours, job, texts)
        answer = receive(ours)
        worker.join()
    return decoded(answer, kind) if answer else None


def test_the_answers_are_those_of_the_functions():
    """The same facts as are read here."""
    request = answer_to(ReadRequest("chat"), [BODY], RequestAnswer)
    names = answer_to(ReadNames("chat"), [BODY], NamesAnswer)

    assert request == (read_request(BODY, "chat"),)
    assert names == (read_names(BODY, "chat"), model_place(BODY, "gpt-4o"))


def test_a_compressed_body_is_read_as_what_it_is():
    """Where its model is written is of no use: it is not changed."""
    packed = gzip.compress(BODY)
    request = answer_to(ReadRequest("chat", "gzip"), [packed], RequestAnswer)
    names = answer_to(ReadNames("chat", "gzip"), [packed], NamesAnswer)

    assert request == (read_request(BODY, "chat"),)
    assert names == (read_names(BODY, "chat"), None)
    assert answer_to(ReadRequest("chat", "br"), [packed], RequestAnswer) == (None,)
    assert answer_to(ReadNames("chat", "br"), [packed], NamesAnswer) == (None, None)


@pytest.mark.parametrize("body", [b"", b"[]", b"\xff", b'{"model": 7}'])
def test_a_body_without_names_is_answered_too(body):
    """Nothing is known, and that is no failure."""
    request = answer_to(ReadRequest("chat"), [body], RequestAnswer)

    assert request == (read_request(body, "chat"),)
    assert answer_to(ReadNames("chat"), [body], NamesAnswer)[1] is None


def test_a_reply_is_read_to_its_end():
    """In the pieces that it came in."""
    reader = ReplyReader("chat", 200, "", "")
    for start in range(0, len(REPLY), 100_000):
        reader.feed(REPLY[start : start + 100_000])
        while reader.behind:
            reader.read_on()
    unread = reader.end()
    assert unread is not None

    told = answer_to(ReadReply(unread), reader.unread_texts, ReplyAnswer)

    assert told[0] == ReplyFacts(
        model_actual="m", input_tokens=7, token_source="provider"
    )


def test_tokens_are_counted():
    """Of the prompt and of the answer."""
    job = CountTokens("o200k_base", "chat", "")

    assert answer_to(job, [SMALL, STREAM[:20], STREAM[20:]], TokensAnswer) == (8, 4)


def test_a_job_that_fails_is_answered_with_nothing():
    """And its message, which could hold a text, goes nowhere."""
    assert answer_to(CountTokens("no_such", "chat", ""), [SMALL, STREAM], tuple) is None


def test_when_the_proxy_is_gone_there_is_no_job():
    """Nor is half of one."""
    ours, its = socket.socketpair()
    with its:
        with ours:
            ours.sendall(b"\0\0")

        assert not answer_job(its)


def test_a_prompts_joints_are_those_that_are_read_here():
    """Under the key that was sent along, compressed or not; of no prompt there are none."""
    key, rule = b"k" * 32, rule_of("openai", "gpt-4o")
    here = read_prompt(BODY, rule, key)
    for coding, data in (("", BODY), ("gzip", gzip.compress(BODY))):
        job = ReadPrompt("openai", "gpt-4o", coding, key, False)
        assert answer_to(job, [data], PromptAnswer) == (here,)
        assert answer_to(job, [b"no JSON"], PromptAnswer) == (None,)


@pytest.mark.parametrize(
    "texts",
    [
        [],
        [b""],
        [b"a" * 40_000_000],
        [b"%d" % n for n in range(1500)],
        [b"", b"x" * 3_000_000, b"", b"y", b"z" * 3_000_000, b""] * 2,
    ],
    ids=["none", "empty", "large", "many", "mixed"],
)
def test_what_is_beside_a_job_arrives_whole(texts):
    """However many pieces, and whatever the socket takes at once."""
    ours, its = socket.socketpair()
    ours.settimeout(30)
    job = ReadNames("chat")
    arrived = bytearray()

    def read() -> None:
        while data := its.recv(1 << 20):
            arrived.extend(data)

    with its, ours:
        reader = threading.Thread(target=read)
        reader.start()
        send_job(ours, job, texts)
        ours.shutdown(socket.SHUT_WR)
        reader.join(30)

    whole = b"".join(texts)
    length = int.from_bytes(arrived[:8])
    assert arrived[8 + length :] == whole
