"""The secret campaign: every portal's job, good and bad, with planted secrets, all logs at DEBUG.

Nothing that a job prints, logs or leaves may hold one, nor may ``ps`` show one. That the campaign
would notice is proved by jobs that leak on purpose, one for each way out.
"""

from __future__ import annotations

import json
import os
import signal
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import trustme

from alos2.simulate.portals import Account, Offer
from campaigns.spying import Cookies, Run, leaks, run
from fakes.auig2 import FakeAuig2
from fakes.gportal_old import GPortalOld
from fakes.optemis import OptemisFake, Row
from fakes.sentinel_asia import Eor, File, SentinelAsiaFake

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc"),
]

PGE = Path(__file__).resolve().parents[2] / "pge"
RIGHT = 'planted&Right/p%73 "wörd" \\2026'
WRONG = "planted'Wrong+<pass>=2026"
USER = "someone"
ACCOUNT = Account(USER, RIGHT)
DATA_ID = "JPJX0001201908160001"
INTERNAL = "5d9448aae4a9124f601fd7be"


@dataclass
class Place:
    """A worker's directory, what lies around it, and the secrets that must not get out."""

    root: Path
    deliveries: Any
    tls: ssl.SSLContext
    certificate: trustme.LeafCert
    cookies: Cookies = field(default_factory=Cookies)
    secrets: dict[str, str] = field(default_factory=lambda: {"right": RIGHT, "wrong": WRONG})
    more: dict[str, str] = field(default_factory=dict)
    """Further environment."""
    own: list[Path] = field(default_factory=list)

    def __post_init__(self) -> None:
        for folder in (self.work, self.home, self.around):
            folder.mkdir()

    @property
    def work(self) -> Path:
        return self.root / "work"

    @property
    def home(self) -> Path:
        return self.root / "home"

    @property
    def around(self) -> Path:
        """Cache and temporary files."""
        return self.root / "around"

    @property
    def offers(self) -> list[Offer]:
        return [Offer.read(self.deliveries.slc), Offer.read(self.deliveries.geotiff)]

    def profile(self, name: str, password: str = RIGHT, **keys: str) -> None:
        """Write the mounted file of credentials."""
        file = self.root / "credentials.json"
        file.write_text(json.dumps({name: {"username": USER, "password": password, **keys}}))
        file.chmod(0o600)
        self.own.append(file)
        self.more["ALOS2_CREDENTIALS"] = str(file)

    def context(self, **parameters: object) -> None:
        (self.work / "_context.json").write_text(json.dumps({"job_priority": 5, **parameters}))

    def environment(self) -> dict[str, str]:
        kept = {
            name: os.environ[name]
            for name in ("PATH", "LANG", "OPENBLAS_NUM_THREADS")
            if name in os.environ
        }
        return kept | {
            "HOME": str(self.home),
            "TMPDIR": str(self.around),
            "ALOS2_CACHE": str(self.around / "cache"),
            "ALOS2_SARCAT": "off",
            "ALOS2_KEYRING": "off",
            "REQUESTS_CA_BUNDLE": str(self.root / "ca.pem"),
            "PYTHONUTF8": "1",
            "PYTHONASYNCIODEBUG": "1",
            **self.more,
        }

    def run(self, *arguments: str, **how: Any) -> Run:
        return run(list(arguments), work=self.work, environment=self.environment(), **how)

    def leaks(self, done: Run, *, environ: bool = True, loud: bool = True) -> list[str]:
        if not environ:  # the secret was put there by who started the job
            done.processes = {k: v for k, v in done.processes.items() if "environ" not in k}
        assert done.samples > 3
        assert any(b"loud.py" in v for v in done.processes.values())
        assert b"LOUD " in done.stderr or not loud, "the libraries' logs are missing"
        folders = (self.work, self.home, self.around)
        return leaks(done, folders, self.secrets | self.cookies.named(), own=self.own)

    def part(self) -> bool:
        """Tell whether a download has got somewhere."""
        return any(p.stat().st_size > 70_000 for p in self.work.rglob("*.part"))


@pytest.fixture
def place(deliveries: Any, tmp_path: Path) -> Place:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    certificate = authority.issue_cert("localhost")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(tls)
    return Place(tmp_path, deliveries, tls, certificate)


@pytest.fixture
def auig2(place: Place) -> Iterator[FakeAuig2]:
    with FakeAuig2(ACCOUNT, place.offers, tls=place.tls) as fake:
        assert isinstance(fake, FakeAuig2)
        place.cookies.watch(fake)
        place.more["ALOS2_PORTAL_AUIG2_URL"] = fake.url
        place.profile("auig2")
        place.context(auig2_orderid=place.offers[0].order)
        yield fake


