"""OPTEMIS: its login as it is known, and lists in shapes that nobody has promised."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
import trustme

from alos2.errors import LoginFailed, NothingFound, TransferFailed, UsageError
from alos2.simulate.portals import Account
from alos2.sources import TransferOptions
from alos2.sources.credentials import Credential, Secret
from alos2.sources.credentials.refused import forget
from alos2.sources.portals.model import PortalProfile, Query
from alos2.sources.portals.optemis import KNOWN, Optemis
from alos2.sources.portals.optemis_json import (
    day_of,
    internal_id,
    plain,
    public_id,
    rows_of,
    stored_path,
)
from alos2.sources.portals.registry import PortalSetting
from alos2.sources.transfer import transfer
from fakes.optemis import STORAGE, OptemisFake, Row

ACCOUNT = Account("someone@example.org", "planted-password-1")
QUICK = TransferOptions(retries=2, backoff_s=0.01, backoff_max_s=0.02, margin_bytes=0, stall_s=5)
FIRST = "5d9448aae4a9124f601fd7be"
SECOND = "5d9448aae4a9124f601fd7bf"


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("ALOS2_CACHE", str(tmp_path / "cache"))
    forget()
    yield
    forget()


@pytest.fixture
def fake(
    authority: trustme.CA, trusted: Path, whole_zip: bytes, tmp_path: Path
) -> Iterator[OptemisFake]:
    body = tmp_path / "body.bin"
    body.write_bytes(whole_zip)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(tls)
    rows = [
        Row(
            FIRST,
            "SA-00656",
            "2019-10-01 03:00:00",
            (
                ("TaiwanALOS2Data_a87500efcb4ded1b6fd9a9a2d5ae0b6d.zip", body),
                ("TaiwanALOS2Shape_b87500efcb4ded1b6fd9a9a2d5ae0b6d.zip", body),
                ("ALOS-2_report.pdf", body),
                ("map.zip", body),
            ),
        ),
        Row(SECOND, "SA-00657", "02-Oct-2019", (("PALSAR-2_second.zip", body),)),
    ]
    with OptemisFake(ACCOUNT, rows, tls) as running:
        yield running


def open_portal(fake: OptemisFake, *, password: str = ACCOUNT.password, **settings: str) -> Optemis:
    account = Credential(ACCOUNT.username, Secret(password), origin="the test")
    profile = PortalProfile("optemis", fake.url, settings)
    return Optemis(PortalSetting(profile, account, QUICK))


@pytest.fixture
def portal(fake: OptemisFake) -> Iterator[Optemis]:
    opened = open_portal(fake)
    yield opened
    opened.close()


def test_it_is_marked_experimental(portal: Optemis) -> None:
    assert portal.experimental is True


@pytest.mark.parametrize("shape", ["datatables", "plain"])
def test_a_request_by_either_id_in_either_shape(
    portal: Optemis, fake: OptemisFake, shape: str
) -> None:
    fake.faults.shape = shape
    for eor_id in ("SA-00656", FIRST):
        items = list(portal.search(Query(eor_id=eor_id)))
        assert {item.name.partition("_")[0]: item.skip for item in items} == {
            "TaiwanALOS2Data": "",
            "TaiwanALOS2Shape": "TaiwanALOS2Shape_b87500efcb4ded1b6fd9a9a2d5ae0b6d.zip: no product "
            "by its name (Shape)",
            "ALOS-2": "ALOS-2_report.pdf is not a zip",
            "map.zip": "map.zip: nothing in its name says ALOS-2",
        }
        (item,) = [item for item in items if not item.skip]
        assert item.data_id == item.id == f"{STORAGE}/{item.name}"
        assert (item.provider, item.eor_id) == ("optemis", "SA-00656")
        assert item.size is not None
        assert item.when is not None
        assert item.when.date() == date(2019, 10, 1)
        assert item.properties["country"] == "Taiwan"


@pytest.mark.parametrize(
    ("start", "end", "found"),
    [
        (date(2019, 10, 1), date(2019, 10, 1), ["SA-00656"]),
        (date(2019, 10, 1), None, ["SA-00656", "SA-00657"]),
        (date(2019, 10, 2), date(2019, 10, 2), ["SA-00657"]),
        (date(2019, 10, 3), None, []),
    ],
)
def test_days(portal: Optemis, start: date, end: date | None, found: list[str]) -> None:
    items = portal.search(Query(start=start, end=end))
    assert [item.eor_id for item in items if not item.skip] == found


def test_pages_of_the_list(fake: OptemisFake) -> None:
    portal = open_portal(fake, page="1")
    assert len([i for i in portal.search(Query(start=date(2019, 1, 1))) if not i.skip]) == 2
    fake.faults.same_page = True
    assert len([i for i in portal.search(Query(start=date(2019, 1, 1))) if not i.skip]) == 1
    portal.close()


def test_one_file_by_its_path(
    portal: Optemis, fake: OptemisFake, whole_zip: bytes, tmp_path: Path
) -> None:
    path = f"{STORAGE}/PALSAR-2_second.zip"
    (item,) = portal.search(Query(ids=(path,)))
    assert not item.skip
    fetched = transfer(portal.remote(item), tmp_path / "out", options=QUICK)
    assert fetched.path.read_bytes() == whole_zip
    assert fetched.path.name == "PALSAR-2_second.zip"
    assert fake.downloads == [path]
    assert fake.password_posts == 1


def test_the_token_is_that_of_the_same_session(portal: Optemis, fake: OptemisFake) -> None:
    assert list(portal.search(Query(eor_id="SA-00656")))
    (sent,) = [r.form["_token"] for r in fake.seen if r.method == "POST"]
    (session,) = fake.logins
    assert fake.tokens[session] == sent


@pytest.mark.parametrize(("fault", "said"), [("wrong_token", "own csrf-token"),
                                             ("no_token", "holds no csrf-token")])  # fmt: skip
def test_a_token_that_is_wrong_or_missing_says_nothing_about_the_password(
    portal: Optemis, fake: OptemisFake, fault: str, said: str
) -> None:
    setattr(fake.faults, fault, True)
    with pytest.raises(TransferFailed, match=said):
        list(portal.search(Query(eor_id="SA-00656")))
    setattr(fake.faults, fault, False)
    assert list(portal.search(Query(eor_id="SA-00656")))


def test_a_wrong_password_is_sent_once(fake: OptemisFake) -> None:
    portal = open_portal(fake, password="planted-wrong-word")
    for _ in range(2):
        with pytest.raises(LoginFailed) as caught:
            list(portal.search(Query(eor_id="SA-00656")))
        assert "planted" not in str(caught.value)
    assert fake.password_posts == 1
    portal.close()


@pytest.mark.parametrize("status", [200, 401, 419])
def test_an_expired_session_is_renewed_once(
    portal: Optemis, fake: OptemisFake, status: int
) -> None:
    assert list(portal.search(Query(eor_id="SA-00656")))
    fake.faults.expire, fake.faults.expired_status = 2, status
    assert len(list(portal.search(Query(eor_id="SA-00656")))) == 4
    assert fake.password_posts == 2


def test_a_redirect_to_the_open_address_stays_on_tls(portal: Optemis, fake: OptemisFake) -> None:
    fake.faults.redirect_http = True
    assert list(portal.search(Query(eor_id="SA-00656")))


def test_an_unknown_shape_is_told(portal: Optemis, fake: OptemisFake) -> None:
    fake.faults.shape = "strange"
    with pytest.raises(TransferFailed, match="shape that is not known"):
        list(portal.search(Query(eor_id="SA-00656")))


def test_an_unknown_request(portal: Optemis) -> None:
    with pytest.raises(NothingFound, match="SA-99999"):
        list(portal.search(Query(eor_id="SA-99999")))


def test_other_questions_are_refused(portal: Optemis, fake: OptemisFake) -> None:
    with pytest.raises(UsageError):
        list(portal.search(Query(bbox=(0, 0, 1, 1))))
    assert not fake.seen


def test_names_of_keys_can_be_configured(fake: OptemisFake) -> None:
    portal = open_portal(fake, is_alos2="map", is_no_product="nothing-at-all")
    items = list(portal.search(Query(eor_id="SA-00656")))
    assert [item.name for item in items if not item.skip] == ["map.zip"]
    portal.close()
    elsewhere = open_portal(fake, requests_path="/api/v2/requests")
    with pytest.raises(NothingFound):
        list(elsewhere.search(Query(eor_id="SA-00656")))
    elsewhere.close()


def test_what_doctor_is_told(portal: Optemis, fake: OptemisFake) -> None:
    assert [check.ok for check in portal.checks()] == [True, True]
    assert fake.password_posts == 1


# Making sense of JSON


def test_rows_in_many_wrappings() -> None:
    rows = [{"a": 1}]
    for found in (rows, {"data": rows}, {"data": {"files": rows}}, {"items": rows, "x": 1}):
        assert rows_of(found, "w", "it") == rows
    for found in (None, 7, "x", {"a": 1}, [1], {"data": "x"}):
        with pytest.raises(TransferFailed):
            rows_of(found, "w", "it")


def test_what_is_known_by_its_shape() -> None:
    row = {
        "cell": f"<a href='/x/{FIRST}'>SA-00142</a>",
        "when": ["<b>16/Aug/2019</b>"],
        "get": f'<a href="/downloadFile?file={STORAGE}/a b (c)_1.zip">x</a>',
    }
    assert internal_id(row, ["_id"]) == FIRST
    assert public_id(row, ["code"]) == "SA-00142"
    assert day_of(row, ["date"]) == date(2019, 8, 16)
    assert stored_path(row, ["path"]) == f"{STORAGE}/a b (c)_1.zip"
    assert plain("<td> a &amp;<br/>b </td>") == "a & b"
    empty: dict[str, object] = {"a": None, "b": True, "c": {}}
    assert (internal_id(empty, ["a"]), public_id(empty, ["a"]), stored_path(empty, ["a"])) == (
        "", "", ""
    )  # fmt: skip
    assert day_of(empty, ["a"]) is None


@pytest.mark.parametrize(
    "settings", [{"date_feld": "x"}, {"is_alos2": "("}, {"page": "0"}, {"page": "many"}]
)
def test_settings_that_cannot_be(fake: OptemisFake, settings: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        open_portal(fake, **settings)


def test_the_documentation_names_every_setting() -> None:
    page = Path(__file__).parents[3] / "docs" / "portals.md"
    text = page.read_text(encoding="utf-8").partition("**OPTEMIS is experimental**")[2]
    named = set(re.findall(r"`([a-z_0-9]+)`", text))
    assert not {name for name in KNOWN if name not in named}
