"""Sentinel Asia's old web: what is found, what is left out, and what goes wrong there."""

from __future__ import annotations

import ast
import inspect
import locale
import logging
import ssl
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
import trustme

from alos2.errors import LoginFailed, NothingFound, TransferFailed, UsageError
from alos2.simulate.portals import Account
from alos2.sources import TransferOptions
from alos2.sources.credentials import Credential, Secret
from alos2.sources.credentials.refused import forget
from alos2.sources.portals import eor
from alos2.sources.portals.model import Item, PortalProfile, Query
from alos2.sources.portals.registry import PortalSetting
from alos2.sources.portals.sentinel_asia import SentinelAsia
from alos2.sources.transfer import transfer
from fakes.sentinel_asia import Eor, File, SentinelAsiaFake

ACCOUNT = Account("someone", "planted-password-1")
QUICK = TransferOptions(retries=2, backoff_s=0.01, backoff_max_s=0.02, margin_bytes=0, stall_s=5,
                        chunk_bytes=1 << 14)  # fmt: skip
FIRST = date(2019, 8, 1)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("ALOS2_CACHE", str(tmp_path / "cache"))
    forget()
    yield
    forget()


@pytest.fixture
def fake(
    authority: trustme.CA, trusted: Path, whole_zip: bytes, tmp_path: Path
) -> Iterator[SentinelAsiaFake]:
    body = tmp_path / "body.zip"
    body.write_bytes(whole_zip)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    eors = [
        Eor(
            "ERJPYU000001",
            "16/Aug/2019",
            (
                File("JPJXisis0001201908160001", body, name="one.zip"),
                File("JPJXisis0001201908160002", body, name="two.ZIP"),
                File("JPJXisis0001201908160003", b"%PDF", kind="Map", name="map.pdf"),
                File("JPJXisis0001201908160004", b"x" * 20, name="data.tar.gz"),
            ),
        ),
        Eor(
            "ERAHAC000007",
            "31/Dec/2019",
            (
                File("JPJXisis0001201908160002", body, name="two.ZIP"),
                File("JPJXisis0001201912310001", body, name="three.zip"),
            ),
        ),
        Eor("ERPHAC000003", "02/May/2010", (File("JPJXisis0001201005020001", body),)),
    ]
    with SentinelAsiaFake(ACCOUNT, eors, context) as running:
        yield running


def open_portal(
    fake: SentinelAsiaFake, *, password: str = ACCOUNT.password, **options: object
) -> SentinelAsia:
    account = Credential(ACCOUNT.username, Secret(password), origin="the test")
    profile = PortalProfile("sentinel-asia", fake.base_url)
    return SentinelAsia(PortalSetting(profile, account, replace(QUICK, **options)))  # type: ignore[arg-type]


@pytest.fixture
def portal(fake: SentinelAsiaFake) -> Iterator[SentinelAsia]:
    opened = open_portal(fake)
    yield opened
    opened.close()


def ids(items: Iterator[Item]) -> list[str]:
    return [item.id for item in items if not item.skip]


def reasons(items: Iterator[Item]) -> dict[str, str]:
    return {item.id: item.skip for item in items if item.skip}


def test_a_request_lists_its_alos2_zips_and_why_not_the_others(portal: SentinelAsia) -> None:
    items = list(portal.search(Query(eor_id="ERJPYU000001")))
    assert ids(iter(items)) == ["JPJXisis0001201908160001", "JPJXisis0001201908160002"]
    assert reasons(iter(items)) == {
        "JPJXisis0001201908160003": "not ALOS-2 data but 'Map'",
        "JPJXisis0001201908160004": "data.tar.gz is not a zip",
    }
    first = items[0]
    assert (first.provider, first.eor_id, first.data_id) == (
        "sentinel-asia",
        "ERJPYU000001",
        "JPJXisis0001201908160001",
    )
    assert first.name == "one.zip"
    assert first.title == "ALOS-2 PALSAR-2"
    assert first.size is not None
    assert first.size > 200_000
    assert first.when is not None
    assert first.when.isoformat() == "2019-08-16T00:00:00+00:00"
    assert first.properties == {
        "eor_date": "16/Aug/2019",
        "country": "Japan",
        "disaster": "Flood",
        "type": "ALOS(Data)",
    }


@pytest.mark.parametrize(
    ("start", "end", "found"),
    [
        (FIRST, None, 3),
        (date(2019, 8, 16), date(2019, 8, 16), 2),
        (FIRST, date(2019, 8, 15), 0),
        (FIRST, date(2019, 12, 30), 2),
        (FIRST, date(2019, 12, 31), 3),
        (date(2019, 8, 17), date(2020, 1, 1), 2),
    ],
)
def test_days_with_the_last_one_and_each_file_once(
    portal: SentinelAsia, start: date, end: date | None, found: int
) -> None:
    items = ids(portal.search(Query(start=start, end=end)))
    assert len(items) == len(set(items)) == found


