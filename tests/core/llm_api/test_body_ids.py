"""Whose request a body says that it is."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.core.llm_api.body_ids import BodyIds
from lectr_lab.core.llm_api.request import read_request

WRITTEN = {"device_id": "d1", "account_uuid": "", "session_id": "s1"}


def ids(body, operation="chat") -> BodyIds:
    facts = read_request(json.dumps(body).encode(), operation)
    return BodyIds(facts.user, facts.session)


def anthropic(user_id) -> dict:
    return {"metadata": {"user_id": user_id, "other": [1]}}


@pytest.mark.parametrize(
    ("body", "user", "session"),
    [
        ({}, None, None),
        ({"user": "u1"}, "u1", None),
        ({"safety_identifier": "u1"}, "u1", None),
        ({"user": "u1", "safety_identifier": "u2"}, "u1", None),
        ({"user": " ", "safety_identifier": "u2"}, "u2", None),
        ({"user": 17}, "17", None),
        ({"user": True}, None, None),
        ({"user": {"id": "u1"}}, None, None),
        ({"user": "x" * 4097}, None, None),
        (anthropic("u1"), "u1", None),
        ({"user": "u0"} | anthropic("u1"), "u0", None),
        (anthropic(json.dumps(WRITTEN)), "d1", "s1"),
        (anthropic(json.dumps(WRITTEN | {"account_uuid": "a1"})), "a1", "s1"),
        (anthropic('{"session_id": "s1"}'), None, "s1"),
        (anthropic('{"tenant": 1}'), '{"tenant": 1}', None),
        (anthropic("{broken"), "{broken", None),
        (anthropic("user_d1_account_a1_session_s1"), "a1", "s1"),
        (anthropic("user_d1_account__session_s1"), "d1", "s1"),
        (anthropic("user_d1"), "user_d1", None),
        ({"metadata": {"user_id": None}}, None, None),
        ({"metadata": "text"}, None, None),
        ({"client_metadata": {"session_id": "s1", "x": {}}}, None, "s1"),
        ({"conversation": "conv_01ab"}, None, "conv_01ab"),
        ({"conversation": {"id": "conv_01ab"}}, None, "conv_01ab"),
        ({"conversation": "with alice"}, None, None),
    ],
)
def test_a_body_names_its_user_and_session(body, user, session):
    """In the field of its API; of Claude Code's, what is the same in every session."""
    assert ids(body) == (user, session)


@pytest.mark.parametrize(
    "operation", ["chat", "messages", "responses", "completions", "embeddings", "other"]
)
def test_every_api_is_asked(operation):
    """The names mean the same wherever they occur."""
    assert ids({"user": "u1"}, operation).user == "u1"


values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
NAMES = ["user", "safety_identifier", "metadata", "client_metadata", "conversation"]


@given(st.dictionaries(st.sampled_from(NAMES), values), values)
def test_nothing_that_is_sent_there_raises(body, user_id):
    """What is found is a text."""
    for each in (body, anthropic(user_id), anthropic(json.dumps(user_id))):
        assert all(v is None or isinstance(v, str) for v in ids(each, "responses"))
