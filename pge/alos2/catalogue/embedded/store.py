"""The file under a catalogue: opened, opened again when a rebuild replaced it, read and written."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Final, TypeVar

from alos2.catalogue.embedded import locks
from alos2.catalogue.embedded.connecting import connect_to_read, connect_to_write
from alos2.catalogue.embedded.faults import speaking
from alos2.catalogue.embedded.filesystem import Journal
from alos2.catalogue.embedded.folders import CATALOGUE_FOLDER
from alos2.catalogue.embedded.rebuild import NAME, Rebuilt, rebuild
from alos2.errors import NothingFound, UsageError

PATIENCE_S: Final = 30.0
"""How long to wait for another writer."""

_Store = TypeVar("_Store", bound="Store")


class Store:
    """The file of the catalogue of an archive; a context manager that closes it.

    An object is for one thread at a time; others open their own.

    Parameters
    ----------
    archive : Path
        The folder that holds the datasets.
    read_only : bool, optional
        Never write.
    patience_s : float, optional
        How long to wait for another writer.

    Attributes
    ----------
    archive, folder, path : Path
        The archive, the catalogue's folder in it, and its file.
    read_only : bool
        As given.
    """

    def __init__(
        self, archive: Path, *, read_only: bool = False, patience_s: float = PATIENCE_S
    ) -> None:
        self.archive = archive.absolute()
        self.folder = self.archive / CATALOGUE_FOLDER
        self.path = self.folder / NAME
        self.read_only = read_only
        self._patience_s = patience_s
        self._connection: sqlite3.Connection | None = None
        self._identity: tuple[int, int] | None = None
        self._in_batch = False

    def __enter__(self: _Store) -> _Store:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file; may be called twice."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def query(self, statement: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """Return the rows of a statement that only reads.

        Raises
        ------
        PublishFailed, NoResource
            It cannot be read.
        """
        with speaking(self.path):
            return self._live().execute(statement, values).fetchall()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Give the connection for several statements that shall see one state of the tables.

        Raises
        ------
        PublishFailed, NoResource
            It cannot be read.
        """
        with speaking(self.path):
            connection = self._live()
            is_joined = connection.in_transaction
            if not is_joined:
                connection.execute("BEGIN")
            try:
                yield connection
            finally:
                if not is_joined:
                    connection.rollback()  # nothing was written

    def rebuild(
        self,
        *,
        journal: Journal | None = None,
        progress: Callable[[int], None] = lambda _: None,
    ) -> Rebuilt:
        """Make the catalogue anew from the dataset folders; others go on reading meanwhile.

        Raises
        ------
        NoResource
            Another rebuild is at work, or a folder cannot be read.
        PublishFailed, NoSpace
            It cannot be written.
        """
        if self.read_only or self._in_batch:
            raise UsageError("a catalogue opened to read, or in a batch, cannot be rebuilt")
        self.close()
        return self._rebuild(journal=journal, progress=progress)

    def _rebuild(
        self,
        *,
        journal: Journal | None = None,
        only_if_absent: bool = False,
        progress: Callable[[int], None] = lambda _: None,
    ) -> Rebuilt:
        return rebuild(
            self.archive,
            self.folder,
            patience_s=self._patience_s,
            journal=journal,
            only_if_absent=only_if_absent,
            progress=progress,
        )

    def _one(self, statement: str, values: tuple[Any, ...]) -> tuple[Any, ...] | None:
        with speaking(self.path):
            found: tuple[Any, ...] | None = self._live().execute(statement, values).fetchone()
            return found

    def _live(self) -> sqlite3.Connection:
        """Return the connection; a new one if the file has been replaced by a rebuild."""
        try:
            now = self.path.stat()
        except FileNotFoundError:
            raise NothingFound(
                f"{self.path} is gone", hint=f"alos2 catalog rebuild {self.archive} makes one"
            ) from None
        identity = (now.st_dev, now.st_ino)
        if self._connection is None or identity != self._identity:
            self.close()
            connect = connect_to_read if self.read_only else connect_to_write
            self._connection = connect(self.path, self._patience_s)
            self._identity = identity
        return self._connection

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """Give the connection within a transaction: that of the batch, or one of its own."""
        if self.read_only:
            raise UsageError(f"{self.path} was opened to read only")
        if self._in_batch:
            with speaking(self.path):
                yield self._live()
            return
        with locks.write_lock(self.path, self._patience_s), speaking(self.path):
            connection = self._live()
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")