def test_the_first_alos_is_left_out(portal: SentinelAsia) -> None:
    (item,) = portal.search(Query(start=date(2010, 1, 1), end=date(2010, 12, 31)))
    assert "first ALOS" in item.skip
    assert eor.not_alos2("ALOS(Data)", "ALPSRP123450700.zip", day=None) == (
        "of the first ALOS, by its name"
    )
    assert eor.not_alos2("ALOS-2 (Data)", "0000000001_001001_ALOS2.zip", day=None) == ""


def test_one_file_by_its_id(portal: SentinelAsia, fake: SentinelAsiaFake) -> None:
    (item,) = portal.search(Query(ids=("JPJXisis0001201908160001",)))
    assert (item.name, item.eor_id, item.skip) == ("one.zip", None, "")
    assert not [r for r in fake.seen if "viewList" in r.path or "emergencyView" in r.path]
    (named,) = portal.search(Query(ids=("JPJXisis0001201908160001",), eor_id="ERJPYU000001"))
    assert (named.eor_id, named.title) == ("ERJPYU000001", "ALOS-2 PALSAR-2")
    (other,) = portal.search(Query(ids=("JPJXisis0001201908160004",)))
    assert other.skip == "data.tar.gz is not a zip"


def test_a_limit_counts_what_can_be_ingested(portal: SentinelAsia) -> None:
    assert len(ids(portal.search(Query(start=FIRST, limit=1)))) == 1


@pytest.mark.parametrize(
    "query",
    [
        Query(),
        Query(ids=("a",), start=FIRST),
        Query(eor_id="a", start=FIRST),
        Query(end=FIRST),
        Query(start=FIRST, end=date(2019, 1, 1)),
        Query(start=FIRST, bbox=(0, 0, 1, 1)),
        Query(start=FIRST, mode="FBD"),
    ],
)
def test_other_questions_are_refused(
    portal: SentinelAsia, query: Query, fake: SentinelAsiaFake
) -> None:
    with pytest.raises(UsageError):
        list(portal.search(query))
    assert not fake.seen


def test_english_months_whatever_the_locale() -> None:
    names = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
    wanted = [date(2019, number, 3) for number in range(1, 13)]

    def read() -> list[date | None]:
        return [eor.portal_day(f"03/{name}/2019") for name in names]

    assert read() == wanted
    before = locale.setlocale(locale.LC_TIME)
    tried = 0
    try:
        for name in ("de_DE.UTF-8", "ja_JP.UTF-8", "C.UTF-8"):
            try:
                locale.setlocale(locale.LC_TIME, name)
            except locale.Error:
                continue
            tried += 1
            assert read() == wanted
    finally:
        locale.setlocale(locale.LC_TIME, before)
    # Where no such locale is installed the code itself must do: nothing there asks the locale.
    called = {
        node.attr
        for node in ast.walk(ast.parse(inspect.getsource(eor)))
        if isinstance(node, ast.Attribute)
    }
    assert not called & {"strptime", "strftime", "setlocale"}
    assert "locale" not in vars(eor)


@pytest.mark.parametrize("text", ["", "today", "31/Feb/2019", "16/Aou/2019", "16/08/2019"])
def test_what_is_no_day(text: str) -> None:
    assert eor.portal_day(text) is None


@pytest.mark.parametrize("text", ["16/Aug/2019", "16-AUG-2019", "16 August, 2019", "20190816",
                                  "2019-08-16T03:04:05Z"])  # fmt: skip
def test_ways_to_write_a_day(text: str) -> None:
    assert eor.portal_day(text) == date(2019, 8, 16)


def test_an_undated_request_is_told_after_the_others(
    portal: SentinelAsia, fake: SentinelAsiaFake
) -> None:
    fake.eors = [Eor("ERXXXX000001", "soon"), *fake.eors]
    found = portal.search(Query(start=FIRST))
    assert len([next(found) for _ in range(5)]) == 5
    with pytest.raises(TransferFailed, match="ERXXXX000001 'soon'"):
        next(found)


def test_a_broken_list_does_not_hide_the_others(
    portal: SentinelAsia, fake: SentinelAsiaFake
) -> None:
    fake.faults.broken_list = "ERJPYU000001"
    found = portal.search(Query(start=FIRST))
    items = [next(found).id for _ in range(2)]
    assert items == ["JPJXisis0001201908160002", "JPJXisis0001201912310001"]
    with pytest.raises(TransferFailed, match="answered 500 when asked for the files of ERJPYU"):
        next(found)


