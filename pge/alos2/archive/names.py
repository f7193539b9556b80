"""Which names of an archive may be written to a disk: to any disk, under any system.

What is legal on Linux and would become another file on macOS or Windows (case, Unicode forms,
reserved names) is refused too, so that a delivery unpacks to the same tree everywhere.
"""

from __future__ import annotations

import re
import unicodedata
from pathlib import PurePosixPath
from typing import Final

from alos2.archive.limits import Limits
from alos2.errors import UnsafeArchive

_BY_HAND: Final = "JAXA gives no such names; if you trust its origin, unzip it by hand"
_FORBIDDEN: Final = re.compile(r'[\x00-\x1f\x7f\\:<>"|?*]')
"""Control characters, and what Windows does not allow (drive letters and streams have a colon)."""
_RESERVED: Final = re.compile(
    r"(?:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])(?:\..*)?", re.IGNORECASE
)


def _problem(part: str, limits: Limits) -> str:
    """Say what is wrong with one component of a path; empty where nothing is."""
    found = _FORBIDDEN.search(part)
    length = len(part.encode("utf-8"))
    problem = ""
    if part in ("", ".", ".."):
        problem = f"a component {part!r}"
    elif found:
        problem = f"the character {found[0]!r}"
    elif part[-1] in ". ":
        problem = f"a component that ends in {part[-1]!r}"
    elif _RESERVED.fullmatch(part):
        problem = f"the name {part!r}, which Windows reserves"
    elif length > limits.name_bytes:
        problem = f"a component of {length} bytes (name_bytes = {limits.name_bytes})"
    return problem


def safe_path(name: str, *, where: str, limits: Limits) -> PurePosixPath:
    """Turn an entry's name into a relative path.

    Raises
    ------
    UnsafeArchive
        The name is absolute, climbs, or is not one that every file system can hold.
    """
    if name.startswith("/"):
        raise UnsafeArchive(f"{where} holds {name!r}: an absolute path", hint=_BY_HAND)
    parts = name.removesuffix("/").split("/")
    for part in parts:
        problem = _problem(part, limits)
        if problem:
            raise UnsafeArchive(f"{where} holds {name!r}: it has {problem}", hint=_BY_HAND)
    path = PurePosixPath(*parts)
    require_length(path, where=where, limits=limits)
    return path


def require_length(path: PurePosixPath, *, where: str, limits: Limits) -> None:
    """Refuse a path that is too long, with the folders that it comes into.

    Raises
    ------
    UnsafeArchive
        It has more than ``path_bytes`` in UTF-8.
    """
    length = len(str(path).encode("utf-8"))
    if length > limits.path_bytes:
        raise UnsafeArchive(
            f"{where} holds a path of {length} bytes, more than path_bytes = {limits.path_bytes}"
        )


def folded(part: str) -> str:
    """Fold a component as the most forgetful file system would."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", part).casefold())


class NameTable:
    """All paths of one archive; refuses those that would meet on some disk.

    Parameters
    ----------
    where : str
        The archive, for messages.
    """

    def __init__(self, where: str) -> None:
        self.where = where
        self._folders: dict[tuple[str, ...], PurePosixPath] = {}
        self._files: dict[tuple[str, ...], PurePosixPath] = {}

    def add_folder(self, path: PurePosixPath) -> None:
        """Note a folder and those above it; naming the same folder again is no fault.

        Raises
        ------
        UnsafeArchive
            A file has the name, or a folder that differs in case or Unicode form only.
        """
        for depth in range(1, len(path.parts) + 1):
            folder = PurePosixPath(*path.parts[:depth])
            key = tuple(map(folded, folder.parts))
            if key in self._files:
                self._refuse(path, self._files[key], "is a file")
            known = self._folders.setdefault(key, folder)
            if known != folder:
                self._refuse(path, known, "differs in case or Unicode form only")

    def add_file(self, path: PurePosixPath) -> None:
        """Note a file and the folders above it.

        Raises
        ------
        UnsafeArchive
            Something has its name already, or one that differs in case or Unicode form only.
        """
        if path.parent.parts:
            self.add_folder(path.parent)
        key = tuple(map(folded, path.parts))
        if key in self._folders:
            self._refuse(path, self._folders[key], "is a folder")
        known = self._files.setdefault(key, path)
        if known is not path:
            same = known == path
            self._refuse(
                path, known, "is there twice" if same else "differs in case or Unicode form only"
            )

    def is_free(self, path: PurePosixPath) -> bool:
        """Whether nothing has this name."""
        key = tuple(map(folded, path.parts))
        return key not in self._files and key not in self._folders

    def _refuse(self, path: PurePosixPath, known: PurePosixPath, why: str) -> None:
        raise UnsafeArchive(
            f"{self.where} holds {str(path)!r}, but {str(known)!r} {why}", hint=_BY_HAND
        )
