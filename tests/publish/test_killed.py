"""kill -9 in the middle: the next publisher sees it, and finishes or clears it away."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from alos2.errors import DatasetDiffers, PublishFailed
from alos2.publish import s3bucket
from alos2.publish.engine import publish
from alos2.publish.holder import Holder, myself
from alos2.publish.marker import Found, Journal, Marker
from alos2.publish.s3marker import BucketMarker
from publish.options import MEBIBYTE, OPTIONS
from publish.places import ID, DavServer, FolderPlace, Place, S3Place, contents, make_dataset


def kill_publisher(
    to: str, folder: Path, where: str, when: str, number: int, *, force: bool = False, **env: str
) -> None:
    tests = Path(__file__).parents[1]
    run = subprocess.run(
        [sys.executable, str(tests / "publish" / "killed.py"), to, str(folder),
         "force" if force else "-", where, when, str(number)],
        env={**os.environ, "PYTHONPATH": str(tests), **env},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )  # fmt: skip
    assert run.returncode == -signal.SIGKILL, run.stderr


NEW = [
    ("s3bucket.Bucket.put", "before", 1),  # the marker alone
    ("s3bucket.Bucket.put", "after", 6),
    ("s3.S3Transaction._check_sizes", "after", 1),  # all is there, and nobody has said so
    ("marker.Marker.release", "before", 1),
]


@pytest.mark.parametrize(("where", "when", "number"), NEW)
def test_s3_a_killed_new_one_is_finished(
    s3: S3Place, dataset: Path, where: str, when: str, number: int
) -> None:
    kill_publisher(s3.url, dataset, where, when, number)
    assert ".alos2-incomplete" in s3.read(), "whoever looks can see that it is not whole"
    there = s3.read().keys() - {".alos2-incomplete"}
    before = {k: s3.client.head_object(Bucket=s3.bucket, Key=f"arch/{ID}/{k}") for k in there}
    assert publish(dataset, s3.target, s3.options).status == "new"
    assert s3.read() == contents(dataset)
    assert s3.leftovers() == []
    for name, earlier in before.items():
        now = s3.client.head_object(Bucket=s3.bucket, Key=f"arch/{ID}/{name}")
        assert now["LastModified"] == earlier["LastModified"], f"{name} was sent twice"


def test_s3_another_dataset_takes_the_place_of_a_killed_new_one(
    s3: S3Place, dataset: Path, other: Path
) -> None:
    """Nothing whole was ever there, so that nothing is replaced and no force is needed."""
    kill_publisher(s3.url, dataset, "s3bucket.Bucket.put", "after", 9)
    assert publish(other, s3.target, s3.options).status == "new"
    assert s3.read() == contents(other)
    assert s3.leftovers() == []


def test_s3_parts_of_a_killed_large_file_do_not_stay(s3: S3Place, tmp_path: Path) -> None:
    large = make_dataset(tmp_path / "mine", large=12 * MEBIBYTE)
    kill_publisher(s3.url, large, "s3bucket.Bucket.put_part", "after", 2)
    assert f"upload of arch/{ID}/{ID}.zip" in s3.leftovers()
    assert publish(large, s3.target, s3.options).status == "new"
    assert s3.read() == contents(large)
    assert s3.leftovers() == []


REPLACING_S3 = [
    ("s3bucket.Bucket.put", "after", 3),
    ("s3bucket.Bucket.copy", "after", 2),  # copying the old ones aside
    ("s3bucket.Bucket.copy", "after", 12),  # copying the new ones over them
    ("s3bucket.Bucket.delete", "before", 1),
    ("marker.Marker.note", "before", 3),  # done, but for saying so
]


@pytest.mark.parametrize("moment", REPLACING_S3)
def test_s3_a_killed_replacement_is_undone(
    s3: S3Place, dataset: Path, other: Path, moment: tuple[str, str, int]
) -> None:
    publish(dataset, s3.target, s3.options)
    kill_publisher(s3.url, other, *moment, force=True)
    assert ".alos2-incomplete" in s3.read()
    # Somebody who only asks for the old one finds it as it was.
    assert publish(dataset, s3.target, s3.options).status == "unchanged"
    assert s3.read() == contents(dataset)
    assert s3.leftovers() == []
    assert publish(other, s3.target, s3.forced()).status == "replaced"
    assert s3.read() == contents(other)


def test_s3_a_replacement_killed_while_clearing_up_stands(
    s3: S3Place, dataset: Path, other: Path
) -> None:
    publish(dataset, s3.target, s3.options)
    kill_publisher(s3.url, other, "s3.S3Transaction._drop", "before", 1, force=True)
    assert publish(other, s3.target, s3.options).status == "unchanged"
    assert s3.read() == contents(other)
    assert s3.leftovers() == []


def test_s3_who_recovers_may_be_killed_as_well(s3: S3Place, dataset: Path, other: Path) -> None:
    publish(dataset, s3.target, s3.options)
    copy = "s3bucket.Bucket.copy"
    kill_publisher(s3.url, other, copy, "after", 12, force=True)
    kill_publisher(s3.url, other, copy, "after", 3, force=True)
    assert publish(dataset, s3.target, s3.options).status == "unchanged"
    assert s3.read() == contents(dataset)
    assert s3.leftovers() == []


DAV_NEW = [
    ("davclient.DavClient.put", "after", 1),
    ("davclient.DavClient.put", "after", 6),
    ("davclient.DavClient.move", "before", 1),
    ("davclient.DavClient.move", "after", 1),
]


@pytest.mark.parametrize(("where", "when", "number"), DAV_NEW)
def test_dav_a_killed_new_one_is_cleared_away(
    dav: DavServer, dataset: Path, where: str, when: str, number: int
) -> None:
    kill_publisher(dav.place.url, dataset, where, when, number)
    is_moved = (where.endswith("move"), when) == (True, "after")
    assert dav.place.read() == (contents(dataset) if is_moved else {})
    done = publish(dataset, dav.place.target, dav.place.options)
    assert done.status == ("unchanged" if is_moved else "new")
    assert dav.place.read() == contents(dataset)
    assert dav.place.leftovers() == []


REPLACING_DAV = [
    (("davclient.DavClient.put", "after", 3), False),
    (("davclient.DavClient.move", "before", 1), False),
    (("davclient.DavClient.move", "after", 1), False),  # the old one is aside, no new one there
    (("davclient.DavClient.move", "after", 2), True),
    (("marker.Marker.release", "before", 1), True),
]


@pytest.mark.parametrize(("moment", "is_done"), REPLACING_DAV)
def test_dav_a_killed_replacement_is_undone_or_stands(
    dav: DavServer, dataset: Path, other: Path, moment: tuple[str, str, int], *, is_done: bool
) -> None:
    place = dav.place
    publish(dataset, place.target, place.options)
    kill_publisher(place.url, other, *moment, force=True)
    winner, loser = (other, dataset) if is_done else (dataset, other)
    with pytest.raises(DatasetDiffers):
        publish(loser, place.target, place.options)
    assert place.read() == contents(winner)
    assert place.leftovers() == []


LOCAL = [
    (("local.LocalTransaction._copy", "after", 3), False, ""),
    (("local.LocalTransaction.commit", "before", 1), False, ""),
    (("local.LocalTransaction.commit", "after", 1), True, ""),
    (("local.LocalTransaction.commit", "after", 1), True, "exchange"),
]


@pytest.mark.parametrize(("moment", "is_done", "without"), LOCAL)
def test_folder_a_killed_replacement_is_undone_or_stands(
    folder: FolderPlace,
    both: tuple[Path, Path],
    moment: tuple[str, str, int],
    without: str,
    *,
    is_done: bool,
) -> None:
    dataset, other = both
    publish(dataset, folder.target, folder.options)
    kill_publisher(str(folder.root), other, *moment, force=True, WITHOUT=without)
    assert folder.leftovers() != []
    winner, loser = (other, dataset) if is_done else (dataset, other)
    assert folder.read() == contents(winner)
    with pytest.raises(DatasetDiffers):
        publish(loser, folder.target, folder.options)
    assert folder.leftovers() == []
    assert folder.read() == contents(winner)


def test_folder_an_old_dataset_that_was_set_aside_is_put_back(
    folder: FolderPlace, dataset: Path
) -> None:
    publish(dataset, folder.target, folder.options)
    (folder.root / ID).rename(folder.root / f".{ID}.old-0123abcd")
    assert publish(dataset, folder.target, folder.options).status == "unchanged"
    assert folder.read() == contents(dataset)
    assert folder.leftovers() == []


def foreign_marker(**changes: Any) -> bytes:
    holder = Holder("another machine", "far-away", 4711, "1")
    return replace(Journal("t", holder, "w", "new"), **changes).to_bytes()


@pytest.mark.parametrize("kind", ["s3", "dav"])
def test_a_living_publisher_of_another_machine_is_waited_for(
    kind: str, dataset: Path, request: pytest.FixtureRequest
) -> None:
    found = request.getfixturevalue(kind)
    place: Place = found.place if isinstance(found, DavServer) else found
    plant(place, foreign_marker())
    impatient = replace(place.options, patience_s=0.2)
    with pytest.raises(PublishFailed, match="by process 4711 on far-away"):
        publish(dataset, place.target, impatient)
    # Long without a sign of life it counts as dead, by the clock of the store.
    stale = replace(impatient, stale_s=-1.0)
    assert publish(dataset, place.target, stale).status == "new"
    assert place.read() == contents(dataset)
    assert place.leftovers() == []


def plant(place: Place, data: bytes) -> None:
    if isinstance(place, S3Place):
        place.write(".alos2-incomplete", data)
    else:
        assert isinstance(place, FolderPlace)
        place.root.mkdir(parents=True, exist_ok=True)
        (place.root / f".{ID}.alos2-incomplete").write_bytes(data)


@pytest.mark.parametrize("data", [b"", b"garbage", b"[]", b'{"holder": 7, "old": {}, "kind": 5}'])
def test_a_marker_that_cannot_be_read_removes_nothing(
    s3: S3Place, dataset: Path, data: bytes
) -> None:
    publish(dataset, s3.target, s3.options)
    plant(s3, data)
    done = publish(dataset, s3.target, replace(s3.options, stale_s=-1.0))
    assert done.status == "unchanged"
    assert s3.read() == contents(dataset)
    assert s3.leftovers() == []


def test_who_was_taken_over_takes_nothing_away(s3: S3Place, dataset: Path, other: Path) -> None:
    """A publisher that slept too long wakes up, and finds its place taken by another."""
    stolen = False

    def progress(stage: str, done: int, total: int | None) -> None:
        nonlocal stolen
        if stage == "publish" and not stolen:
            stolen = True
            s3.client.delete_object(Bucket=s3.bucket, Key=f"arch/{ID}/.alos2-incomplete")
            for key in [f"arch/{ID}/{name}" for name in s3.read()]:
                s3.client.delete_object(Bucket=s3.bucket, Key=key)
            publish(other, s3.target, s3.options)

    slow = replace(s3.options, progress=progress, at_once=1)
    with pytest.raises(PublishFailed, match="is written by another publisher as well"):
        publish(dataset, s3.target, slow)
    assert s3.read() == contents(other), "the other's files are all there, and nothing else"


def test_a_publisher_that_begins_while_we_look_is_no_difference(
    s3: S3Place, dataset: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its marker was not there yet when we looked for it, and half its files are when we list."""
    plain = s3bucket.Bucket.names
    looks = 0

    def names(self: s3bucket.Bucket, prefix: str) -> Any:
        nonlocal looks
        looks += 1
        if looks == 1:
            plant(s3, foreign_marker())
            s3.write(f"{ID}.zip", b"product")
            found = plain(self, prefix)
            for name, data in contents(dataset).items():
                s3.write(name, data)
            s3.client.delete_object(Bucket=s3.bucket, Key=f"arch/{ID}/.alos2-incomplete")
            return found
        return plain(self, prefix)

    monkeypatch.setattr(s3bucket.Bucket, "names", names)
    assert publish(dataset, s3.target, s3.options).status == "unchanged"
    assert s3.leftovers() == []


