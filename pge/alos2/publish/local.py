"""A folder of this machine as a store: copied beside its place, brought to the disk, renamed.

The hidden names are those of `alos2.dataset.write`, so that an ingest into the same folder and a
publisher keep out of each other's way, and each clears away what a killed one of the other left.
"""

from __future__ import annotations

import hashlib
import logging
import os
import secrets
import shutil
import time
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Final

from alos2.archive.writing import sync_folder, writing_failed
from alos2.dataset.durable import hidden_siblings, sync_tree
from alos2.dataset.exchange import exchange
from alos2.dataset.locks import FileLock
from alos2.errors import DatasetDiffers, NoResource, PublishFailed
from alos2.publish.compare import differences, refuse
from alos2.publish.localfolder import FolderContent, file_sha256, folder_of
from alos2.publish.model import Entry, Place, PublishOptions, Status
from alos2.publish.parallel import each, stop_if

log = logging.getLogger(__name__)

_CHUNK: Final = 1 << 20
_LOOK_S: Final = 0.5


class LocalStore:
    """Publish to folders; see `alos2.publish.model.Store`."""

    part_bytes: int | None = None

    def __init__(self, options: PublishOptions) -> None:
        self._options = options

    def begin(self, files: tuple[Entry, ...], label: str, place: Place) -> LocalTransaction:
        """Prepare to publish `files` at the folder `place`.

        Raises
        ------
        UsageError
            The location is a file URL of another machine, or a relative one.
        """
        return LocalTransaction(files, label, folder_of(place.location), self._options)


