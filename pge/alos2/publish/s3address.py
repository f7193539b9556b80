"""An ``s3://`` location: as HySDS writes it, or as Amazon's own tools do."""

from __future__ import annotations

import logging
import os
import re
import threading
from dataclasses import dataclass
from functools import cache
from typing import Any, Final
from urllib.parse import urlsplit

from alos2.errors import UsageError
from alos2.publish.model import PublishOptions

_AMAZON: Final = re.compile(r"s3(?:[.-](?P<region>[a-z0-9-]+))?\.amazonaws\.com(?:\.cn)?", re.ASCII)
_STANDARD_PORTS: Final = (None, 80, 443)
_LOCK: Final = threading.Lock()


@dataclass(frozen=True)
class S3Address:
    """Where a dataset's objects go."""

    endpoint: str | None
    """URL of the service; None: Amazon's, or what the AWS configuration says."""
    region: str | None
    bucket: str
    prefix: str
    """Without a slash at either end."""

    @property
    def where(self) -> str:
        """The bucket and its service, for messages."""
        return f"bucket {self.bucket}" + (f" at {self.endpoint}" if self.endpoint else "")


def parse(location: str) -> S3Address:
    """Parse a location.

    ``s3://HOST:80/BUCKET/KEY`` is HySDS's form: the host of the service, then the bucket. HySDS
    speaks HTTP to port 80 there; here, and wherever the port is 80, 443 or missing, it is HTTPS.
    With another port ``s3://`` is HTTP and ``s3s://`` HTTPS, as HySDS has it. ``s3://BUCKET/KEY``
    is everybody else's form: where there is no port and the host is not one of Amazon's.

    Raises
    ------
    UsageError
        It has no bucket or no key.
    """
    parts = urlsplit(location)
    try:
        port = parts.port
    except ValueError as error:
        raise UsageError(f"{location} is no URL: {error}") from None
    host = parts.hostname or ""
    amazon = _AMAZON.fullmatch(host)
    path = [part for part in parts.path.split("/") if part]
    if parts.scheme not in ("s3", "s3s") or not host:
        raise UsageError(f"{location} is not s3://BUCKET/KEY or s3://HOST:PORT/BUCKET/KEY")
    if port is None and amazon is None:
        # Not `hostname`, which is in lower case.
        endpoint, bucket, key = None, parts.netloc, path
    else:
        if port in _STANDARD_PORTS:
            endpoint = f"https://{host}"
        else:
            shown = f"[{host}]" if ":" in host else host
            endpoint = f"{'https' if parts.scheme == 's3s' else 'http'}://{shown}:{port}"
        bucket, key = (path[0] if path else ""), path[1:]
    if not bucket or not key:
        raise UsageError(f"{location} names no bucket and key")
    region = amazon["region"] if amazon else None
    return S3Address(endpoint, region, bucket, "/".join(key))


def new_client(address: S3Address, profile: str | None, options: PublishOptions) -> Any:
    """Return a boto3 client for `address`.

    Parameters
    ----------
    address : S3Address
        As `parse` gives it.
    profile : str, optional
        Profile of the AWS configuration; ``default`` and one that is not there mean the usual
        search for credentials.
    options : PublishOptions
        Retries, and how many connections there may be.

    Raises
    ------
    UsageError
        boto3 is not installed.
    """
    try:
        # Imported late: it comes with an extra, and takes a second.
        from botocore.config import Config  # noqa: PLC0415

        with _LOCK:
            session = _session(profile, _settings())
    except ImportError as error:
        raise UsageError(
            "boto3 is not installed, and without it nothing can go to S3",
            hint="pip install 'alos2-ingest[s3]'",
        ) from error
    for name in ("boto3", "botocore", "s3transfer"):
        # Below, they log whole requests with their signatures.
        logging.getLogger(name).setLevel(logging.WARNING)
    config = Config(
        retries={"max_attempts": options.retries + 1, "mode": "standard"},
        max_pool_connections=2 * options.at_once + 2,
        connect_timeout=20,
        read_timeout=60,
        # Content-MD5 is sent with every file: all stores know it, newer checksums they do not.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        s3={"addressing_style": "path"} if address.endpoint and not address.region else None,
    )
    region = address.region or session.region_name or "us-east-1"
    with _LOCK:  # sessions are not safe to share, clients are
        return session.client(
            "s3", endpoint_url=address.endpoint, region_name=region, config=config
        )


def _settings() -> tuple[tuple[str, str], ...]:
    """Return what of the environment a session depends on."""
    return tuple(sorted((k, v) for k, v in os.environ.items() if k.startswith("AWS_")))


@cache
def _session(profile: str | None, settings: tuple[tuple[str, str], ...]) -> Any:  # noqa: ARG001
    """Return one session for one profile and environment: it takes long to make.

    The name ``default`` stands in all of HySDS's rules, also where no such profile is.
    """
    import boto3  # noqa: PLC0415  comes with an extra
    from botocore.exceptions import ProfileNotFound  # noqa: PLC0415

    try:
        return boto3.Session(profile_name=profile if profile != "default" else None)
    except ProfileNotFound:
        return boto3.Session()
