"""A process that goes through folders: compares each with what is known, tells what is new.

Started by :mod:`alos2.scan.crew` with a fresh interpreter, since a process that was forked must
not use SQLite. It keeps a stack of folders that lie before it, and gives half of it away when it
is asked to: so one deep tree keeps all walkers at work. What it holds does not grow with what it
has seen, but for one bit a place.
"""

from __future__ import annotations

import errno
import os
import sys
import threading
from collections.abc import Iterable
from queue import SimpleQueue
from typing import Any, BinaryIO, Final

from alos2.scan import wire
from alos2.scan.listing import File, Listing, digest_of, entries_of, list_folder
from alos2.scan.seen import Bits, Known

_ITEMS_A_MESSAGE: Final = 256
_VANISHED: Final = (errno.ENOENT, errno.ESTALE)


class Walker:
    """One walker.

    Parameters
    ----------
    pipe : file
        Where to tell what is found.
    known : bytes or None
        Path of the state's database.
    skip : iterable of bytes
        Folders not to go into.
    settled_ns : int
        Zips that were changed later than this (ns since 1970) are not opened: they may still be
        copied.
    """

    def __init__(
        self, pipe: BinaryIO, known: bytes | None, skip: Iterable[bytes], settled_ns: int
    ) -> None:
        self._pipe = pipe
        self._known = Known(known)
        self._skip = frozenset(skip)
        self._settled_ns = settled_ns
        self._stack: list[bytes] = []
        self._items: list[tuple[Any, ...]] = []
        self.met = Bits()
        self.folders = 0
        self.files = 0
        self.asked = threading.Event()
        """Set when another has nothing to do."""

    def walk(self, folders: list[bytes]) -> None:
        """Go through folders and all that is below them."""
        self._stack += reversed(folders)
        while self._stack:
            self.folder(self._stack.pop())
            if len(self._items) >= _ITEMS_A_MESSAGE:
                self._flush()
            if self.asked.is_set() and len(self._stack) > 1:
                self._share()
        self._flush()
        self.asked.clear()
        wire.send(self._pipe, wire.IDLE)

    def _share(self) -> None:
        # The bottom of the stack is nearest to the root, so there is most below it.
        half = len(self._stack) // 2
        spare, self._stack = self._stack[:half], self._stack[half:]
        self.asked.clear()
        wire.send(self._pipe, wire.SPARE, spare[::-1])

    def _flush(self) -> None:
        if self._items:
            wire.send(self._pipe, wire.ITEMS, self._items)
            self._items = []

    def folder(self, path: bytes) -> None:
        """Look into one folder; its folders are put on the stack."""
        try:
            listing = list_folder(path)
        except OSError as error:
            if error.errno not in _VANISHED:
                self._trouble(path, f"cannot be read: {error.strerror or error}")
            return
        self.folders += 1
        stem = path if path.endswith(b"/") else path + b"/"
        self._report(path, stem, listing)
        if listing.files and not listing.unsure:
            self._loose(path, listing)
        for file in listing.zips:
            self._zip(stem + file[0], file)
        for name in reversed(listing.folders):
            child = stem + name
            if child not in self._skip:
                self._stack.append(child)

    def _report(self, path: bytes, stem: bytes, listing: Listing) -> None:
        """Tell what is the matter with a folder, and where links lead to others."""
        if listing.unsure:
            self._trouble(path, f"holds files that cannot be looked at, {listing.unsure}")
            self._news(path, b"")  # it was met, and is not judged
        if listing.empty and self._known.any_below(path):
            self._trouble(path, "is empty, though there were scenes below it: is it mounted?")
        for name, sentence in listing.troubles:
            self._trouble(stem + name, sentence)
        for name in listing.links:
            self._items.append((wire.LINK, stem + name))

    def _loose(self, path: bytes, listing: Listing) -> None:
        self.files += len(listing.files)
        digest = digest_of(listing.files)
        place_id = self._news(path, digest)
        if place_id is None:
            return
        from alos2.scan.likeness import units_in_folder  # noqa: PLC0415 - only for what is new

        self._found(path, place_id, digest, units_in_folder("", listing.files))

    def _zip(self, path: bytes, file: File) -> None:
        self.files += 1
        digest = digest_of([file])
        place_id = self._news(path, digest)
        if place_id is None:
            return
        (entry,) = entries_of([file])
        if entry.changed_ns > self._settled_ns:
            self._items.append((wire.SETTLING, path, entry.changed_ns))
            return
        from alos2.errors import BadProduct  # noqa: PLC0415
        from alos2.scan.zips import units_in_zip  # noqa: PLC0415

        try:
            units, problem = units_in_zip(os.fsdecode(path), entry)
        except BadProduct as error:
            self._trouble(path, error.message)
            return
        self._found(path, place_id, digest, units, problem)

    def _news(self, path: bytes, digest: bytes) -> int | None:
        """Return the id of a place that is new (0) or changed, None for one that is neither."""
        known = self._known.get(path)
        if known is None:
            return 0
        place_id, old = known
        self.met.add(place_id)
        return None if old == digest else place_id

    def _found(
        self, path: bytes, place_id: int, digest: bytes, units: Iterable[Any], problem: str = ""
    ) -> None:
        rows = [tuple(unit[1:]) for unit in units]
        self._items.append((wire.FOUND, path, place_id, digest, problem, rows))

    def _trouble(self, path: bytes, sentence: str) -> None:
        self._items.append((wire.TROUBLE, path, sentence))


def _listen(pipe: BinaryIO, walker: Walker, orders: SimpleQueue[tuple[Any, ...]]) -> None:
    """Pass on what we are told, while the walk goes on."""
    while True:
        try:
            order = wire.receive(pipe)
        except (EOFError, OSError):
            os._exit(0)  # the process that scans has gone: nobody wants to know any more
        if order[0] == wire.SHARE:
            walker.asked.set()
        else:
            orders.put(order)


def main() -> None:
    """Serve the process that started us, until it has gone or says that all is done."""
    source, target = sys.stdin.buffer, sys.stdout.buffer
    try:
        path, known, skip, settled_ns = wire.receive(source)
    except EOFError:
        return  # nothing was to be done after all
    sys.path[:] = path
    walker = Walker(target, known, skip, settled_ns)
    orders: SimpleQueue[tuple[Any, ...]] = SimpleQueue()
    threading.Thread(target=_listen, args=(source, walker, orders), daemon=True).start()
    try:
        for word, *values in iter(orders.get, None):
            if word == wire.WALK:
                walker.walk(values[0])
            else:
                met = walker.met.as_bytes()
                wire.send(target, wire.END, met, walker.folders, walker.files)
    except BrokenPipeError:
        pass
    os._exit(0)  # the thread that listens is not waited for
