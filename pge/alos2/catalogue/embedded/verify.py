"""Whether a catalogue and the datasets that it speaks of are what they should be."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias
from urllib.parse import unquote

from alos2.catalogue.embedded.folders import find_datasets, item_file, read_item
from alos2.catalogue.embedded.rows import digest_of, plain_text
from alos2.errors import BadDocument
from alos2.types import Json

if TYPE_CHECKING:
    from alos2.catalogue.embedded.store import Store

What: TypeAlias = Literal[
    "index", "not-catalogued", "gone", "half", "differs", "unreadable",
    "file-missing", "file-size", "file-checksum", "tiles",
]  # fmt: skip
"""What is wrong: with the tables; with a dataset in the archive only, in the catalogue only, not
whole, another there than here, unreadable; with a file of one."""

_SHA256: Final = "1220"
"""What a multihash of SHA-256 begins with, hexadecimal."""
_CHUNK: Final = 1 << 20
_PAGE: Final = 1000


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong."""

    what: What
    id: str | None
    place: str
    """The file or folder."""
    sentence: str

    def to_json(self) -> Json:
        """Return it as ``alos2 catalog verify --json`` prints it."""
        return {"what": self.what, "id": self.id, "place": self.place, "message": self.sentence}


@dataclass
class Verified:
    """What was looked at, and what was found wrong."""

    items: int = 0
    datasets: int = 0
    files: int = 0
    size_bytes: int = 0
    faults: list[Fault] = field(default_factory=list)


def verify(
    store: Store,
    *,
    checksums: bool = False,
    progress: Callable[[int], None] = lambda _: None,
) -> Verified:
    """Compare a catalogue with its archive, and the archive's files with what is said of them.

    Parameters
    ----------
    store : Store
        An open catalogue.
    checksums : bool, optional
        Read every file to the end too, and count tiles.
    progress : callable, optional
        Told of the number of datasets looked at so far.

    Raises
    ------
    NoResource
        A folder of the archive cannot be listed.
    PublishFailed
        The catalogue cannot be read at all.
    """
    report = Verified()
    report.faults.extend(_index_faults(store))
    report.items = int(store.query("SELECT count(*) FROM items")[0][0])
    for found in find_datasets(store.archive):
        folder = store.archive / found.folder
        report.datasets += 1
        if found.whole:
            report.faults.extend(_dataset_faults(store, folder, found.folder, checksums, report))
        else:
            sentence = "it has no STAC item: it is not a whole dataset"
            report.faults.append(Fault("half", folder.name, str(folder), sentence))
        progress(report.datasets)
    report.faults.extend(_forgotten(store))
    return report


def _index_faults(store: Store) -> Iterator[Fault]:
    """Yield what SQLite finds wrong with its file, and tables that are not in step."""
    said = [row[0] for row in store.query("PRAGMA integrity_check(20)")]
    said.extend(row[0] for row in store.query("SELECT rtreecheck('boxes')"))
    for sentence in said:
        if sentence != "ok":
            yield Fault("index", None, str(store.path), str(sentence))
    counts = {
        "documents": "SELECT count(*) FROM items LEFT JOIN documents USING (rid) "
        "WHERE documents.rid IS NULL",
        "boxes": "SELECT count(*) FROM items WHERE rid NOT IN (SELECT box / 2 FROM boxes)",
        "words": "SELECT count(*) FROM items WHERE rid NOT IN (SELECT id FROM terms_docsize)",
    }
    for name, statement in counts.items():
        lacking = store.query(statement)[0][0]
        if lacking:
            yield Fault("index", None, str(store.path), f"{lacking} items have no {name}")


