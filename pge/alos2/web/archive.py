"""Files of datasets, and no others: opened name by name, so that no path leads out of a dataset.

Each part of a path is opened below the one before it and never through a symbolic link (POSIX
``openat`` with ``O_NOFOLLOW``), so that there is no moment between check and use in which somebody
could put a link there. Where a system lacks that (Windows), the file's resolved place is compared.
What is hidden (a leading dot) is half made, or nobody's business.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from alos2.errors import NothingFound
from alos2.web.answers import HttpError, not_found

_BY_HANDLE: Final = os.open in os.supports_dir_fd and hasattr(os, "O_NOFOLLOW")
_UNFIT: Final = re.compile(r"[\x00-\x1f\x7f/\\:]")
"""In no name that we serve: separators of whatever system, drives, alternate streams, controls."""
_LONGEST_NAME: Final = 255
_MOST_PARTS: Final = 12

_TYPES: Final = {
    ".stac.json": "application/geo+json",
    ".json": "application/json",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".tif": "image/tiff; application=geotiff",
    ".pmtiles": "application/vnd.pmtiles",
    ".zip": "application/zip",
    ".txt": "text/plain; charset=utf-8",
    ".kml": "application/vnd.google-earth.kml+xml",
    ".parquet": "application/vnd.apache.parquet",
}
_SHOWN: Final = (".png", ".jpg", ".json", ".txt")
"""What a browser may show; it saves all else."""


@dataclass(frozen=True)
class OpenFile:
    """A regular file of a dataset, open to read."""

    file: BinaryIO
    name: str
    size: int
    mtime_ns: int
    inode: int

    @property
    def etag(self) -> str:
        """Strong: another file, size or time of change is another tag."""
        return f'"{self.inode:x}-{self.size:x}-{self.mtime_ns:x}"'

    @property
    def media_type(self) -> str:
        """By the end of its name."""
        lower = self.name.lower()
        return next(
            (kind for end, kind in _TYPES.items() if lower.endswith(end)),
            "application/octet-stream",
        )

    @property
    def is_shown(self) -> bool:
        """Whether a browser may show it rather than save it."""
        return self.name.lower().endswith(_SHOWN)

    def read(self, offset: int, size: int) -> bytes:
        """Return bytes at an offset; fewer at the end."""
        if hasattr(os, "pread"):
            return os.pread(self.file.fileno(), size, offset)
        self.file.seek(offset)
        return self.file.read(size)

    def close(self) -> None:
        """Let go of it."""
        self.file.close()


class ArchiveFiles:
    """The datasets' folders of an archive.

    Parameters
    ----------
    archive : Path
        Its own links are followed, once.

    Raises
    ------
    NothingFound
        There is no such folder.
    """

    def __init__(self, archive: Path) -> None:
        try:
            self.root = archive.resolve(strict=True)
        except OSError as error:
            raise NothingFound(
                f"the archive {archive} is not there: {error.strerror}",
                hint="give its folder with --archive",
            ) from error
        if not self.root.is_dir():
            raise NothingFound(f"the archive {archive} is no folder")

    def open(self, dataset: str, path: str, *, folder: str | None = None) -> OpenFile:
        """Open a file of a dataset.

        Parameters
        ----------
        dataset : str
            Its id.
        path : str
            Of the file in its folder, with ``/``, decoded once.
        folder : str, optional
            Of the dataset in the archive, where it is not its id.

        Raises
        ------
        HttpError
            404: there is no such file, or none that may be seen.
        """
        missing = not_found(f"dataset {dataset[:80]!r} has no such file")
        places = (folder or dataset).split("/")
        parts = path.split("/")
        # Only a folder that holds its own STAC item is a dataset.
        if not _are_fit([dataset, *places]) or not _are_fit(parts):
            raise missing
        self._opened(places, [f"{dataset}.stac.json"], missing).close()
        return self._opened(places, parts, missing)

    def has(self, dataset: str) -> bool:
        """Whether there is a folder of this name in the archive itself."""
        return _are_fit([dataset]) and (self.root / dataset).is_dir()

    def open_if_there(
        self, dataset: str, path: str, *, folder: str | None = None
    ) -> OpenFile | None:
        """Open a file of a dataset, or return None where there is none that may be seen."""
        try:
            return self.open(dataset, path, folder=folder)
        except HttpError:
            return None

    def _opened(self, places: Sequence[str], parts: Sequence[str], missing: HttpError) -> OpenFile:
        try:
            if _BY_HANDLE:
                handle = _open_below(self.root, [*places, *parts])
            else:
                handle = _open_compared(self.root, [*places, *parts])
        except (OSError, ValueError):
            raise missing from None
        facts = os.fstat(handle)
        if not stat.S_ISREG(facts.st_mode):
            os.close(handle)
            raise missing
        file = os.fdopen(handle, "rb", buffering=0)
        return OpenFile(file, parts[-1], facts.st_size, facts.st_mtime_ns, facts.st_ino)


def _are_fit(parts: Sequence[str]) -> bool:
    """Whether these can be names of files that are not hidden."""
    return len(parts) <= _MOST_PARTS and all(
        0 < len(part) <= _LONGEST_NAME
        and not part.startswith(".")
        and not part.endswith((".", " "))
        and _UNFIT.search(part) is None
        and _is_encodable(part)
        for part in parts
    )


def _is_encodable(part: str) -> bool:
    try:
        os.fsencode(part)
    except UnicodeEncodeError:
        return False
    return True


def _open_below(root: Path, parts: Sequence[str]) -> int:
    """Open a file by its parts, each within the one before, through no link."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
    folder = os.open(root, flags | os.O_DIRECTORY)
    try:
        for part in parts[:-1]:
            below = os.open(part, flags | os.O_DIRECTORY, dir_fd=folder)
            os.close(folder)
            folder = below
        # O_NONBLOCK: a pipe of that name must not hold us up until somebody writes into it.
        return os.open(parts[-1], flags | os.O_NONBLOCK, dir_fd=folder)
    finally:
        os.close(folder)


def _open_compared(root: Path, parts: Sequence[str]) -> int:
    """Open a file if it really lies where its path says."""
    wanted = root.joinpath(*parts)
    if wanted.resolve(strict=True) != wanted or not wanted.is_file():
        raise FileNotFoundError(wanted)
    return os.open(wanted, os.O_RDONLY | getattr(os, "O_BINARY", 0))
