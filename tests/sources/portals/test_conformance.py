"""Every portal of ours, and the one of docs/add-a-portal.md, does what a portal must do."""

from __future__ import annotations

import base64
import json
import re
import ssl
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import trustme

from alos2.cli.main import cli
from alos2.simulate.portals import Account, Answer, Offer, PortalServer, Request
from alos2.sources.credentials import Credential, Secret
from alos2.sources.portals.model import PortalProfile, Query
from alos2.sources.portals.registry import PortalSetting, names
from fakes.auig2 import FakeAuig2
from fakes.gportal_old import GPortalOld
from fakes.optemis import STORAGE, OptemisFake, Row
from fakes.sentinel_asia import Eor, File, SentinelAsiaFake
from sources.portals.conformance import Case, PortalConformance

ROOT = Path(__file__).resolve().parents[3]
ACCOUNT = Account("someone", "planted-password-1")
WRONG = Credential(ACCOUNT.username, Secret("planted-wrong-word"), origin="the test")
RIGHT = Credential(ACCOUNT.username, Secret(ACCOUNT.password), origin="the test")
PASSWORDS = {ACCOUNT.password, "planted-wrong-word"}


@pytest.fixture
def tls(authority: trustme.CA, trusted: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    return context


def settings(name: str, url: str, **said: str) -> dict[str, PortalSetting]:
    profile = PortalProfile(name, url, said)
    return {"setting": PortalSetting(profile, RIGHT), "wrong": PortalSetting(profile, WRONG)}


class TestSentinelAsia(PortalConformance):
    @pytest.fixture
    def case(self, tls: ssl.SSLContext, deliveries: Any) -> Iterator[Case]:
        files = (File("D1", deliveries.slc, name="a.zip"), File("D2", b"%PDF", kind="Map"))
        with SentinelAsiaFake(ACCOUNT, [Eor("ERJPYU000001", files=files)], tls) as fake:
            assert isinstance(fake, SentinelAsiaFake)
            yield Case(
                name="sentinel-asia",
                **settings("sentinel-asia", fake.base_url),
                wanted=Query(eor_id="ERJPYU000001"),
                content=deliveries.slc.read_bytes(),
                unknown=Query(eor_id="ERNONE000001"),
                refused=Query(bbox=(0, 0, 1, 1)),
                requests=lambda: len(fake.seen),
                secrets=lambda: {*fake.sessions, *PASSWORDS},
                logins=lambda: fake.password_posts,
                expire=fake.logins.clear,
            )


class TestOptemis(PortalConformance):
    @pytest.fixture
    def case(self, tls: ssl.SSLContext, deliveries: Any) -> Iterator[Case]:
        rows = [
            Row(
                "5d9448aae4a9124f601fd7be",
                "SA-00656",
                "2019-10-01",
                (("ALOS2_x.zip", deliveries.slc), ("map.zip", deliveries.slc)),
            )
        ]
        with OptemisFake(ACCOUNT, rows, tls) as fake:
            assert isinstance(fake, OptemisFake)
            yield Case(
                name="optemis",
                **settings("optemis", fake.url),
                wanted=Query(eor_id="SA-00656"),
                content=deliveries.slc.read_bytes(),
                unknown=Query(ids=(f"{STORAGE}/none.zip",)),
                refused=Query(mode="FBD"),
                requests=lambda: len(fake.seen),
                secrets=lambda: {*fake.tokens, *fake.tokens.values(), *PASSWORDS},
                logins=lambda: fake.password_posts,
                expire=fake.logins.clear,
            )


class TestAuig2(PortalConformance):
    @pytest.fixture
    def case(self, tls: ssl.SSLContext, deliveries: Any) -> Iterator[Case]:
        offer = Offer.read(deliveries.slc)
        with FakeAuig2(ACCOUNT, [offer], tls=tls) as fake:
            assert isinstance(fake, FakeAuig2)
            yield Case(
                name="auig2",
                **settings("auig2", fake.url),
                wanted=Query(ids=(offer.order,)),
                content=deliveries.slc.read_bytes(),
                unknown=Query(ids=("0000000000",)),
                refused=Query(start=date(2019, 8, 1)),
                requests=lambda: len(fake.seen),
                secrets=lambda: {*fake.logins, *fake.sessions, *PASSWORDS},
                logins=lambda: len([r for r in fake.seen if r.method == "POST"]),
                expire=fake.logins.clear,
            )


class TestGPortalOld(PortalConformance):
    @pytest.fixture
    def case(self, tls: ssl.SSLContext, deliveries: Any) -> Iterator[Case]:
        offer = Offer.read(deliveries.slc)
        with GPortalOld(ACCOUNT, [offer], tls=tls) as fake:
            assert isinstance(fake, GPortalOld)
            yield Case(
                name="gportal",
                **settings("gportal-legacy", fake.url),
                wanted=Query(ids=(offer.identifier,)),
                content=deliveries.slc.read_bytes(),
                unknown=Query(ids=("ALOS2999990700-180905",)),
                refused=Query(eor_id="ERJPYU000001"),
                requests=lambda: len(fake.seen),
                secrets=lambda: {*fake.logins, *PASSWORDS},
                logins=lambda: fake.password_posts,
                expire=fake.logins.clear,
            )


class TestGPortal2026(PortalConformance):
    @pytest.fixture
    def case(
        self,
        tls: ssl.SSLContext,
        deliveries: Any,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> Iterator[Case]:
        pytest.importorskip("asyncssh")
        from alos2.simulate.portals.gportal_sftp import new_key  # noqa: PLC0415
        from fakes.gportal_2026 import GPortal2026  # noqa: PLC0415

        known_hosts = tmp_path / "known_hosts"
        known_hosts.touch()
        monkeypatch.setenv("ALOS2_KNOWN_HOSTS", str(known_hosts))
        folder = tmp_path / "fake"
        folder.mkdir()
        new_key(folder / "other_key")
        offer = Offer.read(deliveries.slc)
        with GPortal2026([offer], folder, tls=tls) as fake:
            profile = PortalProfile("gportal-2026", fake.catalogue.url, fake.settings)
            right = Credential(fake.username, key_file=fake.key_file, origin="the test")
            wrong = replace(right, key_file=folder / "other_key")
            yield Case(
                name="gportal",
                setting=PortalSetting(profile, right),
                wrong=PortalSetting(profile, wrong),
                wanted=Query(ids=(offer.identifier,)),
                content=deliveries.slc.read_bytes(),
                unknown=Query(ids=("ALOS2999990700-180905",)),
                refused=Query(eor_id="ERJPYU000001"),
                requests=lambda: len(fake.catalogue.seen),
                secrets=lambda: set(fake.key_file.read_text().splitlines()[1:-1]),
            )


# A third party's: the one of the documentation, installed as a package is


@dataclass
class Hub(PortalServer):
    """The hub that docs/add-a-portal.md is about."""

    tls: ssl.SSLContext
    body: Path
    refusals: int = 0
    logins: int = 0
    files: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(tls=self.tls)
        self.files = [
            {"id": "P0001", "day": "2019-08-16", "kind": "product", "title": "one"},
            {"id": "M0001", "day": "2019-08-16", "kind": "map"},
        ]

    __hash__ = object.__hash__

    def answer(self, request: Request) -> Answer:
        if request.path == "/index.json":
            return Answer.of_json({"files": self.files})
        pair = f"{ACCOUNT.username}:{ACCOUNT.password}".encode()
        given = request.headers.get("authorization", "")
        self.logins += bool(given)
        if given != f"Basic {base64.b64encode(pair).decode()}":
            self.refusals += bool(given)
            challenge = (("WWW-Authenticate", 'Basic realm="hub"'),)
            return Answer(b"who are you?", status=401, headers=challenge)
        if request.path == "/account":
            return Answer.of_json({"ok": True})
        if request.path == "/files/P0001.zip":
            return Answer.download(self.body, "P0001.zip")
        return Answer.page("Not Found", status=404)


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The documentation's code and entry point, as ``pip install`` would leave them."""
    text = (ROOT / "docs" / "add-a-portal.md").read_text(encoding="utf-8")
    code = re.search(r"```python\n(.*?)```", text, re.S)
    entry = re.search(r'"(alos2\.portals)"\]\n(.*?)```', text, re.S)
    assert code is not None
    assert entry is not None
    site = tmp_path / "site"
    information = site / "our_hub-1.0.dist-info"
    information.mkdir(parents=True)
    (site / "our_hub.py").write_text(code[1], encoding="utf-8")
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: our-hub\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text(f"[{entry[1]}]\n{entry[2].replace(chr(34), '')}")
    monkeypatch.syspath_prepend(site)
    yield site
    sys.modules.pop("our_hub", None)


@pytest.fixture
def hub(tls: ssl.SSLContext, deliveries: Any, plugin: Path) -> Iterator[Hub]:
    with Hub(tls, deliveries.slc) as running:
        assert isinstance(running, Hub)
        yield running


class TestOurHub(PortalConformance):
    @pytest.fixture
    def case(self, hub: Hub, deliveries: Any) -> Case:
        return Case(
            name="our-hub",
            **settings("our-hub", hub.url),
            wanted=Query(start=date(2019, 8, 16), end=date(2019, 8, 16)),
            content=deliveries.slc.read_bytes(),
            unknown=Query(ids=("P9999",)),
            refused=Query(mode="FBD"),
            requests=lambda: len(hub.seen),
            secrets=lambda: {
                *PASSWORDS,
                *(base64.b64encode(f"{ACCOUNT.username}:{p}".encode()).decode() for p in PASSWORDS),
            },
            logins=lambda: hub.refusals,
        )


@pytest.fixture
def hub_user(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> Hub:
    """Someone who has configured the hub."""
    monkeypatch.setenv("ALOS2_PORTAL_OUR_HUB_URL", hub.url)
    monkeypatch.setenv("ALOS2_OUR_HUB_USERNAME", ACCOUNT.username)
    monkeypatch.setenv("ALOS2_OUR_HUB_PASSWORD", ACCOUNT.password)
    return hub


def test_the_commands_of_the_page(
    hub_user: Hub, deliveries: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (ROOT / "docs" / "add-a-portal.md").read_text(encoding="utf-8")
    lines = re.findall(r"^\$ alos2 (.*)$", text, re.M)
    assert len(lines) == 4

    def run(line: str, *more: str) -> str:
        cli.main([*line.split(), *more], prog_name="alos2", standalone_mode=False)
        return capsys.readouterr().out

    assert "P0001" in run(lines[0])
    listed = run(lines[1])
    assert re.search(r"P0001 .*2019-08-16", listed)
    assert "left out: not a product but a map" in listed
    assert hub_user.logins == 0
    made = run(lines[2], "--out", str(tmp_path / "archive"), "--no-tiles", "--json")
    assert json.loads(made)["id"] == deliveries.slc_id
    assert "our-hub" in names()
    assert re.search(r"ok +localhost:\d+ login", run(lines[3]))


def test_the_registered_names_without_the_plugin() -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "from alos2.sources.portals import registry; print(*registry.names())",
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["auig2", "gportal", "sentinel-asia", "optemis"]
