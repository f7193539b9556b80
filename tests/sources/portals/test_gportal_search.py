"""The catalogue over TLS: pages, boxes across the antimeridian, and what it does wrong."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
import trustme

from alos2.errors import NothingFound, TransferFailed
from alos2.simulate.portals import Offer, invented_account
from alos2.sources import TransferOptions
from alos2.sources.portals.gportal import GPortal
from alos2.sources.portals.gportal.csw import Catalogue, Wanted
from alos2.sources.portals.model import PortalProfile, Query
from alos2.sources.portals.registry import PortalSetting
from fakes.gportal_old import GPortalOld

DAYS = Query(start=date(2018, 1, 1), end=date(2018, 12, 31))


def offer(number: int, west: float, folder: Path, *, product: str = "FBDR1.1__A") -> Offer:
    """A delivery that nobody fetches, half a degree wide."""
    archive = folder / f"{number:010d}.zip"
    archive.write_bytes(b"PK" + bytes(number))
    east = west + 0.5
    day = 1 + number % 28
    return Offer(
        archive,
        f"ALOS2{20000 + number:05d}0700-1809{day:02d}",
        product,
        f"2018-09-{day:02d}T03:00:00.500Z",
        f"2018-09-{day:02d}T03:00:10.500Z",
        ((west, 35.0), (east, 35.0), (east, 35.5), (west, 35.5), (west, 35.0)),
    )


@pytest.fixture
def offers(tmp_path: Path) -> list[Offer]:
    """250 of Japan, one on each side of the antimeridian."""
    japan = [offer(number, 130 + number / 100, tmp_path) for number in range(250)]
    return [*japan, offer(900, 179.2, tmp_path), offer(901, -179.9, tmp_path, product="WBDR1.1__D")]


@pytest.fixture
def fake(offers: list[Offer], authority: trustme.CA) -> Iterator[GPortalOld]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    with GPortalOld(invented_account(), offers, tls=context) as running:
        yield running


@pytest.fixture
def portal(fake: GPortalOld, trusted: Path, quick: TransferOptions) -> Iterator[GPortal]:
    profile = PortalProfile("gportal-legacy", fake.url, {})
    opened = GPortal(PortalSetting(profile, None, quick))
    yield opened
    opened.close()


def test_all_pages_come_once_each(portal: GPortal, fake: GPortalOld) -> None:
    items = list(portal.search(DAYS))
    assert len({item.id for item in items}) == len(items) == 252
    pages = [request.query for request in fake.seen]
    assert [page["startIndex"] for page in pages] == ["1", "101", "201"]
    assert pages[0]["datasetId"].count("2700") == 15
    assert pages[0]["startTime"] == "2018-01-01T00:00:00Z"
    assert pages[0]["endTime"] == "2018-12-31T23:59:59Z"
    assert all("cookie" not in request.headers for request in fake.seen)
    assert all("authorization" not in request.headers for request in fake.seen)


def test_an_item_tells_what_the_catalogue_does(portal: GPortal, offers: list[Offer]) -> None:
    (item,) = portal.search(Query(ids=(f"{offers[3].scene}-FBDR1.1__A",)))
    assert item.size == offers[3].archive.stat().st_size
    assert item.footprint == offers[3].geometry
    assert item.when is not None
    assert item.when.isoformat() == "2018-09-04T03:00:00.500000+00:00"
    assert item.name == "0000000003.zip"
    assert item.properties["mode"] == "FBD"


def test_the_count_costs_one_small_answer(portal: GPortal, fake: GPortalOld) -> None:
    assert portal.count(DAYS) == 252
    assert [request.query["count"] for request in fake.seen] == ["0"]


def test_a_limit_ends_the_pages(portal: GPortal, fake: GPortalOld) -> None:
    assert len(list(portal.search(replace(DAYS, limit=7)))) == 7
    assert len(list(portal.search(replace(DAYS, limit=100)))) == 100
    assert len(fake.seen) == 2


def test_a_record_comes_once_under_all_its_names(portal: GPortal, offers: list[Offer]) -> None:
    (item,) = portal.search(Query(ids=(offers[0].scene, offers[0].identifier)))
    assert item.id == offers[0].identifier


def test_a_box_across_the_antimeridian_is_asked_in_two(portal: GPortal, fake: GPortalOld) -> None:
    box = (179.0, 30.0, -179.0, 40.0)
    items = list(portal.search(Query(bbox=box)))
    assert len(items) == 2
    assert [request.query["bbox"] for request in fake.seen] == [
        "179.000000,30.000000,180.000000,40.000000",
        "-180.000000,30.000000,-179.000000,40.000000",
    ]
    (scansar,) = portal.search(Query(bbox=box, mode="WB"))
    assert scansar.properties["mode"] == "WBD"


def test_nothing_there(portal: GPortal) -> None:
    with pytest.raises(NothingFound, match="no record of the kind"):
        list(portal.search(Query(bbox=(0.0, 0.0, 1.0, 1.0))))
    with pytest.raises(NothingFound, match="no record of ALOS2999990700-180905"):
        list(portal.search(Query(ids=("ALOS2999990700-180905",))))


def test_names_that_are_there_come_before_the_complaint(
    portal: GPortal, offers: list[Offer]
) -> None:
    found = portal.search(Query(ids=(offers[0].scene, "ALOS2999990700-180905", offers[1].scene)))
    assert next(found).id == offers[0].identifier
    assert next(found).id == offers[1].identifier
    with pytest.raises(NothingFound, match="ALOS2999990700-180905"):
        next(found)


def test_an_answer_that_is_no_json_is_asked_for_again(portal: GPortal, fake: GPortalOld) -> None:
    fake.faults.csw_page = 1
    assert portal.count(DAYS) == 252
    assert len(fake.seen) == 2


def test_a_catalogue_that_never_answers_json_says_what_it_sends(
    portal: GPortal, fake: GPortalOld
) -> None:
    fake.faults.csw_page = 99
    with pytest.raises(TransferFailed, match="not JSON: 'G-Portal is busy'"):
        list(portal.search(DAYS))


@pytest.mark.parametrize("status", [400, 404, 500, 503])
def test_a_catalogue_that_fails(portal: GPortal, fake: GPortalOld, status: int) -> None:
    fake.faults.csw_status = status
    with pytest.raises(TransferFailed, match=str(status)):
        list(portal.search(DAYS))


def test_no_geometry_and_no_size(portal: GPortal, fake: GPortalOld, offers: list[Offer]) -> None:
    fake.faults.null_geometry = fake.faults.zero_size = True
    (item,) = portal.search(Query(ids=(offers[5].scene,)))
    assert (item.footprint, item.size) == (None, None)


def test_a_catalogue_that_ignores_the_page(portal: GPortal, fake: GPortalOld) -> None:
    fake.faults.stuck = True
    with pytest.raises(TransferFailed, match="same page"):
        list(portal.search(DAYS))
    assert len(fake.seen) == 2


def test_an_unknown_authority_is_not_believed(fake: GPortalOld, quick: TransferOptions) -> None:
    profile = PortalProfile("gportal-legacy", fake.url, {})
    opened = GPortal(PortalSetting(profile, None, quick))
    with pytest.raises(TransferFailed, match="no safe connection"):
        list(opened.search(DAYS))
    opened.close()


@pytest.mark.parametrize(
    "text",
    ["[]", "{}", '{"properties": {}}', '{"properties": {"numberOfRecordsMatched": "x"}}',
     '{"properties": {"numberOfRecordsMatched": true}}', "null", "3",
     '{"properties": {"numberOfRecordsMatched": "1"}, "features": [3]}',
     '{"properties": {"numberOfRecordsMatched": "1"}, "features": {"a": 1}}',
     '{"properties": {"numberOfRecordsMatched": "1"}, "features": [{"properties": {}}]}',
     "[" * 100_000],
)  # fmt: skip
def test_json_of_another_kind(text: str) -> None:
    catalogue = Catalogue(lambda query: text, "x.example")
    with pytest.raises(TransferFailed, match=r"x\.example"):
        list(catalogue.records(Wanted(("27004007",))))


def test_numbers_may_be_text_and_records_may_go_away() -> None:
    first = {"identifier": "A", "beginPosition": "?", "product": {"size": "1.5"}}
    answers = [
        {
            "properties": {"numberOfRecordsMatched": "3"},
            "features": [{"properties": first, "geometry": 3}],
        },
        {"properties": {"numberOfRecordsMatched": 3}, "features": []},
    ]
    catalogue = Catalogue(lambda query: json.dumps(answers.pop(0)), "x")
    (record,) = catalogue.records(Wanted(("27004007",)))
    assert (record.identifier, record.begin, record.size, record.geometry) == (
        "A",
        None,
        None,
        None,
    )
