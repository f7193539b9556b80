"""From a question to datasets: what is left out, what is done at once, what one failure costs."""

from __future__ import annotations

import hashlib
import json
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from alos2.errors import (
    BadArchive,
    Interrupted,
    LoginFailed,
    NothingFound,
    NotSupported,
    PublishFailed,
    SomeFailed,
    TransferFailed,
)
from alos2.footprint import FootprintOptions
from alos2.jobs import pool
from alos2.jobs.fanout import Handed
from alos2.jobs.held import NOTES, ArchiveCatalogue
from alos2.jobs.ingest import Ingested, ingest
from alos2.jobs.options import IngestOptions
from alos2.jobs.outcome import Failed
from alos2.jobs.pool import Caps
from alos2.jobs.portal import ingest_portal
from alos2.jobs.portaloutcome import Listed, Skipped, Submitted, Tally, line_of
from alos2.raster.pictures import PictureOptions
from alos2.sources import TransferOptions
from alos2.sources.portals.model import Item, Query
from alos2.sources.remote import Remote, Reply, Validator

EVERYTHING = Query(eor_id="ERJPYU000001")


@dataclass
class FakeRemote:
    """Bytes of a file, or an error; tells how many are open at the same time."""

    portal: FakePortal
    item: Item
    url: str = ""
    where: str = "portal.example.org"

    def __post_init__(self) -> None:
        self.url = f"https://portal.example.org/download?dataId={self.item.id}"

    @contextmanager
    def open(self, offset: int, validator: Validator | None) -> Iterator[Reply]:
        found = self.portal.files[self.item.id]
        if isinstance(found, Exception):
            raise found
        self.portal.enter()
        try:
            data = found.read_bytes()
            tag = Validator("etag", f'"{hashlib.sha256(data).hexdigest()}"')
            body = self.portal.pieces(data[offset:])
            yield Reply(offset, len(data), tag, f"{self.item.id}.zip", "application/zip", body)
        finally:
            self.portal.leave()


