"""What is to be done: by age, level and place; duplicates; what is missing. Empty files do."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from alos2.scan.finding import clock_of, find
from alos2.scan.plan import prepare
from alos2.scan.report import ScanReport, duplicates, incomplete
from alos2.scan.state import ScanState, writing
from alos2.scan.units import Wanted
from scan.flowing import Place

SCENE = "ALOS2327430690-200615"
SLC, GEO = f"{SCENE}-FBDR1.1__A", f"{SCENE}-FBDR1.5GUA"


def write(folder: Path, product: str = SLC, *, without: str = "") -> Path:
    """Write empty files of a product."""
    folder.mkdir(parents=True, exist_ok=True)
    tail = "" if product == SLC else ".tif"
    names = [f"IMG-HH-{product}{tail}", f"IMG-HV-{product}{tail}"]
    if product == SLC:
        names += [f"LED-{product}", f"VOL-{product}", f"TRL-{product}"]
    else:
        names += [f"LUT-HH-{product}.txt", f"LUT-HV-{product}.txt"]
    for name in [*names, "summary.txt"]:
        if not without or without not in name:
            (folder / name).write_bytes(b"x")
    return folder


def would(place: Place, **more: Any) -> list[str]:
    """Return the places that a scan would submit, below the root."""
    place.dry(**more)
    lines = [line for line in place.told if line["kind"] == "would submit"]
    return [os.path.relpath(line["place"], place.root) for line in lines]


def enter(state: ScanState, place: Place) -> None:
    """Walk and plan, and submit nothing."""
    clock = clock_of(place.options)
    find(state, place.options, clock, ScanReport(), lambda line: None)
    prepare(state, clock, Wanted())


def states(state: ScanState, place: Place) -> dict[str, str]:
    rows = state.db.execute(
        """SELECT coalesce(was_at, path), state FROM units
           LEFT JOIN places ON places.id = units.place"""
    )
    return {os.path.relpath(os.fsdecode(path), place.root): word for path, word in rows}


def test_young_files_are_left_until_they_have_settled(place: Place) -> None:
    place.options = replace(place.options, settle_s=1.0)
    with writing(place.state) as state:
        write(place.root / "a")
        enter(state, place)
        assert states(state, place) == {"a": "settling"}
        time.sleep(1.0)
        # The folder is as it was, so that the walk says nothing of it.
        enter(state, place)
        assert states(state, place) == {"a": "new"}
    write(place.root / "b")
    assert would(place, settle_s=60) == ["a"]


def test_times_in_the_future_settle_too(place: Place) -> None:
    folder = write(place.root / "a")
    ahead = time.time() + 86_400
    os.utime(folder / f"LED-{SLC}", (ahead, ahead))
    place.options = replace(place.options, settle_s=1.0)
    with writing(place.state) as state:
        enter(state, place)
        assert states(state, place) == {"a": "settling"}
        time.sleep(1.0)
        enter(state, place)
        assert states(state, place) == {"a": "new"}


def test_levels_and_places_that_are_wanted(place: Place) -> None:
    write(place.root / "P001" / "F0700")
    write(place.root / "P002" / "F0700", GEO)
    assert would(place) == ["P001/F0700"]
    assert would(place, wanted=Wanted(("1.5",))) == ["P002/F0700"]
    assert sorted(would(place, wanted=Wanted(("any",)))) == ["P001/F0700", "P002/F0700"]
    assert would(place, wanted=Wanted(("any",), r"P002/F\d{4}")) == ["P002/F0700"]
    assert would(place, wanted=Wanted(("1.1",), "P002")) == []
    # What was left out at one scan is not lost for the next one.
    with writing(place.state) as state:
        enter(state, place)
    assert would(place, wanted=Wanted(("1.5",))) == ["P002/F0700"]


def test_what_is_missing_is_told(place: Place) -> None:
    write(place.root / "a", without="LED")
    write(place.root / "b", without="HV")
    assert would(place) == []
    with writing(place.state) as state:
        enter(state, place)
        told = {Path(line["place"]).name: line["missing"] for line in incomplete(state)}
        assert told["a"] == [f"LED-{SLC}"]
        assert any("HV" in word for word in told["b"])
        # It comes, and the scene is to be done.
        (place.root / "a" / f"LED-{SLC}").write_bytes(b"x")
        enter(state, place)
        assert states(state, place) == {"a": "new", "b": "incomplete"}


def test_one_of_two_places_counts(place: Place) -> None:
    for name in ("a", "b", "c"):
        write(place.root / name)
    assert would(place) == ["a"]
    with writing(place.state) as state:
        enter(state, place)
        assert states(state, place) == {"a": "new", "b": "duplicate", "c": "duplicate"}
        assert {line["counts"] for line in duplicates(state)} == {str(place.root / "a")}
        shutil.rmtree(place.root / "a")
        enter(state, place)
        assert states(state, place) == {"a": "gone", "b": "new", "c": "duplicate"}
        # The one that is done stays the one, even if another comes before it.
        state.db.execute("UPDATE units SET state = 'done' WHERE state = 'new'")
        write(place.root / "a")
        enter(state, place)
        assert states(state, place) == {"a": "duplicate", "b": "done", "c": "duplicate"}
        # What failed lets the others try.
        state.db.execute("UPDATE units SET state = 'failed' WHERE state = 'done'")
        enter(state, place)
        assert states(state, place) == {"a": "new", "b": "failed", "c": "duplicate"}


def test_a_copy_under_way_does_not_keep_a_whole_one_waiting(place: Place) -> None:
    write(place.root / "b")
    time.sleep(1.0)
    write(place.root / "a")
    assert would(place, settle_s=1.0) == ["b"]


def test_a_folder_that_comes_back_is_the_same(place: Place) -> None:
    write(place.root / "a")
    with writing(place.state) as state:
        enter(state, place)
        state.db.execute("UPDATE units SET state = 'done'")
        state.db.execute(
            "INSERT INTO made SELECT dataset_id, fingerprint, path, 0 FROM units JOIN places"
            " ON places.id = place"
        )
        (place.root / "a").rename(place.folder / "away")
        enter(state, place)
        assert states(state, place) == {"a": "gone"}
        (place.folder / "away").rename(place.root / "a")
        enter(state, place)
        assert states(state, place) == {"a": "done"}
        (place.root / "a" / f"LED-{SLC}").write_bytes(b"yy")
        enter(state, place)
        assert states(state, place) == {"a": "changed"}
        assert state.one("SELECT count(*) FROM units") == 1


def test_a_dry_run_leaves_nothing(place: Place) -> None:
    write(place.root / "a")
    report = place.dry()
    assert (report.submitted, report.jobs) == (1, 1)
    assert list(place.out.iterdir()) == []
    with writing(place.state):
        assert would(place) == ["a"]  # and needs no lock


@pytest.mark.parametrize("name", ["a b, c", "é'\"$(x)", b"\xff\xfe-not-utf8"])
def test_any_name(place: Place, name: str | bytes) -> None:
    write(place.root / os.fsdecode(name))
    assert would(place) == [os.fsdecode(name)]