@pytest.mark.parametrize(("answer", "error"), [(404, NothingFound), (500, TransferFailed),
                                               (200, NothingFound)])  # fmt: skip
def test_an_unknown_request(
    portal: SentinelAsia, fake: SentinelAsiaFake, answer: int, error: type[Exception]
) -> None:
    fake.faults.unknown = answer
    with pytest.raises(error, match="ERNOPE000001"):
        list(portal.search(Query(eor_id="ERNOPE000001")))


# The login


def test_one_login_for_everything_and_for_all_threads(
    portal: SentinelAsia, fake: SentinelAsiaFake, tmp_path: Path
) -> None:
    results: list[str | None] = []

    def work(number: int) -> None:
        (item,) = portal.search(Query(ids=(f"JPJXisis000120190816000{number}",)))
        fetched = transfer(portal.remote(item), tmp_path / str(number), options=QUICK)
        results.append(fetched.sha256)

    threads = [threading.Thread(target=work, args=(n,)) for n in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 2
    assert results[0] == results[1]
    assert fake.password_posts == 1


def test_a_wrong_password_is_sent_once_and_never_again(
    fake: SentinelAsiaFake, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    portal = open_portal(fake, password="planted-wrong-word")
    for _ in range(2):
        with pytest.raises(LoginFailed) as caught:
            list(portal.search(Query(start=FIRST)))
        assert "planted-wrong-word" not in str(caught.value)
    assert fake.password_posts == 1
    portal.close()
    # Another process, so to speak: it knows of the first one by the marker only.
    forget()
    with pytest.raises(LoginFailed):
        list(open_portal(fake, password="planted-wrong-word").search(Query(start=FIRST)))
    assert fake.password_posts == 1
    # A changed password is another matter.
    assert ids(open_portal(fake).search(Query(start=FIRST)))
    assert fake.password_posts == 2
    assert "planted" not in caplog.text
    assert not any(session in caplog.text for session in fake.sessions)


def test_an_expired_session_is_renewed_once(portal: SentinelAsia, fake: SentinelAsiaFake) -> None:
    assert len(ids(portal.search(Query(eor_id="ERJPYU000001")))) == 2
    fake.faults.expire = 2
    assert len(ids(portal.search(Query(start=FIRST)))) == 3
    assert fake.password_posts == 2


def test_a_session_that_expires_between_list_and_download(
    portal: SentinelAsia, fake: SentinelAsiaFake, whole_zip: bytes, tmp_path: Path
) -> None:
    (item,) = portal.search(Query(ids=("JPJXisis0001201908160001",)))
    fake.faults.expire = 1
    fetched = transfer(portal.remote(item), tmp_path / "out", options=QUICK)
    assert fetched.path.read_bytes() == whole_zip
    assert fetched.path.name == "one.zip"
    assert fetched.url is not None
    assert fetched.url.endswith("download?dataId=JPJXisis0001201908160001")
    assert fake.password_posts == 2


def test_a_page_that_a_new_login_does_not_help_against(
    portal: SentinelAsia, fake: SentinelAsiaFake
) -> None:
    assert ids(portal.search(Query(eor_id="ERJPYU000001")))
    fake.faults.always_page = "viewList"
    with pytest.raises(TransferFailed, match="'Scheduled maintenance' instead of the list"):
        list(portal.search(Query(start=FIRST)))
    assert fake.password_posts == 2
    # That session has never worked, so it is not renewed again.
    with pytest.raises(TransferFailed):
        list(portal.search(Query(start=FIRST)))
    assert fake.password_posts == 2


def test_no_session_cookie(portal: SentinelAsia, fake: SentinelAsiaFake) -> None:
    fake.faults.no_cookie = True
    with pytest.raises(TransferFailed, match="JSESSIONID"):
        list(portal.search(Query(start=FIRST)))
    assert fake.password_posts == 0


def test_the_password_goes_to_no_other_site(
    portal: SentinelAsia, fake: SentinelAsiaFake, authority: trustme.CA
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    with SentinelAsiaFake(ACCOUNT, [], context) as other:
        fake.faults.login_away = f"{other.url}/sentinel2/topControl.jsp"
        with pytest.raises(TransferFailed, match="redirects to another site"):
            list(portal.search(Query(start=FIRST)))
        assert not other.seen


def test_an_untrusted_certificate(fake: SentinelAsiaFake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")
    monkeypatch.delenv("CURL_CA_BUNDLE", raising=False)
    with pytest.raises(TransferFailed, match="certificate is not trusted"):
        list(open_portal(fake).search(Query(start=FIRST)))
    assert fake.password_posts == 0


def test_a_private_ca_of_the_profile(
    fake: SentinelAsiaFake,
    trusted: Path,
    authority: trustme.CA,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(other))
    profile = PortalProfile("sentinel-asia", fake.base_url, {"ca_file": str(trusted)})
    account = Credential(ACCOUNT.username, Secret(ACCOUNT.password))
    portal = SentinelAsia(PortalSetting(profile, account, QUICK))
    assert ids(portal.search(Query(eor_id="ERJPYU000001")))
    portal.close()


# The files


def test_head_may_be_refused(portal: SentinelAsia, fake: SentinelAsiaFake) -> None:
    fake.faults.head = 405
    item = next(portal.search(Query(eor_id="ERJPYU000001")))
    assert (item.name, item.size, item.skip) == ("", None, "")


def test_no_name_in_the_headers(
    portal: SentinelAsia, fake: SentinelAsiaFake, tmp_path: Path
) -> None:
    fake.faults.no_disposition = True
    item = next(portal.search(Query(eor_id="ERJPYU000001")))
    assert (item.name, item.skip) == ("", "")
    assert (
        transfer(portal.remote(item), tmp_path / "out", options=QUICK).path.name == "download.zip"
    )


def test_a_cut_download_is_resumed(
    portal: SentinelAsia, fake: SentinelAsiaFake, whole_zip: bytes, tmp_path: Path
) -> None:
    (item,) = portal.search(Query(ids=("JPJXisis0001201908160001",)))
    fake.faults.cut_at = 150_000
    fetched = transfer(portal.remote(item), tmp_path / "out", options=QUICK)
    assert fetched.path.read_bytes() == whole_zip
    gets = [r for r in fake.seen if r.path.endswith("download") and r.method == "GET"]
    assert "range" not in gets[0].headers
    assert gets[1].headers["range"].startswith("bytes=")


@pytest.mark.parametrize("answer", [404, 500])
def test_an_unknown_file(
    portal: SentinelAsia, fake: SentinelAsiaFake, tmp_path: Path, answer: int
) -> None:
    fake.faults.unknown = answer
    (item,) = portal.search(Query(ids=("JPJXnone0001201908160001",)))
    with pytest.raises((NothingFound, TransferFailed)) as caught:
        transfer(portal.remote(item), tmp_path / "out", options=QUICK)
    assert caught.value.exit_code == (6 if answer == 404 else 5)
    assert not list((tmp_path / "out").glob("*.zip*"))


def test_a_page_instead_of_a_file_is_never_stored(
    portal: SentinelAsia, fake: SentinelAsiaFake, tmp_path: Path
) -> None:
    (item,) = portal.search(Query(ids=("JPJXisis0001201908160001",)))
    fake.faults.always_page = "download"
    with pytest.raises(TransferFailed, match="'Scheduled maintenance' instead of the file"):
        transfer(portal.remote(item), tmp_path / "out", options=QUICK)
    assert fake.password_posts == 2
    assert not list((tmp_path / "out").glob("*.zip*"))


def test_a_busy_portal_is_asked_again(portal: SentinelAsia, fake: SentinelAsiaFake) -> None:
    fake.faults.busy = 2
    assert ids(portal.search(Query(eor_id="ERJPYU000001")))


def test_half_a_list(portal: SentinelAsia, fake: SentinelAsiaFake) -> None:
    fake.faults.not_json = True
    with pytest.raises(TransferFailed, match="no JSON"):
        list(portal.search(Query(start=FIRST)))


def test_an_address_without_tls_is_refused() -> None:
    profile = PortalProfile("sentinel-asia", "http://sentinel.example.org/sentinel2")
    with pytest.raises(UsageError, match="not https"):
        SentinelAsia(PortalSetting(profile))
    misspelt = PortalProfile("sentinel-asia", "https://sentinel.example.org", {"cafile": "x"})
    with pytest.raises(UsageError, match="unknown settings: cafile"):
        SentinelAsia(PortalSetting(misspelt))


def test_what_doctor_is_told(portal: SentinelAsia, fake: SentinelAsiaFake) -> None:
    checks = list(portal.checks())
    assert [check.ok for check in checks] == [True, True]
    assert fake.password_posts == 1
    wrong = open_portal(fake, password="planted-wrong-word")
    (check,) = [*wrong.checks()]
    assert check.ok is False
    assert check.exit_code == 4
    assert "planted" not in check.detail + check.remedy
    wrong.close()
