"""What every portal must do, ours and a third party's.

A test module makes a class of its own of `PortalConformance`, with a fixture ``case`` that gives a
`Case`: how to open the portal against a server on loopback, and what that server knows.
docs/add-a-portal.md shows one.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from alos2.errors import LoginFailed, NothingFound, UsageError
from alos2.footprint import FootprintOptions
from alos2.jobs.ingest import Ingested
from alos2.jobs.options import IngestOptions
from alos2.jobs.portal import ingest_portal
from alos2.raster.pictures import PictureOptions
from alos2.sources import TransferOptions
from alos2.sources.credentials.refused import forget
from alos2.sources.portals.model import Item, Portal, Query
from alos2.sources.portals.registry import PortalSetting, factory_of, names
from alos2.sources.transfer import transfer

PATIENCE = TransferOptions(
    connect_s=5.0,
    stall_s=5.0,
    retries=2,
    backoff_s=0.01,
    backoff_max_s=0.02,
    chunk_bytes=1 << 14,
    margin_bytes=0,
    lock_wait_s=5.0,
)


@dataclass(frozen=True)
class Case:
    """A portal, and the server behind it."""

    name: str
    """As it is registered."""
    setting: PortalSetting
    """With an account that is accepted."""
    wanted: Query
    """Finds exactly one item that can be ingested, perhaps among others that cannot."""
    content: bytes
    """The bytes of that item: a delivery of the simulator."""
    unknown: Query
    """Of the same kind; there is no such thing at the portal."""
    refused: Query
    """A kind of query that the portal cannot answer."""
    requests: Callable[[], int]
    """How many requests the server has seen."""
    secrets: Callable[[], set[str]]
    """Passwords, and what the server has given as cookies and tokens."""
    logins: Callable[[], int] | None = None
    """How many times a secret was sent to log in; None where a key proves who we are."""
    wrong: PortalSetting | None = None
    """The same with an account that the server refuses; None: there is nothing to refuse."""
    expire: Callable[[], None] | None = None
    """Makes the server forget all sessions; None: it has none."""


class PortalConformance:
    """The tests; a subclass gives ``case``."""

    @pytest.fixture
    def case(self) -> Case:
        raise NotImplementedError

    @pytest.fixture(autouse=True)
    def _own_memory(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        monkeypatch.setenv("ALOS2_CACHE", str(tmp_path / "cache"))
        forget()
        yield
        forget()

    @pytest.fixture
    def portal(self, case: Case) -> Iterator[Portal]:
        portal = factory_of(case.name)(replace(case.setting, options=PATIENCE))
        yield portal
        portal.close()

    def item(self, portal: Portal, case: Case) -> Item:
        (item,) = [item for item in portal.search(case.wanted) if not item.skip]
        return item

    def test_it_is_registered_and_says_who_it_is(self, portal: Portal, case: Case) -> None:
        assert case.name in names()
        assert portal.name == case.name
        assert portal.title.strip()
        assert isinstance(portal.experimental, bool)

    def test_nothing_is_asked_before_something_is_wanted(self, portal: Portal, case: Case) -> None:
        assert case.requests() == 0
        portal.close()
        portal.close()
        assert case.requests() == 0

    def test_items_say_what_they_must(self, portal: Portal, case: Case) -> None:
        items = list(portal.search(case.wanted))
        assert len({item.id for item in items}) == len(items)
        for item in items:
            assert item.provider == case.name
            assert item.id.strip()
            assert item.order_id or item.data_id
            assert item.when is None or item.when.tzinfo is not None
            assert item.size is None or item.size >= 0
            assert item.name == Path(item.name).name
            assert all(isinstance(value, str) for value in item.properties.values())
            assert item.skip == item.skip.strip()
        assert [item.id for item in portal.search(case.wanted)] == [item.id for item in items]

    def test_what_it_cannot_answer_it_refuses_without_asking(
        self, portal: Portal, case: Case
    ) -> None:
        with pytest.raises(UsageError):
            list(portal.search(case.refused))
        assert case.requests() == 0

    def test_what_is_not_there_is_nothing_found(
        self, portal: Portal, case: Case, tmp_path: Path
    ) -> None:
        """By the search, or, where a portal cannot be searched, by the download."""

        def try_it() -> None:
            for item in portal.search(case.unknown):
                transfer(portal.remote(item), tmp_path / "out", options=PATIENCE)

        with pytest.raises(NothingFound):
            try_it()
        assert not list((tmp_path / "out").glob("*"))

    def test_a_remote_begins_where_it_says(self, portal: Portal, case: Case) -> None:
        remote = portal.remote(self.item(portal, case))
        with remote.open(0, None) as reply:
            assert reply.offset == 0
            assert reply.total in (None, len(case.content))
            assert b"".join(reply.body) == case.content
            validator = reply.validator
        middle = len(case.content) // 2
        with remote.open(middle, validator) as reply:
            assert reply.offset in (0, middle)
            assert b"".join(reply.body) == case.content[reply.offset :]

    def test_the_public_address_is_steady_and_has_no_secrets(
        self, portal: Portal, case: Case
    ) -> None:
        item = self.item(portal, case)
        remote = portal.remote(item)
        with remote.open(0, None):
            pass
        assert remote.url == portal.remote(item).url
        parts = urlsplit(remote.url)
        assert parts.scheme
        assert parts.hostname
        assert "@" not in parts.netloc
        assert remote.where == parts.netloc
        assert not any(secret in remote.url for secret in case.secrets())

    def test_it_is_transferred_whole(self, portal: Portal, case: Case, tmp_path: Path) -> None:
        fetched = transfer(
            portal.remote(self.item(portal, case)), tmp_path / "out", options=PATIENCE
        )
        assert fetched.path.read_bytes() == case.content
        assert fetched.sha256 == hashlib.sha256(case.content).hexdigest()

    def test_threads_share_one_login(self, portal: Portal, case: Case, tmp_path: Path) -> None:
        item = self.item(portal, case)

        def work(number: int) -> bytes:
            place = tmp_path / str(number)
            return transfer(portal.remote(item), place, options=PATIENCE).path.read_bytes()

        with ThreadPoolExecutor(3) as pool:
            assert list(pool.map(work, range(3))) == [case.content] * 3
        before = case.logins() if case.logins else 0
        work(4)
        assert before == (case.logins() if case.logins else 0)

    def test_a_session_that_has_ended_is_renewed(
        self, portal: Portal, case: Case, tmp_path: Path
    ) -> None:
        if case.expire is None:
            pytest.skip("this portal has no sessions")
        item = self.item(portal, case)
        transfer(portal.remote(item), tmp_path / "one", options=PATIENCE)
        case.expire()
        fetched = transfer(portal.remote(item), tmp_path / "two", options=PATIENCE)
        assert fetched.path.read_bytes() == case.content

    def test_a_refused_account_is_a_failed_login_and_not_sent_again(
        self, case: Case, tmp_path: Path
    ) -> None:
        if case.wrong is None:
            pytest.skip("this portal refuses nobody")
        wrong = replace(case.wrong, options=PATIENCE)
        portal = factory_of(case.name)(wrong)
        with pytest.raises(LoginFailed):
            transfer(portal.remote(self.item(portal, case)), tmp_path / "out", options=PATIENCE)
        portal.close()
        if case.logins is None:
            return
        sent = case.logins()
        another = factory_of(case.name)(wrong)
        with pytest.raises(LoginFailed):
            transfer(another.remote(self.item(another, case)), tmp_path / "out", options=PATIENCE)
        another.close()
        assert case.logins() == sent

    def test_no_secret_is_seen(
        self, portal: Portal, case: Case, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        item = self.item(portal, case)
        remote = portal.remote(item)
        fetched = transfer(remote, tmp_path / "out", options=PATIENCE)
        shown = [caplog.text, repr(portal), repr(remote), repr(item), repr(fetched)]
        if case.wrong is not None:
            try:
                other = factory_of(case.name)(replace(case.wrong, options=PATIENCE))
                transfer(other.remote(self.item(other, case)), tmp_path / "no", options=PATIENCE)
            except LoginFailed as error:
                shown.append(repr(error) + str(error))
        kept = [p.read_bytes() for p in tmp_path.glob("out/**/*") if p.is_file()]
        for secret in case.secrets():
            assert not [text for text in shown if secret in text]
            assert not [data for data in kept if secret.encode() in data]

    def test_doctor_is_told(self, portal: Portal, case: Case) -> None:
        checks = list(portal.checks())
        assert checks
        assert all(check.name.strip() and check.detail.strip() for check in checks)
        assert not [check for check in checks if check.ok is False]
        if case.wrong is None:
            return
        other = factory_of(case.name)(replace(case.wrong, options=PATIENCE))
        failed = [check for check in other.checks() if check.ok is False]
        other.close()
        assert {check.exit_code for check in failed} == {4}
        assert all(check.remedy for check in failed)

    def test_it_becomes_a_dataset_that_names_the_portal(
        self, portal: Portal, case: Case, tmp_path: Path
    ) -> None:
        options = IngestOptions(
            out=tmp_path / "archive",
            transfer=PATIENCE,
            footprint_options=FootprintOptions(sarcat=False),
            pictures=PictureOptions(tiles=False),
        )
        made = [
            outcome
            for outcome in ingest_portal(portal, case.wanted, options)
            if isinstance(outcome, Ingested)
        ]
        (line,) = [outcome.line for outcome in made]
        folder = Path(line["dataset_dir"])
        source: Any = json.loads((folder / f"{folder.name}.met.json").read_text())["source"]
        assert source["provider"] == case.name
        assert source["sha256"] == hashlib.sha256(case.content).hexdigest()
        item = self.item(portal, case)
        assert (source["data_id"], source["order_id"]) == (item.data_id, item.order_id)
