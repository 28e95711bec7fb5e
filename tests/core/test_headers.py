"""The headers reference, row by row."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lectr_lab.core.headers import (
    TASKS,
    ClientHeaders,
    forwarded_request_headers,
    forwarded_response_headers,
    read_headers,
    redactor,
)

names = st.sampled_from(
    b"x-lectr-key x-lectr-feature x-lectr-task x-lectr-provider x-lectr-anything "
    b"authorization x-api-key api-key x-goog-api-key connection te content-type "
    b"x-custom host".split()
)
raw_headers = st.lists(st.tuples(names, st.binary(max_size=30)))


@pytest.mark.parametrize(
    ("sent", "feature", "valid"),
    [
        (b"onboarding-assistant", "onboarding-assistant", True),
        (b"  padded ", "padded", True),
        (b"x" * 100, "x" * 100, True),
        (b"x" * 101, "x" * 101, False),
        ("客服".encode(), "客服", True),
        ("é".encode("latin-1"), "é", True),
        ("é".encode() * 100, "é" * 100, True),
        (b"   ", None, None),
        (b"", None, None),
    ],
)
def test_a_feature_is_stored_as_sent_and_judged_by_its_length(sent, feature, valid):
    """1 to 100 characters of any script are valid; nothing is refused; blank is missing."""
    client_headers = read_headers([(b"x-lectr-feature", sent)])

    assert (client_headers.feature, client_headers.feature_valid) == (feature, valid)


@pytest.mark.parametrize("task", sorted(TASKS))
def test_a_task_is_known_in_any_case(task):
    """Valid tasks are stored in lower case."""
    said = read_headers([(b"x-lectr-task", task.title().encode())])

    assert said.task == task


def test_an_unknown_task_is_stored_as_sent():
    """An invalid task keeps its spelling."""
    assert read_headers([(b"x-lectr-task", b"Summarization")]).task == "Summarization"


@pytest.mark.parametrize(
    ("sent", "provider", "invalid"),
    [(b"AZURE", "azure", None), (b"bedrock", None, "bedrock"), (b" ", None, None)],
)
def test_a_provider_is_known_in_any_case(sent, provider, invalid):
    """Valid providers are lowered; an invalid one is kept as sent."""
    client_headers = read_headers([(b"x-lectr-provider", sent)])

    assert (client_headers.provider, client_headers.provider_invalid) == (
        provider,
        invalid,
    )


def test_a_repeated_header_counts_once():
    """The first value of a repeated header is the one."""
    client_headers = read_headers(
        [(b"x-lectr-feature", b"a"), (b"x-lectr-feature", b"b")]
    )

    assert client_headers.feature == "a"


@pytest.mark.parametrize(("second", "conflict"), [(b"k1 ", False), (b"k2", True)])
def test_two_different_keys_conflict(second, conflict):
    """The same key twice is one key; two keys are none."""
    client_headers = read_headers([(b"x-lectr-key", b"k1"), (b"x-lectr-key", second)])

    assert (client_headers.lectr_key, client_headers.keys_conflict) == ("k1", conflict)


@pytest.mark.parametrize(
    ("auth", "sent", "leaves"),
    [
        (
            "bearer",
            [(b"authorization", b"Bearer sk-1")],
            (b"authorization", b"Bearer sk-1"),
        ),
        ("bearer", [(b"authorization", b"odd \xff")], (b"authorization", b"odd \xff")),
        ("bearer", [(b"x-api-key", b"sk-1")], (b"authorization", b"Bearer sk-1")),
        (
            "bearer",
            [(b"x-goog-api-key", b"AIza1")],
            (b"authorization", b"Bearer AIza1"),
        ),
        ("x-api-key", [(b"authorization", b"Bearer sk-1")], (b"x-api-key", b"sk-1")),
        ("x-api-key", [(b"authorization", b"bearer  sk-1")], (b"x-api-key", b"sk-1")),
        ("x-api-key", [(b"x-api-key", b"sk-1")], (b"x-api-key", b"sk-1")),
        ("api-key", [(b"authorization", b"Bearer k")], (b"api-key", b"k")),
        ("api-key", [(b"api-key", b"k")], (b"api-key", b"k")),
        ("none", [(b"authorization", b"Bearer k")], (b"authorization", b"Bearer k")),
    ],
)
def test_the_key_leaves_in_the_targets_one_header(auth, sent, leaves):
    """Whichever header it came in, the key goes out once, where the target wants it."""
    forwarded = forwarded_request_headers(sent, read_headers(sent), auth)

    assert forwarded == [leaves]


PLAN_TOKEN = b"sk-ant-oat01-" + b"x" * 8


@pytest.mark.parametrize("auth", ["x-api-key", "bearer"])
def test_a_plans_token_stays_where_it_came(auth):
    """It is no API key: Anthropic refuses it in `x-api-key`. An API key is rewritten."""
    bearer = b"Bearer " + PLAN_TOKEN
    raw = [(b"authorization", bearer)]
    in_sdks_own = [(b"x-api-key", PLAN_TOKEN)]

    assert forwarded_request_headers(raw, read_headers(raw), auth) == raw
    client_headers = read_headers(in_sdks_own)
    assert (b"x-api-key" if auth == "x-api-key" else b"authorization") == (
        forwarded_request_headers(in_sdks_own, client_headers, auth)[0][0]
    )


def test_authorization_wins_over_an_sdks_own_header():
    """Where both are present the SDK's header is dropped."""
    sent = [(b"x-api-key", b"sdk"), (b"authorization", b"Bearer real")]

    forwarded = forwarded_request_headers(sent, read_headers(sent), "x-api-key")

    assert forwarded == [(b"x-api-key", b"real")]


