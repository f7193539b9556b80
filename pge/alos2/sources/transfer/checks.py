"""Is it what was asked for: seen from its first bytes, and from the whole file."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Protocol

from alos2.archive.directory import data_offset, read_directory
from alos2.archive.streams import member_chunks
from alos2.errors import BadArchive, UnsafeArchive
from alos2.sources.sniff import missing_zip_end, require_zip_head

_CHUNK: Final = 1 << 20
_SIGNATURE: Final = b"PK\x03\x04"


class Check(Protocol):
    """What a delivery must be."""

    @property
    def suffix(self) -> str:
        """File name suffix that such a file has; empty if any will do."""
        ...

    @property
    def what(self) -> str:
        """What it must be, in words, for "... is not <what>"."""
        ...

    def enough(self, head: bytes) -> bool:
        """Tell whether so few of the first bytes are enough for `head` to decide."""
        ...

    def head(self, head: bytes, *, content_type: str, where: str) -> None:
        """Look at the first bytes (`sniff.SNIFF_BYTES` at most), before any is stored.

        Raises
        ------
        BadArchive, LoginFailed
            They are not the beginning of what was asked for.
        """
        ...

    def whole(self, path: Path) -> str:
        """Return what is wrong with the finished file; empty if nothing is. Reads little."""
        ...

    def every_byte(self, path: Path) -> str:
        """Return what is wrong with its content; empty if nothing is. Reads all of it."""
        ...


class ZipCheck:
    """It is a zip, with its end where it belongs."""

    suffix = ".zip"
    what = "a whole zip"

    def enough(self, head: bytes) -> bool:
        """Tell a zip by its signature; of anything else, more is looked at to say what it is."""
        return head.startswith(_SIGNATURE)

    def head(self, head: bytes, *, content_type: str, where: str) -> None:
        """Refuse web pages and everything else that does not begin as a zip."""
        require_zip_head(head, content_type=content_type, where=where)

    def whole(self, path: Path) -> str:
        """Look at the end record and the central directory."""
        return missing_zip_end(path)

    def every_byte(self, path: Path) -> str:
        """Compare every member's bytes with its CRC-32."""
        return damaged_member(path)


zip_check: Final = ZipCheck()


def damaged_member(path: Path) -> str:
    """Return the first damage among the members of the zip `path`; empty if all CRCs agree."""
    with path.open("rb") as file:

        def read_at(offset: int, count: int) -> bytes:
            file.seek(offset)
            return file.read(count)

        try:
            directory = read_directory(read_at, path.stat().st_size, where=path.name)
            for entry in directory.entries:
                where = f"{path.name}!{entry.name}"
                file.seek(data_offset(read_at, entry, directory, where=where))
                for _ in member_chunks(file, entry, where=where, chunk=_CHUNK):
                    pass
        except UnsafeArchive:
            return ""  # damaged or not, unpacking will refuse it and say why
        except BadArchive as error:
            return error.message
    return ""
