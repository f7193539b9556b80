"""The new site: its catalogue over TLS, its files over SFTP by key, and what is told apart."""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import trustme

pytest.importorskip("asyncssh")

from alos2.errors import LoginFailed, NothingFound, TransferFailed, UsageError
from alos2.simulate.portals import Offer
from alos2.simulate.portals.gportal_sftp import new_key
from alos2.sources import TransferOptions
from alos2.sources.credentials import Credential, Secret
from alos2.sources.portals.gportal import GPortal
from alos2.sources.portals.model import Item, PortalProfile, Query
from alos2.sources.portals.registry import PortalSetting
from alos2.sources.transfer import transfer
from fakes.gportal_2026 import GPortal2026


@pytest.fixture(scope="session")
def offered(deliveries: Any) -> list[Offer]:
    return [Offer.read(deliveries.slc), Offer.read(deliveries.geotiff)]


@pytest.fixture
def fake(offered: list[Offer], authority: trustme.CA, tmp_path: Path) -> Iterator[GPortal2026]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    folder = tmp_path / "fake"
    folder.mkdir()
    with GPortal2026(offered, folder, tls=context) as running:
        yield running


@pytest.fixture
def patient(quick: TransferOptions) -> TransferOptions:
    """Key exchanges take longer than a page."""
    return replace(quick, stall_s=5.0, connect_s=5.0)


@pytest.fixture(autouse=True)
def _no_known_hosts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nobody = tmp_path / "known_hosts"
    nobody.touch()
    monkeypatch.setenv("ALOS2_KNOWN_HOSTS", str(nobody))


def opened(
    fake: GPortal2026, options: TransferOptions, *, key_file: Path | None = None, **settings: str
) -> GPortal:
    credential = Credential(fake.username, key_file=key_file or fake.key_file, origin="the test")
    said = {"sftp": fake.sftp.url, "host_key": fake.sftp.host_key, **settings}
    profile = PortalProfile("gportal-2026", fake.catalogue.url, said)
    return GPortal(PortalSetting(profile, credential, options))


@pytest.fixture
def portal(fake: GPortal2026, trusted: Path, patient: TransferOptions) -> Iterator[GPortal]:
    made = opened(fake, patient)
    yield made
    made.close()


def item_for(portal: GPortal, offer: Offer) -> Item:
    (item,) = portal.search(Query(ids=(offer.scene,)))
    return item


def test_a_file_comes_home_from_where_the_catalogue_does_not_say(
    portal: GPortal, offered: list[Offer], work: Path, patient: TransferOptions
) -> None:
    item = item_for(portal, offered[0])
    assert item.properties["file"].startswith("product.gportal.jaxa.jp:/products/Standard/")
    remote = portal.remote(item)
    assert "/product/Standard/ALOS-2/" in remote.url
    assert "u0001" not in remote.url
    fetched = transfer(remote, work, options=patient)
    assert fetched.sha256 == hashlib.sha256(offered[0].archive.read_bytes()).hexdigest()


def test_no_record_is_not_a_missing_file(
    portal: GPortal,
    fake: GPortal2026,
    offered: list[Offer],
    work: Path,
    patient: TransferOptions,
) -> None:
    with pytest.raises(NothingFound, match="no record"):
        list(portal.search(Query(ids=("ALOS2999990700-180905",))))
    item = item_for(portal, offered[0])
    fake.served(offered[0]).unlink()
    with pytest.raises(TransferFailed, match="has a record of") as missing:
        transfer(portal.remote(item), work, options=patient)
    assert missing.value.exit_code == 5
    assert "is not on its file server" in missing.value.message
    assert "request the product" in missing.value.hint


def test_a_file_that_may_not_be_read_has_to_be_requested(
    portal: GPortal,
    fake: GPortal2026,
    offered: list[Offer],
    work: Path,
    patient: TransferOptions,
) -> None:
    fake.sftp.denied = True
    with pytest.raises(TransferFailed, match="may not be read by this account"):
        transfer(portal.remote(item_for(portal, offered[0])), work, options=patient)


def test_another_host_key_is_refused(
    fake: GPortal2026, offered: list[Offer], trusted: Path, work: Path, patient: TransferOptions
) -> None:
    changed = fake.new_sftp()
    portal = opened(fake, patient, host_key=changed.host_key)
    with pytest.raises(TransferFailed, match="another host key than the pinned one"):
        transfer(portal.remote(item_for(portal, offered[0])), work, options=patient)
    portal.close()


def test_a_host_that_nobody_vouches_for_is_refused_and_named(
    fake: GPortal2026, offered: list[Offer], trusted: Path, work: Path, patient: TransferOptions
) -> None:
    portal = opened(fake, patient, host_key="")
    with pytest.raises(TransferFailed, match="nobody vouches") as refused:
        transfer(portal.remote(item_for(portal, offered[0])), work, options=patient)
    assert fake.sftp.host_key in refused.value.message
    portal.close()


def test_an_unknown_key_is_a_refused_login(
    *,
    fake: GPortal2026,
    offered: list[Offer],
    trusted: Path,
    work: Path,
    patient: TransferOptions,
    tmp_path: Path,
) -> None:
    other = tmp_path / "other_key"
    new_key(other)
    portal = opened(fake, patient, key_file=other)
    with pytest.raises(LoginFailed, match="refused the login"):
        transfer(portal.remote(item_for(portal, offered[0])), work, options=patient)
    portal.close()


def test_a_password_is_not_enough(
    fake: GPortal2026, offered: list[Offer], trusted: Path, patient: TransferOptions
) -> None:
    profile = PortalProfile("gportal-2026", fake.catalogue.url, fake.settings)
    credential = Credential(fake.username, Secret("a-password-of-the-old-site"))
    portal = GPortal(PortalSetting(profile, credential, patient))
    with pytest.raises(LoginFailed, match="no key"):
        portal.remote(item_for(portal, offered[0]))
    portal.close()


def test_doctor_connects(portal: GPortal, fake: GPortal2026, trusted: Path) -> None:
    assert [check.ok for check in portal.checks()] == [True, True]


def test_doctor_names_a_changed_host(
    fake: GPortal2026, trusted: Path, patient: TransferOptions
) -> None:
    portal = opened(fake, patient, host_key=fake.new_sftp().host_key)
    catalogue, login = portal.checks()
    assert (catalogue.ok, login.ok) == (True, False)
    assert "host key" in login.detail
    portal.close()


def test_the_profile_must_say_where_the_files_are(quick: TransferOptions) -> None:
    profile = PortalProfile("gportal-2026", "https://x.example", {"sftp": "ftp://x.example"})
    with pytest.raises(UsageError, match="sftp://host:port"):
        GPortal(PortalSetting(profile, None, quick))
