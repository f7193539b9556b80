"""AUIG2 against a server that does as it does: two-step login, 200 for everything."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import trustme

from alos2.errors import (
    BadArchive,
    LoginFailed,
    NothingFound,
    TransferFailed,
    UsageError,
)
from alos2.simulate.portals import Account, Offer
from alos2.sources import Fetched, TransferOptions
from alos2.sources.credentials import Credential, Secret
from alos2.sources.credentials.refused import forget, markers
from alos2.sources.portals.auig2 import DEFAULT, Auig2, order_ids
from alos2.sources.portals.model import PortalProfile, Query
from alos2.sources.portals.registry import PortalSetting
from alos2.sources.transfer import transfer
from fakes.auig2 import FakeAuig2

ACCOUNT = Account("PER2A4X9", "p&s=w+rd%/é!2026")


@dataclass
class Site:
    """A running AUIG2, and who asks it."""

    server: FakeAuig2
    offers: list[Offer]
    work: Path
    quick: TransferOptions
    portal: Auig2 | None = None

    def open(self, password: str = ACCOUNT.password) -> Auig2:
        """Return a portal of its own: nothing in it remembers the others."""
        account = Credential(ACCOUNT.username, Secret(password), origin="test")
        return Auig2(PortalSetting(PortalProfile("auig2", self.server.url), account, self.quick))

    def get(self, number: int = 0, portal: Auig2 | None = None, order: str = "") -> Fetched:
        """Transfer an order; its offer is `number`."""
        portal = portal or self.portal or self.open()
        if self.portal is None:
            self.portal = portal
        (item,) = portal.search(Query(ids=(order or self.offers[number].order,)))
        return transfer(portal.remote(item), self.work, options=self.quick)


@pytest.fixture
def site(
    deliveries: Any, authority: trustme.CA, trusted: Path, work: Path, quick: TransferOptions
) -> Iterator[Site]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    offers = [Offer.read(deliveries.slc), Offer.read(deliveries.geotiff)]
    forget()
    with FakeAuig2(ACCOUNT, offers, tls=context) as server:
        assert isinstance(server, FakeAuig2)
        yield Site(server, offers, work, quick)
    forget()


class TestOrders:
    def test_an_order_arrives_whole(self, site: Site) -> None:
        got = site.get()
        assert got.path.read_bytes() == site.offers[0].archive.read_bytes()
        assert got.path.name == site.offers[0].archive.name
        assert got.url is not None
        assert f"itemname={site.offers[0].order}" in got.url
        assert site.server.logins_made == 1
        posts = [r for r in site.server.seen if r.method == "POST"]
        assert len(posts) == 2
        assert all(r.form["IDToken2"] == ACCOUNT.password for r in posts)

    def test_several_orders_take_one_login(self, site: Site) -> None:
        for number, offer in enumerate(site.offers):
            got = site.get(number)
            assert got.size == offer.archive.stat().st_size
        assert site.server.logins_made == 1

    def test_the_file_may_come_without_a_name(self, site: Site) -> None:
        site.server.faults.no_disposition = True
        got = site.get()
        assert got.size == site.offers[0].archive.stat().st_size
        assert got.path.suffix == ".zip"

    @pytest.mark.parametrize("validator", [True, False])
    def test_a_download_that_breaks_off_goes_on(self, site: Site, validator: bool) -> None:
        site.server.faults.cuts = (120_000,)
        site.server.faults.no_validator = not validator
        got = site.get()
        assert got.path.read_bytes() == site.offers[0].archive.read_bytes()
        ranges = [r.headers.get("range") for r in site.server.seen if r.path.endswith("download")]
        assert ranges[0] is None
        assert ranges[1] is not None
        assert site.server.logins_made == 1

    def test_ids_are_kept_as_they_are_written(self) -> None:
        assert order_ids("0000006003, 0000006004\n0000006003") == ("0000006003", "0000006004")
        with pytest.raises(UsageError):
            order_ids(" , ")
        for bad in ("12&itemtype=2", "../1", "ALOS2", "１２", "1" * 21, "12;34x"):
            with pytest.raises(UsageError):
                order_ids(bad)

    @pytest.mark.parametrize(
        "query",
        [
            Query(),
            Query(eor_id="ERJPYU000001"),
            Query(ids=("1",), bbox=(1, 2, 3, 4)),
            Query(ids=("x",)),
        ],
    )
    def test_it_cannot_be_searched(self, site: Site, query: Query) -> None:
        with pytest.raises(UsageError):
            list(site.open().search(query))


class TestLogin:
    @pytest.mark.parametrize("refuse_with", ["", "Authentication failed.", "User Locked"])
    def test_a_refused_password_is_not_sent_again(self, site: Site, refuse_with: str) -> None:
        site.server.faults.refuse_with = refuse_with
        portal = site.open("wrong-password")
        for number in (0, 1, 0, 1):
            with pytest.raises(LoginFailed) as caught:
                site.get(number, portal=portal)
            assert "wrong-password" not in str(caught.value)
        assert site.server.password_posts == 1
        # Nor by another object, nor by the next process, which only has the marker.
        with pytest.raises(LoginFailed, match="before"):
            site.get(portal=site.open("wrong-password"))
        forget()
        with pytest.raises(LoginFailed, match="before"):
            site.get(portal=site.open("wrong-password"))
        assert site.server.password_posts == 1
        (marker,) = markers()
        assert "wrong-password" not in marker.file.read_text()
        assert ACCOUNT.username not in marker.file.read_text()
        assert not list(site.work.rglob("*.part"))

    def test_a_changed_password_is_tried_and_clears_the_marker(self, site: Site) -> None:
        with pytest.raises(LoginFailed):
            site.get(portal=site.open("wrong-password"))
        forget()
        site.get(portal=site.open())
        assert not list(markers())

    def test_maintenance_is_no_refusal(self, site: Site) -> None:
        site.server.faults.maintenance = True
        with pytest.raises(TransferFailed, match="Under maintenance"):
            site.get(portal=site.open())
        site.server.faults.maintenance = False
        site.server.faults.login_status = 503
        with pytest.raises(TransferFailed):
            site.get(portal=site.open())
        assert not list(markers())
        assert sum(r.method == "POST" for r in site.server.seen) == 3

    def test_the_redirect_behind_a_login_is_not_needed(self, site: Site) -> None:
        site.server.faults.login_redirects = "http://al2mwb01:80/ips/home"
        assert site.get().size > 0

    def test_no_account_tells_all_the_places(
        self, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("ALOS2_KEYRING", "off")
        portal = Auig2(PortalSetting(PortalProfile("auig2", site.server.url), None, site.quick))
        with pytest.raises(LoginFailed) as caught:
            site.get(portal=portal)
        for place in ("ALOS2_CREDENTIALS", "ALOS2_AUIG2_PASSWORD", "keyring", "netrc"):
            assert place in str(caught.value)
        assert not site.server.seen

    def test_a_key_is_no_password(self, site: Site) -> None:
        setting = PortalSetting(
            PortalProfile("auig2", site.server.url), Credential("me"), site.quick
        )
        with pytest.raises(LoginFailed, match="no password"):
            site.get(portal=Auig2(setting))

    def test_a_certificate_that_nobody_vouches_for_is_refused(
        self, site: Site, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("REQUESTS_CA_BUNDLE")
        with pytest.raises(TransferFailed, match="not trusted"):
            site.get(portal=site.open())
        assert not site.server.seen
        # With the site's own authority in the profile it is.
        ca_file = str(site.work.parent / "ca.pem")
        profile = PortalProfile("auig2", site.server.url, {"ca_file": ca_file})
        account = Credential(ACCOUNT.username, Secret(ACCOUNT.password))
        assert site.get(portal=Auig2(PortalSetting(profile, account, site.quick))).size > 0

    def test_the_doctor_logs_in_once(self, site: Site) -> None:
        checks = list(site.open().checks())
        assert [check.ok for check in checks if "login" in check.name] == [True]
        assert site.server.logins_made == 1

    def test_the_doctor_tells_a_refusal(self, site: Site) -> None:
        checks = list(site.open("wrong-password").checks())
        (login,) = [check for check in checks if "login" in check.name]
        assert login.ok is False
        assert "remove" in login.remedy
        assert site.server.password_posts == 1


class TestSessions:
    @pytest.mark.parametrize("ended_by", ["redirect", "inner", "page", "status"])
    def test_an_expired_session_is_renewed_once(self, site: Site, ended_by: str) -> None:
        site.server.faults.ended_by = ended_by
        site.server.faults.expire_after = 1
        for number in (0, 1):
            assert site.get(number).size > 0
        assert site.server.logins_made == 2

    @pytest.mark.parametrize("ended_by", ["redirect", "inner", "page", "status"])
    def test_a_session_that_never_holds_is_an_error(self, site: Site, ended_by: str) -> None:
        assert site.get().size > 0
        site.server.faults.ended_by = ended_by
        site.server.faults.always_expired = True
        with pytest.raises(LoginFailed, match="login page"):
            site.get(1)
        assert site.server.logins_made == 2
        assert not list(site.work.rglob("*.part"))

    @pytest.mark.parametrize("ended_by", ["redirect", "page"])
    def test_a_session_lost_in_the_middle(self, site: Site, ended_by: str) -> None:
        site.server.faults = replace(
            site.server.faults, ended_by=ended_by, cuts=(120_000,), expire_at_cut=True
        )
        got = site.get()
        assert got.path.read_bytes() == site.offers[0].archive.read_bytes()
        assert site.server.logins_made == 2
        assert any("range" in r.headers for r in site.server.seen)


class TestOtherAnswers:
    def test_an_expired_order_is_told_by_its_page(self, site: Site) -> None:
        with pytest.raises(NothingFound) as caught:
            site.get(order="0000009999")
        assert "0000009999" in str(caught.value)
        assert "'AUIG2'" in str(caught.value)
        assert caught.value.exit_code == 6
        assert site.server.logins_made == 1
        assert list(site.work.iterdir()) == []

    def test_maintenance_is_not_taken_for_an_expired_order(self, site: Site) -> None:
        site.server.faults.page_title = "Scheduled Maintenance"
        with pytest.raises(TransferFailed, match="Scheduled Maintenance"):
            site.get()

    def test_the_page_may_repeat_the_password(self, site: Site) -> None:
        site.server.faults.page_title = f"Hello {ACCOUNT.password}"
        with pytest.raises(NothingFound) as caught:
            site.get()
        assert ACCOUNT.password not in str(caught.value)

    def test_nobody_else_is_shown_the_cookie(self, site: Site, server: Any) -> None:
        site.server.faults.away = server.url("/away.zip", host="127.0.0.1").replace(
            "http:", "https:"
        )
        with pytest.raises(TransferFailed, match="another site"):
            site.get()
        assert server.seen == []

    def test_the_sites_own_http_address_is_followed_over_https(self, site: Site) -> None:
        site.server.faults.own_http = True
        assert site.get().size > 0

    def test_busy_is_tried_again(self, site: Site) -> None:
        site.server.faults.status = (503, 502)
        assert site.get().size > 0
        assert site.server.logins_made == 1

    def test_a_file_that_is_no_zip(self, site: Site, tmp_path: Path) -> None:
        other = tmp_path / "x.zip"
        other.write_bytes(b"%PDF-1.4 nothing of the kind")
        site.server.orders[site.offers[0].order] = replace(site.offers[0], archive=other)
        with pytest.raises(BadArchive):
            site.get()


class TestProfiles:
    @pytest.mark.parametrize(
        ("url", "settings"),
        [
            ("http://auig2.jaxa.jp", {}),
            ("ftp://auig2.jaxa.jp", {}),
            ("https://me:word@auig2.jaxa.jp", {}),
            ("https://auig2.jaxa.jp", {"password": "x"}),
            ("https://auig2.jaxa.jp", {"refused": "("}),
            ("no url", {}),
        ],
    )
    def test_what_a_profile_may_not_say(self, url: str, settings: dict[str, str]) -> None:
        with pytest.raises(UsageError) as caught:
            Auig2(PortalSetting(PortalProfile("mine", url, settings)))
        assert "word" not in caught.value.message.replace("password", "")

    def test_the_default_is_the_known_portal(self) -> None:
        assert DEFAULT.base_url.startswith("https://")
        assert Auig2.profiles == {"auig2": DEFAULT}
