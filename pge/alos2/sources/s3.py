"""s3:// as a `Remote`: GetObject with Range and If-Match, of one version where the URL names it.

``s3://bucket/key`` or ``s3://bucket/key?versionId=...``; the key is written as it is, not
percent-encoded, as the AWS tools have it. Credentials: a profile of ours that is named or called
``s3``, else boto3's own chain (environment, ``~/.aws``, containers, instances); without any, the
request is not signed, as public buckets want it. ``ALOS2_S3_ENDPOINT_URL`` (or boto3's own
``AWS_ENDPOINT_URL``) names another service than Amazon's. Needs boto3:
``pip install 'alos2-ingest[s3]'``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from alos2.dataset.provenance import public_url
from alos2.errors import LoginFailed, UsageError
from alos2.sources.credentials import Credential
from alos2.sources.extras import require_extra
from alos2.sources.model import TransferOptions
from alos2.sources.remote import Changed, Misplaced, Remote, Reply, Validator
from alos2.sources.s3client import new_client, s3_credential

_READ: Final = 1 << 17
_BUCKET: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{1,254}")
_RANGE: Final = re.compile(r"bytes (\d+)-\d+/(\d+)")


@contextmanager
def open_remote(url: str, *, options: TransferOptions, credential: str | None) -> Iterator[Remote]:
    """Give the object at `url`; see `alos2.sources.registry`."""
    remote = S3Remote(url, options=options, credential=s3_credential(credential))
    try:
        yield remote
    finally:
        remote.close()


class S3Remote:
    """An object in a bucket.

    Parameters
    ----------
    url : str
        ``s3://bucket/key``.
    credential : Credential, optional
        Access key; without user name, the AWS profile that its origin names; None: boto3's chain.
    options : TransferOptions, optional
        Timeouts.

    Raises
    ------
    UsageError
        `url` names no object, or boto3 is not installed.
    """

    def __init__(
        self,
        url: str,
        *,
        credential: Credential | None = None,
        options: TransferOptions = TransferOptions(),  # noqa: B008
    ) -> None:
        require_extra("s3", "s3://")
        self._bucket, self._key, self._version = _parts(url)
        self._credential = credential
        self._options = options
        self._client: Any = None
        self._is_signed = True
        self.url = public_url(url)
        self.where = f"s3://{self._bucket}"

    @contextmanager
    def open(self, offset: int, validator: Validator | None) -> Iterator[Reply]:
        """Begin to read at `offset`; see `alos2.sources.remote.Remote`."""
        from alos2.sources.s3errors import FAULTS, fault  # noqa: PLC0415  (imports botocore)

        wanted = {"Bucket": self._bucket, "Key": self._key}
        if self._version:
            wanted["VersionId"] = self._version
        if offset:
            wanted["Range"] = f"bytes={offset}-"
            if validator is not None and validator.kind == "etag":
                wanted["IfMatch"] = validator.value
        try:
            answer = self._connected().get_object(**wanted)
        except FAULTS as error:
            if offset and _status(error) == 416:
                raise Changed("the object ends before what is here") from None
            raise self._explained(fault(error, self.where)) from None
        with answer["Body"] as stream:
            yield self._reply(answer, stream, offset, validator)

    def _reply(
        self, answer: Mapping[str, Any], stream: Any, offset: int, before: Validator | None
    ) -> Reply:
        begin, total = 0, answer.get("ContentLength")
        if answer["ResponseMetadata"]["HTTPStatusCode"] == 206:
            found = _RANGE.fullmatch(answer.get("ContentRange") or "")
            if found is None:
                raise Misplaced("a part came that does not say where it begins")
            begin, total = int(found[1]), int(found[2])
        now = _validator(answer)
        kinds_agree = before is not None and now is not None and before.kind == now.kind
        if offset and kinds_agree and now != before:
            raise Changed("the object has changed where it lies")
        name = self._key.rpartition("/")[2]
        content_type = answer.get("ContentType") or ""
        return Reply(
            begin, total, now, name, content_type, self._body(stream), exact=total is not None
        )

    def _body(self, stream: Any) -> Iterator[bytes]:
        from alos2.sources.s3errors import FAULTS, fault  # noqa: PLC0415

        most = min(_READ, self._options.chunk_bytes)
        try:
            while piece := stream.read(most):
                yield piece
        except FAULTS as error:
            raise fault(error, self.where) from None

    def check_login(self) -> None:
        """Ask for the bucket, once, for ``alos2 doctor``.

        Raises
        ------
        LoginFailed, NothingFound, TransferFailed, UsageError, Passing
            As `open`.
        """
        from alos2.sources.s3errors import FAULTS, fault  # noqa: PLC0415

        try:
            self._connected().head_bucket(Bucket=self._bucket)
        except FAULTS as error:
            raise self._explained(fault(error, self.where)) from None

    def _explained(self, error: Exception) -> Exception:
        """Say so where nobody has said who we are."""
        if not isinstance(error, LoginFailed) or self._is_signed:
            return error
        return LoginFailed(
            f"{error.message}; no AWS credentials were found, so none were sent",
            hint="the bucket is not public: give a profile, AWS_PROFILE or AWS_ACCESS_KEY_ID",
        )

    def close(self) -> None:
        """Let go of the connections."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _connected(self) -> Any:
        if self._client is None:
            self._client, self._is_signed = new_client(self._credential, self._options)
        return self._client


def _parts(url: str) -> tuple[str, str, str]:
    """Return bucket, key and version (empty if not named)."""
    rest = url.partition("://")[2]
    bucket, _, key = rest.partition("/")
    key, _, version = key.partition("?versionId=")
    if not _BUCKET.fullmatch(bucket) or not key or key.endswith("/"):
        raise UsageError(
            "the s3:// URL names no object", hint="write s3://bucket/path/to/delivery.zip"
        )
    return bucket, key, version


def _validator(answer: Mapping[str, Any]) -> Validator | None:
    """Return the strong ETag, else the version."""
    etag, version = answer.get("ETag") or "", answer.get("VersionId") or ""
    if etag.startswith('"') and len(etag) > 2:
        return Validator("etag", etag)
    return Validator("version", version) if version not in ("", "null") else None


def _status(error: BaseException) -> int:
    response = getattr(error, "response", None) or {}
    meta = response.get("ResponseMetadata", {}) if isinstance(response, Mapping) else {}
    return int(meta.get("HTTPStatusCode", 0))
