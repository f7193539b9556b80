"""Putting, forgetting, finding again; what it refuses; how it is opened."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from alos2.catalogue.embedded import EmbeddedCatalogue, Query
from alos2.catalogue.embedded.filesystem import file_system, suited_journal
from alos2.errors import BadDocument, NothingFound, PublishFailed, UsageError
from catalogue.embedded.items import make_item, write_dataset

Items = list[dict[str, Any]]


def test_it_begins_with_the_datasets_that_are_there(
    catalogue: EmbeddedCatalogue, items: Items
) -> None:
    assert list(catalogue.ids()) == sorted(item["id"] for item in items)
    assert len(catalogue) == 6
    assert catalogue.get(items[3]["id"]) == items[3]
    assert catalogue.folder_of(items[3]["id"]) == catalogue.archive / items[3]["id"]
    assert catalogue.get("none") is None
    assert catalogue.folder_of("none") is None
    assert not catalogue.exists("none")
    assert catalogue.path == catalogue.archive / ".alos2-catalogue" / "catalogue.sqlite"


def test_putting_again_changes_nothing(catalogue: EmbeddedCatalogue, items: Items) -> None:
    new = make_item(50)
    folder = write_dataset(catalogue.archive, new)
    assert catalogue.put(new, folder) == "created"
    assert catalogue.put(new, folder) == "unchanged"
    new["properties"]["alos2:tags"] = ["Chile"]
    assert catalogue.put(new, folder) == "updated"
    assert [hit.id for hit in catalogue.search(Query(tags=("chile",)))] == [new["id"]]
    assert catalogue.put(items[0], folder) == "updated", "it lies elsewhere now"
    assert catalogue.folder_of(items[0]["id"]) == folder
    assert len(catalogue) == 7
    assert catalogue.remove(new["id"]) is True
    assert catalogue.remove(new["id"]) is False
    assert not list(catalogue.search(Query(text="Chile")))
    assert folder.is_dir(), "files are no affair of the catalogue's"


def test_a_batch_is_there_whole_or_not_at_all(catalogue: EmbeddedCatalogue) -> None:
    new = [make_item(number) for number in (60, 61)]
    with EmbeddedCatalogue.open(catalogue.archive, read_only=True) as reader:
        with catalogue.batch():
            for item in new:
                assert catalogue.put(item, catalogue.archive / item["id"]) == "created"
                assert catalogue.put(item, catalogue.archive / item["id"]) == "unchanged"
            assert catalogue.exists(new[0]["id"])
            assert not reader.exists(new[0]["id"])
        assert len(reader) == 8
        with pytest.raises(UsageError, match="outside"), catalogue.batch():  # noqa: PT012
            catalogue.remove(new[0]["id"])
            catalogue.put(make_item(62), catalogue.archive / "x")
            catalogue.put(make_item(63), catalogue.archive.parent / "x")
    assert len(catalogue) == 8
    assert catalogue.verify().faults[0].what == "gone", "of the batch only, which had no folders"


def test_refresh_follows_the_folder(catalogue: EmbeddedCatalogue, items: Items) -> None:
    folder = catalogue.archive / items[0]["id"]
    aside = catalogue.archive / ".aside"
    folder.rename(aside)
    assert catalogue.refresh(items[0]["id"]) is False
    assert not catalogue.exists(items[0]["id"])
    assert catalogue.refresh(items[0]["id"]) is False
    aside.rename(folder)
    assert catalogue.refresh(items[0]["id"]) is True
    assert catalogue.get(items[0]["id"]) == items[0]
    (folder / f"{items[0]['id']}.stac.json").write_text("{")
    with pytest.raises(BadDocument, match=r"stac\.json cannot be read"):
        catalogue.refresh(items[0]["id"])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"id": None}, "without an id"),
        ({"geometry": None}, "cannot be catalogued"),
        ({"geometry": {"type": "Polygon", "coordinates": []}}, "geometry is empty"),
        ({"bbox": [1, 2, float("nan"), 3]}, "cannot be catalogued"),
        ({"properties": {}}, "cannot be catalogued"),
        ({"properties": {"datetime": "yesterday"}}, "cannot be catalogued"),
        ({"properties": None}, "cannot be catalogued"),
    ],
)
def test_what_is_no_item_is_refused(
    catalogue: EmbeddedCatalogue, items: Items, change: dict[str, Any], words: str
) -> None:
    with pytest.raises(BadDocument, match=words):
        catalogue.put({**items[0], "id": "other", **change}, catalogue.archive / "other")
    assert len(catalogue) == 6


def test_folders_of_elsewhere_are_refused(
    catalogue: EmbeddedCatalogue, items: Items, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="outside of the archive"):
        catalogue.put(items[0], tmp_path / "elsewhere")


def test_reading_only(archive: Path, items: Items) -> None:
    with pytest.raises(NothingFound, match="has no catalogue") as caught:
        EmbeddedCatalogue.open(archive, read_only=True)
    assert "alos2 catalog rebuild" in caught.value.hint
    with pytest.raises(NothingFound):
        EmbeddedCatalogue.open(archive, create=False)
    EmbeddedCatalogue.open(archive).close()
    with EmbeddedCatalogue.open(archive, read_only=True) as reader:
        assert len(reader) == 6
        for change in (lambda: reader.put(items[0], archive), lambda: reader.remove("x")):
            with pytest.raises(UsageError, match="read only"):
                change()
        with pytest.raises(UsageError):
            reader.rebuild()


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="POSIX permissions")
def test_an_archive_that_cannot_be_written(archive: Path) -> None:
    EmbeddedCatalogue.open(archive).close()
    folder = archive / ".alos2-catalogue"
    assert not (folder / "catalogue.sqlite-wal").exists(), "the last writer tidies up"
    folder.chmod(0o555)
    try:
        with EmbeddedCatalogue.open_to_read(archive) as reader:
            assert len(reader) == 6
    finally:
        folder.chmod(0o755)


def test_the_archive_may_be_moved(catalogue: EmbeddedCatalogue, tmp_path: Path) -> None:
    catalogue.close()
    moved = tmp_path / "moved here"
    catalogue.archive.rename(moved)
    with EmbeddedCatalogue.open(moved) as there:
        assert there.verify().faults == []
        assert all(hit.folder.parent == moved for hit in there.search(Query()))


def test_journals(archive: Path) -> None:
    with EmbeddedCatalogue.open(archive) as catalogue:
        assert catalogue.query("PRAGMA journal_mode") == [(suited_journal(archive),)]
        catalogue.rebuild(journal="delete")
        assert catalogue.query("PRAGMA journal_mode") == [("delete",)]
    with EmbeddedCatalogue.open(archive) as catalogue:
        catalogue.rebuild()
        assert catalogue.query("PRAGMA journal_mode") == [("delete",)], "the choice stays"
        new = make_item(70)
        assert catalogue.put(new, write_dataset(archive, new)) == "created"
        assert len(catalogue) == 7
        assert catalogue.verify().faults == []


MOUNTS = """\
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 22 0:40 / /home rw - nfs4 server:/home rw
31 30 0:41 / /home/my\\040disk rw - xfs /dev/vdb rw
32 22 0:42 / /mnt rw - ext4 /dev/vdc rw
33 32 0:43 / /mnt rw - fuse.sshfs host: rw
malformed
"""


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        ("/srv/a", "ext4"),
        ("/home/x", "nfs4"),
        ("/home", "nfs4"),
        ("/homes", "ext4"),
        ("/home/my disk/b", "xfs"),
        ("/mnt/x", "fuse.sshfs"),
    ],
)
def test_the_file_system_of_a_folder(folder: str, kind: str) -> None:
    assert file_system(Path(folder), MOUNTS) == kind
    assert file_system(Path(folder), "") == ""


def test_a_file_of_others_is_refused_and_mended(archive: Path) -> None:
    folder = archive / ".alos2-catalogue"
    folder.mkdir()
    for content in (b"", b"no database at all" * 100):
        (folder / "catalogue.sqlite").write_bytes(content)
        for opened in (EmbeddedCatalogue.open, EmbeddedCatalogue.open_to_read):
            with pytest.raises(PublishFailed) as caught:
                opened(archive)
            assert "alos2 catalog rebuild" in caught.value.hint
        assert EmbeddedCatalogue(archive).rebuild().items == 6
        with EmbeddedCatalogue.open(archive) as catalogue:
            assert catalogue.verify().faults == []
