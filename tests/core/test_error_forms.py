"""Each API's own errors."""

import pytest

from lectr_lab.core.error_forms import error_body, form_of

VERSION = [(b"anthropic-version", b"2023-06-01")]


@pytest.mark.parametrize(
    ("path", "form"),
    [
        (b"/v1/messages", "anthropic"),
        (b"/v1//%6Dessages/count_tokens", "anthropic"),
        (b"/v1/v1/messages", "anthropic"),
        (b"/messages", "anthropic"),
        (b"/v1/models/m:generateContent", "gemini"),
        (b"/v1beta/models/m%3AstreamGenerateContent", "gemini"),
        (b"/v1beta/files", "gemini"),
        (b"/upload/v1beta/files", "gemini"),
        (b"/models/m:countTokens", "gemini"),
        (b"/v1beta/openai/chat/completions", "openai"),
        (b"/openai/v1/chat/completions", "openai"),
        (b"/v1/chat/completions", "openai"),
        (b"/v1/files/messages", "openai"),
        (b"/v1/../messages/../..", "openai"),
        (b"", "openai"),
        (b"*", "openai"),
    ],
)
def test_a_path_tells_whose_form_it_is(path, form):
    """However it is spelt; but a header that Anthropic's clients alone send is first."""
    assert form_of(path) == form
    assert form_of(path, VERSION) == "anthropic"


@pytest.mark.parametrize(
    ("status", "kind", "anthropic", "gemini"),
    [
        (400, "", "invalid_request_error", "INVALID_ARGUMENT"),
        (401, "", "authentication_error", "UNAUTHENTICATED"),
        (403, "", "permission_error", "PERMISSION_DENIED"),
        (404, "", "not_found_error", "NOT_FOUND"),
        (408, "", "invalid_request_error", "DEADLINE_EXCEEDED"),
        (413, "", "request_too_large", "INVALID_ARGUMENT"),
        (426, "", "invalid_request_error", "INVALID_ARGUMENT"),
        (429, "", "rate_limit_error", "RESOURCE_EXHAUSTED"),
        (431, "", "invalid_request_error", "INVALID_ARGUMENT"),
        (500, "server_error", "api_error", "INTERNAL"),
        (503, "server_error", "overloaded_error", "UNAVAILABLE"),
        (503, "upstream_error", "api_error", "UNAVAILABLE"),
        (504, "upstream_error", "timeout_error", "DEADLINE_EXCEEDED"),
    ],
)
def test_a_status_has_each_vendors_word(status, kind, anthropic, gemini):
    """Who is overloaded is we, never a provider that was not reached."""
    of_anthropic = error_body("anthropic", status, kind, "code", "text")
    of_gemini = error_body("gemini", status, kind, "code", "text")["error"]

    error = {"type": anthropic, "message": "text", "code": "code"}
    assert of_anthropic == {"type": "error", "error": error}
    assert (of_gemini["code"], of_gemini["status"]) == (status, gemini)
    assert of_gemini["message"] == "text"
    assert of_gemini["details"][0]["reason"] == "code"
