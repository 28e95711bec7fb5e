"""What a request in Gemini's own form asks for."""

import json
import re

import pytest

from lectr_lab.core.llm_api.request import RequestFacts, read_content, read_request

SCHEMA = {"type": "OBJECT", "properties": {"a": {"type": "ARRAY"}}}
WHOLE = {
    "systemInstruction": {"parts": [{"text": "Be brief."}, {"text": "No."}]},
    "contents": [
        {"role": "user", "parts": [{"text": "Hé?"}]},
        {"role": "model", "parts": [{"functionCall": {"name": "f", "args": {}}}]},
        {
            "parts": [
                {"functionResponse": {"response": {"out": ["42", {"x": "y"}], "n": 7}}},
                {"inlineData": {"mimeType": "image/png", "data": "xxxx"}},
                {"fileData": {"mimeType": "audio/mp3", "fileUri": "gs://x"}},
                {"text": "Hi"},
            ]
        },
    ],
    "tools": [{"functionDeclarations": [{"name": "f"}]}],
    "serviceTier": "flex",
    "generationConfig": {
        "temperature": 0.5,
        "maxOutputTokens": 200,
        "responseMimeType": "application/json",
        "responseSchema": SCHEMA,
        "thinkingConfig": {"thinkingLevel": "LOW"},
    },
}
FACTS = RequestFacts(
    service_tier_requested="flex",
    message_count=3,
    prompt_chars=20,
    system_chars=12,
    max_output_tokens=200,
    temperature=0.5,
    reasoning_effort="low",
    has_tools=True,
    has_images=True,
    has_audio=True,
    response_format="json_schema",
    schema_depth=2,
)


def asked(operation="generate_content", **body):
    """The facts of a request with this body."""
    facts = read_request(json.dumps(body).encode(), operation)
    assert facts is not None
    return facts


def in_snake_case(value):
    """The same body as Google's examples write it."""
    if isinstance(value, list):
        return [in_snake_case(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        re.sub("[A-Z]", lambda c: "_" + c[0].lower(), key): in_snake_case(each)
        for key, each in value.items()
    }


@pytest.mark.parametrize("body", [WHOLE, in_snake_case(WHOLE)])
def test_a_request_in_geminis_form_is_read_whole(body):
    """Every signal, in the columns of the other APIs, however its names are written."""
    assert asked(**body) == FACTS


def test_what_was_not_said_is_null():
    """A text and no more."""
    assert asked(contents=[{"parts": [{"text": "Hi"}]}]) == RequestFacts(
        message_count=1,
        prompt_chars=2,
        system_chars=0,
        has_tools=False,
        has_images=False,
        has_audio=False,
    )


@pytest.mark.parametrize(
    ("kind", "images", "audio"),
    [
        ("image/png", True, False),
        ("video/mp4", True, False),
        ("application/pdf", True, False),
        ("AUDIO/wav", False, True),
        ("text/plain", False, False),
        (None, True, False),
    ],
)
@pytest.mark.parametrize("place", ["inlineData", "file_data"])
def test_what_stands_beside_the_text_is_told_by_its_mime_type(
    place, kind, images, audio
):
    """A document is shown as pages; what does not say its kind is a file."""
    facts = asked(contents=[{"parts": [{place: {"mimeType": kind, "data": "x"}}]}])

    assert (facts.has_images, facts.has_audio) == (images, audio)


@pytest.mark.parametrize(
    ("config", "form", "depth"),
    [
        ({"responseMimeType": "application/json"}, "json_object", None),
        ({"responseMimeType": "text/plain"}, "text", None),
        ({"responseMimeType": "text/x.enum"}, None, None),
        ({"responseJsonSchema": {"type": "object"}}, "json_schema", 1),
        ({"responseSchema": {"type": "STRING"}}, "json_schema", 0),
        ({}, None, None),
    ],
)
def test_the_form_of_the_answer_is_read(config, form, depth):
    """A MIME type, or a schema of either kind."""
    facts = asked(generationConfig=config)

    assert (facts.response_format, facts.schema_depth) == (form, depth)


@pytest.mark.parametrize(
    ("thinking", "effort"),
    [
        ({"thinkingLevel": "HIGH"}, "high"),
        ({"thinkingBudget": 0}, "none"),
        ({"thinkingBudget": 1024}, None),
        ({"thinkingBudget": -1}, None),
        ({}, None),
    ],
)
def test_how_hard_to_think_is_a_word(thinking, effort):
    """A budget of none is one; any other is a number, and no effort's name."""
    facts = asked(generationConfig={"thinkingConfig": thinking})

    assert facts.reasoning_effort == effort


def test_the_last_words_of_the_user_and_the_schema_are_read():
    """For whoever judges an answer."""
    content = read_content(json.dumps(WHOLE).encode(), "generate_content")

    assert content == ("Hi", SCHEMA)


@pytest.mark.parametrize(
    ("body", "count", "chars"),
    [
        ({"contents": WHOLE["contents"]}, 3, 8),
        ({"generateContentRequest": WHOLE}, 3, 20),
        ({"messages": [{"role": "user", "content": "Hi"}], "system": "a"}, 1, 3),
    ],
)
def test_what_is_to_be_counted_is_measured(body, count, chars):
    """Gemini's two forms, and Anthropic's."""
    facts = asked("count_tokens", **body)

    assert (facts.message_count, facts.prompt_chars) == (count, chars)


@pytest.mark.parametrize(
    ("body", "chars"),
    [
        ({"content": {"parts": [{"text": "ab"}, {"text": "c"}]}}, 3),
        ({"requests": [{"content": {"parts": [{"text": "ab"}]}}] * 2}, 4),
        ({"input": "abcde"}, 5),
    ],
)
def test_what_is_to_be_embedded_is_measured(body, chars):
    """One text or a batch, in Gemini's form or OpenAI's."""
    assert asked("embeddings", **body).prompt_chars == chars