def test_who_learns_by_a_sign_of_life_that_it_was_taken_over_stops(
    s3: S3Place, dataset: Path
) -> None:
    def progress(stage: str, done: int, total: int | None) -> None:
        if stage == "publish":
            plant(s3, foreign_marker())
            time.sleep(0.3)

    slow = replace(s3.options, progress=progress, at_once=1, beat_s=0.05)
    with pytest.raises(PublishFailed, match="was taken over by another publisher"):
        publish(dataset, s3.target, slow)
    assert s3.read()[".alos2-incomplete"] == foreign_marker()


class _Memory:
    """A marker object in memory."""

    def __init__(self) -> None:
        self.data: bytes | None = None
        self.writes = 0

    def read(self) -> Found | None:
        return None if self.data is None else Found(self.data, str(self.writes), 0.0)

    def create(self, data: bytes) -> bool:
        return self.data is None and self.replace(data, str(self.writes))

    def replace(self, data: bytes, tag: str) -> bool:
        if tag != str(self.writes):
            return False
        self.data, self.writes = data, self.writes + 1
        return True

    def delete(self) -> None:
        self.data = None


def test_a_living_publisher_gives_signs_of_life() -> None:
    store = _Memory()
    marker = Marker(store, "x", replace(OPTIONS, beat_s=0.02))
    assert marker.acquire(None)
    assert store.data is not None
    deadline = time.monotonic() + 10
    while store.writes < 4 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert json.loads(store.data)["beat"] >= 3
    marker.note(phase="switching")
    assert json.loads(store.data)["phase"] == "switching"
    marker.release()
    assert store.data is None
    writes = store.writes
    time.sleep(0.1)
    assert store.writes == writes


def test_who_holds_a_marker_is_known_on_this_machine() -> None:
    me = myself()
    assert Holder.from_json(me.to_json()) == me
    assert me.lives() in (True, None)
    if me.machine:  # Linux
        assert me.lives() is True
        assert replace(me, started="1").lives() is False, "the number was given again"
        assert replace(me, pid=2**22 + 1).lives() is False
    assert replace(me, machine="elsewhere").lives() is None
    assert Holder.from_json({}).lives() is None


def test_the_age_of_a_marker_is_by_the_stores_clock(s3: S3Place) -> None:
    plant(s3, foreign_marker())
    found = BucketMarker(s3.client, s3.bucket, f"arch/{ID}/.alos2-incomplete", "x").read()
    assert found is not None
    assert found.age_s < 60
    assert datetime.now(timezone.utc) - timedelta(seconds=found.age_s) > datetime(
        2024, 1, 1, tzinfo=timezone.utc
    )