class LocalTransaction:
    """See `alos2.publish.model.Transaction`."""

    def __init__(
        self, files: tuple[Entry, ...], label: str, folder: Path, options: PublishOptions
    ) -> None:
        self.status: Status = "new"
        self._files = files
        self._label = label
        self._folder = folder
        self._out = folder.parent
        self._options = options
        self._stack = ExitStack()
        self._made: list[Path] = []
        self._staging: Path | None = None
        self._aside: Path | None = None
        self._is_in_place = False

    def __enter__(self) -> LocalTransaction:
        with self._stack as stack:
            stack.callback(self._remove_made)
            try:
                self._enter_lock(stack)
                self._clean_up()
                self._look()
            except OSError as error:
                raise writing_failed(self._folder, error) from error
            self._stack = stack.pop_all()
        return self

    def _enter_lock(self, stack: ExitStack) -> None:
        """Wait until nobody else writes this dataset; an ingest into this folder counts too."""
        lock = self._out / f".{self._folder.name}.lock"
        deadline = time.monotonic() + self._options.patience_s
        while True:
            # In every round: another publisher may have taken the empty folders away again.
            self._make_parents()
            try:
                stack.enter_context(FileLock(lock, f"dataset {self._folder.name} is being written"))
            except NoResource:
                # A folder that we may not write to will not become better.
                if time.monotonic() > deadline or not os.access(self._out, os.W_OK):
                    raise
            else:
                return
            stop_if(self._options)
            time.sleep(_LOOK_S)

    def _make_parents(self) -> None:
        missing = [p for p in (self._out, *self._out.parents) if not p.exists()]
        for folder in reversed(missing):
            folder.mkdir(exist_ok=True)
            self._made.append(folder)

    def _remove_made(self) -> None:
        """Take away the folders that we made above it, if nobody put anything there."""
        for folder in reversed(self._made):
            try:
                folder.rmdir()
            except OSError:
                return

    def _clean_up(self) -> None:
        """Finish or undo what a killed run left; the lock says that nobody is at work."""
        for aside in list(hidden_siblings(self._out, self._hidden("old-"))):
            if self._folder.exists():
                shutil.rmtree(aside)
            else:
                log.warning("putting back %s, which a killed run had set aside", self._folder)
                aside.rename(self._folder)
        for leftover in list(hidden_siblings(self._out, self._hidden("new-"))):
            log.info("removing %s, which a killed run left", leftover.name)
            shutil.rmtree(leftover)

    def _hidden(self, role: str) -> str:
        return f".{self._folder.name}.{role}"

    def _look(self) -> None:
        folder = self._folder
        if not folder.exists() and not folder.is_symlink():
            return
        if folder.is_symlink() or not folder.is_dir():
            raise DatasetDiffers(f"{folder} is in the way: it is no folder", hint="move it away")
        if self._is_source():
            self.status = "unchanged"
            return

        found = differences(self._files, self._label, FolderContent(folder), self._options)
        first = next(found, None)
        if first is None:
            self.status = "unchanged"
        else:
            if not self._options.force:
                refuse(chain([first], found), str(folder))
            self.status = "replaced"

    def _is_source(self) -> bool:
        """Whether the place is the very folder that is to be published."""
        return all(
            entry.path.absolute() == (self._folder / entry.name).absolute()
            or entry.path.resolve() == (self._folder / entry.name).resolve()
            for entry in self._files
        )

    def stage(self) -> None:
        """Copy, hashing what is copied, and bring it to the disk.

        Raises
        ------
        NoSpace, NoResource
            The disk is full or cannot be written.
        PublishFailed
            A file changed since it was hashed.
        """
        if self.status == "unchanged":
            return
        staging = self._out / f"{self._hidden('new-')}{secrets.token_hex(4)}"
        self._staging = staging
        options, done, total = self._options, 0, sum(entry.size for entry in self._files)
        try:
            for folder in sorted({(staging / e.name).parent for e in self._files} | {staging}):
                folder.mkdir(parents=True, exist_ok=True)
            for size in each(
                self._copy, self._files, at_once=min(options.at_once, 2), stop=options.stop
            ):
                done += size
                options.progress("publish", done, total)
            sync_tree(staging)
        except OSError as error:
            raise writing_failed(staging, error) from error

    def _copy(self, entry: Entry) -> int:
        target = (self._staging or self._folder) / entry.name
        digest = hashlib.sha256(usedforsecurity=False)
        with entry.path.open("rb") as source, target.open("xb") as copy:
            while chunk := source.read(_CHUNK):
                stop_if(self._options)
                digest.update(chunk)
                copy.write(chunk)
        if digest.hexdigest() != entry.sha256:
            raise PublishFailed(
                f"{entry.path} has changed since it was read", hint="wait until it is finished"
            )
        if self._options.verify_all and file_sha256(target) != entry.sha256:
            raise PublishFailed(f"{entry.name} reads back other than it was written to {self._out}")
        return entry.size

    def commit(self) -> None:
        """Rename the copy to its place; an old dataset steps aside.

        Raises
        ------
        NoResource
            It could not be renamed.
        """
        if self._staging is None:
            return
        try:
            if self.status == "new":
                self._staging.rename(self._folder)
                self._staging = None
            elif exchange(self._staging, self._folder):
                self._aside, self._staging = self._staging, None
            else:
                self._aside = self._out / f"{self._hidden('old-')}{secrets.token_hex(4)}"
                self._folder.rename(self._aside)
                self._staging.rename(self._folder)
                self._staging = None
            self._is_in_place = True
            sync_folder(self._out)
        except OSError as error:
            raise writing_failed(self._folder, error) from error

    def finish(self) -> None:
        """Let the old dataset go."""
        self._is_in_place = False
        self._made.clear()
        if self._aside is not None:
            shutil.rmtree(self._aside, ignore_errors=True)
            self._aside = None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._stack:
            try:
                self._undo()
            except OSError as problem:
                log.warning(
                    "%s could not be put back as it was: %s",
                    self._folder,
                    problem.strerror or problem,
                )

    def _undo(self) -> None:
        if self._is_in_place:
            gone = self._out / f"{self._hidden('new-')}{secrets.token_hex(4)}"
            self._folder.rename(gone)
            self._staging = gone
        if self._aside is not None:
            if not self._folder.exists():
                self._aside.rename(self._folder)
            self._aside = None
        if self._staging is not None:
            shutil.rmtree(self._staging, ignore_errors=True)
            self._staging = None
