"""WebDAV as a store: sent to a hidden folder beside its place, verified, and renamed by MOVE.

Beside ``<id>`` stand, while something is under way: the marker ``.<id>.alos2-incomplete``, what is
being sent (``.<id>.new-<token>``) and, for a moment, what is replaced (``.<id>.old-<token>``).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from types import TracebackType
from urllib.parse import urlsplit

from alos2.errors import DatasetDiffers, PublishFailed, UsageError
from alos2.publish.compare import Remote
from alos2.publish.davclient import DavClient
from alos2.publish.davmarker import DavMarker
from alos2.publish.davxml import Listed
from alos2.publish.marked import MarkedTransaction
from alos2.publish.marker import MARKER_NAME
from alos2.publish.model import Entry, Place, PublishOptions
from alos2.publish.parallel import each

log = logging.getLogger(__name__)


class DavStore:
    """Publish to WebDAV; see `alos2.publish.model.Store`."""

    part_bytes: int | None = None

    def __init__(self, options: PublishOptions) -> None:
        self._options = options

    def begin(self, files: tuple[Entry, ...], label: str, place: Place) -> DavTransaction:
        """Prepare to publish `files` at the folder `place`.

        Raises
        ------
        UsageError
            The location is no URL of a folder.
        """
        scheme, separator, rest = place.location.rstrip("/").partition("://")
        secure = {"dav": "http", "webdav": "http", "davs": "https", "webdavs": "https"}
        parts = urlsplit(f"{secure.get(scheme, scheme)}{separator}{rest}")
        parent, _, name = parts.path.rpartition("/")
        if not parts.netloc or not name:
            raise UsageError(f"{place.location} is not davs://HOST/FOLDER")
        client = DavClient(f"{parts.scheme}://{parts.netloc}{parent}", self._options)
        return DavTransaction(files, label, client, name, self._options)


class _Files:
    """What lies in a folder, for comparing."""

    def __init__(
        self, client: DavClient, name: str, found: Mapping[str, Listed], options: PublishOptions
    ) -> None:
        self._client = client
        self._name = name
        self._found = found
        self._options = options

    def sizes(self) -> Mapping[str, int]:
        return {name: item.size for name, item in self._found.items()}

    def read(self, name: str) -> bytes:
        return self._client.read(f"{self._name}/{name}")

    def holds(self, entry: Entry) -> bool:
        """Tell by reading it; of larger files the documents, compared before, hold the SHA-256."""
        if entry.size > self._options.reread_bytes and not self._options.verify_all:
            return True
        return self._client.sha256(f"{self._name}/{entry.name}") == entry.sha256


class DavTransaction(MarkedTransaction):
    """See `alos2.publish.marked`."""

    def __init__(
        self,
        files: tuple[Entry, ...],
        label: str,
        client: DavClient,
        name: str,
        options: PublishOptions,
    ) -> None:
        marker = DavMarker(client, f".{name}{MARKER_NAME}")
        super().__init__(files, label, marker, f"{client.url}/{name}", options)
        self._client = client
        self._name = name

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            super().__exit__(kind, error, trace)
        finally:
            self._client.close()

    def _side(self, role: str) -> str:
        return f".{self._name}.{role}-{self._marker.journal.work}"

    def _remote(self) -> Remote | None:
        itself = self._client.list(self._name, "0")
        if itself is None:
            return None
        if not any(item.is_folder for item in itself.values()):
            raise DatasetDiffers(
                f"{self._shown} is in the way: it is no folder", hint="move it away"
            )
        found = self._client.tree(self._name)
        return None if found is None else _Files(self._client, self._name, found, self._options)

    def _make_way(self) -> None:
        """Make the folders above the place, from the first that is missing."""
        self._client.make_path()

    def _recover(self) -> bool:
        self._put_back()
        for role in ("new", "old"):
            self._client.delete(self._side(role))
        return False

    def _put_back(self) -> None:
        """Where a switch was broken off, the old dataset may have lost its place."""
        if self._marker.journal.phase != "switching":
            return
        old = self._side("old")
        if self._is_there(old) and not self._is_there(self._name):
            log.warning("%s: putting back what was there before", self._shown)
            self._move(old, self._name)

    def _is_there(self, name: str) -> bool:
        return self._client.list(name, "0") is not None

    def _move(self, source: str, target: str) -> None:
        if not self._client.move(source, target):
            raise DatasetDiffers(
                f"somebody else has put something at {self._client.address(target)} meanwhile",
                hint="run the same command again",
            )

    def _send(self) -> None:
        side, options = self._side("new"), self._options
        folders = {side}
        for entry in self._files:
            parts = entry.name.split("/")[:-1]
            folders |= {"/".join([side, *parts[:n]]) for n in range(1, len(parts) + 1)}
        for folder in sorted(folders):
            if not self._client.make_folder(folder):
                raise PublishFailed(f"the folder {folder} cannot be made at {self._client.url}")
        total, done = sum(entry.size for entry in self._files), 0

        def put(entry: Entry) -> int:
            self._client.put(f"{side}/{entry.name}", entry)
            return entry.size

        largest_first = sorted(self._files, key=lambda e: e.size, reverse=True)
        for size in each(put, largest_first, at_once=options.at_once, stop=options.stop):
            done += size
            options.progress("publish", done, total)
        self._verify(side)

    def _verify(self, side: str) -> None:
        """Hold what arrived against what was hashed: all sizes, the SHA-256 of what is small."""
        there = self._client.tree(side) or {}
        remote = _Files(self._client, side, there, self._options)
        for entry in self._files:
            size = there[entry.name].size if entry.name in there else None
            if size != entry.size:
                raise PublishFailed(
                    f"{entry.name} has {size} bytes at {self._client.host} and not {entry.size}",
                    hint="run the same command again",
                )
        total, done = sum(entry.size for entry in self._files), 0

        def check(entry: Entry) -> tuple[Entry, bool]:
            return entry, remote.holds(entry)

        options = self._options
        for entry, right in each(check, self._files, at_once=options.at_once, stop=options.stop):
            if not right:
                raise PublishFailed(
                    f"{entry.name} reads back other than it was sent to {self._client.host}",
                    hint="run the same command again",
                )
            done += entry.size
            options.progress("verify", done, total)

    def _switch(self) -> None:
        self._marker.note(phase="switching")
        if self.status == "replaced":
            self._move(self._name, self._side("old"))
        self._move(self._side("new"), self._name)

    def _drop(self) -> None:
        if self.status == "replaced":
            self._client.delete(self._side("old"))

    def _undo(self) -> None:
        new, old = self._side("new"), self._side("old")
        if self._marker.journal.phase == "switching" and not self._is_there(new):
            # It had come to its place already.
            self._move(self._name, new)
        self._put_back()
        self._marker.note(phase="staging")
        self._client.delete(new)
        self._client.delete(old)
