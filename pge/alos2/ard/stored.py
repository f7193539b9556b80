"""A finished scene on disk: made whole or not at all, and read back."""

from __future__ import annotations

import json
import logging
import re
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from alos2.archive.writing import sync_folder, writing_failed
from alos2.dataset.durable import hidden_siblings, sync_tree
from alos2.dataset.locks import FileLock
from alos2.errors import BadProduct, UsageError
from alos2.product.model import MapGrid
from alos2.raster.gridfile import read_grid
from alos2.types import Json

log = logging.getLogger(__name__)

_NAME_RE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
_NEW: Final = "new-"
_WORK: Final = ".work"


@dataclass(frozen=True)
class ArdScene:
    """One scene's analysis-ready data."""

    folder: Path
    item: Json
    """The STAC item."""
    grid: MapGrid
    when: datetime
    """Middle of the observation, UTC."""
    layers: Mapping[str, Path]
    """By polarisation, and ``mask``, ``lia``, ``ei``, ``area``, ``gs`` as far as they were made."""
    notes: tuple[str, ...]
    """What is to be known about how it was made."""


def checked_name(name: str) -> str:
    """Return `name` if files can be called so.

    Raises
    ------
    UsageError
        They cannot.
    """
    if not _NAME_RE.fullmatch(name):
        raise UsageError(
            f"{name!r} cannot be the name of files",
            hint="use letters, digits, '.', '_' and '-', and begin with a letter or digit",
        )
    return name


def item_path(folder: Path, name: str) -> Path:
    """Return where the STAC item of the scene `name` lies."""
    return folder / f"{name}.json"


class Staging:
    """The hidden folder that becomes the scene's, of use within `staged`."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self.folder = out.parent / f".{out.name}.{_NEW}{secrets.token_hex(4)}"
        self.work = self.folder / _WORK
        """For what is gone again when the scene is done."""

    def commit(self) -> None:
        """Put the folder in its place.

        Raises
        ------
        NoSpace, NoResource
            The disk is full or cannot be written.
        """
        try:
            shutil.rmtree(self.work)
            sync_tree(self.folder)
            if self.out.is_dir():  # empty, as it was when we began; rename needs it so on Windows
                self.out.rmdir()
            self.folder.rename(self.out)
            sync_folder(self.out.parent)
        except OSError as error:
            raise writing_failed(self.out, error) from error


@contextmanager
def staged(out: Path) -> Iterator[Staging]:
    """Make a hidden folder beside `out`; what is not committed is removed.

    Raises
    ------
    UsageError
        `out` is there already, and is no empty folder.
    NoResource
        Another run is making it, or nothing can be written there.
    """
    # As it is: an absolute path, but not where a link leads to.
    out = Path.cwd() / out
    if out.is_symlink() or (out.exists() and not (out.is_dir() and not any(out.iterdir()))):
        raise UsageError(
            f"{out} is there already", hint="remove it, or give another folder that is not there"
        )
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise writing_failed(out.parent, error) from error
    with FileLock(out.parent / f".{out.name}.lock", f"{out.name} is being made") as lock:
        if lock.found:
            for leftover in hidden_siblings(out.parent, f".{out.name}.{_NEW}"):
                log.info("removing %s, which a killed run left", leftover.name)
                shutil.rmtree(leftover, ignore_errors=True)
        staging = Staging(out)
        try:
            staging.work.mkdir(parents=True)
        except OSError as error:
            raise writing_failed(staging.folder, error) from error
        try:
            yield staging
        finally:
            shutil.rmtree(staging.folder, ignore_errors=True)


def load_ard(folder: Path) -> ArdScene:
    """Read a scene that `scene.make_ard` has made; no pixels are read.

    Raises
    ------
    BadProduct
        It is none, or a file of it is missing or cannot be read.
    """
    items = [p for p in sorted(folder.glob("*.json")) if not p.name.startswith(".")]
    if len(items) != 1:
        raise BadProduct(
            f"{folder} is no scene of analysis-ready data: it has {len(items)} STAC items",
            hint="make the scene again",
        )
    try:
        item = json.loads(items[0].read_text(encoding="utf-8"))
        properties = item["properties"]
        layers = {
            str(asset["alos2:layer"]): folder / Path(asset["href"]).name
            for asset in item["assets"].values()
            if "alos2:layer" in asset
        }
        when = datetime.fromisoformat(properties["datetime"].replace("Z", "+00:00"))
        notes = tuple(str(note) for note in properties["alos2:notes"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadProduct(
            f"{items[0]} is no item of analysis-ready data: {error!r}", hint="make the scene again"
        ) from error
    missing = sorted(path.name for path in layers.values() if not path.is_file())
    if missing or "mask" not in layers:
        raise BadProduct(
            f"{folder}: {', '.join(missing) or 'the mask'} is missing", hint="make the scene again"
        )
    return ArdScene(folder, item, read_grid(layers["mask"]), when, layers, notes)
