"""The old site over TLS: one login, downloads with its cookie, and whatever it does instead."""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import trustme

from alos2.errors import BadArchive, LoginFailed, NothingFound, TransferFailed
from alos2.simulate.portals import Account, Offer, invented_account
from alos2.sources import TransferOptions
from alos2.sources.credentials import Credential, Secret
from alos2.sources.credentials.refused import forget
from alos2.sources.portals.gportal import GPortal
from alos2.sources.portals.model import Item, PortalProfile, Query
from alos2.sources.portals.registry import PortalSetting
from alos2.sources.transfer import transfer
from fakes.file_server import FileServer, Reply
from fakes.gportal_old import GPortalOld


@pytest.fixture(scope="session")
def offered(deliveries: Any) -> list[Offer]:
    return [Offer.read(deliveries.slc), Offer.read(deliveries.geotiff)]


@pytest.fixture(autouse=True)
def _own_markers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("ALOS2_CACHE", str(tmp_path / "cache"))
    forget()
    yield
    forget()


@pytest.fixture
def account() -> Account:
    return invented_account()


@pytest.fixture
def fake(offered: list[Offer], account: Account, authority: trustme.CA) -> Iterator[GPortalOld]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    with GPortalOld(account, offered, tls=context) as running:
        yield running


def opened(
    fake: GPortalOld, account: Account, options: TransferOptions, **settings: str
) -> GPortal:
    credential = Credential(account.username, Secret(account.password), origin="the test")
    profile = PortalProfile("gportal-legacy", fake.url, settings)
    return GPortal(PortalSetting(profile, credential, options))


@pytest.fixture
def portal(
    fake: GPortalOld, account: Account, trusted: Path, quick: TransferOptions
) -> Iterator[GPortal]:
    made = opened(fake, account, quick)
    yield made
    made.close()


def item_for(portal: GPortal, offer: Offer) -> Item:
    (item,) = portal.search(Query(ids=(offer.identifier,)))
    return item


def fetched(portal: GPortal, offer: Offer, work: Path, options: TransferOptions) -> str:
    remote = portal.remote(item_for(portal, offer))
    return transfer(remote, work, options=options).sha256 or ""


def digest(offer: Offer) -> str:
    return hashlib.sha256(offer.archive.read_bytes()).hexdigest()


def test_a_file_comes_home_after_one_login(
    portal: GPortal, fake: GPortalOld, offered: list[Offer], work: Path, quick: TransferOptions
) -> None:
    for offer in offered:
        assert fetched(portal, offer, work, quick) == digest(offer)
    assert (fake.password_posts, fake.logins_made) == (1, 1)
    (login,) = [r for r in fake.seen if r.path.endswith("authenticate.json")]
    assert login.form["fuel_csrf_token"] == login.cookies["fuel_csrf_token"]
    assert login.headers["x-requested-with"] == "XMLHttpRequest"
    assert login.headers["origin"] == fake.url
    assert login.headers["referer"] == f"{fake.url}/gpr/"
    assert login.query == {}


def test_a_cut_download_goes_on_where_it_ended(
    portal: GPortal, fake: GPortalOld, offered: list[Offer], work: Path, quick: TransferOptions
) -> None:
    fake.faults.cut_at = 100_000
    assert fetched(portal, offered[0], work, quick) == digest(offered[0])
    ranges = [r.headers.get("range") for r in fake.seen if r.path.startswith("/download/")]
    assert ranges[0] is None
    # The engine compares a little of what is here already, so it begins before the cut.
    (start,) = [int(str(text)[6:-1]) for text in ranges[1:]]
    assert 0 < start <= 100_000
    assert fake.password_posts == 1


def test_several_threads_log_in_once(
    portal: GPortal, fake: GPortalOld, offered: list[Offer], work: Path, quick: TransferOptions
) -> None:
    with ThreadPoolExecutor(4) as pool:
        jobs = [
            pool.submit(fetched, portal, offered[n % 2], work / str(n), quick) for n in range(4)
        ]
        sums = [job.result() for job in jobs]
    assert sums == [digest(offered[n % 2]) for n in range(4)]
    assert fake.password_posts == 1


def test_an_expired_session_is_renewed_once(
    portal: GPortal, fake: GPortalOld, offered: list[Offer], work: Path, quick: TransferOptions
) -> None:
    fake.faults.expire_after = 1
    assert fetched(portal, offered[0], work, quick) == digest(offered[0])
    assert fetched(portal, offered[1], work, quick) == digest(offered[1])
    assert fake.password_posts == 2


@pytest.mark.parametrize("key_null", [False, True])
def test_a_refused_password_is_sent_once_for_ever(
    *,
    fake: GPortalOld,
    account: Account,
    offered: list[Offer],
    trusted: Path,
    work: Path,
    quick: TransferOptions,
    key_null: bool,
) -> None:
    fake.faults.key_null = key_null
    wrong = account if key_null else Account(account.username, account.password + "x")
    portal = opened(fake, wrong, quick)
    item = item_for(portal, offered[0])
    with pytest.raises(LoginFailed, match="refused the login") as refused:
        transfer(portal.remote(item), work, options=quick)
    assert wrong.password not in str(refused.value)
    with pytest.raises(LoginFailed):
        transfer(portal.remote(item), work, options=quick)
    forget()  # as if in another process: the marker remembers
    again = opened(fake, wrong, quick)
    with pytest.raises(LoginFailed, match="not sent again"):
        transfer(again.remote(item), work, options=quick)
    assert fake.password_posts == 1
    for made in (portal, again):
        made.close()


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("no_csrf", "set no cookie fuel_csrf_token"),
        ("login_not_json", "titled 'Under maintenance'"),
        ("login_500", "503"),
        ("no_cookie", "gave no session cookie"),
    ],
)
def test_a_login_that_is_not_answered_says_nothing_about_the_password(
    *,
    portal: GPortal,
    fake: GPortalOld,
    offered: list[Offer],
    work: Path,
    quick: TransferOptions,
    fault: str,
    message: str,
) -> None:
    item = item_for(portal, offered[0])
    setattr(fake.faults, fault, True)
    with pytest.raises(TransferFailed, match=message):
        transfer(portal.remote(item), work, options=quick)
    sent = fake.password_posts
    setattr(fake.faults, fault, False)
    assert fetched(portal, offered[0], work, quick) == digest(offered[0])
    assert fake.password_posts == sent + 1


