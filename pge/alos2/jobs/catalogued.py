"""An archive's catalogue kept true while datasets are made: what a pipeline does about it.

A dataset that was made stays made, whatever befalls the catalogue: the failure is handed to who
reports (exit code 7). A mark is left before a dataset is made, whether or not there is a catalogue
yet; where a process is killed, or its work or entry fails, the mark stays, and the next one that
opens the catalogue looks at the dataset's folder again.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from alos2.errors import Alos2Error, Interrupted
from alos2.hysds.workdir import WorkDir
from alos2.jobs.options import IngestOptions

if TYPE_CHECKING:
    from alos2.dataset.locks import FileLock

log = logging.getLogger(__name__)

_WITHOUT = "the dataset is not in the archive's catalogue: %s"


@dataclass
class Kept:
    """How keeping the catalogue went."""

    failure: Alos2Error | None = None
    """Why it does not know the dataset; None: it does, or there is none to keep."""


def keeps_catalogue(out: Path, *, is_archive: bool) -> bool:
    """Whether datasets made in `out` are entered in a catalogue there.

    Parameters
    ----------
    out : Path
        Takes the datasets.
    is_archive : bool
        Whether somebody named it as such; the working directory is one if it has a catalogue.
    """
    from alos2.catalogue.embedded.folders import CATALOGUE_FOLDER  # noqa: PLC0415 - slow

    if WorkDir(out).is_hysds or WorkDir(Path.cwd()).is_hysds:
        return False
    return is_archive or (out / CATALOGUE_FOLDER).is_dir()


@contextmanager
def catalogued(options: IngestOptions, name: str) -> Iterator[Kept]:
    """Enter the dataset `name` of ``options.out`` once the caller has made it.

    Nothing is done unless ``options.catalogue`` says so. No failure of the catalogue is raised: it
    is logged, and left in what is given.
    """
    kept = Kept()
    if not options.catalogue:
        yield kept
        return
    # Imported late: a job without a catalogue should not wait for SQLite and shapely.
    from alos2.catalogue.embedded import EmbeddedCatalogue  # noqa: PLC0415

    with ExitStack() as stack:
        mark: FileLock | None = None
        try:
            # Also where there is no catalogue yet: who makes it may look before we have ended.
            mark = stack.enter_context(EmbeddedCatalogue(options.out).begun(name))
        except Interrupted:
            raise
        except Alos2Error as error:
            kept.failure = error
        yield kept
        if mark is not None:
            _enter(options.out, name, kept)
            mark.stays = kept.failure is not None
        if kept.failure is not None:
            log.warning(_WITHOUT, kept.failure)


def _enter(out: Path, name: str, kept: Kept) -> None:
    """Enter the dataset; a catalogue that is not there yet is made of all that are."""
    from alos2.catalogue.embedded import EmbeddedCatalogue  # noqa: PLC0415 - as above

    try:
        with EmbeddedCatalogue.open(out) as catalogue:
            catalogue.refresh(name, catalogue.archive / name)
    except Interrupted:
        raise
    except Alos2Error as error:
        kept.failure = error
