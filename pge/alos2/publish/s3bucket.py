"""One bucket, in the few operations that publishing needs; all faults are errors of ours."""

from __future__ import annotations

import base64
import hashlib
import mimetypes
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from alos2.errors import PublishFailed
from alos2.publish.filepart import FilePart
from alos2.publish.model import Entry, PublishOptions
from alos2.publish.parallel import stop_if
from alos2.publish.s3faults import NOT_KNOWN, NOT_SO, code_of, s3_faults

SHA256_KEY: Final = "alos2-sha256"
"""Name of the metadata of an object that holds the file's SHA-256, hexadecimal."""

_LARGEST_COPY_BYTES: Final = 5 << 30
"""What S3 copies in one request."""
_CHUNK: Final = 1 << 20


class Listed(NamedTuple):
    """An object as a listing shows it."""

    size: int
    etag: str
    """Without its quotes."""


class Bucket:
    """A bucket behind a boto3 client.

    Parameters
    ----------
    client : botocore client
        Of S3.
    name : str
        The bucket.
    where : str
        It and its address, for messages.
    options : PublishOptions
        Asked before each read of a file whether to stop.
    """

    def __init__(self, client: Any, name: str, where: str, options: PublishOptions) -> None:
        self._client = client
        self._name = name
        self._where = where
        self._options = options

    def _check(self) -> None:
        stop_if(self._options)

    def names(self, prefix: str) -> dict[str, Listed]:
        """Return all objects below `prefix` (which ends in a slash), by the rest of their keys."""
        found: dict[str, Listed] = {}
        with s3_faults(self._where):
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._name, Prefix=prefix
            )
            for page in pages:
                for item in page.get("Contents", ()):
                    name = item["Key"][len(prefix) :]
                    if name:  # else the mark of a "folder" that some tools make
                        found[name] = Listed(item["Size"], item["ETag"].strip('"'))
        return found

    def put(self, key: str, entry: Entry, over: str | None) -> bool:
        """Send a small file; whether the answer proves that it arrived.

        S3 compares the body with the MD5 that was made when the file was hashed.

        Parameters
        ----------
        key : str
            Of the object.
        entry : Entry
            The file.
        over : str or None
            Entity tag of the object that it takes the place of; None: there is none. If it is
            otherwise, another publisher is at work, and nothing is written.
        """

        def send(condition: dict[str, str]) -> Any:
            with FilePart(entry.path, 0, entry.size, self._check) as body:
                return self._client.put_object(
                    Bucket=self._name,
                    Key=key,
                    Body=body,
                    ContentMD5=_base64(entry.md5_parts[0]),
                    **_about(entry),
                    **condition,
                )

        return self._under_condition(send, key, entry, over)

    def _under_condition(
        self, send: Callable[[dict[str, str]], Any], key: str, entry: Entry, over: str | None
    ) -> bool:
        condition = {"IfNoneMatch": "*"} if over is None else {"IfMatch": over}
        try:
            with s3_faults(self._where):
                answer = send(condition)
        except PublishFailed as error:
            code = code_of(error)
            if code in NOT_SO:
                # Our own earlier try may have gone well, and its answer been lost.
                if self._etag(key) == etag_of(entry):
                    return True
                raise PublishFailed(
                    f"{key} is written by another publisher as well",
                    hint="run the same command again",
                ) from error
            if code not in NOT_KNOWN:
                raise
            with s3_faults(self._where):
                answer = send({})
        return is_proof(answer, etag_of(entry))

    def _etag(self, key: str) -> str:
        with s3_faults(self._where):
            return str(self._client.head_object(Bucket=self._name, Key=key)["ETag"]).strip('"')

    def begin_parts(self, key: str, entry: Entry) -> str:
        """Begin to send a large file; return the upload's id."""
        with s3_faults(self._where):
            answer = self._client.create_multipart_upload(
                Bucket=self._name, Key=key, **_about(entry)
            )
        return str(answer["UploadId"])

    def put_part(self, key: str, upload: str, entry: Entry, number: int) -> str:
        """Send one part, 0-based; return its entity tag."""
        part = self._options.part_bytes
        offset = number * part
        size = min(part, entry.size - offset)
        with s3_faults(self._where), FilePart(entry.path, offset, size, self._check) as body:
            answer = self._client.upload_part(
                Bucket=self._name,
                Key=key,
                UploadId=upload,
                PartNumber=number + 1,
                Body=body,
                ContentMD5=_base64(entry.md5_parts[number]),
            )
        return str(answer["ETag"])

    def end_parts(
        self, key: str, upload: str, entry: Entry, tags: list[str], over: str | None
    ) -> bool:
        """Put the parts together; whether the answer proves that they are the file.

        `over` is as in `put`.
        """
        parts = [{"ETag": tag, "PartNumber": n} for n, tag in enumerate(tags, 1)]

        def send(condition: dict[str, str]) -> Any:
            return self._client.complete_multipart_upload(
                Bucket=self._name,
                Key=key,
                UploadId=upload,
                MultipartUpload={"Parts": parts},
                **condition,
            )

        return self._under_condition(send, key, entry, over)

    def drop_parts(self, prefix: str) -> None:
        """Drop all uploads below `prefix` that never ended; their parts cost money unseen."""
        with s3_faults(self._where):
            pages = self._client.get_paginator("list_multipart_uploads").paginate(
                Bucket=self._name, Prefix=prefix
            )
            for page in pages:
                for upload in page.get("Uploads", ()):
                    self._client.abort_multipart_upload(
                        Bucket=self._name, Key=upload["Key"], UploadId=upload["UploadId"]
                    )

    def read(self, key: str) -> bytes:
        """Return a small object."""
        with s3_faults(self._where):
            return bytes(self._client.get_object(Bucket=self._name, Key=key)["Body"].read())

    def sha256(self, key: str) -> str:
        """Read an object and return its SHA-256, hexadecimal."""
        digest = hashlib.sha256(usedforsecurity=False)
        with s3_faults(self._where):
            body = self._client.get_object(Bucket=self._name, Key=key)["Body"]
            for chunk in body.iter_chunks(_CHUNK):
                self._check()
                digest.update(chunk)
        return digest.hexdigest()

    def told_sha256(self, key: str) -> str:
        """Return the SHA-256 that a publisher wrote beside the object; empty if none did."""
        with s3_faults(self._where):
            answer = self._client.head_object(Bucket=self._name, Key=key)
        return str(answer.get("Metadata", {}).get(SHA256_KEY, ""))

    def copy(self, source: str, target: str, size: int) -> None:
        """Copy an object inside the bucket, with what is written beside it."""
        origin = {"Bucket": self._name, "Key": source}
        with s3_faults(self._where):
            if size <= _LARGEST_COPY_BYTES:
                self._client.copy_object(Bucket=self._name, Key=target, CopySource=origin)
                return
            # Copied in parts, what is written beside it does not come along by itself.
            told = self._client.head_object(Bucket=self._name, Key=source)
            kept = {k: told[k] for k in ("Metadata", "ContentType") if k in told}
            self._client.copy(origin, self._name, target, ExtraArgs=kept)

    def delete(self, key: str) -> None:
        """Remove an object, if it is there."""
        with s3_faults(self._where):
            self._client.delete_object(Bucket=self._name, Key=key)


def _base64(digest: bytes) -> str:
    return base64.b64encode(digest).decode("ascii")


def _about(entry: Entry) -> dict[str, Any]:
    """Return what is written beside an object."""
    kind = mimetypes.guess_type(entry.name)[0] or "application/octet-stream"
    return {"ContentType": kind, "Metadata": {SHA256_KEY: entry.sha256}}


def etag_of(entry: Entry) -> str:
    """Return the entity tag that S3 gives to a file that was sent in our parts."""
    if len(entry.md5_parts) == 1:
        return entry.md5_parts[0].hex()
    whole = hashlib.md5(b"".join(entry.md5_parts), usedforsecurity=False).hexdigest()
    return f"{whole}-{len(entry.md5_parts)}"


def is_proof(answer: Any, expected: str) -> bool:
    """Whether S3's answer proves that it has what was sent.

    Its entity tag says so. Where it encrypts with keys of one's own, the tag is no MD5; that it
    compared the body with our Content-MD5 has to do.
    """
    if str(answer.get("ETag", "")).strip('"') == expected:
        return True
    return str(answer.get("ServerSideEncryption", "")).startswith("aws:kms")
