"""`[ship]` in lectr.toml."""

import pytest

from lectr_lab.config.ship_settings import ShipSettings, place_fault


@pytest.mark.parametrize(
    "url",
    ["s3://bucket", "s3://bucket/a/b/", "gs://b/p", "az://c/p", "file:///srv/store"],
)
def test_prefixes_of_stores_are_taken(url):
    """Of each kind."""
    assert ShipSettings(to=url).fault() is None


@pytest.mark.parametrize(
    ("url", "advice"),
    [
        ("bucket/prefix", "write s3://"),
        ("https://bucket.example/prefix", "write s3://"),
        ("s3:bucket", "write s3://"),
        ("s3://", "name a bucket"),
        ("s3://key:secret@bucket/p", "no credentials"),
        ("s3://bucket/p?X-Amz-Signature=1", "no credentials"),
        ("s3://bucket/../other", "plain prefix"),
        ("s3://bucket/a//b", "plain prefix"),
        ("s3://bucket/a%20b", "letters, digits"),
        ("s3://bucket/a?", "letters, digits"),
        ("s3://bucket/*", "letters, digits"),
        ("s3://bucket/a\nb", "letters, digits"),
        ("file://host/store", "whole path"),
        ("file:///", "whole path"),
        ("s3://[", "write s3://"),
    ],
)
def test_others_are_refused_with_what_to_write(url, advice):
    """Credentials too: what is in a URL is in shells' histories and logs."""
    assert advice in (place_fault(url) or "")


@pytest.mark.parametrize("wrong", [{"every_s": 0.0}, {"every_s": 1e9}, {"rows": 0}])
def test_numbers_are_within_bounds(wrong):
    """Each is named."""
    fault = ShipSettings(to="s3://b/p", **wrong).fault()

    assert fault is not None and fault[0] in wrong
