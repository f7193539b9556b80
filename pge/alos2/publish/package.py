"""A dataset's folder, read and hashed: what shall be published, to the last byte.

Nothing is written: HySDS's own publishing of the same folder must remain possible.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from alos2.dataset.documents import DATASET_SUFFIX, MET_SUFFIX, STAC_SUFFIX
from alos2.errors import BadProduct, PublishFailed, UsageError
from alos2.publish.model import Entry, PublishOptions
from alos2.publish.parallel import each, stop_if
from alos2.types import Json

BROWSE_END: Final = "browse.png"
"""HySDS's end of the names of large browse pictures, looked for at the top of a dataset."""

SMALL_END: Final = "browse_small.png"
_CHUNK: Final = 1 << 20
_SHA256_MULTIHASH: Final = "1220"
"""What STAC's ``file:checksum`` of a SHA-256 begins with."""


@dataclass(frozen=True)
class Package:
    """A dataset that is ready to be published."""

    id: str
    folder: Path
    entries: tuple[Entry, ...]
    """All its files, by name."""
    documents: dict[str, Json] = field(repr=False)
    """``stac``, ``dataset``, ``met``."""

    @property
    def size_bytes(self) -> int:
        """Of all files."""
        return sum(entry.size for entry in self.entries)

    @property
    def browse(self) -> tuple[str, ...]:
        """Names of the large browse pictures, as HySDS finds them."""
        return tuple(e.name for e in self._top() if e.name.endswith(BROWSE_END))

    @property
    def small_browse(self) -> tuple[Entry, ...]:
        """The small ones, which HySDS puts at the browse location besides."""
        wanted = {name.removesuffix(BROWSE_END) + SMALL_END for name in self.browse}
        return tuple(e for e in self._top() if e.name in wanted)

    def _top(self) -> Iterator[Entry]:
        return (entry for entry in self.entries if "/" not in entry.name)


def read_documents(folder: Path) -> dict[str, Json]:
    """Return the documents of a dataset.

    Raises
    ------
    UsageError
        `folder` is no dataset.
    BadProduct
        It was one; a document is damaged.
    """
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder", hint="give the folder of a dataset")
    suffixes = {"stac": STAC_SUFFIX, "dataset": DATASET_SUFFIX, "met": MET_SUFFIX}
    documents: dict[str, Json] = {}
    for key, suffix in suffixes.items():
        file = folder / f"{folder.name}{suffix}"
        try:
            document: Any = json.loads(file.read_bytes())
        except FileNotFoundError:
            raise UsageError(
                f"{folder} is no whole dataset: it has no {file.name}",
                hint="give a folder that 'alos2 ingest' made, under its own name",
            ) from None
        except (OSError, ValueError, RecursionError) as error:
            raise BadProduct(
                f"{file} cannot be read: {error}", hint="make the dataset again"
            ) from error
        if not isinstance(document, dict):
            raise BadProduct(f"{file} is no JSON object", hint="make the dataset again")
        documents[key] = document
    return documents


def read_package(
    folder: Path, documents: dict[str, Json], *, part_bytes: int | None, options: PublishOptions
) -> Package:
    """Read and hash all files of a dataset, and hold them against what its STAC item says.

    Parameters
    ----------
    folder : Path
        The dataset.
    documents : dict
        As `read_documents` gives them.
    part_bytes : int, optional
        Also make the MD5 of each part of this size: what S3 names a file's content by.
    options : PublishOptions
        For progress and for stopping.

    Raises
    ------
    BadProduct
        A file is missing or damaged, or is none that can be published (a link, a device).
    Interrupted
        The caller wanted to stop.
    """
    found = sorted(_files(folder))
    total = sum(size for _, _, size in found)
    done = 0

    def read(item: tuple[str, Path, int]) -> Entry:
        return _hashed(*item, part_bytes=part_bytes, options=options)

    entries: list[Entry] = []
    for entry in each(read, found, at_once=options.at_once, stop=options.stop):
        entries.append(entry)
        done += entry.size
        options.progress("hash", done, total)
    entries.sort(key=lambda e: e.name)
    package = Package(folder.name, folder, tuple(entries), documents)
    problem = next(_broken(package), "")
    if problem:
        raise BadProduct(f"{folder}: {problem}", hint="make the dataset again with --force")
    return package


def _files(folder: Path) -> Iterator[tuple[str, Path, int]]:
    def fail(error: OSError) -> None:
        raise PublishFailed(f"{error.filename} cannot be read: {error.strerror}") from error

    for root, folders, names in os.walk(folder, onerror=fail):
        for name in [*folders, *names]:
            path = Path(root, name)
            state = path.lstat()
            if stat.S_ISREG(state.st_mode):
                yield path.relative_to(folder).as_posix(), path, state.st_size
            elif not stat.S_ISDIR(state.st_mode):
                raise BadProduct(
                    f"{path} is a link or no file, which cannot be published",
                    hint="a dataset holds files only; make it again",
                )


def _hashed(
    name: str, path: Path, size: int, *, part_bytes: int | None, options: PublishOptions
) -> Entry:
    sha256 = hashlib.sha256(usedforsecurity=False)
    parts: list[bytes] = []
    md5, in_part, there = hashlib.md5(usedforsecurity=False), 0, 0
    try:
        with path.open("rb") as file:
            while chunk := file.read(min(_CHUNK, (part_bytes or _CHUNK) - in_part)):
                stop_if(options)
                sha256.update(chunk)
                there += len(chunk)
                if part_bytes:
                    md5.update(chunk)
                    in_part += len(chunk)
                    if in_part == part_bytes:
                        parts.append(md5.digest())
                        md5, in_part = hashlib.md5(usedforsecurity=False), 0
    except OSError as error:
        raise PublishFailed(f"{path} cannot be read: {error.strerror or error}") from error
    if there != size:
        raise PublishFailed(f"{path} changes while it is read", hint="wait until it is finished")
    if part_bytes and (in_part or not parts):
        parts.append(md5.digest())
    return Entry(name, path, size, sha256.hexdigest(), tuple(parts))


def _broken(package: Package) -> Iterator[str]:
    """Yield a sentence for each asset that is not as the STAC item says."""
    entries = {entry.name: entry for entry in package.entries}
    assets = package.documents["stac"].get("assets")
    for asset in assets.values() if isinstance(assets, dict) else ():
        name = str(asset.get("href", "")).removeprefix("./")
        if "://" in name or name.startswith("/"):
            continue  # a file that stays where it is
        entry = entries.get(name)
        checksum = asset.get("file:checksum")
        if entry is None:
            yield f"{name} is missing"
        elif asset.get("file:size") not in (None, entry.size):
            yield f"{name} has {entry.size} bytes, not {asset['file:size']}"
        elif checksum is not None and checksum != _SHA256_MULTIHASH + entry.sha256:
            yield f"{name} is damaged: its SHA-256 is another than the STAC item says"
