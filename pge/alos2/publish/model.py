"""What publishing is told and what it says afterwards; the protocols of stores and catalogues."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal, Protocol, TypeAlias

from alos2.types import Json, Logins, no_login

Status: TypeAlias = Literal["new", "unchanged", "replaced"]
"""What became of a dataset at the place where it is published."""

Progress: TypeAlias = "Callable[[str, int, int | None], None]"
"""Called with a stage's name, what is done of it, and how much there is (bytes)."""

_MEBIBYTE: Final = 1 << 20


def silent(stage: str, done: int, total: int | None) -> None:
    """Say nothing about progress."""


def never() -> bool:
    """Never ask to stop."""
    return False


@dataclass(frozen=True)
class PublishOptions:
    """How to publish; the defaults are those of the command."""

    force: bool = False
    """Replace another dataset of the same id."""
    at_once: int = 4
    """How many files travel at a time."""
    verify_all: bool = False
    """Read everything back, also what is verified by other means."""
    patience_s: float = 600.0
    """How long to wait for another publisher of the same dataset, seconds."""
    stale_s: float = 900.0
    """After how many seconds without a sign of life another machine's publisher counts as dead."""
    beat_s: float = 60.0
    """How often a publisher gives a sign of life, seconds."""
    part_bytes: int = 64 * _MEBIBYTE
    """S3: size of a part of a large file, and so of the largest file sent in one piece."""
    reread_bytes: int = 8 * _MEBIBYTE
    """WebDAV: files up to this size are read back and hashed; larger ones are verified by size."""
    retries: int = 4
    """How often a request is made again after a passing fault."""
    backoff_s: float = 0.5
    """Wait before the first retry, seconds; doubled for each further one."""
    logins: Logins = no_login
    progress: Progress = silent
    cancelled: Callable[[], bool] = never
    stop: threading.Event = field(default_factory=threading.Event)
    """Set when one of several threads has failed: the others end early. One for each dataset."""


@dataclass(frozen=True)
class Filing:
    """As what a rule files a dataset."""

    ipath: str
    """HySDS's ``<namespace>::data/<dataset>``."""
    dataset: str
    """Name of the dataset: the part of `ipath` behind the slash."""
    type: str
    level: str
    version: str
    """Of the dataset's documents."""

    @property
    def index(self) -> str:
        """The index in which HySDS's catalogue keeps it."""
        return f"grq_{self.version}_{self.dataset}".lower()


@dataclass(frozen=True)
class Place:
    """Where something goes, and where it will be found."""

    location: str
    """URL or path of the folder that takes the files, without credentials."""
    urls: tuple[str, ...] = ()
    """URLs under which the catalogue lists it."""
    s3_profile: str | None = None
    """Profile of the AWS configuration that may write there."""


@dataclass(frozen=True)
class Placement:
    """What the rules say about one dataset."""

    filing: Filing
    publish: Place
    browse: Place | None = None
    """Where the small browse pictures go besides."""


@dataclass(frozen=True)
class Entry:
    """One file of a dataset."""

    name: str
    """Path inside the dataset, with forward slashes."""
    path: Path
    size: int
    sha256: str
    """Hexadecimal."""
    md5_parts: tuple[bytes, ...] = ()
    """MD5 of each part of the size that was asked for; empty where nobody asked."""


@dataclass(frozen=True)
class Published:
    """A dataset that is where it belongs."""

    id: str
    folder: Path
    """The local dataset, unchanged."""
    status: Status
    placement: Placement
    documents: Mapping[str, Json] = field(repr=False)
    """The dataset's own documents: ``stac``, ``dataset``, ``met``."""
    browse: tuple[str, ...]
    """Names of the large browse pictures; the small ones are at ``placement.browse``."""
    files: int
    size_bytes: int
    seconds: float


class Catalogue(Protocol):
    """Where a published dataset is made known, e.g. HySDS's GRQ; see ``alos2.catalogue``."""

    def ingest(self, document: Json) -> None:
        """File `document`; doing so again changes nothing.

        Raises
        ------
        PublishFailed
            The catalogue did not take it.
        """


DocumentMaker: TypeAlias = "Callable[[Published], Json]"
"""Makes the document that a catalogue takes of a published dataset."""


class Transaction(AbstractContextManager["Transaction"], Protocol):
    """The files of one place, brought there in steps; left without `finish`, all is undone."""

    @property
    def status(self) -> Status:
        """What has become or will become of the place; ``unchanged``: there is nothing to do."""

    def stage(self) -> None:
        """Bring the files to the store and verify them; what was there before is untouched."""

    def commit(self) -> None:
        """Put them in their place."""

    def finish(self) -> None:
        """Drop what would be needed to undo it: from now on it stays."""


class Store(Protocol):
    """A kind of place, e.g. S3. Others are added by the entry-point group ``alos2.stores``."""

    part_bytes: int | None
    """Size of the parts whose MD5 it wants to know; None: of none."""

    def begin(self, files: tuple[Entry, ...], label: str, place: Place) -> Transaction:
        """Prepare to publish `files` at `place`.

        Parameters
        ----------
        files : tuple of Entry
            What shall be there, and nothing else.
        label : str
            The dataset's id; the last part of the location.
        place : Place
            Where.

        Raises
        ------
        UsageError
            The location is not one of this store.
        """