def test_the_cookie_goes_nowhere_else(
    *,
    portal: GPortal,
    fake: GPortalOld,
    offered: list[Offer],
    work: Path,
    quick: TransferOptions,
    tls_server: FileServer,
) -> None:
    item = item_for(portal, offered[0])
    tls_server.reply("/x.zip", Reply(b"PK\x03\x04"))
    elsewhere = tls_server.url("/x.zip", host="127.0.0.1")
    fake.faults.away = elsewhere
    with pytest.raises(TransferFailed, match="another site"):
        transfer(portal.remote(item), work, options=quick)
    fake.faults.away = None
    fake.faults.foreign_file = elsewhere
    with pytest.raises(TransferFailed, match="no login is sent there"):
        portal.remote(item_for(portal, offered[0]))
    fake.faults.foreign_file = f"{fake.url}/gpr/../download/../secret.zip"
    with pytest.raises(TransferFailed, match="no login is sent there"):
        portal.remote(item_for(portal, offered[0]))
    assert tls_server.seen == []


def test_a_link_by_way_of_the_login_page(
    portal: GPortal, fake: GPortalOld, offered: list[Offer], work: Path, quick: TransferOptions
) -> None:
    (item,) = portal.search(Query(ids=(fake.goto_link(offered[0]),)))
    assert item.name == offered[0].archive.name
    assert transfer(portal.remote(item), work, options=quick).sha256 == digest(offered[0])


def test_a_file_that_is_not_there(
    portal: GPortal, fake: GPortalOld, work: Path, quick: TransferOptions
) -> None:
    (item,) = portal.search(Query(ids=(f"{fake.url}/download/standard/none.zip",)))
    with pytest.raises(NothingFound, match="404"):
        transfer(portal.remote(item), work, options=quick)


def test_a_page_instead_of_a_file_right_after_the_login(
    portal: GPortal, fake: GPortalOld, offered: list[Offer], work: Path, quick: TransferOptions
) -> None:
    fake.faults.expire_after = 0
    with pytest.raises(LoginFailed, match="login page"):
        fetched(portal, offered[0], work, quick)
    assert fake.password_posts == 1
    assert not list(work.glob("*.zip"))


def test_no_account_says_where_it_was_looked_for(
    *,
    fake: GPortalOld,
    offered: list[Offer],
    trusted: Path,
    work: Path,
    quick: TransferOptions,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HOME", str(work))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(work))
    portal = GPortal(PortalSetting(PortalProfile("gportal-legacy", fake.url, {}), None, quick))
    item = item_for(portal, offered[0])
    with pytest.raises(LoginFailed, match=r"ALOS2_GPORTAL_PASSWORD"):
        transfer(portal.remote(item), work, options=quick)
    assert fake.password_posts == 0
    portal.close()


def test_doctor_logs_in_once(portal: GPortal, fake: GPortalOld) -> None:
    checks = list(portal.checks())
    assert [check.ok for check in checks] == [True, True]
    assert fake.password_posts == 1


def test_doctor_tells_a_refusal_and_does_not_repeat_it(
    fake: GPortalOld, account: Account, trusted: Path, quick: TransferOptions
) -> None:
    wrong = Account(account.username, "wrong-" + account.password)
    portal = opened(fake, wrong, quick)
    for _ in range(2):
        _, login = portal.checks()
        assert login.ok is False
        assert login.exit_code == 4
        assert wrong.password not in login.line()
    assert fake.password_posts == 1
    portal.close()


def test_a_private_authority_is_named_by_the_profile(
    *,
    fake: GPortalOld,
    account: Account,
    offered: list[Offer],
    authority: trustme.CA,
    work: Path,
    quick: TransferOptions,
    tmp_path: Path,
) -> None:
    bundle = tmp_path / "own.pem"
    authority.cert_pem.write_to_path(str(bundle))
    portal = opened(fake, account, quick, ca_file=str(bundle))
    assert fetched(portal, offered[0], work, quick) == digest(offered[0])
    portal.close()


def test_what_is_no_zip_is_not_stored(
    *, portal: GPortal, fake: GPortalOld, offered: list[Offer], work: Path, quick: TransferOptions,
    tmp_path: Path,
) -> None:  # fmt: skip
    item = item_for(portal, offered[0])
    text = tmp_path / "0000000003.zip"
    text.write_bytes(b"no zip at all" * 100)
    fake.offers = [Offer(text, *list(vars(offered[0]).values())[1:])]
    (changed,) = portal.search(Query(ids=(offered[0].identifier,)))
    assert changed.id == item.id
    with pytest.raises(BadArchive):
        transfer(portal.remote(changed), work, options=quick)
    assert not list(work.glob("*.zip"))
