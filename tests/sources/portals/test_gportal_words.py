"""What people write, what the catalogue calls it, and where files lie: without any server."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alos2.errors import TransferFailed, UsageError
from alos2.sources.portals.gportal.csw import Record, split_box
from alos2.sources.portals.gportal.items import asked, file_of, item_of, unwrapped, wanted_of
from alos2.sources.portals.gportal.modes import _FAMILIES, DATASETS, datasets_of, mode_of
from alos2.sources.portals.gportal.profiles import LEGACY, NEW, PROFILES, SETTINGS, site_of
from alos2.sources.portals.gportal.sftp import server_path
from alos2.sources.portals.model import PortalProfile, Query
from alos2.sources.portals.profiles import chosen_profile
from alos2.sources.portals.querytext import parse_bbox, parse_day, parse_days

NEW_FILE = "product.gportal.jaxa.jp:/products/Standard/ALOS-2/ALOS-2.PALSAR-2/x/0000022708.zip"


@pytest.mark.parametrize(
    ("text", "box"),
    [
        ("138.2,34.9,139.1,35.6", (138.2, 34.9, 139.1, 35.6)),
        (" 138.2 34.9  139.1 35.6 ", (138.2, 34.9, 139.1, 35.6)),
        ("[138.2, 34.9, 139.1, 35.6]", (138.2, 34.9, 139.1, 35.6)),
        ("170,-20,-170,-10", (170.0, -20.0, -170.0, -10.0)),
        ("170,-20,190,-10", (170.0, -20.0, -170.0, -10.0)),
        ("-180,-90,180,90", (-180.0, -90.0, 180.0, 90.0)),
        ("0,-90,360,90", (-180.0, -90.0, 180.0, 90.0)),
        ("170,0,-180,1", (170.0, 0.0, 180.0, 1.0)),
        ("180,0,190,1", (-180.0, 0.0, -170.0, 1.0)),
    ],
)
def test_boxes(text: str, box: tuple[float, ...]) -> None:
    assert parse_bbox(text) == box


@pytest.mark.parametrize(
    "text",
    ["", "1,2,3", "1,2,3,4,5", "a,b,c,d", "1,2,1,4", "1,4,2,3", "1,-91,2,3", "-181,0,1,2",
     "1,0,361,2", "nan,0,1,2", "1,nan,2,3", "inf,0,1,2"],
)  # fmt: skip
def test_boxes_that_are_none(text: str) -> None:
    with pytest.raises(UsageError, match="box"):
        parse_bbox(text)


@given(st.floats(-180, 180), st.floats(-180, 180), st.floats(-90, 90), st.floats(-90, 90))
def test_boxes_are_split_into_what_the_catalogue_takes(
    west: float, east: float, south: float, north: float
) -> None:
    try:
        box = parse_bbox(f"{west!r},{south!r},{east!r},{north!r}")
    except UsageError:
        assert south >= north or west % 360 == east % 360
        return
    parts = split_box(box)
    assert 1 <= len(parts) <= 2
    for part in parts:
        assert -180 <= part[0] < part[2] <= 180
        assert part[1] < part[3]
    width = sum(part[2] - part[0] for part in parts)
    assert width == pytest.approx((east - west) % 360 or 360, abs=1e-6)


def test_days() -> None:
    day = date(2018, 9, 5)
    assert parse_day("2018-09-05") == parse_day("20180905") == day
    assert parse_day("2018-09-05T12:34:56.7Z") == day
    assert parse_days("2018-09-05") == (day, day)
    assert parse_days("2018-09-05/..") == parse_days("2018-09-05/") == (day, None)
    assert parse_days("../2018-09-05") == (None, day)
    for wrong in ("", "/", "..", "../..", "5/9/2018", "2018-13-01", "2018-02-30", "2018-9-5"):
        with pytest.raises(UsageError, match="day"):
            parse_days(wrong)
    with pytest.raises(UsageError, match="lies before"):
        parse_days("2018-09-05/2018-09-04")
    with pytest.raises(UsageError, match="launched"):
        parse_days("2006-01-01/2006-12-31")


def test_modes_are_datasets() -> None:
    assert DATASETS["SBS"] == "27004000"
    assert DATASETS["FBD"] == "27004007"
    assert DATASETS["VBD"] == "27004014"
    assert len(datasets_of(None)) == 15
    assert datasets_of("fbd") == ("27004007",)
    assert datasets_of("FB") == ("27004006", "27004007", "27004008")
    assert datasets_of("scansar") == tuple(str(27004009 + n) for n in range(6))
    assert datasets_of("UBS, UBD,ubs") == ("27004001", "27004002")
    assert mode_of("27004012") == "WWD"
    assert mode_of("26024000") is None
    for wrong in ("F", "XYZ", "FBD,", "strip"):
        with pytest.raises(UsageError, match="not a mode"):
            datasets_of(wrong)


def test_names_say_when_to_look() -> None:
    product = asked("ALOS2146686640-170209-FBDR1.1__A")
    assert product.mode == "FBD"
    wanted = product.wanted()
    assert wanted.datasets == ("27004007",)
    assert (wanted.start, wanted.end) == (date(2017, 2, 8), date(2017, 2, 10))
    scene = asked("ALOS2146686640-170209")
    assert scene.mode is None
    assert len(scene.wanted().datasets) == 15
    with pytest.raises(UsageError, match="not the name"):
        asked("something")


def test_a_query_needs_a_place_or_a_time() -> None:
    with pytest.raises(UsageError, match="neither place nor time"):
        wanted_of(Query(mode="FBD"))
    with pytest.raises(UsageError, match="emergency"):
        wanted_of(Query(eor_id="ERJPYU000001"))
    assert len(wanted_of(Query(bbox=(170.0, 0.0, -170.0, 1.0))).boxes) == 2


def record(**changes: object) -> Record:
    made = Record(
        "ALOS2146686640-170209-FBDR1.1__A",
        "27004007",
        "ALOS-2",
        datetime(2017, 2, 9, 1, 2, 3, tzinfo=timezone.utc),
        None,
        NEW_FILE,
        12345,
        None,
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def test_records_become_items() -> None:
    item = item_of(record())
    assert (item.id, item.data_id, item.name) == (
        "ALOS2146686640-170209-FBDR1.1__A",
        "ALOS2146686640-170209-FBDR1.1__A",
        "0000022708.zip",
    )
    assert item.properties["mode"] == "FBD"
    assert item.skip == ""


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"platform": "ALOS"}, "not of ALOS-2"),
        ({"file_name": ""}, "names no file"),
        ({"file_name": NEW_FILE.replace(".zip", ".h5")}, "not an archive"),
        ({"identifier": "ALOS2146686640-170209-WBDR2.2GUD"}, "level 2.2"),
        ({"identifier": "ALOS41250710250728UWDPRA0108"}, "ALOS-4"),
        ({"identifier": "any other name"}, ""),
    ],
)
def test_what_cannot_be_ingested_says_why(changes: dict[str, str], reason: str) -> None:
    item = item_of(record(**changes))
    assert reason in item.skip
    assert bool(item.skip) == bool(reason)


def test_the_path_on_the_server_is_not_the_catalogues() -> None:
    assert server_path(NEW_FILE, "/product/Standard/") == (
        "/product/Standard/ALOS-2/ALOS-2.PALSAR-2/x/0000022708.zip"
    )
    old = "https://gportal.jaxa.jp/download/standard/ALOS-2/y/a%20b.zip"
    assert server_path(old, "/product/Standard/") == "/product/Standard/ALOS-2/y/a b.zip"
    for wrong in ("", "x", "/Standard/", "h:/products/Standard/../../etc/passwd", "/Standard/a//b"):
        with pytest.raises(TransferFailed, match="where the file lies"):
            server_path(wrong, "/product/Standard/")


def test_links_by_way_of_the_login_page() -> None:
    real = "https://gportal.jaxa.jp/download/standard/ALOS-2/x/0000022708.zip"
    once = "https%3A%2F%2Fgportal.jaxa.jp%2Fdownload%2Fstandard%2FALOS-2%2Fx%2F0000022708.zip"
    base = "https://gportal.jaxa.jp/gpr/auth"
    assert unwrapped(real) == real
    assert unwrapped(f"{base}?goto={real}") == real
    assert unwrapped(f"{base}?a=b&goto={once}") == real
    assert unwrapped(f"{base}?goto={once.replace('%', '%25')}") == real
    assert unwrapped(f"{base};goto={real}") == real
    assert file_of(record(file_name=real)) == "0000022708.zip"


def test_profiles_are_configuration() -> None:
    assert site_of(NEW).csw_url == "https://csw.gportal.jaxa.jp/csw"
    assert site_of(LEGACY).authenticate_url == (
        "https://gportal.jaxa.jp/gpr/auth/authenticate.json"
    )
    assert site_of(PortalProfile("gportal-legacy", "https://x.example", {})).csw_url == (
        "https://x.example/csw/csw"
    )
    with pytest.raises(UsageError, match="unknown settings: colour"):
        site_of(PortalProfile("gportal-2026", "https://x.example", {"colour": "red"}))
    with pytest.raises(UsageError, match="neither web nor key"):
        site_of(PortalProfile("gportal-2026", "https://x.example", {"method": "cookie"}))


@pytest.mark.parametrize(
    "url", ["http://gportal.jaxa.jp", "ftp://x", "gportal.jaxa.jp", "", "http://127.0.0.1.evil.jp"]
)
def test_portals_are_spoken_to_by_https(url: str) -> None:
    with pytest.raises(UsageError, match="not https"):
        site_of(PortalProfile("gportal-legacy", url, {}))


def test_http_is_for_this_computer() -> None:
    assert site_of(PortalProfile("gportal-legacy", "http://127.0.0.1:81", {})).csw_url == (
        "http://127.0.0.1:81/csw/csw"
    )


def test_the_page_names_every_profile_and_setting() -> None:
    page = (Path(__file__).parents[3] / "docs" / "portals.md").read_text(encoding="utf-8")
    for name in (*SETTINGS, *PROFILES, *_FAMILIES):
        assert f"`{name.lower()}`" in page


def test_profiles_are_chosen_by_name_table_and_environment() -> None:
    def chosen(name: str | None, tables: dict[str, dict[str, str]], **environ: str) -> str:
        found = chosen_profile("gportal", name, tables, environ)
        assert found is not None
        return f"{found.name} {found.base_url} {found.settings['method']}"

    assert chosen(None, {}) == "gportal-2026 https://csw.gportal.jaxa.jp key"
    assert chosen("legacy", {}) == "gportal-legacy https://gportal.jaxa.jp web"
    assert chosen(None, {"gportal": {"profile": "gportal-legacy"}}).startswith("gportal-legacy ")
    mine = {"mine": {"url": "https://x", "like": "gportal-legacy"}}
    assert chosen("mine", mine) == "mine https://x web"
    other = {"gportal-legacy": {"url": "https://y"}}
    assert chosen("legacy", other) == "gportal-legacy https://y web"
    assert chosen("legacy", other, ALOS2_PORTAL_GPORTAL_LEGACY_URL="https://z") == (
        "gportal-legacy https://z web"
    )
    assert chosen(None, {}, ALOS2_PORTAL_GPORTAL_URL="https://z") == "gportal-2026 https://z key"
    assert "legacy https://gportal" in chosen("legacy", {}, ALOS2_PORTAL_GPORTAL_URL="https://z")
    with pytest.raises(UsageError, match="no profile 'nowhere'"):
        chosen("nowhere", {})
