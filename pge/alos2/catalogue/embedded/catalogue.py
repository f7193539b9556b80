"""The catalogue of an archive: what datasets are in it, entered, found and forgotten.

It lies in ``<archive>/.alos2-catalogue/catalogue.sqlite`` and is made from the dataset folders:
lost or damaged, it is made again (`rebuild`). One process writes at a time, any number reads.
Folders are kept relative to the archive, which may be moved.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Final

from alos2.catalogue.embedded import deleting, locks, searching, tables
from alos2.catalogue.embedded.folders import read_item
from alos2.catalogue.embedded.query import Query
from alos2.catalogue.embedded.rows import row_of, unpack
from alos2.catalogue.embedded.searching import Hit, Page
from alos2.catalogue.embedded.store import PATIENCE_S, Store
from alos2.catalogue.embedded.tables import Entered
from alos2.catalogue.embedded.verify import Verified, verify
from alos2.dataset.locks import FileLock
from alos2.errors import BadDocument, NoResource, NothingFound, PublishFailed, UsageError
from alos2.types import Json

log = logging.getLogger(__name__)

_PAGE: Final = 1000


class EmbeddedCatalogue(Store):
    """What datasets an archive holds. Open it with `open`; it is a context manager."""

    @classmethod
    def open(
        cls,
        archive: Path,
        *,
        create: bool = True,
        read_only: bool = False,
        patience_s: float = PATIENCE_S,
    ) -> EmbeddedCatalogue:
        """Open the catalogue of an archive.

        Parameters
        ----------
        archive : Path
            The folder that holds the datasets.
        create : bool, optional
            Make a catalogue where there is none, from the datasets that are there.
        read_only : bool, optional
            Never write; the archive may be read-only.
        patience_s : float, optional
            How long to wait for another writer.

        Raises
        ------
        NothingFound
            There is none, and none was to be made.
        PublishFailed
            It is damaged, of another version, or locked.
        NoResource, NoSpace
            It cannot be opened or made.
        """
        catalogue = cls(archive, read_only=read_only, patience_s=patience_s)
        if not catalogue.path.exists():
            if read_only or not create:
                raise NothingFound(
                    f"{archive} has no catalogue",
                    hint=f"alos2 catalog rebuild {archive} makes one",
                )
            catalogue._rebuild(only_if_absent=True)
        catalogue._live()
        if not read_only:
            try:
                catalogue.settle()
            except BaseException:
                catalogue.close()
                raise
        return catalogue

    @classmethod
    def open_to_read(cls, archive: Path, *, patience_s: float = PATIENCE_S) -> EmbeddedCatalogue:
        """Open to read only; what killed processes left is settled before, if we may write.

        That may be a catalogue too that was to be made, and is not yet.

        Raises
        ------
        NothingFound
            There is none.
        PublishFailed, NoResource
            It is damaged, of another version, or cannot be read.
        """
        if locks.has_left_behind(cls(archive).folder):
            try:
                cls.open(archive, patience_s=patience_s).close()
            except (NoResource, PublishFailed) as error:
                log.info("what was left behind is not settled: %s", error.message)
        return cls.open(archive, read_only=True, patience_s=patience_s)

    # What is entered.

    def put(self, item: Json, folder: Path) -> Entered:
        """Enter a dataset, or what has become of it. Again the same changes nothing.

        Parameters
        ----------
        item : Json
            Its STAC item.
        folder : Path
            Its folder, in the archive.

        Returns
        -------
        {"created", "updated", "unchanged"}

        Raises
        ------
        BadDocument
            It is no STAC item with an id, an outline and a time.
        UsageError
            The folder lies outside the archive.
        PublishFailed, NoResource, NoSpace
            It cannot be written.
        """
        row, place = row_of(item), self._relative(folder)
        if not self._in_batch:
            same = self._one(
                "SELECT 1 FROM items WHERE id = ? AND digest = ? AND folder = ?",
                (row.columns["id"], row.columns["digest"], place),
            )
            if same:
                return "unchanged"
        with self._writing() as connection:
            return tables.enter(connection, row, place)

    def remove(self, name: str) -> bool:
        """Forget the dataset with id `name`; whether it was known. Its folder is left alone.

        Raises
        ------
        PublishFailed, NoResource, NoSpace
            It cannot be written.
        """
        with self._writing() as connection:
            return tables.erase(connection, name)

    def refresh(self, name: str, folder: Path | None = None) -> bool:
        """Enter a dataset as its folder has it now, or forget it if that is gone.

        Parameters
        ----------
        name : str
            Its id.
        folder : Path, optional
            Where it lies; else where it is known to lie if it is there still, else in the
            archive itself.

        Returns
        -------
        bool
            Whether it is there.

        Raises
        ------
        BadDocument
            Its STAC item cannot be read.
        PublishFailed, NoResource, NoSpace
            It cannot be written.
        """
        known = self._one("SELECT folder FROM items WHERE id = ?", (name,))
        place = folder or self.archive / (known[0] if known else name)
        item = read_item(place)
        if item is None and folder is None:
            place = self.archive / name
            item = read_item(place)
        if item is not None:
            self.put(item, place)
        elif known is not None:
            self.remove(name)
        return item is not None

    def delete(self, name: str) -> bool:
        """Delete a dataset, its folder too; whether there was one.

        Raises
        ------
        PublishFailed, NoResource, NoSpace
            It is being made at this moment, or cannot be moved or forgotten.
        """
        return deleting.delete(self, name)

    @contextmanager
    def batch(self) -> Iterator[None]:
        """Make all that is put and removed within one transaction: all of it, or nothing.

        Other writers wait meanwhile, so a batch should take seconds, not minutes.

        Raises
        ------
        PublishFailed, NoResource, NoSpace
            It cannot be written.
        """
        with self._writing():
            self._in_batch = True
            try:
                yield
            finally:
                self._in_batch = False

    def begun(self, name: str) -> AbstractContextManager[FileLock]:
        """Leave a mark while the dataset `name` is made, replaced or removed by the caller.

        If the process is killed, or an error ends the work, the next one that opens the catalogue
        looks at the folder again. No catalogue need be there: who needs only this makes an object
        without opening it.

        Raises
        ------
        NoResource, NoSpace
            The mark cannot be made.
        """
        return locks.begun(self.folder, name)

    def settle(self) -> None:
        """Look again at the datasets in whose making a process was killed; finish deletions.

        Raises
        ------
        PublishFailed, NoResource, NoSpace
            It cannot be written.
        """
        for name in locks.left_behind(self.folder):
            try:
                self.refresh(name)
            except BadDocument as error:
                log.warning("%s", error.message)
        deleting.empty_removed(self.folder)

    # What is told.

    def get(self, name: str) -> Json | None:
        """Return the STAC item with id `name`, or None.

        Raises
        ------
        BadDocument, PublishFailed
            It cannot be read.
        """
        found = self._one("SELECT document FROM documents JOIN items USING (rid) WHERE id = ?",
                          (name,))  # fmt: skip
        if found is None:
            return None
        item: Json = json.loads(unpack(found[0]))
        return item

    def folder_of(self, name: str) -> Path | None:
        """Return the folder of the dataset with id `name`, or None."""
        found = self._one("SELECT folder FROM items WHERE id = ?", (name,))
        return None if found is None else self.archive / found[0]

    def exists(self, name: str) -> bool:
        """Whether the dataset with id `name` is known."""
        return self._one("SELECT 1 FROM items WHERE id = ?", (name,)) is not None

    def ids(self) -> Iterator[str]:
        """Yield all ids in their order."""
        last = ""
        while rows := self.query(
            "SELECT id FROM items WHERE id > ? ORDER BY id LIMIT ?", (last, _PAGE)
        ):
            yield from (row[0] for row in rows)
            last = rows[-1][0]

    def __len__(self) -> int:
        found = self._one("SELECT count(*) FROM items", ())
        return int(found[0]) if found else 0

    def verify(
        self, *, checksums: bool = False, progress: Callable[[int], None] = lambda _: None
    ) -> Verified:
        """Compare with the archive, and the files with what is said of them; see `verify`.

        Raises
        ------
        NoResource
            A folder of the archive cannot be listed.
        PublishFailed
            The catalogue cannot be read at all.
        """
        return verify(self, checksums=checksums, progress=progress)

    def search(self, query: Query) -> Iterator[Hit]:
        """Yield what matches, in the order asked for, at most ``query.limit``.

        Nothing is locked between two hits: what changes meanwhile may or may not be seen.

        Raises
        ------
        UsageError
            The query contradicts itself.
        PublishFailed, NoResource
            The catalogue cannot be read.
        """
        return searching.search(self, query)

    def page(self, query: Query) -> Page:
        """Return ``query.limit`` hits (default 100) and the token of the next page.

        Raises
        ------
        UsageError
            The query contradicts itself, or its token is another query's.
        PublishFailed, NoResource
            The catalogue cannot be read.
        """
        return searching.page(self, query)

    def count(self, query: Query) -> int:
        """Return how many match, whatever the limit.

        Raises
        ------
        UsageError
            The query contradicts itself.
        PublishFailed, NoResource
            The catalogue cannot be read.
        """
        return searching.count(self, query)

    def _relative(self, folder: Path) -> str:
        """Return where a folder lies in the archive, with ``/``."""
        try:
            return folder.absolute().relative_to(self.archive).as_posix()
        except ValueError:
            raise UsageError(
                f"{folder} lies outside of the archive {self.archive}",
                hint="a catalogue knows the datasets of its own archive",
            ) from None
