"""boto3's client for S3: whose key signs, which service is asked, how patient it is."""

from __future__ import annotations

import logging
import os
import re
from typing import Any, Final

from alos2.errors import UsageError
from alos2.sources.credentials import Credential, Secret, resolve
from alos2.sources.model import TransferOptions

log = logging.getLogger(__name__)

ENDPOINT_VARIABLE: Final = "ALOS2_S3_ENDPOINT_URL"
SERVICE: Final = "s3"
"""Name of the profile that is taken where none is named."""

_LIBRARIES: Final = ("boto3", "botocore")


def s3_credential(profile: str | None) -> Credential | None:
    """Return our own profile for S3, None where boto3's chain shall find one.

    A profile that only the AWS files know comes back as a credential with its name as origin.
    """
    found = resolve(SERVICE, host=SERVICE, profile=profile)
    if found is None and profile is not None:
        return Credential("", origin=profile)
    return found


def new_client(credential: Credential | None, options: TransferOptions) -> tuple[Any, bool]:
    """Return boto3's client, and whether it signs. It tries once: more is the engine's to do.

    Raises
    ------
    UsageError
        The endpoint is no http(s) URL.
    """
    for name in _LIBRARIES:  # at DEBUG they log signatures and session tokens
        logger = logging.getLogger(name)
        logger.setLevel(max(logging.INFO, logger.level))
    import boto3  # noqa: PLC0415
    from botocore import UNSIGNED  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415

    session = boto3.session.Session(**_who(credential))
    is_signed = session.get_credentials() is not None
    if not is_signed:
        log.info("no AWS credentials: asking without, as public buckets allow")
    ca_file = credential.ca_file if credential is not None else None
    client = session.client(
        SERVICE,
        region_name=session.region_name or "us-east-1",  # S3 tells where a bucket really is
        endpoint_url=_endpoint(),
        verify=str(ca_file) if ca_file is not None else None,
        config=Config(
            connect_timeout=options.connect_s,
            read_timeout=options.stall_s,
            retries={"total_max_attempts": 1},
            tcp_keepalive=True,
            user_agent_extra="alos2-ingest",
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            **({} if is_signed else {"signature_version": UNSIGNED}),
        ),
    )
    return client, is_signed


def _who(credential: Credential | None) -> dict[str, str]:
    if credential is None:
        return {}
    if not credential.username:
        return {"profile_name": credential.origin}
    secrets: dict[str, Secret | None] = {
        "aws_secret_access_key": credential.password,
        "aws_session_token": credential.token,
    }
    given = {name: secret.reveal() for name, secret in secrets.items() if secret is not None}
    return {"aws_access_key_id": credential.username, **given}


def _endpoint() -> str | None:
    """Return the service's address where it is set; boto3 reads AWS_ENDPOINT_URL by itself.

    Raises
    ------
    UsageError
        It is no http(s) URL.
    """
    url = os.environ.get(ENDPOINT_VARIABLE)
    if not url:
        return None
    if not re.match(r"https?://[^/@\s]+/?$", url):
        raise UsageError(
            f"{ENDPOINT_VARIABLE} is not the address of a service",
            hint="write https://host or https://host:port, without user and path",
        )
    if url.startswith("http://"):
        log.warning("%s is http: nothing is encrypted", ENDPOINT_VARIABLE)
    return url
