"""Which store a URL names, and whose credentials open it."""

import socket

import pytest
from shipped_lab import KEYS

from lectr_lab.core.errors import ConfigError, StoreError
from lectr_lab.shipping.places import place
from lectr_lab.shipping.stores import check


@pytest.mark.parametrize("scheme", ["s3", "gs", "az"])
def test_without_credentials_nothing_is_asked(scheme):
    """Not the metadata address either; it says what to set."""
    with pytest.raises(ConfigError, match="There are no credentials") as said:
        place(f"{scheme}://bucket/p", {"AWS_PROFILE": "mine"})

    assert "nothing was asked" in str(said.value)


def test_a_metadata_address_is_asked_where_it_is_wanted():
    """And there alone: by --instance-credentials, or as the environment says."""
    with socket.create_server(("127.0.0.1", 0)) as metadata:
        metadata.settimeout(0.2)
        where = f"http://127.0.0.1:{metadata.getsockname()[1]}"
        environ = {"AWS_METADATA_ENDPOINT": where}
        with pytest.raises(ConfigError):
            check(place("s3://lab/p", environ))
        with pytest.raises(TimeoutError):
            metadata.accept()
        for asked in (
            place("s3://lab/p", environ, instance_credentials=True),
            place("s3://lab/p", environ | {"LECTR_INSTANCE_CREDENTIALS": "true"}),
        ):
            metadata.settimeout(30)
            with pytest.raises(StoreError):
                check(asked)
            metadata.accept()[0].close()


def test_roles_of_a_container_are_not_asked_either(monkeypatch):
    """They are addresses that hand out credentials."""
    environ = KEYS | {"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:1/"}

    assert (
        "aws_container_credentials_full_uri" not in place("s3://b/p", environ).options
    )
    asked = place("s3://b/p", environ, instance_credentials=True)
    assert "aws_container_credentials_full_uri" in asked.options


def test_credentials_do_not_cross_a_network_in_the_clear():
    """Unless it is said."""
    environ = KEYS | {"AWS_ENDPOINT_URL": "http://store.example:9000"}
    with pytest.raises(ConfigError, match="AWS_ALLOW_HTTP"):
        place("s3://b/p", environ)

    assert place("s3://b/p", environ | {"AWS_ALLOW_HTTP": "true"})


def test_an_address_of_s3_alone_goes_before_the_general_one():
    """As with the vendor's own tools."""
    general, own = "https://a.example", "https://s3.a.example"
    environ = KEYS | {"AWS_ENDPOINT_URL": general, "AWS_ENDPOINT_URL_S3": own}

    assert place("s3://b/p", environ).options["aws_endpoint_url"] == own
    with pytest.raises(ConfigError, match="AWS_ALLOW_HTTP"):
        place("s3://b/p", environ | {"AWS_ENDPOINT_URL_S3": "http://s3.a.example"})
