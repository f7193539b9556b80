"""A folder of this machine: which one a location names, and what lies in it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from alos2.errors import UsageError
from alos2.publish.model import Entry

_CHUNK: Final = 1 << 20


def folder_of(location: str) -> Path:
    """Return the folder that a path or file URL names.

    Raises
    ------
    UsageError
        It is of another machine, or not absolute.
    """
    if "://" not in location:
        folder = Path(location)
    else:
        parts = urlsplit(location)
        if parts.netloc not in ("", "localhost"):
            raise UsageError(
                f"{location} is on {parts.netloc}: only folders of this machine can be written",
                hint="write file:///folder, or use a dav or s3 URL",
            )
        folder = Path(unquote(parts.path))
    if not folder.is_absolute():
        raise UsageError(f"{location} is not an absolute path")
    return folder


class FolderContent:
    """What lies in a folder, for comparing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def sizes(self) -> Mapping[str, int]:
        """Return the size of each file."""
        return {
            path.relative_to(self._folder).as_posix(): path.stat().st_size
            for root, _, names in os.walk(self._folder)
            for path in (Path(root, name) for name in names)
        }

    def read(self, name: str) -> bytes:
        """Return a small file."""
        return (self._folder / name).read_bytes()

    def holds(self, entry: Entry) -> bool:
        """Tell by reading it."""
        return file_sha256(self._folder / entry.name) == entry.sha256


def file_sha256(path: Path) -> str:
    """Read a file and return its SHA-256, hexadecimal."""
    digest = hashlib.sha256(usedforsecurity=False)
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
