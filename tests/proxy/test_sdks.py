"""The stock SDKs, pointed at the proxy, notice nothing."""

import asyncio
import json
import shutil
import subprocess

import anthropic
import groq
import openai
import pytest

from lectr_lab.tape.cassette import read_cassette

SAY_HI = [{"role": "user", "content": "hi"}]
TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}
COUNTS = {"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 10}


def reply_json(provider, value, status: int = 200, headers: bytes = b"") -> None:
    """Answer with this value."""
    body = json.dumps(value).encode()
    provider.reply(
        b"HTTP/1.1 %d X\r\ncontent-type: application/json\r\nconnection: close\r\n"
        b"content-length: %d\r\n%s\r\n%s" % (status, len(body), headers, body)
    )


def reply_recorded(provider, path) -> None:
    """Answer with the last reply of a recording."""
    one = read_cassette(path)[-1]
    head = b"".join(b"%s: %s\r\n" % h for h in one.response_headers)
    provider.reply(
        b"HTTP/1.1 %d X\r\nconnection: close\r\n%s\r\n%s" % (one.status, head, one.body)
    )


def chat(message: dict) -> dict:
    """A chat reply that holds a message."""
    choice = {"index": 0, "finish_reason": "stop", "message": message}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "gpt-4o-mini-2024-07-18",
        "choices": [choice],
        "usage": COUNTS,
    }


@pytest.fixture
def client(standing):
    """OpenAI's, with our key in a default header."""
    _, proxy = standing
    with openai.OpenAI(
        base_url=f"{proxy.url}/v1",
        api_key="sk-mine",
        default_headers={"X-Lectr-Key": proxy.keys()["X-Lectr-Key"]},
    ) as made:
        yield made


@pytest.fixture
def claude(standing):
    """Anthropic's, likewise: it keeps its key in a header of its own."""
    _, proxy = standing
    with anthropic.Anthropic(
        base_url=proxy.url,
        api_key="sk-ant-mine",
        default_headers={"X-Lectr-Key": proxy.keys()["X-Lectr-Key"]},
    ) as made:
        yield made


def test_openai_chat(standing, client):
    """The plain call."""
    reply_json(standing[0], chat({"role": "assistant", "content": "hello"}))

    said = client.chat.completions.create(model="gpt-4o-mini", messages=SAY_HI)

    assert said.choices[0].message.content == "hello"
    assert said.usage.prompt_tokens == 9