@dataclass
class FakePortal:
    """A portal in memory."""

    files: dict[str, Path | Exception]
    items: list[Item]
    fault: Exception | None = None
    """Raised behind the last item."""
    pace_s: float = 0.0
    name: str = "sentinel-asia"
    title: str = "Sentinel Asia"
    experimental: bool = False
    running: int = 0
    most: int = 0
    opened: list[str] = field(default_factory=list)
    lock: Any = field(default_factory=threading.Lock)
    stopped_at: int | None = None

    def search(self, query: Query) -> Iterator[Item]:
        yield from self.items
        if self.fault is not None:
            raise self.fault

    def remote(self, item: Item) -> Remote:
        with self.lock:
            self.opened.append(item.id)
        return FakeRemote(self, item)

    def checks(self) -> Iterator[Any]:
        yield from ()

    def close(self) -> None:
        self.files = {}

    def enter(self) -> None:
        with self.lock:
            self.running += 1
            self.most = max(self.most, self.running)

    def leave(self) -> None:
        with self.lock:
            self.running -= 1

    def pieces(self, data: bytes) -> Iterator[bytes]:
        step = max(1, len(data) // 20)
        for at in range(0, len(data), step):
            time.sleep(self.pace_s)
            yield data[at : at + step]


def an_item(data_id: str, **known: Any) -> Item:
    return Item(
        "sentinel-asia", data_id, data_id=data_id, eor_id="ERJPYU000001", title="ALOS-2", **known
    )


@pytest.fixture
def portal(deliveries: Any) -> FakePortal:
    files: dict[str, Path | Exception] = {"D1": deliveries.slc, "D2": deliveries.geotiff}
    return FakePortal(files, [an_item("D1"), an_item("D2")])


@pytest.fixture
def options(tmp_path: Path) -> IngestOptions:
    return IngestOptions(
        out=tmp_path / "out",
        footprint_options=FootprintOptions(sarcat=False),
        pictures=PictureOptions(tiles=False),
        transfer=TransferOptions(retries=1, backoff_s=0.01, margin_bytes=0, lock_wait_s=1),
    )


def run(
    portal: FakePortal, options: IngestOptions, query: Query = EVERYTHING, **how: Any
) -> list[Any]:
    return list(ingest_portal(portal, query, options, **how))


def met(options: IngestOptions, dataset: str) -> Any:
    return json.loads((options.out / dataset / f"{dataset}.met.json").read_text())


def test_files_become_datasets_that_say_where_they_come_from(
    portal: FakePortal, options: IngestOptions, deliveries: Any
) -> None:
    outcomes = run(portal, options)
    assert all(isinstance(outcome, Ingested) for outcome in outcomes)
    assert {o.line["id"] for o in outcomes} == {deliveries.slc_id, deliveries.geotiff_id}
    source = met(options, deliveries.slc_id)["source"]
    assert source["retrieved"].endswith("Z")
    del source["retrieved"]
    assert source == {
        "provider": "sentinel-asia",
        "order_id": None,
        "eor_id": "ERJPYU000001",
        "data_id": "D1",
        "title": "ALOS-2",
        "url": "https://portal.example.org/download?dataId=D1",
        "sha256": hashlib.sha256(deliveries.slc.read_bytes()).hexdigest(),
    }
    # Nothing else stays: no download, no lock, no note.
    assert {p.name for p in options.out.iterdir()} == {deliveries.slc_id, deliveries.geotiff_id}


def test_a_second_run_downloads_nothing(
    portal: FakePortal, options: IngestOptions, deliveries: Any
) -> None:
    run(portal, options)
    portal.opened.clear()
    outcomes = run(portal, options)
    assert [line_of(o) for o in outcomes] == [
        f"D1: left out, already there as {deliveries.slc_id}",
        f"D2: left out, already there as {deliveries.geotiff_id}",
    ]
    assert portal.opened == []
    tally = Tally()
    for outcome in outcomes:
        tally.add(outcome)
    assert (str(tally), tally.done) == ("2 already there", 2)
    tally.raise_failures()


def test_another_catalogue_may_know(portal: FakePortal, options: IngestOptions) -> None:
    class Remembers:
        def holds(self, data_id: str) -> str | None:
            return "somewhere-else" if data_id == "D1" else None

    outcomes = run(portal, options, catalogue=Remembers())
    skipped = [o for o in outcomes if isinstance(o, Skipped)]
    assert [(s.item.id, s.held) for s in skipped] == [("D1", "somewhere-else")]
    assert portal.opened == ["D2"]


def test_force_takes_what_is_held(portal: FakePortal, options: IngestOptions) -> None:
    run(portal, options)
    outcomes = run(portal, replace(options, force=True))
    assert sorted(o.line["status"] for o in outcomes) in (
        ["replaced", "replaced"], ["unchanged", "unchanged"]
    )  # fmt: skip


def test_the_same_scene_in_another_file_is_known_the_next_time(
    portal: FakePortal, options: IngestOptions, deliveries: Any
) -> None:
    # Came by another way: its dataset names no data id.
    list(ingest(str(deliveries.slc), options))
    portal.items = [an_item("D1")]
    (first,) = run(portal, options)
    assert first.line["status"] == "unchanged"
    (second,) = run(portal, options)
    assert isinstance(second, Skipped)
    assert second.held == deliveries.slc_id
    shutil.rmtree(options.out / deliveries.slc_id)
    (third,) = run(portal, options)
    assert third.line["status"] == "new"


def test_a_delivery_that_ended_half_way_is_taken_up_again(
    portal: FakePortal, options: IngestOptions, deliveries: Any
) -> None:
    run(portal, options)
    catalogue = ArchiveCatalogue(options.out)
    assert catalogue.holds("D1") == deliveries.slc_id
    catalogue.begin("D1")
    assert ArchiveCatalogue(options.out).holds("D1") is None
    portal.opened.clear()
    outcomes = run(portal, options)
    assert portal.opened == ["D1"]
    assert {type(o) for o in outcomes} == {Ingested, Skipped}
    assert ArchiveCatalogue(options.out).holds("D1") == deliveries.slc_id
    assert not (options.out / NOTES).exists()


def test_a_damaged_met_or_note_only_costs_a_download(
    portal: FakePortal, options: IngestOptions, deliveries: Any
) -> None:
    run(portal, options)
    path = options.out / deliveries.slc_id / f"{deliveries.slc_id}.met.json"
    path.write_text('{"data_id"')
    catalogue = ArchiveCatalogue(options.out)
    assert catalogue.holds("D1") is None
    assert catalogue.holds("D2") == deliveries.geotiff_id
    catalogue.begin("D2")
    (note,) = (options.out / NOTES).iterdir()
    note.write_text("{")
    assert catalogue.holds("D2") is None


def test_what_is_no_product_is_left_out_with_the_reason(
    portal: FakePortal, options: IngestOptions
) -> None:
    portal.items.insert(0, an_item("M1", skip="not ALOS-2 data but 'Map'"))
    outcomes = run(portal, options)
    assert line_of(outcomes[0]) == "M1: left out, not ALOS-2 data but 'Map'"
    assert len(outcomes) == 3


def test_only_others_is_nothing(portal: FakePortal, options: IngestOptions) -> None:
    portal.items = [an_item("M1", skip="a map"), an_item("M2", skip="a map")]
    with pytest.raises(NothingFound, match="no product among the 2 files"):
        run(portal, options)
    portal.items = []
    with pytest.raises(NothingFound, match="nothing of the kind"):
        run(portal, options)


def test_a_file_that_was_asked_for_by_its_id_must_be_one(
    portal: FakePortal, options: IngestOptions
) -> None:
    portal.items = [an_item("M1", skip="map.pdf is not a zip")]
    (outcome,) = run(portal, options, Query(ids=("M1",)))
    assert isinstance(outcome.error, NotSupported)
    assert outcome.error.exit_code == 3
    assert "map.pdf is not a zip" in str(outcome.error)


def test_a_file_that_is_listed_twice_is_taken_once(
    portal: FakePortal, options: IngestOptions
) -> None:
    portal.items += [an_item("D1"), an_item("D2")]
    assert len(run(portal, options)) == 2
    assert sorted(portal.opened) == ["D1", "D2"]


def test_one_failure_does_not_stop_the_others(
    portal: FakePortal, options: IngestOptions, tmp_path: Path
) -> None:
    text = tmp_path / "no.zip"
    text.write_bytes(b"PK\x03\x04 and no more")
    portal.files |= {"F1": TransferFailed("cut"), "F2": text, "F3": ZeroDivisionError()}
    portal.items = [an_item("F1"), an_item("F2"), *portal.items]
    outcomes = run(portal, options)
    failed = {o.what: o.error for o in outcomes if isinstance(o, Failed)}
    assert {name: type(error) for name, error in failed.items()} == {
        "F1": TransferFailed,
        "F2": BadArchive,
    }
    tally = Tally()
    for outcome in outcomes:
        tally.add(outcome)
    assert str(tally) in ("2 failed, 2 new", "1 failed, 2 new, 1 failed", "2 new, 2 failed")
    with pytest.raises(SomeFailed):
        tally.raise_failures()
    # A fault of our own is no failure of a file: it must be seen.
    portal.items = [an_item("F3")]
    with pytest.raises(ZeroDivisionError):
        run(portal, options)


def test_a_search_that_breaks_off_loses_nothing(portal: FakePortal, options: IngestOptions) -> None:
    portal.fault = TransferFailed("the second list did not come")
    outcomes = run(portal, options)
    assert [type(o) for o in outcomes].count(Ingested) == 2
    (failed,) = [o for o in outcomes if isinstance(o, Failed)]
    assert failed.what == "search of sentinel-asia"
    portal.fault = LoginFailed("refused")
    with pytest.raises(LoginFailed):
        run(portal, options)


def test_listing_does_nothing(portal: FakePortal, options: IngestOptions, deliveries: Any) -> None:
    portal.items.append(an_item("M1", skip="a map"))
    listed = run(portal, options, list_only=True)
    assert all(isinstance(one, Listed) for one in listed)
    assert [one.to_json()["ingest"] for one in listed] == [True, True, False]
    assert portal.opened == []
    assert not options.out.exists()
    run(portal, options)
    again = run(portal, options, list_only=True)
    assert [one.to_json()["held"] for one in again] == [
        deliveries.slc_id, deliveries.geotiff_id, None
    ]  # fmt: skip


def test_jobs_are_submitted_where_something_takes_them(
    portal: FakePortal, options: IngestOptions
) -> None:
    @dataclass
    class Told:
        item: str
        outcome: Handed

        def __str__(self) -> str:
            return f"{self.item}: {self.outcome}, job 1234"

    @dataclass
    class Queue:
        taken: list[tuple[str, str | None]] = field(default_factory=list)

        def close(self) -> None:
            raise AssertionError("whoever opens it closes it")

        def submit(self, item: Item, *, queue: str | None) -> Told:
            if item.id == "D2":
                raise PublishFailed("the queue is full")
            self.taken.append((item.id, queue))
            return Told(item.id, "submitted" if len(self.taken) == 1 else "under way")

    queue = Queue()
    portal.items.append(an_item("M1", skip="a map"))
    outcomes = run(portal, options, fan_out=queue, queue="small")
    assert queue.taken == [("D1", "small")]
    assert [type(o) for o in outcomes] == [Skipped, Submitted, Failed]
    assert line_of(outcomes[1]) == "D1: submitted, job 1234"
    (again, _) = run(portal, options, fan_out=queue)[1:]
    assert line_of(again) == "D1: under way, job 1234"
    tally = Tally()
    for outcome in [*outcomes, again]:
        tally.add(outcome)
    assert str(tally) == "1 left out, 1 submitted, 1 failed, 1 under way"
    assert portal.opened == []


def test_an_experimental_portal_says_so(
    portal: FakePortal, options: IngestOptions, caplog: pytest.LogCaptureFixture
) -> None:
    portal.experimental = True
    run(portal, options, list_only=True)
    assert "Sentinel Asia is experimental" in caplog.text
    caplog.clear()
    portal.experimental = False
    run(portal, options, list_only=True)
    assert "experimental" not in caplog.text


# Several at once


def many(portal: FakePortal, count: int) -> None:
    slc = portal.files["D1"]
    portal.items = [an_item(f"N{number}") for number in range(count)]
    portal.files = {item.id: slc for item in portal.items}


def test_downloads_run_at_once_within_the_cap_and_builds_one_by_one(
    portal: FakePortal, options: IngestOptions
) -> None:
    many(portal, 6)
    portal.pace_s = 0.01
    building: list[str] = []
    seen: set[str] = set()

    def progress(stage: str, done: int, total: int | None) -> None:
        if stage != "download":
            building.append(threading.current_thread().name)
        seen.add(stage)

    outcomes = run(portal, replace(options, progress=progress), caps=Caps(4, 2))
    assert portal.most == 2
    assert len(outcomes) == 6
    assert set(building) == {threading.main_thread().name}
    assert "download" in seen


def test_downloads_do_not_run_far_ahead_of_the_builds(
    portal: FakePortal, options: IngestOptions
) -> None:
    many(portal, 12)
    running = ingest_portal(portal, EVERYTHING, options, caps=Caps(2, 2))
    next(running)
    time.sleep(0.5)
    # One was built, two may be under way, two may wait.
    assert len(portal.opened) <= 5
    running.close()


def test_closing_ends_the_threads_and_keeps_what_came(
    portal: FakePortal, options: IngestOptions
) -> None:
    many(portal, 4)
    before = threading.active_count()
    running = ingest_portal(portal, EVERYTHING, options, caps=Caps(2, 2))
    next(running)
    time.sleep(0.3)
    running.close()
    assert threading.active_count() == before
    kept = list((options.out / ".alos2-downloads").rglob("*.zip"))
    assert kept
    portal.opened.clear()
    outcomes = run(portal, options)
    assert not [o for o in outcomes if isinstance(o, Failed)]
    assert not (options.out / ".alos2-downloads").exists()


def test_an_interruption_ends_all_and_can_be_resumed(
    portal: FakePortal, options: IngestOptions
) -> None:
    many(portal, 3)
    portal.pace_s = 0.05
    until = time.monotonic() + 0.4
    stopped = replace(options, cancelled=lambda: time.monotonic() > until)
    with pytest.raises(Interrupted):
        run(portal, stopped)
    assert portal.running == 0
    assert list((options.out / ".alos2-downloads").rglob("*.part"))
    portal.pace_s = 0.0
    assert len(run(portal, options)) == 3
    assert not (options.out / ".alos2-downloads").exists()


def test_ctrl_c_while_waiting_ends_the_downloads(
    portal: FakePortal, options: IngestOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    many(portal, 3)
    portal.pace_s = 0.05

    def interrupted(self: Any) -> Any:
        time.sleep(0.2)
        raise KeyboardInterrupt

    monkeypatch.setattr(pool._Pool, "next_delivery", interrupted)
    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt):
        run(portal, options)
    assert threading.active_count() == before
    assert portal.running == 0
