"""One folder, looked at: its files of products, its zips, its folders, and a digest of them.

Every file whose name may be one of a product's is asked for its size and times each time: a file
that was rewritten in place leaves its folder's time as it was. Other files are not even asked.
This is the inner loop of the scan, 200,000 files a second and more: it is written for speed, on
bytes, and imports nothing of this project. No file is opened.
"""

from __future__ import annotations

import errno
import hashlib
import marshal
import os
import stat
from typing import Final, NamedTuple, TypeAlias

DIGEST_BYTES: Final = 16

_AT_A_TIME: Final = 4096

# What the names of a product's files begin with (alos2.naming has the grammar; it is asked for
# what is new). A file that only looks like one does no harm.
_HEADS: Final = frozenset((b"IMG-", b"LED-", b"VOL-", b"TRL-", b"LUT-", b"BRS-", b"ALOS", b"summ"))
_ZIPS: Final = frozenset(
    b"." + bytes((z, i, p)) for z in b"zZ" for i in b"iI" for p in b"pP"
)  # fmt: skip
_HAS_CTIME: Final = os.name == "posix"
_HIDDEN: Final = ord(".")
_GONE: Final = (errno.ENOENT, errno.ESTALE)


class Entry(NamedTuple):
    """A file in a folder."""

    name: bytes
    size: int
    """Bytes."""
    mtime_ns: int
    """When its bytes were last written, as far as its owner lets us know; ns since 1970."""
    ctime_ns: int
    """When the file system last changed it, ns since 1970."""

    @property
    def changed_ns(self) -> int:
        """When it was last changed; whoever copies files with their old times cannot set this one.

        Where there is none, `mtime_ns`: some file systems in user space, and Windows.
        """
        return (self.ctime_ns if _HAS_CTIME else 0) or self.mtime_ns


File: TypeAlias = tuple[bytes, int, int, int]
"""What an `Entry` holds, as a plain tuple: made 200,000 times a second."""


class Listing(NamedTuple):
    """What lies in a folder; hidden names (``.name``) are left out: work in progress lies there."""

    files: list[File]
    """Those that may belong to a product."""
    zips: list[File]
    folders: list[bytes]
    """Names, sorted."""
    links: list[bytes]
    """Names of links to folders."""
    troubles: list[tuple[bytes, str]]
    """Name and a sentence: links that lead nowhere."""
    empty: bool
    """Whether there is nothing at all, hidden names aside."""
    unsure: str
    """Why some file cannot be asked for its size; empty where all could."""


def list_folder(path: bytes) -> Listing:
    """Look into a folder.

    Raises
    ------
    OSError
        The folder cannot be read.
    """
    found = Listing([], [], [], [], [], True, "")
    files, zips, folders = found.files, found.zips, found.folders
    others: list[os.DirEntry[bytes]] = []
    empty, unsure = True, ""
    with os.scandir(path) as entries:
        for entry in entries:
            name = entry.name
            if name[0] == _HIDDEN:
                continue
            empty = False
            kept = files if name[:4] in _HEADS else zips if name[-4:] in _ZIPS else None
            if kept is not None and entry.is_file(follow_symlinks=False):
                try:
                    st = entry.stat(follow_symlinks=False)
                    # Not the stat_result itself: it takes three times the memory.
                    kept.append((name, st.st_size, st.st_mtime_ns, st.st_ctime_ns))
                except OSError as error:
                    if error.errno not in _GONE:  # else taken away meanwhile
                        unsure = f"{os.fsdecode(name)}: {error.strerror or error}"
            elif entry.is_dir(follow_symlinks=False):
                folders.append(name)
            elif entry.is_symlink():
                others.append(entry)
    for entry in others:
        _follow(entry, found)
    folders.sort()
    return found._replace(empty=empty, unsure=unsure)


def _follow(entry: os.DirEntry[bytes], found: Listing) -> None:
    """Sort a link to where it leads: file, zip, folder, nowhere."""
    name = entry.name
    try:
        status = entry.stat()
    except OSError as error:
        why = "is a link that leads to itself" if error.errno == errno.ELOOP else "is a broken link"
        if error.errno not in (errno.ELOOP, errno.ENOENT):
            why = f"is a link that cannot be followed: {error.strerror or error}"
        found.troubles.append((name, why))
        return
    if stat.S_ISDIR(status.st_mode):
        found.links.append(name)
    elif stat.S_ISREG(status.st_mode):
        file = (name, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        if name[:4] in _HEADS:
            found.files.append(file)
        elif name[-4:] in _ZIPS:
            found.zips.append(file)


def digest_of(files: list[File]) -> bytes:
    """Return what changes whenever a file comes, goes, or changes its size or time.

    Of names, sizes and modification times (BLAKE2b, 16 bytes), in any order: `files` are sorted
    here. The time of the last change of the inode is left out on purpose: a ``chown -R`` or a
    restored backup is no new product.
    """
    files.sort()  # by name: no two are the same
    digest = hashlib.blake2b(digest_size=DIGEST_BYTES)
    for start in range(0, len(files), _AT_A_TIME):
        facts = [file[:3] for file in files[start : start + _AT_A_TIME]]
        # Twice as fast as any text. Its version 2 writes the same bytes for the same values; should
        # a later Python not, then all folders are looked at once more.
        digest.update(marshal.dumps(facts, 2))
    return digest.digest()


def entries_of(files: list[File]) -> list[Entry]:
    """Return name, size and times of each, by name."""
    return [Entry(*file) for file in files]