def _dataset_faults(
    store: Store, folder: Path, place: str, checksums: bool, report: Verified
) -> Iterator[Fault]:
    name = folder.name
    try:
        item = read_item(folder)
    except BadDocument as error:
        yield Fault("unreadable", name, str(item_file(folder)), error.message)
        return
    if item is None:
        return  # gone meanwhile
    known = store.query("SELECT folder, digest FROM items WHERE id = ?", (name,))
    if not known:
        yield Fault("not-catalogued", name, str(folder), "the catalogue does not know it")
    elif known[0][0] != place:
        sentence = f"the catalogue knows this id in {known[0][0]}"
        yield Fault("differs", name, str(folder), sentence)
    elif known[0][1] != digest_of(plain_text(item)):
        sentence = "the catalogue has another STAC item of it"
        yield Fault("differs", name, str(item_file(folder)), sentence)
    try:
        yield from _file_faults(folder, item, checksums, report)
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        sentence = f"its STAC item is not laid out as ours: {error}"
        yield Fault("unreadable", name, str(item_file(folder)), sentence)


def _file_faults(folder: Path, item: Json, checksums: bool, report: Verified) -> Iterator[Fault]:
    """Yield what is wrong with the files that an item speaks of."""
    said = item["properties"]
    for asset in item["assets"].values():
        href = str(asset["href"])
        if "://" in href:
            continue
        digest = str(asset.get("file:checksum") or "")
        sha256 = digest[len(_SHA256) :] if checksums and digest.startswith(_SHA256) else None
        path = folder / unquote(href.removeprefix("./"))
        yield from _one_file(item["id"], path, asset.get("file:size"), sha256, report)
    files = said.get("alos2:files") or []
    stays_at = said.get("alos2:stays_at") or []
    for number, text in enumerate(stays_at):
        path = Path(text)
        facts = files[number] if len(files) == len(stays_at) else {}
        if path.exists():
            sha256 = facts.get("sha256") if checksums else None
            yield from _one_file(item["id"], path, facts.get("size"), sha256, report)
        elif not _archive_of(text):
            yield Fault("file-missing", item["id"], text, "it does not lie there any more")
    if checksums:
        for layer in said.get("alos2:tiles") or []:
            yield from _tile_faults(folder, item["id"], layer)


def _archive_of(place: str) -> bool:
    """Whether the zip is there that a place such as ``outer.zip!inner/file`` lies in."""
    parts = place.split("!")
    return any(Path("!".join(parts[:count])).is_file() for count in range(1, len(parts)))


def _one_file(
    name: str, path: Path, size: Any, sha256: str | None, report: Verified
) -> Iterator[Fault]:
    """Yield what is wrong with a file; it is read if its SHA-256 is given."""
    report.files += 1
    try:
        found = path.stat().st_size
        if size is not None and found != size:
            yield Fault("file-size", name, str(path), f"it has {found} bytes, not {size}")
        elif sha256:
            report.size_bytes += found
            if _sha256(path) != sha256:
                sentence = "its content is not what was written (SHA-256)"
                yield Fault("file-checksum", name, str(path), sentence)
    except FileNotFoundError:
        yield Fault("file-missing", name, str(path), "it is not there")
    except OSError as error:
        yield Fault("unreadable", name, str(path), f"it cannot be read: {error.strerror or error}")


def _sha256(path: Path) -> str:
    digest = hashlib.sha256(usedforsecurity=False)
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _tile_faults(folder: Path, name: str, layer: Json) -> Iterator[Fault]:
    place = folder / layer["path"]
    count = sum(1 for path in place.rglob("*.png") if path.is_file())
    if count != layer["count"]:
        yield Fault("tiles", name, str(place), f"{count} tiles are there, not {layer['count']}")


def _forgotten(store: Store) -> Iterator[Fault]:
    """Yield the items whose folders are gone."""
    last = ""
    statement = "SELECT id, folder FROM items WHERE id > ? ORDER BY id LIMIT ?"
    while rows := store.query(statement, (last, _PAGE)):
        for name, place in rows:
            folder = store.archive / place
            if not item_file(folder).is_file():
                yield Fault("gone", name, str(folder), "its folder or its STAC item is gone")
        last = rows[-1][0]
