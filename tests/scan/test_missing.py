"""Datasets that somebody removed from the archive or damaged are made again. Empty files do."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from alos2.dataset.documents import DATASET_SUFFIX
from alos2.errors import NoResource, NothingFound
from alos2.scan import missing, plan
from alos2.scan.finding import clock_of, find
from alos2.scan.report import ScanReport
from alos2.scan.state import ScanState, writing
from alos2.scan.units import Wanted
from scan.flowing import Place

NAMES = [f"ALOS2327430690-2006{day}-FBDR1.1__A" for day in (15, 16, 17)]
IDS = [f"{name}-md" for name in NAMES]


@pytest.fixture
def state(place: Place) -> Iterator[ScanState]:
    """Of three scenes that are done, the last in GRQ alone."""
    for number, name in enumerate(NAMES):
        folder = place.root / f"P{number}"
        folder.mkdir()
        for stem in ("IMG-HH-", "IMG-HV-", "LED-", "VOL-", "TRL-"):
            (folder / f"{stem}{name}").write_bytes(b"x")
    with writing(place.state) as opened:
        look(opened, place)
        opened.db.execute(
            """INSERT INTO made SELECT dataset_id, fingerprint, path, place < 3 FROM units
               JOIN places ON places.id = place"""
        )
        opened.db.execute("UPDATE units SET state = 'done'")
        kept = [row[0] for row in opened.db.execute("SELECT dataset_id FROM made WHERE kept")]
        assert len(kept) == 2
        for name in kept:
            make(place, name)
        yield opened


def make(place: Place, name: str) -> Path:
    folder = place.out / name
    folder.mkdir()
    (folder / f"{name}{DATASET_SUFFIX}").write_text("{}")
    return folder


def look(state: ScanState, place: Place) -> ScanReport:
    """Walk, and submit nothing."""
    report, clock = ScanReport(), clock_of(place.options)
    place.told = []
    find(state, place.options, clock, report, place.told.append)
    plan.prepare(state, clock, Wanted())
    return report


def kept_and_other(state: ScanState) -> tuple[list[str], str]:
    rows = state.db.execute("SELECT dataset_id, kept FROM made ORDER BY kept DESC, dataset_id")
    *kept, (other, _) = rows.fetchall()
    return [row[0] for row in kept], other


def to_do(state: ScanState) -> dict[str, bool]:
    """Return what would be submitted, and whether it replaces what is there."""
    return {unit.dataset_id: unit.forced for unit in plan.candidates(state, Wanted())}


def test_the_document_that_is_looked_for_is_a_datasets() -> None:
    assert missing.DOCUMENT == DATASET_SUFFIX


def test_what_is_there_is_left(state: ScanState, place: Place) -> None:
    assert look(state, place).missing == 0
    assert to_do(state) == {}


@pytest.mark.parametrize("damage", [shutil.rmtree, lambda f: next(f.iterdir()).unlink()])
def test_removed_or_damaged_it_is_made_again_and_in_grq_alone_not(
    state: ScanState, place: Place, damage: Callable[[Path], Any]
) -> None:
    (first, second), other = kept_and_other(state)
    damage(place.out / first)
    assert look(state, place).missing == 1
    # It replaces what is left of it, and does not ask GRQ whether that has one.
    assert to_do(state) == {first: True}
    # Until it is done it is not missed again.
    assert look(state, place).missing == 0
    assert {second, other} & set(to_do(state)) == set()


def test_a_file_in_its_place_is_no_dataset(state: ScanState, place: Place) -> None:
    (first, _), _ = kept_and_other(state)
    shutil.rmtree(place.out / first)
    (place.out / first).write_text("notes")
    assert look(state, place).missing == 1


def test_only_scenes_that_were_walked(state: ScanState, place: Place) -> None:
    (first, second), _ = kept_and_other(state)
    for name in (first, second):
        shutil.rmtree(place.out / name)
    place_of_first = state.one(
        "SELECT path FROM units JOIN places ON places.id = place WHERE dataset_id = ?", (first,)
    )
    everything = place.options
    place.options = replace(everything, roots=(Path(os.fsdecode(place_of_first)),))
    look(state, place)
    assert list(to_do(state)) == [first]
    place.options = everything
    look(state, place)
    assert set(to_do(state)) == {first, second}


def test_some_are_looked_into_at_each_scan_and_all_in_turn(
    state: ScanState, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(missing, "_LOOKED_INTO", 1)
    kept, _ = kept_and_other(state)
    for name in kept:
        (place.out / name / f"{name}{DATASET_SUFFIX}").unlink()
    found = []
    for _ in range(len(kept)):
        assert look(state, place).missing == 1
        found.append(sorted(to_do(state)))
    assert [len(names) for names in found] == [1, 2]


def test_an_archive_that_cannot_be_read_says_nothing(
    state: ScanState, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(path: Path) -> Any:
        raise PermissionError(13, "Permission denied", str(path))

    (first, _), _ = kept_and_other(state)
    shutil.rmtree(place.out / first)
    real = os.listdir
    monkeypatch.setattr(
        os, "listdir", lambda path: refused(path) if path == place.out else real(path)
    )
    report = look(state, place)
    assert (report.missing, to_do(state)) == (0, {})
    assert report.troubles[0][0] == str(place.out)
    assert report.troubles[0][1].startswith("cannot be read: Permission denied")
    monkeypatch.undo()
    assert look(state, place).missing == 1


def test_an_archive_that_is_not_mounted_is_refused(place: Place) -> None:
    elsewhere = place.folder / "state"
    place.put(0, "a")
    place.options = replace(place.options, state=elsewhere)
    assert place.counts(place.scan()) == {"done": 1}
    place.out.rename(place.folder / "disk")
    # No folder at all, or an empty one: neither is taken for a new archive.
    with pytest.raises(NothingFound, match="no archive"):
        place.scan()
    place.out.mkdir()
    with pytest.raises(NoResource, match="is it mounted"):
        place.scan()
    assert list(place.out.iterdir()) == []
    place.out.rmdir()
    (place.folder / "disk").rename(place.out)
    assert place.counts(place.scan()) == {"done": 1}
    # One that somebody emptied of its datasets gets them again.
    shutil.rmtree(place.out / place.id(0))
    report = place.scan()
    assert (report.missing, report.done, place.counts(report)) == (1, 1, {"done": 1})
    assert (place.out / place.id(0) / f"{place.id(0)}{DATASET_SUFFIX}").exists()