@pytest.fixture
def sentinel(place: Place) -> Iterator[SentinelAsiaFake]:
    eors = [Eor("ERJPYU000001", "16/Aug/2019", (File(DATA_ID, place.deliveries.slc),))]
    with SentinelAsiaFake(ACCOUNT, eors, place.tls) as fake:
        place.cookies.watch(fake)
        place.more["ALOS2_PORTAL_SENTINEL_ASIA_URL"] = fake.base_url
        place.profile("sentinel-asia")
        place.context(data_id=DATA_ID)
        yield fake


@pytest.fixture
def gportal(place: Place) -> Iterator[GPortalOld]:
    with GPortalOld(ACCOUNT, place.offers, tls=place.tls) as fake:
        place.cookies.watch(fake)
        place.more["ALOS2_PORTAL_GPORTAL_LEGACY_URL"] = fake.url
        place.profile("gportal")
        place.context(gportal_id=place.deliveries.slc_id, profile="gportal-legacy")
        yield fake


@pytest.fixture
def optemis(place: Place) -> Iterator[OptemisFake]:
    rows = [Row(INTERNAL, "SA-00656", "2019-10-01 03:00:00",
                (("ALOS2Data_a8.zip", place.deliveries.slc),))]  # fmt: skip
    with OptemisFake(ACCOUNT, rows, place.tls) as fake:
        place.cookies.watch(fake)
        place.more["ALOS2_PORTAL_OPTEMIS_URL"] = fake.url
        place.profile("optemis")
        yield fake


def script(name: str) -> str:
    return str(PGE / f"ingest_alos2_{name}.py")


class TestAuig2:
    def test_good(self, place: Place, auig2: FakeAuig2) -> None:
        done = place.run(script("auig2"), "-vv")
        assert done.code == 0, done.stderr
        assert len(place.cookies.values) == 2
        assert place.leaks(done) == []
        assert (place.work / place.deliveries.slc_id).is_dir()

    def test_the_legacy_parameter(self, place: Place, auig2: FakeAuig2) -> None:
        del place.more["ALOS2_CREDENTIALS"]
        place.context(
            auig2_orderid=place.offers[0].order,
            auig2_username=USER,
            auig2_password=RIGHT,
            job_specification={"params": [{"value": RIGHT}, f"-p {RIGHT}"]},
            payload=json.dumps({"kwargs": json.dumps({"auig2_password": RIGHT})}),
        )
        done = place.run(script("auig2"), "-vv")
        assert done.code == 0, done.stderr
        assert place.leaks(done) == []

    def test_standard_input(self, place: Place, auig2: FakeAuig2) -> None:
        done = place.run(script("auig2"), "-u", USER, "-p", "-", given=f"{RIGHT}\n")
        assert done.code == 0, done.stderr
        assert place.leaks(done) == []

    def test_the_environment(self, place: Place, auig2: FakeAuig2) -> None:
        del place.more["ALOS2_CREDENTIALS"]
        place.more |= {"ALOS2_AUIG2_USERNAME": USER, "ALOS2_AUIG2_PASSWORD": RIGHT}
        done = place.run(script("auig2"), "-vv")
        assert done.code == 0, done.stderr
        children = {k.split()[0] for k in done.processes} - {_leader(done)}
        assert children == set()
        assert place.leaks(done, environ=False) == []

    @pytest.mark.parametrize("words", ["", f"Authentication failed for {WRONG}"])
    def test_refused(self, place: Place, auig2: FakeAuig2, words: str) -> None:
        auig2.faults.refuse_with = words
        place.profile("auig2", WRONG)
        done = place.run(script("auig2"), "-vv")
        assert done.code == 4, done.stderr
        assert place.leaks(done) == []

    def test_a_page_that_repeats_it(self, place: Place, auig2: FakeAuig2) -> None:
        auig2.faults.page_title = f"{USER}, your password is {RIGHT}"
        done = place.run(script("auig2"), "-vv")
        assert done.code == 6, done.stderr
        assert place.leaks(done) == []

    def test_a_lost_session(self, place: Place, auig2: FakeAuig2) -> None:
        auig2.faults.cuts = (120_000,)
        auig2.faults.expire_at_cut = True
        done = place.run(script("auig2"), "-vv")
        assert done.code == 0, done.stderr
        assert len(place.cookies.values) == 4
        assert place.leaks(done) == []

    @pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
    def test_ended_in_the_middle(self, place: Place, auig2: FakeAuig2, number: int) -> None:
        auig2.faults.cuts = (140_000,)
        auig2.faults.stall_s = 60
        done = place.run(script("auig2"), "-vv", end=number, when=place.part)
        assert done.code in (-number, 128 + number)
        assert list(place.work.rglob("*.part"))
        assert place.leaks(done) == []

    def test_a_fault_of_ours(self, place: Place, auig2: FakeAuig2) -> None:
        done = place.run(script("auig2"), "-vv", mode="crash")
        assert done.code == 1, done.stderr
        trace = (place.work / "_alt_traceback.txt").read_text()
        assert "outer" in trace
        assert "inner" in trace
        assert b"LOUD some.library secrets: " in done.stderr
        assert place.leaks(done) == []

    def test_the_command_with_its_traceback(self, place: Place, auig2: FakeAuig2) -> None:
        (place.work / "_context.json").unlink()
        done = place.run(
            "alos2", "-vv", "--debug", "--log-json", "ingest", "auig2", place.offers[0].order,
            mode="crash",
        )  # fmt: skip
        assert done.code == 1, done.stderr
        assert b"Traceback" in done.stderr
        assert place.leaks(done) == []

    def test_a_password_on_the_command_line(self, place: Place, auig2: FakeAuig2) -> None:
        done = place.run(script("auig2"), "-u", USER, "-p", WRONG)
        assert done.code == 2
        found = [leak for leak in place.leaks(done, loud=False) if "cmdline" not in leak]
        assert found == []


