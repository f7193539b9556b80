"""Which file of a folder a download has: found again by its URL, or chosen anew.

A download's name may be known only from the server's reply (Content-Disposition), so an earlier
part is not looked for by name: every sidecar of the folder says which URL it belongs to. Names are
chosen under a lock of the folder; one that anything else has is never taken, ``x.zip`` becomes
``x-2.zip``.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from alos2.sources.transfer.lock import TargetLock
from alos2.sources.transfer.sidecar import (
    PART_SUFFIX,
    RECEIPT_SUFFIX,
    SIDECAR_SUFFIX,
    Record,
    read_record,
    write_record,
)

_NAMES_LOCK: Final = ".alos2-names.lock"
_NAMES_WAIT_S: Final = 60.0


@dataclass(frozen=True)
class Place:
    """The files of one download."""

    target: Path

    @property
    def part(self) -> Path:
        """The bytes while they come."""
        return self.target.with_name(self.target.name + PART_SUFFIX)

    @property
    def sidecar(self) -> Path:
        """What is known of the part."""
        return self.target.with_name(self.target.name + SIDECAR_SUFFIX)

    @property
    def receipt(self) -> Path:
        """What is known of the finished file; hidden."""
        return self.target.with_name(f".{self.target.name}{RECEIPT_SUFFIX}")

    def discard(self) -> None:
        """Take the part away; the sidecar goes last, so that it never is an orphan's."""
        with contextlib.suppress(OSError):
            self.part.unlink(missing_ok=True)
        for path in (self.sidecar, self.sidecar.with_name(self.sidecar.name + ".new")):
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)


def lock_of(folder: Path, url: str) -> Path:
    """Return the lock file of the downloads of `url` into `folder`."""
    key = hashlib.sha256(url.encode()).hexdigest()[:16]
    return folder / f".{key}.lock"


def unfinished(folder: Path, url: str) -> tuple[Place, Record] | None:
    """Return the part of `url` that an earlier run left in `folder`, and what is known of it."""
    for path, record in _records(folder, SIDECAR_SUFFIX):
        if record.url == url:
            place = Place(path.with_name(path.name.removesuffix(SIDECAR_SUFFIX)))
            if place.target.name == record.name:
                return place, record
    return None


def finished(folder: Path, url: str) -> Iterator[tuple[Place, Record]]:
    """Yield the whole files of `url` in `folder` that nobody has touched since."""
    for path, record in _records(folder, RECEIPT_SUFFIX):
        place = Place(path.with_name(path.name[1:].removesuffix(RECEIPT_SUFFIX)))
        if record.url != url or place.target.name != record.name:
            continue
        with contextlib.suppress(OSError):
            status = place.target.stat()
            if (status.st_size, status.st_mtime_ns) == (record.size, record.mtime_ns):
                yield place, record


def _records(folder: Path, suffix: str) -> Iterator[tuple[Path, Record]]:
    for path in sorted(p for p in folder.iterdir() if p.name.endswith(suffix)):
        record = read_record(path)
        if record is not None:
            yield path, record


def claim(folder: Path, name: str, record: Record) -> tuple[Place, Record]:
    """Choose a free name in `folder` like `name`, and write its sidecar.

    Raises
    ------
    NoSpace, NoResource
        The folder cannot be written to.
    """
    stem, suffix = Path(name).stem, Path(name).suffix
    with TargetLock(folder / _NAMES_LOCK, wait_s=_NAMES_WAIT_S, brief=True):
        taken = {path.name.casefold() for path in folder.iterdir()}
        number = 1
        while True:
            place = Place(folder / (name if number == 1 else f"{stem}-{number}{suffix}"))
            mine = (place.target, place.part, place.sidecar)
            if not any(path.name.casefold() in taken for path in mine):
                break
            number += 1
        claimed = Record(record.url, place.target.name, record.validator, record.total)
        write_record(place.sidecar, claimed)
    return place, claimed
