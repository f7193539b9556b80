"""The marker of a place on S3; see `alos2.publish.marker`."""

from __future__ import annotations

from datetime import datetime, timezone
from email.utils import parsedate_to_datetime
from typing import Any

from alos2.errors import Alos2Error
from alos2.publish.marker import Found
from alos2.publish.s3faults import NOT_KNOWN, NOT_SO, code_of, s3_faults


class BucketMarker:
    """A small object that is written under conditions; see `alos2.publish.marker`."""

    def __init__(self, client: Any, bucket: str, key: str, where: str) -> None:
        self._client = client
        self._names = {"Bucket": bucket, "Key": key}
        self._where = where

    def read(self) -> Found | None:
        """Return it; its age by the service's own clock."""
        try:
            with s3_faults(self._where):
                answer = self._client.get_object(**self._names)
                data = bytes(answer["Body"].read())
        except Alos2Error as error:
            if code_of(error) in ("NoSuchKey", "404"):
                return None
            raise
        sent = answer["ResponseMetadata"].get("HTTPHeaders", {}).get("date")
        now = parsedate_to_datetime(sent) if sent else datetime.now(timezone.utc)
        age = (now - answer["LastModified"]).total_seconds()
        return Found(data, answer["ETag"], max(0.0, age))

    def create(self, data: bytes) -> bool:
        """Write it if it is not there."""
        return self._put(data, IfNoneMatch="*")

    def replace(self, data: bytes, tag: str) -> bool:
        """Write it if nobody else did meanwhile."""
        return self._put(data, **({"IfMatch": tag} if tag else {}))

    def _put(self, data: bytes, **condition: str) -> bool:
        content = {"Body": data, "ContentType": "application/json"}
        try:
            with s3_faults(self._where):
                self._client.put_object(**self._names, **content, **condition)
        except Alos2Error as error:
            code = code_of(error)
            if code in NOT_SO:
                return False
            if code == "NoSuchKey" and "IfMatch" in condition:
                return False
            if code not in NOT_KNOWN:
                raise
            # An older service: who reads its own token back has won, see `Marker.acquire`.
            with s3_faults(self._where):
                self._client.put_object(**self._names, **content)
        return True

    def delete(self) -> None:
        """Remove it."""
        with s3_faults(self._where):
            self._client.delete_object(**self._names)