class TestOtherPortals:
    @pytest.mark.parametrize("fault", ["none", "refused", "expired", "cut", "crash"])
    def test_sentinel_asia(self, place: Place, sentinel: SentinelAsiaFake, fault: str) -> None:
        if fault == "refused":
            place.profile("sentinel-asia", WRONG)
        sentinel.faults.expire = 2 if fault == "expired" else 0
        sentinel.faults.cut_at = 120_000 if fault == "cut" else None
        done = place.run(
            script("sentinelasia"), "-vv", mode="crash" if fault == "crash" else "plain"
        )
        assert done.code == {"refused": 4, "crash": 1}.get(fault, 0), done.stderr
        assert place.cookies.values
        assert place.leaks(done) == []

    @pytest.mark.parametrize("fault", ["none", "refused", "expired", "not_json"])
    def test_gportal(self, place: Place, gportal: GPortalOld, fault: str) -> None:
        if fault == "refused":
            place.profile("gportal", WRONG)
        gportal.faults.cut_at = 120_000 if fault == "expired" else None
        gportal.faults.expire_after = 1 if fault == "expired" else None
        gportal.faults.login_not_json = fault == "not_json"
        done = place.run(script("gportal"), "-vv")
        assert done.code == {"refused": 4, "not_json": 5}.get(fault, 0), done.stderr
        assert place.cookies.values
        assert place.leaks(done) == []

    @pytest.mark.parametrize("fault", ["none", "refused", "wrong_token"])
    def test_optemis(self, place: Place, optemis: OptemisFake, fault: str) -> None:
        if fault == "refused":
            place.profile("optemis", WRONG)
        optemis.faults.wrong_token = fault == "wrong_token"
        done = place.run("alos2", "-vv", "--debug", "ingest", "optemis", "--eor-id", "SA-00656")
        assert (done.code == 0) == (fault == "none"), done.stderr
        assert place.cookies.values
        assert place.leaks(done) == []

    @pytest.mark.parametrize("fault", ["none", "wrong"])
    def test_gportal_by_key(self, place: Place, fault: str) -> None:
        asyncssh = pytest.importorskip("asyncssh")
        from fakes.gportal_2026 import GPortal2026  # noqa: PLC0415

        served = place.root / "served"
        served.mkdir()
        with GPortal2026(place.offers, served, tls=place.tls) as fake:
            key = asyncssh.read_private_key(str(fake.key_file))
            key.write_private_key(str(fake.key_file), passphrase=RIGHT)
            fake.key_file.chmod(0o600)
            config = place.root / "alos2.toml"
            place.more |= {"ALOS2_CONFIG": str(config)}
            said = {"url": fake.catalogue.url, **fake.settings}
            lines = [f"{name} = {json.dumps(value)}" for name, value in said.items()]
            config.write_text("\n".join(["[portals.gportal-2026]", *lines]))
            file = place.root / "credentials.json"
            entry = {"username": fake.username, "key_file": str(fake.key_file)}
            entry["passphrase"] = RIGHT if fault == "none" else WRONG
            file.write_text(json.dumps({"gportal": entry}))
            file.chmod(0o600)
            place.own.append(file)
            place.more["ALOS2_CREDENTIALS"] = str(file)
            place.secrets["key"] = fake.key_file.read_text().splitlines()[3]
            place.context(gportal_id=place.deliveries.slc_id)
            done = place.run(script("gportal"), "-vv")
        assert (done.code == 0) == (fault == "none"), done.stderr
        assert b"LOUD asyncssh" in done.stderr or fault != "none"
        assert place.leaks(done) == []


