"""A catalogue made anew: from folders alone, whatever the old one is, while others work."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from alos2.catalogue.embedded import EmbeddedCatalogue, Query
from alos2.catalogue.embedded import rebuild as module
from alos2.dataset.locks import FileLock
from alos2.errors import NoResource, PublishFailed
from catalogue.embedded.items import make_item, write_dataset

Items = list[dict[str, Any]]


def test_what_is_no_dataset_is_left_out(archive: Path, items: Items) -> None:
    (archive / "notes").mkdir()
    (archive / "notes" / "notes.txt").touch()
    (archive / ".hidden").mkdir()
    write_dataset(archive / ".hidden", make_item(80))
    deeper = write_dataset(archive / "2018" / "09", make_item(81))
    half = write_dataset(archive, make_item(82))
    (half / f"{half.name}.stac.json").unlink()
    broken = write_dataset(archive, make_item(83))
    (broken / f"{broken.name}.stac.json").write_text('{"id": "other"}')
    twice = write_dataset(archive / "zz", items[0])
    with EmbeddedCatalogue.open(archive) as catalogue:
        rebuilt = catalogue.rebuild()
        assert rebuilt.items == len(catalogue) == 7
        assert catalogue.folder_of(deeper.name) == deeper
        assert catalogue.folder_of(items[0]["id"]) == archive / items[0]["id"]
        text = " ".join(rebuilt.troubles)
        assert len(rebuilt.troubles) == 3
        for folder in (half, broken, twice):
            assert str(folder) in text
        faults = {(fault.what, Path(fault.place).name) for fault in catalogue.verify().faults}
        assert faults == {
            ("half", half.name),
            ("unreadable", f"{broken.name}.stac.json"),
            ("differs", twice.name),
        }


def test_what_writers_change_meanwhile_is_not_lost(
    archive: Path, items: Items, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process adds, changes and removes datasets that the rebuild has already passed."""
    writer = EmbeddedCatalogue.open(archive)
    added, changed, removed = make_item(90), items[1], items[2]
    fill = module._fill

    def slow(*arguments: Any) -> list[str]:
        troubles = fill(*arguments)
        writer.put(added, write_dataset(archive, added))
        changed["properties"]["created"] = "2026-12-01T00:00:00Z"
        folder = archive / changed["id"]
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()
        writer.put(changed, write_dataset(archive, changed))
        (archive / removed["id"]).rename(archive / ".removed")
        writer.remove(removed["id"])
        return troubles

    monkeypatch.setattr(module, "_fill", slow)
    reader = EmbeddedCatalogue.open(archive, read_only=True)
    with EmbeddedCatalogue.open(archive) as catalogue:
        assert catalogue.rebuild().items == 6
        assert catalogue.verify().faults == []
    for other in (writer, reader):
        assert other.exists(added["id"])
        assert other.get(changed["id"]) == changed
        assert not other.exists(removed["id"])
        other.close()


def test_readers_see_the_old_one_or_the_new_one(archive: Path, items: Items) -> None:
    with (
        EmbeddedCatalogue.open(archive) as catalogue,
        EmbeddedCatalogue.open(archive, read_only=True) as reader,
    ):
        first = reader.page(Query(limit=2))
        with reader.reading():
            before = len(reader)
            (archive / items[0]["id"]).rename(archive / ".aside")
            catalogue.rebuild()
            assert len(reader) == before == 6, "a reader keeps what it began with"
        assert len(reader) == 5
        rest = reader.page(Query(limit=10, token=first.token))
        assert rest.token is None


def test_two_rebuilds_at_once_are_refused(catalogue: EmbeddedCatalogue) -> None:
    lock = FileLock(catalogue.folder / "rebuild.lock", "")
    with lock, pytest.raises(NoResource, match="being rebuilt"):
        catalogue.rebuild()
    assert len(catalogue) == 6


def test_a_damaged_one_is_noticed_and_mended(catalogue: EmbeddedCatalogue) -> None:
    catalogue.close()
    content = bytearray(catalogue.path.read_bytes())
    content[4096 * 2 :] = b"\xff" * (len(content) - 4096 * 2)
    catalogue.path.write_bytes(content)
    other = EmbeddedCatalogue.open(catalogue.archive, read_only=True)
    with pytest.raises(PublishFailed, match="damaged"):
        list(other.search(Query(text="SAR")))
    other.close()
    assert EmbeddedCatalogue(catalogue.archive).rebuild().items == 6
    assert catalogue.verify().faults == []


def test_another_version_is_refused_and_mended(catalogue: EmbeddedCatalogue) -> None:
    catalogue.close()
    connection = sqlite3.connect(catalogue.path)
    connection.execute("PRAGMA user_version = 77")
    connection.close()
    with pytest.raises(PublishFailed, match="version 77"):
        EmbeddedCatalogue.open(catalogue.archive)
    assert EmbeddedCatalogue(catalogue.archive).rebuild().items == 6
    assert len(catalogue) == 6
