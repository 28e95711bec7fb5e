"""Where a prefix of an object store is, by its URL, and what opens it.

Credentials come from the environment alone. Where there are none, the library would ask
the metadata address of a cloud's machine for some; that is refused here, and done only
where it is asked for.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

from lectr_lab.config.ship_settings import place_fault
from lectr_lab.config.urls import key_is_safe
from lectr_lab.core.errors import ConfigError

_REGION = "us-east-1"  # S3's own default; without one polars asks the bucket for it
_ENVIRONMENT: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "s3": (("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), ("AWS_SKIP_SIGNATURE",)),
    "gs": (
        ("GOOGLE_APPLICATION_CREDENTIALS",),
        ("GOOGLE_SERVICE_ACCOUNT",),
        ("GOOGLE_SERVICE_ACCOUNT_PATH",),
        ("GOOGLE_SERVICE_ACCOUNT_KEY",),
        ("GOOGLE_BEARER_TOKEN",),
        ("GOOGLE_SKIP_SIGNATURE",),
    ),
    "az": (
        ("AZURE_STORAGE_ACCOUNT_NAME", "AZURE_STORAGE_ACCOUNT_KEY"),
        ("AZURE_STORAGE_ACCOUNT_NAME", "AZURE_STORAGE_SAS_KEY"),
        ("AZURE_STORAGE_ACCOUNT_NAME", "AZURE_STORAGE_TOKEN"),
        (
            "AZURE_STORAGE_ACCOUNT_NAME",
            "AZURE_STORAGE_CLIENT_ID",
            "AZURE_STORAGE_CLIENT_SECRET",
            "AZURE_STORAGE_TENANT_ID",
        ),
        ("AZURE_STORAGE_ACCOUNT_NAME", "AZURE_SKIP_SIGNATURE"),
    ),
}
_PREFIXES = {"s3": "AWS_", "gs": "GOOGLE_", "az": "AZURE_"}
# Where a container's platform hands out a role: asked as an instance's address is.
_ROLES = re.compile("CONTAINER_|WEB_IDENTITY|ROLE_|METADATA_|MSI_|IDENTITY_|FEDERATED")


class Place(NamedTuple):
    """A prefix of a store, and what opens it."""

    url: str
    options: dict[str, str]
    """For obstore and, by the same names, for polars; credentials are in it."""

    def __repr__(self) -> str:
        """Without the credentials."""
        return f"Place({self.url!r})"

    @property
    def scheme(self) -> str:
        """s3, gs, az or file."""
        return urlsplit(self.url).scheme

    def of(self, path: str) -> str:
        """The URL of an object, or its file's path."""
        if self.scheme == "file":
            return f"{urlsplit(self.url).path.rstrip('/')}/{path}"
        return f"{self.url}/{path}"


def place(
    url: str, environ: Mapping[str, str], *, instance_credentials: bool = False
) -> Place:
    """Read a URL and the environment; nothing is asked yet.

    Args:
        url: s3://bucket/prefix, gs://bucket/prefix, az://container/prefix (also of an
            S3-compatible server, by AWS_ENDPOINT_URL) or file:///folder.
        environ: the credentials, by the names that each vendor's own tools use.
        instance_credentials: without credentials there, ask this machine's metadata
            address for those of its role.

    Raises:
        ConfigError: it is no such URL, or there are no credentials for it.

    >>> place("s3://lab/prod/", {"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"})
    Place('s3://lab/prod')
    """
    if fault := place_fault(url):
        raise ConfigError(f"{url!r}: {fault}.")
    instance_credentials |= _yes(environ, "LECTR_INSTANCE_CREDENTIALS")
    found = Place(url.rstrip("/"), {})
    scheme = found.scheme
    if scheme == "file":
        return found
    if not instance_credentials and not _has_credentials(scheme, environ):
        raise ConfigError(_no_credentials(scheme, url))
    options = {
        name.lower(): value
        for name, value in environ.items()
        if name.startswith(_PREFIXES[scheme])
        and value
        and (instance_credentials or not _ROLES.search(name))
    }
    # Addresses and profiles of other tools, which obstore does not know.
    known = {name: v for name, v in options.items() if _is_option(scheme, name)}
    if own := options.get("aws_endpoint_url_s3"):  # which goes before the general one
        known["aws_endpoint_url"] = own
    endpoint = known.get("aws_endpoint_url", known.get("aws_endpoint", ""))
    if endpoint.startswith("http://"):
        if not key_is_safe(endpoint) and not _yes(environ, "AWS_ALLOW_HTTP"):
            raise ConfigError(
                f"AWS_ENDPOINT_URL is {endpoint}, where what is sent can be read by "
                "others: write https://, or set AWS_ALLOW_HTTP=true if it is meant."
            )
        known["aws_allow_http"] = "true"
    if scheme == "s3" and not known.keys() & {"aws_region", "aws_default_region"}:
        known["aws_region"] = _REGION
    return found._replace(options=known)


def _yes(environ: Mapping[str, str], name: str) -> bool:
    return environ.get(name, "").lower() in ("1", "true", "yes", "on")


def _has_credentials(scheme: str, environ: Mapping[str, str]) -> bool:
    return any(all(map(environ.get, names)) for names in _ENVIRONMENT[scheme])


def _no_credentials(scheme: str, url: str) -> str:
    names = " and ".join(_ENVIRONMENT[scheme][0])
    temporary = (
        ", AWS_SESSION_TOKEN too if they are temporary" if scheme == "s3" else ""
    )
    return (
        f"There are no credentials for {url} in the environment: set {names}{temporary}. "
        "On a cloud's machine that has a role, LECTR_INSTANCE_CREDENTIALS=true has its "
        "metadata address asked for them; nothing was asked."
    )


_OPTIONS = {
    "s3": "aws_access_key_id aws_secret_access_key aws_session_token aws_region "
    "aws_default_region aws_endpoint aws_endpoint_url aws_allow_http "
    "aws_virtual_hosted_style_request aws_unsigned_payload aws_skip_signature "
    "aws_server_side_encryption aws_sse_kms_key_id aws_request_payer "
    "aws_metadata_endpoint aws_container_credentials_relative_uri "
    "aws_container_credentials_full_uri aws_container_authorization_token_file "
    "aws_web_identity_token_file aws_role_arn aws_role_session_name",
    "gs": "google_service_account google_service_account_path "
    "google_service_account_key google_application_credentials google_base_url "
    "google_bearer_token google_skip_signature",
    "az": "azure_storage_account_name azure_storage_account_key azure_storage_sas_key "
    "azure_storage_token azure_storage_client_id azure_storage_client_secret "
    "azure_storage_tenant_id azure_storage_endpoint azure_endpoint "
    "azure_skip_signature azure_msi_endpoint azure_federated_token_file",
}


def _is_option(scheme: str, name: str) -> bool:
    return name in _OPTIONS[scheme].split()
