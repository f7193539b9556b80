"""Datasets of scenes whose files are gone are removed, on request and never otherwise.

A dataset goes if all places where its scene was lie below folders that have just been walked, none
of its files is there any more, and it names no others. What the catalogue of HySDS holds goes
first, then the folder, then the entry in the archive's own catalogue, then what we know of it: a
run that is killed between is continued by the next one.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from alos2.archive.writing import writing_failed
from alos2.dataset.durable import hidden_siblings
from alos2.dataset.locks import FileLock
from alos2.errors import NoResource
from alos2.scan.finding import holds_scenes
from alos2.scan.options import ScanOptions
from alos2.scan.report import ScanReport
from alos2.scan.state import ScanState
from alos2.scan.units import file_names
from alos2.scan.walk import Walk, is_within
from alos2.types import Json

if TYPE_CHECKING:
    from collections.abc import Callable

    from alos2.catalogue.embedded import EmbeddedCatalogue
    from alos2.scan.grqside import GrqFiling

_STAC: Final = ".stac.json"
_ASIDE: Final = "new-"
"""As what is half made: whoever makes the dataset anew clears it away."""
_IN_ZIP: Final = "!"
_OWN: Final = ("IMG-", "LED-")
"""What the files of data are called."""


class Gone(NamedTuple):
    """A dataset whose scene is nowhere any more."""

    dataset_id: str
    places: tuple[str, ...]
    """Where it was."""
    made_at: str | None
    """Where it was when the dataset was made; None: we have made none."""


def gone_datasets(state: ScanState, walk: Walk) -> list[Gone]:
    """Return what may be forgotten after a walk, in the order of ids."""
    rows = state.db.execute(
        """SELECT units.dataset_id, was_at, scene, product, codes, in_zip, made.path FROM units
           LEFT JOIN made ON made.dataset_id = units.dataset_id
           WHERE state = 'gone' AND NOT EXISTS (SELECT 1 FROM units v
             WHERE v.dataset_id = units.dataset_id AND v.state <> 'gone')
           ORDER BY units.dataset_id, was_at"""
    )
    found = []
    for name, group in groupby(rows, key=lambda row: str(row[0])):
        all_of_it = list(group)
        if all(_is_gone(walk, row[1:6]) for row in all_of_it):
            made = all_of_it[0][6]
            places = tuple(os.fsdecode(row[1]) for row in all_of_it)
            found.append(Gone(name, places, None if made is None else os.fsdecode(made)))
    return found


def _is_gone(walk: Walk, row: Sequence[Any]) -> bool:
    place, scene, product, codes, in_zip = row
    if not is_within(place, walk.walked) or walk.in_doubt(place):
        return False
    if in_zip:
        return not os.path.lexists(place)
    # What else may be left (previews, a summary.txt) is no scene.
    own = [name for name in file_names(scene, product, codes) if name.startswith(_OWN)]
    return not any(os.path.lexists(Path(os.fsdecode(place), name)) for name in own)


def in_doubt(state: ScanState, options: ScanOptions, walk: Walk) -> list[Path]:
    """Return the roots that could not be read, or in which there is no scene any more."""
    return [
        root
        for root in options.roots
        if walk.in_doubt(os.fsencode(root)) or not holds_scenes(state, root)
    ]


def forget(
    state: ScanState,
    options: ScanOptions,
    walk: Walk,
    report: ScanReport,
    tell: Callable[[Json], None],
    *,
    only_say: bool = False,
) -> None:
    """Remove what may be forgotten, and tell of each.

    Raises
    ------
    PublishFailed, LoginFailed
        A catalogue does not do it; the next run goes on there.
    NoResource, NoSpace
        The archive cannot be written to.
    """
    doubtful = in_doubt(state, options, walk)
    for root in doubtful:
        sentence = "cannot be judged: it has no scene any more, or is unreadable; is it mounted?"
        report.trouble(str(root), f"{sentence} Nothing is forgotten")
        tell({"kind": "trouble", "place": str(root), "sentence": sentence})
    if doubtful:
        return
    gone = gone_datasets(state, walk)
    if only_say:
        for one in gone:
            tell({"kind": "would forget", "dataset_id": one.dataset_id, "place": one.places[0]})
            report.forgotten += 1
        return
    if gone:
        with _Forgetting(state, options) as forgetting:
            for one in gone:
                told = forgetting.one(one)
                report.forgotten += told["kind"] == "forgotten"
                tell(told)


class _Forgetting:
    """Removes datasets from everywhere."""

    def __init__(self, state: ScanState, options: ScanOptions) -> None:
        self._state = state
        self._out = options.out
        self._grq: GrqFiling | None = None
        self._catalogue: EmbeddedCatalogue | None = None
        self._stack = ExitStack()
        place = options.job_options().get("grq")
        if place:
            from alos2.scan.grqside import grq_filing  # noqa: PLC0415 - few have one

            self._grq = grq_filing(place)

    def __enter__(self) -> _Forgetting:
        from alos2.catalogue.embedded import EmbeddedCatalogue  # noqa: PLC0415 - slow

        if EmbeddedCatalogue(self._out).path.exists():
            self._catalogue = self._stack.enter_context(EmbeddedCatalogue.open(self._out))
        return self

    def __exit__(self, *ended: Any) -> None:
        self._stack.close()

    def one(self, gone: Gone) -> Json:
        """Remove a dataset; return what is to be told."""
        name = gone.dataset_id
        folder = self._folder(name)
        told: Json = {"dataset_id": name, "place": gone.places[0]}
        if folder.is_symlink() or not _names_only(folder, gone):
            sentence = f"{folder} is not of these files alone, and stays"
            return {"kind": "not forgotten", **told, "sentence": sentence}
        there = folder.exists()
        in_grq = None
        try:
            with FileLock(self._out / f".{name}.lock", f"dataset {name} is being written") as lock:
                if self._grq is not None:
                    in_grq = self._grq.forget(name, folder, partial(_is_of, gone))
                with ExitStack() as stack:
                    if self._catalogue is not None:
                        stack.enter_context(self._catalogue.begun(name))
                    _remove(folder, lock)
                    if self._catalogue is not None:
                        self._catalogue.refresh(name)
        except NoResource as error:
            return {"kind": "not forgotten", **told, "sentence": error.message}
        with self._state.transaction() as db:
            db.execute("DELETE FROM units WHERE dataset_id = ? AND state = 'gone'", (name,))
            db.execute("DELETE FROM made WHERE dataset_id = ?", (name,))
        return {
            "kind": "forgotten",
            **told,
            "folder": str(folder) if there else None,
            "grq": in_grq,
        }

    def _folder(self, name: str) -> Path:
        known = self._catalogue.folder_of(name) if self._catalogue is not None else None
        return known or self._out / name


def _names_only(folder: Path, gone: Gone) -> bool:
    """Whether a dataset is not there, or names files at the places that are gone and no others."""
    if not folder.exists():
        return True
    try:
        item = json.loads((folder / f"{folder.name}{_STAC}").read_bytes())
        files = item["properties"]["alos2:stays_at"]
    except (OSError, ValueError, KeyError, TypeError):
        return gone.made_at in gone.places  # damaged: it counts who made it
    return _name_only(files, gone.places)


def _is_of(gone: Gone, document: Json) -> bool:
    """Whether a document of HySDS's catalogue names these files and no others."""
    metadata = document.get("metadata")
    return isinstance(metadata, dict) and _name_only(
        metadata.get("gekko_archive_files"), gone.places
    )


def _name_only(files: object, places: Sequence[str]) -> bool:
    """Whether `files` are paths at or below `places`, and at least one."""
    return (
        isinstance(files, list)
        and bool(files)
        and all(isinstance(file, str) and any(_is_at(file, place) for place in places)
                for file in files)
    )  # fmt: skip


def _is_at(file: str, place: str) -> bool:
    return file == place or file.startswith((f"{place}/", f"{place}{_IN_ZIP}"))


def _remove(folder: Path, lock: FileLock) -> None:
    """Take a dataset away in one step.

    Raises
    ------
    NoResource
        It cannot be moved.
    """
    prefix = f".{folder.name}.{_ASIDE}"
    if lock.found:  # of a killed run, which may have left more
        for leftover in list(hidden_siblings(folder.parent, prefix)):
            shutil.rmtree(leftover, ignore_errors=True)
    aside = folder.with_name(f"{prefix}{secrets.token_hex(4)}")
    try:
        folder.rename(aside)
    except FileNotFoundError:
        return
    except OSError as error:
        raise writing_failed(folder, error) from error
    try:
        shutil.rmtree(aside)
    except OSError:
        lock.stays = True  # so that the next one who makes it clears up
