"""A dataset comes into being: whole or not at all, once, whatever happens on the way.

It is made in a hidden folder beside its place, brought to the disk, and renamed in one step. One
lock file per dataset keeps a second writer away; what a killed run left is found and removed by
the next one. To replace a dataset the two folders swap their names in one step where the system
can do that; elsewhere the old one steps aside first, and the next run puts it back if that was all
that happened.
"""

from __future__ import annotations

import logging
import secrets
import shutil
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Final, Literal, TypeAlias

from alos2.archive.writing import sync_folder, writing_failed
from alos2.dataset.documents import Documents
from alos2.dataset.durable import hidden_siblings, sync_tree
from alos2.dataset.exchange import exchange
from alos2.dataset.existing import Existing
from alos2.dataset.footprint_report import FootprintAnswer
from alos2.dataset.identity import dataset_id
from alos2.dataset.locks import FileLock
from alos2.errors import BadDocument, DatasetDiffers
from alos2.product.model import Product

log = logging.getLogger(__name__)

Status: TypeAlias = Literal["new", "unchanged", "replaced"]
"""What became of a dataset."""

_NEW: Final = "new-"
_OLD: Final = "old-"


class DatasetWriter:
    """Write one dataset; a context manager. Leaving it without `commit` leaves nothing behind.

    Examples
    --------
    ::

        with DatasetWriter(out, product, force=False) as writer:
            if not writer.unchanged:
                pictures = make_pictures(product, writer.staging, dataset_id=writer.id)
                archive = package_product(product, writer.staging)
                writer.commit(make_documents(Content(product, ...)))
        writer.folder, writer.status

    Parameters
    ----------
    out : Path
        Folder that takes the dataset; must exist.
    product : Product
        With the SHA-256 of its files: what is compared with a dataset of the same id.
    metadata_only : bool, optional
        Whether the files stay where they are.
    force : bool, optional
        Replace a dataset of this id, whatever it holds.
    patience_s : float, optional
        How long to wait for another run that is writing it, seconds.

    Attributes
    ----------
    id : str
        The dataset's id.
    folder : Path
        Where it lies, or will lie.
    staging : Path
        The hidden folder to write its files into; only while ``unchanged`` is False.
    unchanged : bool
        The dataset is there already, made from the very same product: there is nothing to do.
    status : str
        See `Status`; ``new`` or ``replaced`` from `commit` on.
    footprint : FootprintAnswer or None
        Of an unchanged dataset, the footprint that it has.

    Raises
    ------
    DatasetDiffers
        On entering: another dataset, half a dataset or a file is at its place.
    NoResource
        On entering: another run is writing it, or the folder cannot be written to.
    """

    def __init__(
        self,
        out: Path,
        product: Product,
        *,
        metadata_only: bool = False,
        force: bool = False,
        patience_s: float = 0.0,
    ) -> None:
        self.id = dataset_id(product, metadata_only=metadata_only)
        self.folder = out / self.id
        self.status: Status | None = None
        self._out = out
        self._product = product
        self._metadata_only = metadata_only
        self._force = force
        self._lock = FileLock(
            out / f".{self.id}.lock",
            f"dataset {self.id} is being written",
            patience_s=patience_s,
        )
        self._staging: Path | None = None
        self._replaces = False
        self._stack = ExitStack()
        self.footprint: FootprintAnswer | None = None

    @property
    def unchanged(self) -> bool:
        """Whether there is nothing to do."""
        return self.status == "unchanged"

    @property
    def staging(self) -> Path:
        """The hidden folder that becomes the dataset."""
        if self._staging is None:
            raise RuntimeError("a dataset that is unchanged or committed has no staging folder")
        return self._staging

    def __enter__(self) -> DatasetWriter:
        with self._stack as stack:
            stack.enter_context(self._lock)
            if self._lock.found:
                # Only then: to look through a folder of a million datasets takes its time.
                self._clean_up()
            existing = Existing(self.folder, self._product, metadata_only=self._metadata_only)
            if existing.state == "same" and not self._force:
                self.status = "unchanged"
                self.footprint = existing.footprint
            else:
                if not self._force:
                    existing.refuse()
                self._replaces = existing.state != "absent"
                if self.folder.is_symlink():
                    raise DatasetDiffers(
                        f"{self.folder} is a link, which cannot be replaced by a dataset",
                        hint="remove the link, or use another --out",
                    )
                self._staging = self._hidden(_NEW)
                try:
                    self._staging.mkdir()
                except OSError as error:
                    raise writing_failed(self._staging, error) from error
            # All went well: keep the lock until we leave.
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._stack:
            if self._staging is not None:
                self._take_away(self._staging)
                self._staging = None

    def commit(self, documents: Documents) -> Path:
        """Write the documents beside the other files and put the dataset in its place.

        Returns
        -------
        Path
            The dataset's folder.

        Raises
        ------
        BadDocument
            The documents are of another dataset.
        NoSpace, NoResource
            The disk is full or cannot be written; nothing has changed.
        """
        if documents.id != self.id:
            raise BadDocument(f"documents of {documents.id} cannot go into dataset {self.id}")
        staging = self.staging
        try:
            for name, data in documents.files.items():
                (staging / name).write_bytes(data)
            sync_tree(staging)
            if self._replaces:
                self._replace(staging)
            else:
                staging.rename(self.folder)
            sync_folder(self._out)
        except OSError as error:
            raise writing_failed(self.folder, error) from error
        self._staging = None
        self.status = "replaced" if self._replaces else "new"
        return self.folder

    def _replace(self, staging: Path) -> None:
        if exchange(staging, self.folder):
            sync_folder(self._out)
            self._take_away(staging)  # the old one, by now
            return
        aside = self._hidden(_OLD)
        self.folder.rename(aside)
        try:
            staging.rename(self.folder)
        except OSError:
            aside.rename(self.folder)
            raise
        sync_folder(self._out)
        self._take_away(aside)

    def _hidden(self, role: str) -> Path:
        return self._out / f".{self.id}.{role}{secrets.token_hex(4)}"

    def _clean_up(self) -> None:
        """Finish or undo what a killed run left; the lock says that nobody is at work on it."""
        for aside in hidden_siblings(self._out, f".{self.id}.{_OLD}"):
            if self.folder.exists():
                self._take_away(aside)
            else:
                log.warning("putting back %s, which a killed run had set aside", self.folder)
                aside.rename(self.folder)
        for leftover in hidden_siblings(self._out, f".{self.id}.{_NEW}"):
            log.info("removing %s, which a killed run left", leftover.name)
            self._take_away(leftover)

    def _take_away(self, folder: Path) -> None:
        """Remove a folder of ours; what cannot be removed is for the next run."""
        if not _remove(folder):
            self._lock.stays = True


def _remove(folder: Path) -> bool:
    try:
        shutil.rmtree(folder)
    except OSError as error:
        log.warning("%s could not be removed: %s", folder, error.strerror or error)
        return False
    return True
