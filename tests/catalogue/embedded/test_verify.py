"""Each thing that can be wrong is found, and named with its file."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from pathlib import Path
from typing import Any

from alos2.catalogue.embedded import EmbeddedCatalogue
from catalogue.embedded.items import make_item, write_dataset

CONTENT = b"pixels"


def with_files(archive: Path, number: int, **properties: Any) -> Path:
    item = make_item(number)
    item["assets"]["picture"] = {
        "href": "./a%20b.png",
        "file:size": len(CONTENT),
        "file:checksum": "1220" + hashlib.sha256(CONTENT).hexdigest(),
    }
    item["properties"].update({f"alos2:{name}": value for name, value in properties.items()})
    folder = write_dataset(archive, item)
    (folder / "a b.png").write_bytes(CONTENT)
    return folder


def found(catalogue: EmbeddedCatalogue, *, checksums: bool = False) -> list[tuple[str, str]]:
    report = catalogue.verify(checksums=checksums)
    return [(fault.what, Path(fault.place).name) for fault in report.faults]


def test_files(archive: Path, tmp_path: Path) -> None:
    folder = with_files(
        archive, 100, tiles=[{"layer": "HH", "path": "tiles/HH", "count": 1}], stays_at=[]
    )
    tile = folder / "tiles" / "HH" / "0" / "0" / "0.png"
    tile.parent.mkdir(parents=True)
    tile.touch()
    picture = folder / "a b.png"
    with EmbeddedCatalogue.open(archive) as catalogue:
        assert found(catalogue, checksums=True) == []
        report = catalogue.verify(checksums=True)
        assert (report.files, report.size_bytes, report.datasets) == (1, len(CONTENT), 7)
        picture.write_bytes(b"pixelz")
        assert found(catalogue) == []
        assert found(catalogue, checksums=True) == [("file-checksum", "a b.png")]
        picture.write_bytes(b"pix")
        assert found(catalogue) == [("file-size", "a b.png")]
        picture.unlink()
        assert found(catalogue) == [("file-missing", "a b.png")]
        picture.write_bytes(CONTENT)
        tile.unlink()
        assert found(catalogue, checksums=True) == [("tiles", "HH")]


def test_files_that_stay_where_they_are(archive: Path, tmp_path: Path) -> None:
    loose, zipped = tmp_path / "LED-x", tmp_path / "deli!very.zip"
    loose.write_bytes(CONTENT)
    zipped.touch()
    with_files(
        archive,
        101,
        stays_at=[str(loose), f"{zipped}!inner.zip!LED-y"],
        files=[{"name": "LED-x", "size": 6, "sha256": None}, {"name": "LED-y", "size": 9}],
    )
    with EmbeddedCatalogue.open(archive) as catalogue:
        assert found(catalogue, checksums=True) == []
        loose.write_bytes(b"")
        assert found(catalogue) == [("file-size", "LED-x")]
        loose.unlink()
        zipped.unlink()
        assert found(catalogue) == [
            ("file-missing", "LED-x"),
            ("file-missing", f"{zipped.name}!inner.zip!LED-y"),
        ]


def test_orphans_both_ways_and_what_differs(
    catalogue: EmbeddedCatalogue, items: list[dict[str, Any]]
) -> None:
    archive = catalogue.archive
    new = make_item(102)
    write_dataset(archive, new)
    (archive / items[0]["id"]).rename(archive / ".gone")
    changed = archive / items[1]["id"] / f"{items[1]['id']}.stac.json"
    changed.write_text(json.dumps({**items[1], "links": [{"rel": "about", "href": "x"}]}))
    assert sorted(found(catalogue)) == sorted(
        [("not-catalogued", new["id"]), ("gone", items[0]["id"]), ("differs", changed.name)]
    )
    catalogue.rebuild()
    assert found(catalogue) == []


def test_items_of_others_do_not_upset_it(
    catalogue: EmbeddedCatalogue, items: list[dict[str, Any]]
) -> None:
    item = make_item(103)
    item["assets"] = {"a": {"title": "no href"}}
    folder = write_dataset(catalogue.archive, item)
    catalogue.put(item, folder)
    assert found(catalogue) == [("unreadable", f"{folder.name}.stac.json")]


def test_tables_out_of_step(catalogue: EmbeddedCatalogue) -> None:
    catalogue.close()
    connection = sqlite3.connect(catalogue.path)
    for table, key in (("documents", "rid"), ("boxes", "box")):
        connection.execute(f"DELETE FROM {table} WHERE {key} = (SELECT max({key}) FROM {table})")
    connection.execute("DELETE FROM terms_docsize WHERE id = 1")
    connection.commit()
    connection.close()
    report = catalogue.verify()
    assert {fault.what for fault in report.faults} == {"index"}
    text = " ".join(fault.sentence for fault in report.faults)
    assert all(word in text for word in ("documents", "boxes", "words"))
