"""The walk through an archive: which places are new or have changed, and what is in the way.

Every folder is listed and every file of a product asked for its size and time at each scan; what
comes out is only what differs from the marks of former scans (:mod:`alos2.scan.seen`). Nothing is
read but names, sizes and times, and the directories of zips that are new.

Links to files count as files. Links to folders are followed where they lead out of what is walked
anyway, after everything else and in the order of their paths, so that of two links to one folder
the same one is followed each time; links to a folder above, and loops, are not.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias

from alos2.scan import wire
from alos2.scan.crew import Crew, Hand, Order, hired
from alos2.scan.seen import Bits, Known, below
from alos2.scan.units import Unit

_NS: Final = 1_000_000_000
_NEVER_NS: Final = 1 << 62


class Found(NamedTuple):
    """A place that is new, or differs from when it was last marked."""

    path: str
    """Folder or zip, as `os.fsdecode` gives it."""
    place_id: int
    """``places.id``; 0: it was not known."""
    digest: bytes
    units: tuple[Unit, ...]
    """All that are there now."""
    problem: str
    """Why a zip cannot be listed: it is damaged; else empty."""


class Trouble(NamedTuple):
    """Something that cannot be looked at; the scan goes on."""

    path: str
    sentence: str
    """What is the matter with it: ``is a broken link``."""


class Settling(NamedTuple):
    """A zip that may still be copied: it is left for a later scan."""

    path: str
    newest_ns: int
    """When it was last changed, ns since 1970."""


Item: TypeAlias = Found | Trouble | Settling


class Walk:
    """One walk; iterate over it once.

    Parameters
    ----------
    roots : sequence of Path
        Folders.
    known : Path or None
        The database that holds the marks; it is only read. None, or no such file: all is new.
    workers : int, optional
        Processes that walk; as many as there are processors, 2 to 8, where it is not given. More
        help where the file system answers slowly.
    skip : sequence of Path, optional
        Folders not to go into.
    settle_s : float, optional
        Zips that were changed within so many seconds are not opened.
    now_ns : int, optional
        Now, ns since 1970.
    hands : sequence of Hand, optional
        Walkers that were started before, instead of `workers`; they are used up.

    Attributes
    ----------
    folders, files : int
        How many were looked at; after the walk.
    seconds : float
        How long it took.
    complete : bool
        Whether it came to its end.
    met : Bits
        Ids of known places that are still there.
    walked : list of bytes
        Roots, and folders that links led to.
    inodes : dict
        Identity of each root.
    """

    def __init__(
        self,
        roots: Sequence[Path],
        *,
        known: Path | None,
        workers: int | None = None,
        skip: Sequence[Path] = (),
        settle_s: float = 0.0,
        now_ns: int | None = None,
        hands: Sequence[Hand] = (),
    ) -> None:
        self._roots = [_plain(root) for root in roots]
        self._known = known
        self._workers = workers
        self._hands = hands
        self._skip = tuple(_plain(folder) for folder in skip)
        self._real_skip = [os.path.realpath(folder) for folder in self._skip]
        now = time.time_ns() if now_ns is None else now_ns
        self._settled_ns = now - int(settle_s * _NS) if settle_s > 0 else _NEVER_NS
        self._real: list[bytes] = []
        self._links: list[bytes] = []
        self._doubts: set[bytes] = set()
        self.folders = self.files = 0
        self.seconds = 0.0
        self.complete = False
        self.met = Bits()
        self.walked: list[bytes] = []
        self.inodes: dict[bytes, str] = {}

    def in_doubt(self, path: bytes) -> bool:
        """Whether nothing can be said of `path`, since it or a folder above could not be read."""
        if not self._doubts:
            return False
        while path not in self._doubts:
            above = path.rpartition(b"/")[0]
            if not above:
                return b"/" in self._doubts
            path = above
        return True

    def __iter__(self) -> Iterator[Item]:
        start = time.perf_counter()
        order = Order(self._known, self._skip, self._settled_ns)
        with ExitStack() as stack:
            hands = self._hands or stack.enter_context(hired(self._workers))
            crew = stack.enter_context(Crew(hands, order))
            troubles, ready = self._start()
            yield from troubles
            while ready:
                for item in crew.walk(ready):
                    if item[0] == wire.LINK:
                        self._links.append(item[1])
                    else:
                        yield self._item(item)
                troubles, ready = self._follow()
                yield from troubles
            crew.dismiss()
            self.met, self.folders, self.files = crew.met, crew.folders, crew.files
        self.seconds = time.perf_counter() - start
        self.complete = True

    def _item(self, item: tuple[Any, ...]) -> Item:
        path = os.fsdecode(item[1])
        if item[0] == wire.FOUND:
            units = tuple(Unit(path, *row) for row in item[5])
            return Found(path, item[2], item[3], units, item[4])
        if item[0] == wire.SETTLING:
            return Settling(path, item[2])
        return self._trouble(item[1], item[2])

    def _trouble(self, path: bytes, sentence: str) -> Trouble:
        self._doubts.add(path)
        return Trouble(os.fsdecode(path), sentence)

    def _start(self) -> tuple[list[Trouble], list[bytes]]:
        """Look at the roots; return what is wrong with them, and which to walk."""
        troubles, ready = [], []
        known = Known(self._known)
        for root in sorted(set(self._roots), key=lambda path: (os.path.realpath(path), path)):
            if not any(is_within(root, (other,)) for other in self.walked):
                self.walked.append(root)
            real = os.path.realpath(root)
            if is_within(real, self._real):
                continue
            sentence, empty = self._look_at(root, known)
            if sentence:
                troubles.append(self._trouble(root, sentence))
                continue
            self._real.append(real)
            if not empty:
                ready.append(root)
        known.close()
        return troubles, ready

    def _look_at(self, root: bytes, known: Known) -> tuple[str, bool]:
        """Say why a root cannot be walked, or is not the disk that it was; and if it is empty."""
        try:
            with os.scandir(root) as entries:
                empty = all(entry.name.startswith(b".") for entry in entries)
            inode = str(Path(os.fsdecode(root)).stat().st_ino)
        except OSError as error:
            return f"cannot be read: {error.strerror or error}", False
        # The folder that a disk is mounted on has another inode than the root of the disk.
        if empty and known.any_at(root) and known.inode(root) != inode:
            return "is empty, and was not when it was scanned before: is it mounted?", True
        self.inodes[root] = inode
        return "", empty

    def _follow(self) -> tuple[list[Trouble], list[bytes]]:
        """Look at the links that were met; return those that lead up, and which to walk."""
        troubles, ready = [], []
        for link in sorted(self._links):
            real = os.path.realpath(link)
            if is_within(os.path.realpath(link.rpartition(b"/")[0]), (real,)):
                troubles.append(self._trouble(link, "is a link to a folder that it lies in"))
            elif is_within(real, self._real) or is_within(real, self._real_skip):
                continue
            elif any(is_within(other, (real,)) for other in self._real):
                sentence = "is a link to a folder above one that is walked, and is not followed"
                troubles.append(self._trouble(link, sentence))
            else:
                self._real.append(real)
                ready.append(link)
        self._links.clear()
        return troubles, ready


def _plain(folder: Path) -> bytes:
    """Return the absolute path; links stay as the user wrote them, where no ``..`` follows."""
    return os.fsencode(folder.resolve() if ".." in folder.parts else folder.absolute())


def is_within(path: bytes, folders: Iterable[bytes]) -> bool:
    """Whether `path` is one of `folders` or lies below one; both absolute."""
    return any(path == folder or path.startswith(below(folder)[0]) for folder in folders)
