"""The public forms of secrets."""

import base64
import random

import pytest

from lectr_lab.tape.secret_forms import form_spans, forms

SECRETS = [
    "AKIA" + "Q" * 16,
    "ASIA" + "Q7" * 8,
    "ghp_" + "a1" * 18,
    "gho_" + "a1" * 18,
    "ghs_" + "a1" * 18,
    "github_pat_" + "a1" * 11 + "_" + "b2" * 29,
    "glpat-" + "a1-" * 7,
    "hf_" + "aB" * 17,
    "xoxb-" + "12345678901-" * 2 + "a" * 24,
    "xoxp-" + "12345678901-" * 3 + "a" * 28,
    "xapp-1-" + "A" * 11 + "-" + "1" * 13,
    "ya29." + "a0-" * 20,
    "GOCSPX-" + "a" * 28,
    "1//0" + "g" * 40,
    "AQ." + "Ab8-" * 12,
    "sk_live_" + "a1" * 12,
    "sk_test_" + "a1" * 12,
    "rk_live_" + "a1" * 12,
    "whsec_" + "a1" * 16,
    "sess-" + "a1" * 20,
    "ek_" + "a1" * 16,
    "npm_" + "a1" * 18,
    "pypi-" + "AgEI" * 20,
    "pplx-" + "a1" * 24,
    "xai-" + "a1" * 40,
    "r8_" + "a1" * 18 + "a",
    "lsv2_pt_" + "a1" * 16 + "_" + "b2" * 5,
    "nvapi-" + "a-_" * 21,
    "SG." + "a" * 22 + "." + "b" * 43,
    "hvs." + "a1" * 12,
    "dop_v1_" + "a1" * 32,
    "dapi" + "a1" * 16,
    "ATATT3" + "a1=" * 20,
    "ntn_" + "1" * 11 + "a" * 35,
    "glsa_" + "a" * 32 + "_" + "b" * 8,
    "shpat_" + "a1" * 16,
    "PMAK-" + "a1" * 12 + "-" + "b2" * 17,
    "dp.pt." + "a" * 43,
    "AGE-SECRET-KEY-1" + "Q" * 58,
    "AccountKey=" + "a1+/" * 21 + "==",
    "hooks.slack.com/services/" + "T0" * 5 + "/" + "B0" * 5 + "/" + "a" * 24,
    "ABSK" + "aB3/" * 30,
    "IQoJb3JpZ2lu" + "aB3/" * 30,
    "MIIEvQIBADANBgkqhkiG9w0B" + "aB3/" * 30,
    "csk-" + "a1" * 24,
    "tvly-" + "a1" * 16,
    "dckr_pat_" + "aB1-" * 7,
    "ops_eyJ" + "aB1" * 40,
    "HRKU-" + "aB1-" * 15,
    "sq0atp-" + "aB1-" * 6,
    "NRAK-" + "A1" * 14,
    "figd_" + "aB1-" * 10,
    "sbp_" + "a1" * 20,
    "key-" + "a1" * 16,
    "squ_" + "a1" * 20,
    "sk.eyJ" + "aB1" * 10 + "." + "aB1" * 8,
    "LTAI" + "aB1c" * 5,
    "eyJ" + "a" * 17 + "." + "eyJ" + "b" * 17 + "." + "c" * 43,
    "eyJ" + "a" * 17 + "." + "b" * 40 + "." + "c" * 16 + "." + "d" * 40 + "." + "e" * 22,
    "eyJ" + "a" * 17 + ".." + "c" * 16 + "." + "d" * 40 + "." + "e" * 22,
    "-----BEGIN RSA PRIVATE" + " KEY-----\nMIIE" + ("a1+/" * 16 + "\n") * 3
    + "-----END RSA PRIVATE" + " KEY-----",
    "-----BEGIN OPENSSH PRIVATE" + " KEY-----\\nb3Bl" + ("a1+/" * 16 + "\\n") * 3
    + "-----END OPENSSH PRIVATE" + " KEY-----",
]  # fmt: skip


def found_in(text):
    return [text[start:end] for start, end in form_spans(text)]


@pytest.mark.parametrize("secret", SECRETS, ids=lambda secret: secret[:12])
@pytest.mark.parametrize("before", ["", '"', "= ", "\\n", "\\u0022", "%22", "("])
def test_a_secret_of_a_public_form_is_known(secret, before):
    """To its last character, whatever stands before it, escapes included."""
    text = f'{before}{secret}" and so on'.encode()

    assert secret.encode() in found_in(text)


HARMLESS = [
    "npm_config_registry", "hf_hub_download", "xai-org/grok-1", "r8_", "sess-ion",
    "a FAQ.Then", "ek_", "the eyJ. form", "my_ghp_variable", "1//0", "dapixels",
    "pypi-server-for-everyone", "-----BEGIN CERTIFICATE-----", "xoxb-", "SG.ab.cd",
    "-----BEGIN PRIVATE KEY----- is the first line of such a file", "AKIAmatsu city",
    "sk_live_…", "whsec_", "AccountKey=", "https://hooks.slack.com/services/",
]  # fmt: skip


@pytest.mark.parametrize("text", HARMLESS)
def test_what_only_begins_like_one_is_left_alone(text):
    """Names of programs, and the beginnings when somebody talks about them."""
    assert found_in(text.encode()) == []


@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_media_and_encrypted_reasoning_hold_none(encode):
    """A megabyte at random: short beginnings are not known inside such a word."""
    text = encode(random.Random(7).randbytes(750_000))
    new = [form for form in forms() if not form.inside_words]
    starts = tuple(start.encode() for form in new for start in form.starts)

    found = found_in(b'"%s"' % text)

    assert sum(text.count(start) for start in starts) > 5
    assert not [secret for secret in found if secret.startswith(starts)]


def test_media_hold_none_whatever_they_spell():
    """Behind `base64,` a form stays; what follows the media is looked into."""
    secret = b"AKIA" + b"Q" * 16
    media = b"data:image/png;base64," + b"iVBORw0KGgo+" * 20

    assert found_in(media + b"+" + secret) == []
    assert found_in(media + b'" ' + secret) == [secret]


def test_every_form_has_a_source():
    """A page, or a rule of gitleaks by name; or this repository, for our own."""
    for form in forms():
        assert form.source.startswith(("https://", "gitleaks: ", "lectr_lab/"))
        assert form.starts
