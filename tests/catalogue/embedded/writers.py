"""What the processes of a test do: importable, so that they can be started afresh."""

from __future__ import annotations

import random
import shutil
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from alos2.catalogue.embedded import EmbeddedCatalogue, Query
from catalogue.embedded.items import make_item, write_dataset


def ingest(archive: Path, first: int, count: int) -> None:
    """Make datasets and enter them, as an ingest does."""
    for number in range(first, first + count):
        item = make_item(number)
        with EmbeddedCatalogue.open(archive) as catalogue, catalogue.begun(item["id"]):
            folder = write_dataset(archive, item)
            # A rebuild may have met the folder before us.
            assert catalogue.put(item, folder) in ("created", "unchanged")
            assert catalogue.exists(item["id"])


def ingest_in_batches(archive: Path, first: int, count: int) -> None:
    with EmbeddedCatalogue.open(archive) as catalogue:
        for start in range(first, first + count, 10):
            items = [make_item(number) for number in range(start, start + 10)]
            folders = [write_dataset(archive, item) for item in items]
            with catalogue.batch():
                for item, folder in zip(items, folders, strict=True):
                    catalogue.put(item, folder)


def read(archive: Path, stop: Connection, said: Connection) -> None:
    """Search until told to stop; what was there stays there, and every hit is whole."""
    rounds, most = 0, 0
    with EmbeddedCatalogue.open(archive, read_only=True) as catalogue:
        while not stop.poll():
            hits = list(catalogue.search(Query(bbox=(100, 0, 180, 60), limit=30)))
            assert all(hit.item["id"] == hit.id for hit in hits)
            count = len(catalogue)
            assert count >= most
            most = count
            rounds += 1
    said.send(rounds)


def rebuild(archive: Path, times: int) -> None:
    for _ in range(times):
        with EmbeddedCatalogue.open(archive) as catalogue:
            catalogue.rebuild()


def churn(archive: Path, seed: int, begun: Any) -> None:
    """Make, change, delete datasets and rebuild, until killed; `begun` is set before the first."""
    chance = random.Random(seed)
    begun.set()
    while True:
        number = chance.randrange(40)
        item = make_item(number)
        folder = archive / item["id"]
        with EmbeddedCatalogue.open(archive) as catalogue, catalogue.begun(item["id"]):
            if chance.random() < 0.1:
                catalogue.rebuild()
            if folder.exists():
                aside = archive / f".{item['id']}.old-{chance.random()}"
                folder.rename(aside)
                shutil.rmtree(aside)
            if chance.random() < 0.7:
                item["properties"]["created"] = str(chance.random())
                shutil.rmtree(archive / f".{item['id']}.new-1", ignore_errors=True)
                write_dataset(archive, item)
            catalogue.refresh(item["id"], folder)