@pytest.mark.parametrize("blank", [b"", b"  ", b"Bearer", b"Bearer "])
def test_a_blank_authorization_is_missing(blank):
    """A scheme without a key is no key."""
    assert read_headers([(b"authorization", blank)]).provider_key is None


@given(raw_headers, st.sampled_from(["bearer", "x-api-key", "api-key", "none"]))
def test_no_lectr_or_connection_header_reaches_a_provider(raw, auth):
    """Whatever is sent, what leaves has no X-Lectr-*, and at most one key header."""
    forwarded = forwarded_request_headers(raw, read_headers(raw), auth)

    sent_names = [name for name, _ in forwarded]
    assert not [n for n in sent_names if n.startswith(b"x-lectr-")]
    assert not {b"connection", b"te", b"host"} & set(sent_names)
    keys = {b"authorization", b"x-api-key", b"api-key", b"x-goog-api-key"}
    assert len([n for n in sent_names if n in keys]) <= 1


@given(raw_headers)
def test_everything_else_is_passed_on_in_order(raw):
    """Ordinary headers keep their values, repeats and order."""
    raw = [(n, v) for n, v in raw if n != b"connection"]
    ordinary = [(n, v) for n, v in raw if n in (b"content-type", b"x-custom")]

    forwarded = forwarded_request_headers(raw, read_headers(raw), "bearer")

    assert [h for h in forwarded if h[0] in (b"content-type", b"x-custom")] == ordinary


def test_a_header_named_by_connection_is_not_passed_on():
    """RFC 9110, 7.6.1: what Connection lists belongs to this hop."""
    raw = [(b"Connection", b"close, X-Hop"), (b"X-Hop", b"1"), (b"Via", b"2")]

    assert forwarded_response_headers(raw) == [(b"Via", b"2")]


@pytest.mark.parametrize("said", [{"lectr_key": "lc_key_1"}, {"provider_key": b"sk-1"}])
def test_a_name_with_a_key_in_it_is_redacted(said):
    """A key pasted into the wrong header is not written anywhere."""
    assert redactor(ClientHeaders(**said))("x lc_key_1 sk-1") == "[redacted]"
    assert redactor(ClientHeaders(**said))("chat") == "chat"


@pytest.mark.parametrize(
    ("sent", "count"), [(b"2", 2), (b"", None), (b"-1", None), (b"9" * 9, None)]
)
def test_the_sdks_retry_count_is_read(sent, count):
    """x-stainless-retry-count where it is a small number."""
    assert read_headers([(b"x-stainless-retry-count", sent)]).retry_count == count
