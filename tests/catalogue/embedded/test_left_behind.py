"""What a process that died leaves of a dataset and its entry: the next start brings it in order."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from alos2.catalogue.embedded import EmbeddedCatalogue
from alos2.catalogue.embedded.locks import write_lock
from alos2.dataset.locks import FileLock
from alos2.errors import Alos2Error, NoResource, NothingFound, PublishFailed
from alos2.jobs.catalogued import catalogued
from alos2.jobs.options import IngestOptions
from catalogue.embedded.items import make_item, write_dataset

ITEM = make_item(1)
NAME = ITEM["id"]


def died(work: Callable[[], object]) -> None:
    """Let a process do something and be killed then; the caller goes on when it is dead."""
    child = os.fork()
    if child == 0:
        work()
        os.kill(os.getpid(), signal.SIGKILL)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL


def marks(archive: Path) -> list[str]:
    return [path.name.partition("~")[0] for path in archive.glob(".alos2-catalogue/begun/*")]


forking = pytest.mark.skipif(sys.platform == "win32", reason="fork and SIGKILL")


@forking
@pytest.mark.parametrize("is_made_by_another", [False, True])
@pytest.mark.parametrize("next_start", [EmbeddedCatalogue.open, EmbeddedCatalogue.open_to_read])
def test_the_first_dataset_of_an_archive(
    tmp_path: Path, next_start: Any, *, is_made_by_another: bool
) -> None:
    """Killed behind the rename; there was no catalogue, or somebody made one meanwhile."""

    def ingest() -> None:
        held = catalogued(IngestOptions(tmp_path, catalogue=True), NAME)
        held.__enter__()
        if is_made_by_another:
            with EmbeddedCatalogue.open(tmp_path) as other:
                assert len(other) == 0
        write_dataset(tmp_path, ITEM)

    died(ingest)
    assert marks(tmp_path) == [NAME]
    assert (tmp_path / ".alos2-catalogue" / "catalogue.sqlite").exists() == is_made_by_another
    with next_start(tmp_path) as catalogue:
        assert list(catalogue.ids()) == [NAME]
        assert catalogue.verify().faults == []
    assert marks(tmp_path) == []


def test_an_entry_that_failed_is_made_up_for(tmp_path: Path) -> None:
    EmbeddedCatalogue.open(tmp_path).close()
    database = tmp_path / ".alos2-catalogue" / "catalogue.sqlite"
    database.rename(tmp_path / "away")
    database.write_bytes(b"no database" * 999)
    with catalogued(IngestOptions(tmp_path, catalogue=True), NAME) as kept:
        write_dataset(tmp_path, ITEM)
    assert isinstance(kept.failure, PublishFailed)
    (tmp_path / "away").replace(database)
    with EmbeddedCatalogue.open(tmp_path) as catalogue:
        assert list(catalogue.ids()) == [NAME]
    assert marks(tmp_path) == []


def test_an_ingest_that_failed_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(NoResource), catalogued(IngestOptions(tmp_path, catalogue=True), NAME):
        raise NoResource("no space")
    assert list(tmp_path.iterdir()) == []


def test_an_ingest_that_failed_has_entered_nothing(tmp_path: Path) -> None:
    EmbeddedCatalogue.open(tmp_path).close()
    with pytest.raises(NoResource), catalogued(IngestOptions(tmp_path, catalogue=True), NAME):
        raise NoResource("no space")
    assert marks(tmp_path) == [NAME]
    with EmbeddedCatalogue.open_to_read(tmp_path) as catalogue:
        assert len(catalogue) == 0
    assert marks(tmp_path) == []


def test_a_mark_outlasts_who_could_not_settle_it(tmp_path: Path) -> None:
    EmbeddedCatalogue.open(tmp_path).close()
    folder = tmp_path / ".alos2-catalogue"
    (folder / "begun").mkdir(exist_ok=True)
    (folder / "begun" / f"{NAME}~1-0").touch()
    write_dataset(tmp_path, ITEM)
    with write_lock(folder / "catalogue.sqlite", 0.0), pytest.raises(PublishFailed):
        EmbeddedCatalogue.open(tmp_path, patience_s=0.05)
    assert marks(tmp_path) == [NAME]
    with EmbeddedCatalogue.open(tmp_path) as catalogue:
        assert list(catalogue.ids()) == [NAME]


def test_a_dataset_that_was_made_again_elsewhere(tmp_path: Path) -> None:
    """Its old folder is gone; the mark means the new one."""
    write_dataset(tmp_path / "old", ITEM)
    with EmbeddedCatalogue.open(tmp_path) as catalogue:
        assert catalogue.folder_of(NAME) == tmp_path / "old" / NAME
        (tmp_path / "old" / NAME).rename(tmp_path / NAME)
        assert catalogue.refresh(NAME)
        assert catalogue.folder_of(NAME) == tmp_path / NAME


def test_no_archive_is_made(tmp_path: Path) -> None:
    with pytest.raises(Alos2Error, match=r"cannot be written"):
        EmbeddedCatalogue(tmp_path / "not mounted").begun(NAME).__enter__()
    assert list(tmp_path.iterdir()) == []


def test_deleted(archive: Path, items: list[dict[str, Any]]) -> None:
    name = items[0]["id"]
    with EmbeddedCatalogue.open(archive) as catalogue:
        assert catalogue.delete(name)
        assert not catalogue.delete(name)
        assert not (archive / name).exists()
        assert not catalogue.exists(name)
        assert catalogue.verify().faults == []
        with FileLock(archive / f".{items[1]['id']}.lock", "x"), pytest.raises(NoResource):
            catalogue.delete(items[1]["id"])
        assert catalogue.exists(items[1]["id"]), "it was being made by another"
    assert list(archive.glob(".alos2-catalogue/removed/*")) == []
    assert not list(archive.glob(".ALOS2*"))


@forking
def test_killed_while_it_is_deleted(archive: Path, items: list[dict[str, Any]]) -> None:
    name = items[0]["id"]

    def delete() -> None:
        catalogue = EmbeddedCatalogue.open(archive)
        catalogue.refresh = lambda *_: os.kill(os.getpid(), signal.SIGKILL)  # type: ignore[method-assign]
        catalogue.delete(name)

    EmbeddedCatalogue.open(archive).close()
    died(delete)
    assert [path.name.partition("~")[0] for path in archive.glob("*/removed/*")] == [name]
    with EmbeddedCatalogue.open(archive) as catalogue:
        assert not catalogue.exists(name)
        assert catalogue.verify().faults == []
    assert list(archive.glob(".alos2-catalogue/*/*")) == []


def test_nothing_to_read_and_nothing_left(tmp_path: Path) -> None:
    with pytest.raises(NothingFound):
        EmbeddedCatalogue.open_to_read(tmp_path)
    assert list(tmp_path.iterdir()) == []
