"""S3 as a store: it has no rename, so that a marker stands in the dataset until it is whole.

A new dataset is sent to its place under the marker. One that replaces another is sent beside it
(``.<id>.new-<token>/``); then the objects that will change are copied aside
(``.<id>.old-<token>/``) and the new ones copied over them, both inside S3. What failed is undone
from there; what was killed, the next publisher undoes or finishes by the marker's journal.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from alos2.errors import PublishFailed
from alos2.publish.compare import Remote
from alos2.publish.marked import MarkedTransaction
from alos2.publish.marker import MARKER_NAME
from alos2.publish.model import Entry, Place, PublishOptions
from alos2.publish.parallel import each
from alos2.publish.s3address import S3Address, new_client, parse
from alos2.publish.s3bucket import Bucket, Listed, etag_of
from alos2.publish.s3marker import BucketMarker
from alos2.publish.s3send import send

log = logging.getLogger(__name__)


class S3Store:
    """Publish to S3; see `alos2.publish.model.Store`."""

    def __init__(self, options: PublishOptions) -> None:
        self._options = options
        self.part_bytes: int | None = options.part_bytes

    def begin(self, files: tuple[Entry, ...], label: str, place: Place) -> S3Transaction:
        """Prepare to publish `files` at the prefix `place`.

        Raises
        ------
        UsageError
            The location names no bucket and key, or boto3 is not installed.
        """
        address = parse(place.location)
        client = new_client(address, place.s3_profile, self._options)
        return S3Transaction(files, label, client, address, self._options)


class _Objects:
    """What lies below a prefix, for comparing."""

    def __init__(self, bucket: Bucket, prefix: str, found: dict[str, Listed]) -> None:
        self._bucket = bucket
        self._prefix = prefix
        self._found = found

    def sizes(self) -> dict[str, int]:
        return {name: item.size for name, item in self._found.items()}

    def read(self, name: str) -> bytes:
        return self._bucket.read(self._prefix + name)

    def holds(self, entry: Entry) -> bool:
        """Tell by the entity tag, else by what is written beside it, else by reading it."""
        if self._found[entry.name].etag == etag_of(entry):
            return True
        key = self._prefix + entry.name
        told = self._bucket.told_sha256(key)
        return (told or self._bucket.sha256(key)) == entry.sha256


class S3Transaction(MarkedTransaction):
    """See `alos2.publish.marked`."""

    def __init__(
        self,
        files: tuple[Entry, ...],
        label: str,
        client: Any,
        address: S3Address,
        options: PublishOptions,
    ) -> None:
        bucket = Bucket(client, address.bucket, address.where, options)
        key = f"{address.prefix}/{MARKER_NAME}"
        marker = BucketMarker(client, address.bucket, key, address.where)
        super().__init__(files, label, marker, f"s3://{address.bucket}/{address.prefix}", options)
        self._bucket = bucket
        self._prefix = f"{address.prefix}/"
        parent, _, name = address.prefix.rpartition("/")
        self._beside = f"{parent}/.{name}." if parent else f".{name}."
        self._there: dict[str, Listed] = {}

    def _list(self) -> dict[str, Listed]:
        found = self._bucket.names(self._prefix)
        found.pop(MARKER_NAME, None)
        return found

    def _side(self, role: str) -> str:
        return f"{self._beside}{role}-{self._marker.journal.work}/"

    def _remote(self) -> Remote | None:
        self._there = self._list()
        return _Objects(self._bucket, self._prefix, self._there) if self._there else None

    def _make_way(self) -> None:
        """Do nothing: S3 has no folders."""

    def _recover(self) -> bool:
        journal = self._marker.journal
        self._bucket.drop_parts(self._prefix)
        self._bucket.drop_parts(self._side("new"))
        if journal.kind == "new":
            log.info("%s: going on where a killed publisher ended", self._shown)
            return True
        if journal.phase == "switching":
            self._restore()
            self._marker.note(phase="done")
        self._drop_sides()
        return False

    def _changed(self) -> tuple[Entry, ...]:
        """Return the files that are not at the place already."""
        there = self._there
        return tuple(
            e for e in self._files if e.name not in there or there[e.name].etag != etag_of(e)
        )

    def _send(self) -> None:
        changed = self._changed()
        target = self._prefix if self.status == "new" else self._side("new")
        over = {n: i.etag for n, i in self._there.items()} if self.status == "new" else {}
        send(self._bucket, target, changed, over, self._options)
        if self.status == "new":
            # What a killed publisher of another dataset of this id had sent.
            self._delete(self._prefix, self._there.keys() - {e.name for e in self._files})
        self._check_sizes(target, changed)

    def _check_sizes(self, prefix: str, entries: tuple[Entry, ...]) -> None:
        there = self._bucket.names(prefix)
        for entry in entries:
            size = there[entry.name].size if entry.name in there else None
            if size != entry.size:
                raise PublishFailed(
                    f"{entry.name} has {size} bytes at {self._shown} and not {entry.size}",
                    hint="run the same command again",
                )

    def _switch(self) -> None:
        if self.status != "replaced":
            return
        ours = {entry.name: entry.size for entry in self._changed()}
        gone = self._there.keys() - {entry.name for entry in self._files}
        touched = {n: item.size for n, item in self._there.items() if n in ours or n in gone}
        self._copy(self._prefix, self._side("old"), touched)
        self._marker.note(phase="switching", old=sorted(self._there))
        self._copy(self._side("new"), self._prefix, ours)
        self._delete(self._prefix, gone)
        self._check_sizes(self._prefix, self._files)

    def _drop(self) -> None:
        if self.status == "replaced":
            self._drop_sides()

    def _undo(self) -> None:
        journal = self._marker.journal
        if journal.kind == "new":
            self._bucket.drop_parts(self._prefix)
            self._delete(self._prefix, self._list())
            return
        self._bucket.drop_parts(self._side("new"))
        if journal.phase == "switching":
            self._restore()
            self._marker.note(phase="done")
        self._drop_sides()

    def _restore(self) -> None:
        """Bring back what the switch had copied aside."""
        log.warning("%s: putting back what was there before", self._shown)
        aside = {n: item.size for n, item in self._bucket.names(self._side("old")).items()}
        self._copy(self._side("old"), self._prefix, aside)
        self._delete(self._prefix, self._list().keys() - set(self._marker.journal.old))

    def _drop_sides(self) -> None:
        for role in ("new", "old"):
            side = self._side(role)
            self._delete(side, self._bucket.names(side))

    def _copy(self, source: str, target: str, sizes: Mapping[str, int]) -> None:
        def copy(name: str) -> None:
            self._bucket.copy(source + name, target + name, sizes[name])

        for _ in each(copy, sorted(sizes), at_once=self._options.at_once):
            pass

    def _delete(self, prefix: str, names: Iterable[str]) -> None:
        def delete(name: str) -> None:
            self._bucket.delete(prefix + name)

        for _ in each(delete, sorted(names), at_once=self._options.at_once):
            pass
