"""Replies about images, sound and ranking."""

import json

import pytest

from lectr_lab.core.llm_api.reply import ReplyFacts, ReplyReader


def facts_of(operation, *events, kind="application/json", status=200):
    """The facts of a whole reply, or of a stream where there are several events."""
    body = json.dumps(events[0]).encode()
    if len(events) > 1:
        body = b"".join(b"data: %s\n\n" % json.dumps(e).encode() for e in events)
        kind = "text/event-stream"
    reader = ReplyReader(operation, status, kind, "")
    reader.feed(body)
    facts = reader.finish()
    assert reader.fault is None
    return facts


IMAGE_USAGE = {
    "input_tokens": 50,
    "output_tokens": 4160,
    "input_tokens_details": {"text_tokens": 10, "image_tokens": 40},
}
FACTS = {"input_tokens": 50, "output_tokens": 4160, "input_image_tokens": 40}


def test_images_are_counted_with_their_tokens():
    """Whole; without a usage block they are counted all the same."""
    data = [{"b64_json": "xxxx"}, {"url": "https://x"}]

    assert facts_of("images", {"data": data, "usage": IMAGE_USAGE}) == ReplyFacts(
        image_count=2, token_source="provider", **FACTS
    )
    assert facts_of("images", {"data": data}) == ReplyFacts(image_count=2)


def test_of_a_stream_of_images_the_whole_ones_are_counted():
    """A partial image is none."""
    partial = {"type": "image_generation.partial_image", "b64_json": "x"}
    done = {"type": "image_generation.completed", "usage": IMAGE_USAGE}

    assert facts_of("images", partial, partial, done) == ReplyFacts(
        image_count=1, token_source="provider", **FACTS
    )


@pytest.mark.parametrize(
    ("reply", "seconds"),
    [
        ({"text": "Hi", "usage": {"type": "duration", "seconds": 9}}, 9.0),
        ({"text": "Hi", "duration": 8.47}, 8.47),
        ({"text": "Hi", "duration": "8.470000267028809"}, 8.470000267028809),
        ({"text": "Hi", "duration": 8.47, "usage": {"seconds": 9}}, 9.0),
        ({"text": "Hi", "duration": "NaN"}, None),
        ({"text": "Hi", "duration": "long"}, None),
        ({"text": "Hi", "duration": -1}, None),
        ({"text": "Hi"}, None),
    ],
)
def test_sound_is_told_in_seconds(reply, seconds):
    """As it is billed, else as long as it is."""
    assert facts_of("audio", reply) == ReplyFacts(output_chars=2, audio_seconds=seconds)


def test_a_transcription_has_the_tokens_it_says():
    """Whole or streamed: the last event repeats the text."""
    usage = {
        "type": "tokens",
        "input_tokens": 14,
        "output_tokens": 45,
        "input_token_details": {"text_tokens": 0, "audio_tokens": 14},
    }
    done = {"type": "transcript.text.done", "text": "Hi you", "usage": usage}
    deltas = [{"type": "transcript.text.delta", "delta": d} for d in ("Hi", " you")]
    expected = ReplyFacts(
        output_chars=6,
        input_tokens=14,
        output_tokens=45,
        input_audio_tokens=14,
        token_source="provider",
    )

    assert facts_of("audio", {"text": "Hi you", "usage": usage}) == expected
    assert facts_of("audio", *deltas, done) == expected


@pytest.mark.parametrize("body", [b"{" * 5000, b"data: \xff" * 500, b"ID3\x04"])
def test_speech_itself_is_not_read(body):
    """Whatever its bytes look like."""
    reader = ReplyReader("audio", 200, "audio/mpeg", "")
    reader.feed(body)

    assert reader.end() is None
    assert reader.finish() == ReplyFacts()


def test_a_ranking_says_its_searches():
    """As Cohere bills it."""
    reply = {
        "id": "r_1",
        "results": [{}],
        "meta": {"billed_units": {"search_units": 2}},
    }

    assert facts_of("rerank", reply) == ReplyFacts(
        provider_response_id="r_1", rerank_searches=2
    )
    assert facts_of("rerank", {"meta": {"billed_units": {"search_units": -1}}}) == (
        ReplyFacts()
    )


def test_a_compaction_is_counted():
    """Whole, as `/v1/responses/compact` answers."""
    usage = {"input_tokens": 90_000, "output_tokens": 900}
    reply = {"id": "resp_1", "object": "response.compaction", "output": []}

    facts = facts_of("compact", reply | {"usage": usage})

    assert (facts.input_tokens, facts.output_tokens) == (90_000, 900)
    assert facts.provider_response_id == "resp_1"


@pytest.mark.parametrize("operation", ["images", "audio", "rerank"])
def test_an_error_is_one(operation):
    """Where the status said so, and where it did not."""
    error = {"error": {"code": "bad_thing"}}

    assert facts_of(operation, error, status=400).error_type == "bad_thing"
    late = facts_of(operation, error)
    assert (late.error_type, late.error_in_stream) == ("bad_thing", True)
