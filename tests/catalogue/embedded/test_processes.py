"""Several processes at once, and processes that are killed: the catalogue stays true."""

from __future__ import annotations

import multiprocessing
import random
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from alos2.catalogue.embedded import EmbeddedCatalogue
from alos2.catalogue.embedded.locks import write_lock
from alos2.errors import PublishFailed
from catalogue.embedded import writers
from catalogue.embedded.items import make_item, write_dataset

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="forkserver and SIGKILL")


@pytest.fixture(scope="module")
def processes() -> Any:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["alos2.catalogue.embedded", "catalogue.embedded.writers"])
    return context


def contents(catalogue: EmbeddedCatalogue) -> list[tuple[Any, ...]]:
    """Everything that is known, whatever the row numbers."""
    return catalogue.query(
        "SELECT id, folder, digest, dataset, mode, polarizations, time_us, west, east, words, "
        "document, (SELECT group_concat(tag) FROM tags WHERE tags.rid = items.rid), "
        "(SELECT count(*) FROM boxes WHERE box / 2 = items.rid) "
        "FROM items JOIN documents USING (rid) ORDER BY id"
    )


def test_writers_readers_and_a_rebuild_at_once(processes: Any, tmp_path: Path) -> None:
    write_dataset(tmp_path, make_item(999))
    EmbeddedCatalogue.open(tmp_path).close()
    stop_here, stop_there = processes.Pipe(duplex=False)[::-1]
    said_here, said_there = processes.Pipe(duplex=False)
    jobs = [
        processes.Process(target=writers.ingest, args=(tmp_path, 0, 40)),
        processes.Process(target=writers.ingest, args=(tmp_path, 100, 40)),
        processes.Process(target=writers.ingest_in_batches, args=(tmp_path, 200, 60)),
        processes.Process(target=writers.rebuild, args=(tmp_path, 4)),
    ]
    reader = processes.Process(target=writers.read, args=(tmp_path, stop_there, said_there))
    for job in (reader, *jobs):
        job.start()
    for job in jobs:
        job.join(60)
    stop_here.send("enough")
    assert said_here.poll(20), "the reader failed"
    assert said_here.recv() > 3
    reader.join(20)
    assert [job.exitcode for job in (*jobs, reader)] == [0] * 5
    with EmbeddedCatalogue.open(tmp_path) as catalogue:
        assert len(catalogue) == 141
        assert catalogue.verify().faults == []
        before = contents(catalogue)
        catalogue.rebuild()
        assert contents(catalogue) == before


def test_killed_at_any_moment_it_stays_true(processes: Any, tmp_path: Path) -> None:
    chance = random.Random(7)
    EmbeddedCatalogue.open(tmp_path).close()
    for number in range(40):
        begun = processes.Event()
        job = processes.Process(target=writers.churn, args=(tmp_path, number, begun))
        job.start()
        assert begun.wait(30)
        time.sleep(chance.uniform(0.01, 0.2))
        job.kill()
        job.join(20)
        assert job.exitcode == -9
        with EmbeddedCatalogue.open(tmp_path) as catalogue:
            assert catalogue.verify().faults == []
            on_disk = {path.name for path in tmp_path.iterdir() if path.name[0] != "."}
            assert set(catalogue.ids()) == on_disk
    with EmbeddedCatalogue.open(tmp_path) as catalogue:
        before = contents(catalogue)
        assert len(before) > 5
        catalogue.rebuild()
        assert contents(catalogue) == before
        assert list((tmp_path / ".alos2-catalogue").glob("*.new-*")) == []


def test_a_second_writer_waits_and_then_says_why(tmp_path: Path) -> None:
    item = make_item(1)
    folder = write_dataset(tmp_path, item)
    with EmbeddedCatalogue.open(tmp_path, patience_s=0.2) as catalogue:
        changed = {**item, "properties": {**item["properties"], "gsd": 1.0}}
        with write_lock(catalogue.path, 0.0):
            with pytest.raises(PublishFailed, match="written by another process") as caught:
                catalogue.put(changed, folder)
            assert caught.value.exit_code == 7
            assert catalogue.exists(item["id"]), "reading goes on"
        assert catalogue.put(changed, folder) == "updated"


def test_what_a_killed_process_left_is_looked_at_again(processes: Any, tmp_path: Path) -> None:
    """Killed between a dataset's rename and its entry, and between a removal and its entry."""
    kept, removed = make_item(1), make_item(2)
    folder = write_dataset(tmp_path, removed)
    with EmbeddedCatalogue.open(tmp_path) as catalogue:
        assert list(catalogue.ids()) == [removed["id"]]
        marks = catalogue.folder / "begun"
        marks.mkdir(exist_ok=True)
        for item in (kept, removed):
            (marks / f"{item['id']}~4711-0").touch()  # nobody holds its lock
        write_dataset(tmp_path, kept)
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()
    with EmbeddedCatalogue.open_to_read(tmp_path) as catalogue:
        assert list(catalogue.ids()) == [kept["id"]]
        assert list(marks.iterdir()) == []


def test_a_mark_of_a_living_process_is_left_alone(tmp_path: Path) -> None:
    item = make_item(1)
    with (
        EmbeddedCatalogue.open(tmp_path) as catalogue,
        catalogue.begun(item["id"]),
        EmbeddedCatalogue.open(tmp_path) as other,
    ):
        assert len(list((other.folder / "begun").iterdir())) == 1
    assert list((tmp_path / ".alos2-catalogue" / "begun").iterdir()) == []