class TestPlainUrls:
    @pytest.mark.parametrize("password", [RIGHT, WRONG])
    def test_ftp(self, place: Place, password: str) -> None:
        pytest.importorskip("pyftpdlib")
        from fakes.ftp_server import FtpServer  # noqa: PLC0415

        pem = place.root / "server.pem"
        place.certificate.private_key_and_cert_chain_pem.write_to_path(str(pem))
        with FtpServer(
            place.deliveries.slc.parent, users={USER: RIGHT}, certificate=str(pem)
        ) as fake:
            place.profile("localhost", password)
            place.context(download_url=fake.url(place.deliveries.slc.name))
            done = place.run(script("downloadurl"), "-vv")
        assert done.code == (0 if password == RIGHT else 4), done.stderr
        assert place.leaks(done, loud=False) == []  # ftplib has no log

    @pytest.mark.parametrize("password", [RIGHT, WRONG])
    def test_sftp(self, place: Place, password: str) -> None:
        pytest.importorskip("asyncssh")
        from fakes.sftp_server import SftpServer  # noqa: PLC0415

        with SftpServer(place.deliveries.slc.parent, password=RIGHT) as fake:
            place.profile("localhost", password, host_key=fake.fingerprint())
            place.context(download_url=fake.url(f"/{place.deliveries.slc.name}"))
            done = place.run(script("downloadurl"), "-vv")
        assert done.code == (0 if password == RIGHT else 4), done.stderr
        assert b"LOUD asyncssh" in done.stderr
        assert place.leaks(done) == []

    @pytest.mark.parametrize("denied", [False, True])
    def test_s3(self, place: Place, denied: bool) -> None:
        pytest.importorskip("moto")
        from fakes.s3_server import BUCKET, S3Server  # noqa: PLC0415

        place.secrets["token"] = "planted/session+token=0123456789"
        with S3Server() as fake:
            fake.put("x.zip", place.deliveries.slc.read_bytes())
            if denied:
                fake.faults.answers = [(403, "ExpiredToken", {})] * 9
            place.profile("s3", token=place.secrets["token"])
            place.more |= {"ALOS2_S3_ENDPOINT_URL": fake.url, "AWS_EC2_METADATA_DISABLED": "true"}
            place.context(download_url=f"s3://{BUCKET}/x.zip")
            done = place.run(script("downloadurl"), "-vv")
        assert done.code == (4 if denied else 0), done.stderr
        assert b"LOUD botocore" in done.stderr
        assert place.leaks(done) == []

    @pytest.mark.parametrize("fault", ["none", "refused", "signed"])
    def test_http(self, place: Place, gportal: GPortalOld, fault: str) -> None:
        """The portal's server knows no Basic: the page that it sends is refused."""
        place.profile("localhost", WRONG if fault == "refused" else RIGHT)
        url = f"{gportal.url}/download/x.zip"
        arguments = ["-d", url]
        if fault == "signed":
            file = place.work / "_context.json"
            file.write_text(json.dumps({"download_url": f"{url}?token=planted-token-0123456789"}))
            place.own.append(file)  # who submits a signed link puts it there
            place.secrets["token"] = "planted-token-0123456789"
            arguments = []
        done = place.run(script("downloadurl"), "-vv", *arguments)
        assert done.code != 0
        assert place.leaks(done) == []


@pytest.mark.parametrize(
    ("mode", "where"),
    [
        ("leak-log", "stderr"),
        ("leak-error", "stderr"),
        ("leak-file", "leaked.part.json"),
        ("leak-zip", "leaked.zip!summary.txt"),
        ("leak-argv", "cmdline"),
        ("leak-environ", "environ"),
    ],
)
def test_the_campaign_notices(place: Place, auig2: FakeAuig2, mode: str, where: str) -> None:
    done = place.run(script("auig2"), "-o", "0000009999", mode=mode)
    assert any(where in leak for leak in place.leaks(done)), (done.code, done.stderr)


def _leader(done: Run) -> str:
    return next(k for k, v in done.processes.items() if b"loud.py" in v).split()[0]
