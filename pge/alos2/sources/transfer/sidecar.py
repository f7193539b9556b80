"""What is known of a partial download, and of a finished one: a small JSON file beside it.

``<name>.part.json`` goes with ``<name>.part``. It holds the public URL, the validator, the size
of the whole, and a checkpoint: so many bytes were forced to the disk, and this is their SHA-256.
What lies behind the checkpoint in the part may be torn (the process was killed, the power failed)
and is not used. hashlib's state cannot be stored, so going on reads the part once and hashes it
again, which proves it at the same time. ``.<name>.receipt.json`` goes with a finished file.
"""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from alos2.dataset.provenance import public_url
from alos2.sources.remote import KINDS, Validator
from alos2.sources.store import trouble

PART_SUFFIX: Final = ".part"
SIDECAR_SUFFIX: Final = ".part.json"
RECEIPT_SUFFIX: Final = ".receipt.json"
VERSION: Final = 1
_MOST_BYTES: Final = 1 << 16


@dataclass(frozen=True)
class Record:
    """What is known of an object's bytes on this disk."""

    url: str
    """Public URL of the object."""
    name: str
    """File name that the finished file gets."""
    validator: Validator | None
    """Of the object that the bytes are of; None: nobody gave one that can be relied on."""
    total: int | None
    """Size of the whole object, bytes; None: unknown."""
    size: int = 0
    """Bytes that are on the disk for certain."""
    sha256: str = ""
    """Hexadecimal, of these bytes."""
    joined: bool = False
    """Whether they came in more than one piece."""
    mtime_ns: int | None = None
    """Of a finished file: its time of change, by which a touched one is known."""

    def to_bytes(self) -> bytes:
        """Return the sidecar's content."""
        validator = self.validator and {"kind": self.validator.kind, "value": self.validator.value}
        content = {
            "version": VERSION,
            "url": self.url,
            "name": self.name,
            "validator": validator,
            "total": self.total,
            "bytes": self.size,
            "sha256": self.sha256,
            "joined": self.joined,
            "mtime_ns": self.mtime_ns,
        }
        return json.dumps(content, indent=1).encode() + b"\n"


def record_from(content: bytes) -> Record | None:
    """Return what a sidecar says; None if it is none of ours, or damaged."""
    try:
        found = json.loads(content)
        if found["version"] != VERSION:
            return None
        record = Record(
            url=_text(found["url"]),
            name=_text(found["name"]),
            validator=_validator(found["validator"]),
            total=_count(found["total"]),
            size=_count(found["bytes"]) or 0,
            sha256=_text(found["sha256"]),
            joined=bool(found["joined"]),
            mtime_ns=_count(found["mtime_ns"]),
        )
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    if record.total is not None and record.size > record.total:
        return None
    return record


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _count(value: Any) -> int | None:
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise TypeError
    return value


def _validator(value: Any) -> Validator | None:
    if value is None:
        return None
    kind = _text(value["kind"])
    if kind not in KINDS:
        raise ValueError(kind)
    return Validator(kind, _text(value["value"]))  # type: ignore[arg-type]


def read_record(path: Path) -> Record | None:
    """Return what the sidecar or receipt at `path` says; None if there is none that is sound."""
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
    except OSError:
        return None
    return record_from(content) if len(content) <= _MOST_BYTES else None


def write_record(path: Path, record: Record) -> None:
    """Put `record` at `path` in one step, durably, readable by its owner only.

    Raises
    ------
    NoSpace, NoResource
        The disk is full, or cannot be written to.
    """
    public = replace(record, url=public_url(record.url))
    new = path.with_name(path.name + ".new")
    try:
        with contextlib.suppress(FileNotFoundError):
            new.unlink()
        handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(public.to_bytes())
            file.flush()
            os.fsync(handle)
        new.replace(path)
    except OSError as error:
        raise trouble(error, path) from None