def test_openai_stream(standing, client, shared):
    """A recorded stream, with its usage."""
    name = "elastic__elastic-otel-python-instrumentations__test_chat_stream_with_include_usage_option"
    reply_recorded(standing[0], shared / f"cassettes/openai/{name}.yaml")

    stream = client.chat.completions.create(
        model="gpt-4o-mini",
        messages=SAY_HI,
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = list(stream)

    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert chunks[-1].usage.completion_tokens > 0


def test_openai_async(standing):
    """The asynchronous client, plain and streaming."""
    provider, proxy = standing
    reply_json(provider, chat({"role": "assistant", "content": "hello"}))

    async def go():
        async with openai.AsyncOpenAI(
            base_url=f"{proxy.url}/v1",
            api_key="sk-mine",
            default_headers={"X-Lectr-Key": proxy.keys()["X-Lectr-Key"]},
        ) as client:
            said = await client.chat.completions.create(model="m", messages=SAY_HI)
            provider.reply(
                b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
                b"connection: close\r\n\r\n"
                b'data: {"id":"1","object":"chat.completion.chunk","created":1,"model":'
                b'"m","choices":[{"index":0,"delta":{"content":"hey"}}]}\n\n'
                b"data: [DONE]\n\n"
            )
            stream = await client.chat.completions.create(
                model="m", messages=SAY_HI, stream=True
            )
            return said, [chunk async for chunk in stream]

    said, chunks = asyncio.run(go())

    assert said.choices[0].message.content == "hello"
    assert [c.choices[0].delta.content for c in chunks] == ["hey"]


def test_openai_tools(standing, client):
    """A tool call comes back as one."""
    call = {"name": "get_weather", "arguments": '{"city": "Oslo"}'}
    tool_call = {"id": "call_1", "type": "function", "function": call}
    message = {"role": "assistant", "content": None, "tool_calls": [tool_call]}
    reply_json(standing[0], chat(message))

    said = client.chat.completions.create(model="m", messages=SAY_HI, tools=[TOOL])

    [got] = said.choices[0].message.tool_calls
    assert json.loads(got.function.arguments) == {"city": "Oslo"}
    assert json.loads(standing[0].received[-1].body)["tools"] == [TOOL]


def test_openai_structured_output(standing, client):
    """A schema goes out, an object comes back."""
    content = {"role": "assistant", "content": '{"city": "Oslo"}'}
    reply_json(standing[0], chat(content))
    schema = {"type": "object", "properties": {"city": {"type": "string"}}}
    form = {"type": "json_schema", "json_schema": {"name": "c", "schema": schema}}

    said = client.chat.completions.create(
        model="m", messages=SAY_HI, response_format=form
    )

    assert json.loads(said.choices[0].message.content) == {"city": "Oslo"}
    assert json.loads(standing[0].received[-1].body)["response_format"] == form


def test_openai_embeddings_and_models(standing, client):
    """Numbers in their compact form; a list by GET."""
    entry = {"object": "embedding", "index": 0, "embedding": "AACAPwAAAEA="}
    value = {"object": "list", "data": [entry], "model": "m", "usage": COUNTS}
    reply_json(standing[0], value)
    embedded = client.embeddings.create(model="text-embedding-3-small", input="a")
    model = {"id": "gpt-4o", "object": "model", "created": 1, "owned_by": "o"}
    reply_json(standing[0], {"object": "list", "data": [model]})
    models = client.models.list()

    assert embedded.data[0].embedding == [1.0, 2.0]
    assert [m.id for m in models] == ["gpt-4o"]


def test_openai_responses(standing, client, shared):
    """A recorded stream of the responses API."""
    name = "Mirascope__mirascope__openai_gpt_4o_responses.stream"
    reply_recorded(standing[0], shared / f"cassettes/openai/{name}.yaml")

    events = list(client.responses.create(model="gpt-4o", input="hi", stream=True))

    assert events[-1].type == "response.completed"
    assert events[-1].response.usage.output_tokens > 0


def test_openais_own_retries_are_left_to_it(standing, client):
    """429 with retry-after passes; the second try succeeds, and counts itself."""
    provider, _ = standing
    body = b'{"error":{"message":"slow down","type":"requests","code":"rate_limit"}}'
    answers = [
        b"HTTP/1.1 429 X\r\nretry-after: 0.01\r\ncontent-length: %d\r\n\r\n%s"
        % (len(body), body),
        b"HTTP/1.1 200 X\r\ncontent-length: 2\r\ncontent-type: application/json\r\n\r\n{}",
    ]
    provider.answer = lambda sock, _: sock.sendall(answers.pop(0))
    asked_before = len(provider.received)

    client.chat.completions.create(model="m", messages=SAY_HI)

    counts = [dict(r.headers)["x-stainless-retry-count"] for r in provider.received]
    assert counts[asked_before:] == ["0", "1"]


def test_openais_exceptions_are_its_own(standing, client):
    """A provider's error, and one of the proxy's, become what the SDK has for them."""
    body = {"error": {"message": "no such model", "type": "t", "code": "c"}}
    reply_json(standing[0], body, 404)

    with pytest.raises(openai.NotFoundError, match="no such model"):
        client.chat.completions.create(model="m", messages=SAY_HI)
    with pytest.raises(openai.AuthenticationError, match="X-Lectr-Key"):
        client.chat.completions.create(
            model="m", messages=SAY_HI, extra_headers={"X-Lectr-Key": "lc_key_no"}
        )


MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-x",
    "content": [{"type": "text", "text": "hello"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 3, "output_tokens": 1},
}


def test_anthropic_messages(standing, claude):
    """The key goes on in its own header, and the version as the client sent it."""
    provider, _ = standing
    reply_json(provider, MESSAGE)

    said = claude.messages.create(model="claude-x", max_tokens=9, messages=SAY_HI)

    received = provider.received[-1]
    assert said.content[0].text == "hello"
    assert received.line == "POST /anthropic/v1/messages HTTP/1.1"
    assert ("x-api-key", "sk-ant-mine") in received.headers
    assert "anthropic-version" in dict(received.headers)


def test_anthropic_with_a_token(standing):
    """`auth_token` comes as a bearer and leaves in the one header of the target."""
    provider, proxy = standing
    reply_json(provider, MESSAGE)
    with anthropic.Anthropic(
        base_url=proxy.url,
        auth_token="token-mine",
        default_headers={"X-Lectr-Key": proxy.keys()["X-Lectr-Key"]},
    ) as client:
        client.messages.create(model="claude-x", max_tokens=9, messages=SAY_HI)

    received = provider.received[-1]
    assert ("x-api-key", "token-mine") in received.headers
    assert "authorization" not in dict(received.headers)


def test_anthropic_stream(standing, claude, shared):
    """A recorded stream, put together by the SDK."""
    name = "simonw__llm-anthropic__test_sonnet_46_effort_without_thinking"
    reply_recorded(standing[0], shared / f"cassettes/anthropic/{name}.yaml")

    with claude.messages.stream(
        model="claude-sonnet-4-6", max_tokens=9, messages=SAY_HI
    ) as stream:
        text = "".join(stream.text_stream)
        final = stream.get_final_message()

    assert text
    assert final.usage.output_tokens > 0


def test_groq(standing, shared):
    """Its SDK asks under /openai/v1, which is where Groq is."""
    provider, proxy = standing
    name = "Scale3-Labs__langtrace-python-sdk__test_chat_completion_streaming"
    reply_recorded(provider, shared / f"cassettes/groq/{name}.yaml")
    with groq.Groq(
        base_url=proxy.url,
        api_key="gsk_mine",
        default_headers={"X-Lectr-Key": proxy.keys()["X-Lectr-Key"]},
    ) as client:
        stream = client.chat.completions.create(
            model="llama3-8b-8192", messages=SAY_HI, stream=True
        )
        text = "".join(chunk.choices[0].delta.content or "" for chunk in stream)

    assert text
    assert provider.received[-1].line == (
        "POST /groq/openai/v1/chat/completions HTTP/1.1"
    )


JAVA = """
import java.net.URI;
import java.net.http.*;

public class Two {
    public static void main(String[] args) throws Exception {
        HttpClient client = HttpClient.newHttpClient();  // it offers h2c each time
        for (int i = 0; i < 2; i++) {
            HttpRequest request = HttpRequest.newBuilder(URI.create(args[0]))
                .header("X-Lectr-Key", args[1]).header("Authorization", "Bearer sk-j")
                .POST(HttpRequest.BodyPublishers.ofString("{\\"model\\":\\"gpt-4o\\"}"))
                .build();
            HttpResponse<String> reply =
                client.send(request, HttpResponse.BodyHandlers.ofString());
            System.out.println(reply.version() + " " + reply.statusCode()
                + " " + reply.body());
        }
    }
}
"""


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("java") is None, reason="needs a JDK of 11 or later")
def test_javas_own_client_is_answered_in_http_1_1(standing, tmp_path):
    """Its offers of HTTP/2 are passed over, with its body, on one connection."""
    provider, proxy = standing
    reply_json(provider, chat({"role": "assistant", "content": "hi"}))
    program = tmp_path / "Two.java"
    program.write_text(JAVA)
    url = f"{proxy.url}/v1/chat/completions"

    done = subprocess.run(
        ["java", program, url, proxy.keys()["X-Lectr-Key"]],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert [line.split(" ", 2)[:2] for line in lines] == [["HTTP_1_1", "200"]] * 2
    assert all('"hi"' in line for line in lines)
    assert [one.body for one in provider.received[-2:]] == [b'{"model":"gpt-4o"}'] * 2
