"""The AUIG2 PGE as a HySDS worker runs it: against the portal's fake, to a dataset, over TLS."""

from __future__ import annotations

import json
import os
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

sys.path.insert(0, str(Path(__file__).parents[1]))

from alos2.simulate.portals import Account, Offer
from fakes.auig2 import FakeAuig2

PGE = Path(__file__).resolve().parents[2] / "pge"
SCRIPT = PGE / "ingest_alos2_auig2.py"
ACCOUNT = Account("PER2A4X9", "planted&pass/word-ü")


@pytest.fixture
def auig2(deliveries: Any, tmp_path: Path) -> Iterator[FakeAuig2]:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    offers = [Offer.read(deliveries.slc), Offer.read(deliveries.geotiff)]
    with FakeAuig2(ACCOUNT, offers, tls=context) as server:
        assert isinstance(server, FakeAuig2)
        yield server


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


def environment(work: Path, auig2: FakeAuig2 | None, **more: str) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if k not in ("HOME", "PYTHONPATH", "NETRC")}
    kept |= {
        "ALOS2_CACHE": str(work.parent / "cache"),
        "ALOS2_KEYRING": "off",
        "REQUESTS_CA_BUNDLE": str(work.parent / "ca.pem"),
        "ALOS2_PORTAL_AUIG2_URL": auig2.url if auig2 is not None else "https://127.0.0.1:1",
        "NETRC": str(work.parent / "none"),
    }
    return kept | more


def run(
    work: Path, auig2: FakeAuig2 | None, *arguments: str, given: str = "", **more: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SCRIPT), *arguments],
        cwd=work,
        env=environment(work, auig2, **more),
        input=given,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def profile(work: Path, name: str = "auig2", password: str = ACCOUNT.password) -> dict[str, str]:
    file = work.parent / "credentials.json"
    entry = {"username": ACCOUNT.username, "password": password}
    file.write_text(json.dumps({name: entry}))
    file.chmod(0o600)
    return {"ALOS2_CREDENTIALS": str(file)}


def context(work: Path, **parameters: object) -> Path:
    file = work / "_context.json"
    file.write_text(json.dumps({"job_priority": 5, **parameters}))
    return file


def everything(work: Path, done: subprocess.CompletedProcess[str]) -> str:
    left = [p.read_bytes().decode("latin-1") for p in work.rglob("*") if p.is_file()]
    return "\n".join([done.stdout, done.stderr, *left])


def orders(auig2: FakeAuig2) -> list[str]:
    return list(auig2.orders)


class TestDatasets:
    def test_order_and_profile_from_the_context(
        self, deliveries: Any, auig2: FakeAuig2, work: Path
    ) -> None:
        context(work, auig2_orderid=orders(auig2)[0], auig2_username="mine", auig2_password="")
        done = run(work, auig2, **profile(work, "mine"))
        assert done.returncode == 0, done.stderr
        line = json.loads(done.stdout)
        assert line["id"] == deliveries.slc_id
        met = json.loads((work / line["id"] / f"{line['id']}.met.json").read_text())
        assert met["source"]["provider"] == "auig2"
        assert met["source"]["order_id"] == orders(auig2)[0]
        assert met["source"]["url"].startswith(auig2.url)
        assert len(met["source"]["sha256"]) == 64
        (download,) = json.loads((work / "pge_metrics.json").read_text())["download"]
        assert download["disk_usage"] == deliveries.slc.stat().st_size
        assert {p.name for p in work.iterdir()} == {
            "_context.json", "_alt_msg.txt", "pge_metrics.json", line["id"],
        }  # fmt: skip
        assert "planted" not in everything(work, done)
        assert "_triage_disabled" not in json.loads((work / "_context.json").read_text())

    def test_several_orders_with_one_login(
        self, deliveries: Any, auig2: FakeAuig2, work: Path
    ) -> None:
        context(work, auig2_orderid="1 2 3")  # the flag wins
        one, two = orders(auig2)
        done = run(work, auig2, "-o", f"{one},{two}", **profile(work))
        assert done.returncode == 0, done.stderr
        ids = {json.loads(line)["id"] for line in done.stdout.splitlines()}
        assert ids == {deliveries.slc_id, deliveries.geotiff_id}
        assert auig2.logins_made == 1
        assert len(json.loads((work / "pge_metrics.json").read_text())["download"]) == 2

    def test_the_second_run_changes_nothing(self, auig2: FakeAuig2, work: Path) -> None:
        for status in ("new", "unchanged"):
            done = run(work, auig2, "-o", orders(auig2)[0], **profile(work))
            assert done.returncode == 0, done.stderr
            assert json.loads(done.stdout)["status"] == status

    def test_the_command_does_the_same(self, deliveries: Any, auig2: FakeAuig2, work: Path) -> None:
        def alos2(*words: str) -> subprocess.CompletedProcess[str]:
            return subprocess.run(
                [sys.executable, "-m", "alos2", "-vv", *words],
                cwd=work, env=environment(work, auig2, **profile(work)), capture_output=True,
                text=True, timeout=120, check=False,
            )  # fmt: skip

        one, two = orders(auig2)
        listed = alos2("ingest", "auig2", one, two, "0000009999", "--list", "--json")
        assert listed.returncode == 8, listed.stderr
        sizes = {e["id"]: e["size"] for e in map(json.loads, listed.stdout.splitlines())}
        assert sizes == {
            order: offer.archive.stat().st_size for order, offer in auig2.orders.items()
        }
        assert "0000009999" in listed.stderr
        assert list(work.iterdir()) == []
        done = alos2("ingest", "auig2", one, "--json")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["id"] == deliveries.slc_id
        assert "planted" not in everything(work, done) + everything(work, listed)


class TestLegacyPassword:
    def test_it_is_used_warned_about_and_taken_out(
        self, deliveries: Any, auig2: FakeAuig2, work: Path
    ) -> None:
        file = context(
            work,
            auig2_orderid=orders(auig2)[0],
            auig2_username=ACCOUNT.username,
            auig2_password=ACCOUNT.password,
            job_specification={"params": [{"value": ACCOUNT.password}]},
        )
        seen: list[str] = []
        before = auig2.answer

        def looking(request: Any) -> Any:
            seen.append(file.read_text())
            return before(request)

        auig2.answer = looking  # type: ignore[method-assign]
        done = run(work, auig2)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["id"] == deliveries.slc_id
        # Before the first request, not only at the end.
        assert seen
        assert not any("planted" in text for text in seen)
        assert "auig2_password came as a job parameter" in done.stderr
        assert "auig2_password" in (work / "_alt_msg.txt").read_text()
        assert json.loads(file.read_text())["_triage_disabled"] is True
        assert "planted" not in everything(work, done)

    @pytest.mark.parametrize(
        ("arguments", "changed"),
        [
            ((), {"auig2_orderid": "x1"}),
            ((), {"auig2_orderid": None}),
            ((), {"auig2_username": ""}),
            (("-o",), {}),
            (("--nonsense", "planted&pass/word-ü"), {}),
        ],
    )
    def test_it_is_taken_out_whatever_else_is_wrong(
        self, work: Path, arguments: tuple[str, ...], changed: dict[str, object]
    ) -> None:
        context(
            work,
            **{
                "auig2_orderid": "1",
                "auig2_username": "me",
                "auig2_password": ACCOUNT.password,
                **changed,
            },
        )
        done = run(work, None, *arguments)
        assert done.returncode == 2, done.stderr
        assert (work / "_alt_error.txt").read_text().startswith("UsageError")
        assert "planted" not in everything(work, done)

    def test_a_refused_one_is_not_sent_by_the_next_job(self, auig2: FakeAuig2, work: Path) -> None:
        for words in ("did not accept", "before"):
            context(
                work,
                auig2_orderid=orders(auig2)[0],
                auig2_username=ACCOUNT.username,
                auig2_password="planted-wrong",
            )
            done = run(work, auig2)
            assert done.returncode == 4, done.stderr
            error = (work / "_alt_error.txt").read_text()
            assert error.startswith("LoginFailed")
            assert words in error
            assert "planted" not in everything(work, done)
        assert auig2.password_posts == 1


class TestFlags:
    def test_the_password_from_standard_input(self, auig2: FakeAuig2, work: Path) -> None:
        done = run(
            work, auig2, "-o", orders(auig2)[0], "-u", ACCOUNT.username, "-p", "-",
            given=ACCOUNT.password + "\n",
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert "-p -" in done.stderr
        assert "planted" not in everything(work, done)

    @pytest.mark.parametrize(
        "flags",
        [
            ("-p", "planted-secret"),
            ("-pplanted-secret",),
            ("--password=planted-secret",),
            ("--p=planted-secret",),
            ("-p", "-", "planted-secret"),
            ("-v", "-p", "planted-secret", "-vv"),
            ("-vpplanted-secret",),
        ],
    )
    def test_a_password_on_the_command_line_is_refused_and_not_repeated(
        self, work: Path, flags: tuple[str, ...]
    ) -> None:
        done = run(work, None, "-o", "1", "-u", "me", *flags)
        assert done.returncode == 2
        assert "planted" not in everything(work, done)
        error = (work / "_alt_error.txt").read_text()
        assert error.startswith("UsageError")
        if flags[0] in ("-p", "--password=planted-secret", "-pplanted-secret") and len(flags) < 3:
            assert "history" in error

    @pytest.mark.parametrize(
        ("arguments", "given", "words"),
        [
            (("-p", "-"), "x\n", "no user name"),
            (("-u", "me", "-p", "-"), "", "standard input"),
            (("-u", "../../etc/passwd"), "", "name"),
        ],
    )
    def test_other_wrong_words(
        self, work: Path, arguments: tuple[str, ...], given: str, words: str
    ) -> None:
        done = run(work, None, "-o", "1", *arguments, given=given)
        assert done.returncode == 2
        assert words in done.stderr

    def test_nothing_to_do(self, work: Path) -> None:
        done = run(work, None)
        assert done.returncode == 2
        assert "auig2_orderid" in (work / "_alt_error.txt").read_text()
        assert not (work / "pge_metrics.json").exists()


class TestFailures:
    def test_no_account_is_exit_code_4(self, auig2: FakeAuig2, work: Path) -> None:
        done = run(work, auig2, "-o", orders(auig2)[0], "-u", "nobody-of-this-name")
        assert done.returncode == 4
        assert "ALOS2_CREDENTIALS" in done.stderr
        assert not auig2.seen

    def test_an_expired_order_is_exit_code_6(self, auig2: FakeAuig2, work: Path) -> None:
        done = run(work, auig2, "-o", "0000009999", **profile(work))
        assert done.returncode == 6, done.stderr
        assert (work / "_alt_error.txt").read_text().startswith("NothingFound")
        assert "planted" not in everything(work, done)

    def test_one_of_two_is_exit_code_8(self, auig2: FakeAuig2, work: Path) -> None:
        done = run(work, auig2, "-o", "0000009999", "-o", orders(auig2)[0], **profile(work))
        assert done.returncode == 8, done.stderr
        assert json.loads(done.stdout)["status"] == "new"
        assert auig2.logins_made == 1

    def test_no_portal_is_exit_code_5(self, auig2: FakeAuig2, work: Path) -> None:
        auig2.faults.maintenance = True
        done = run(work, auig2, "-o", "1", **profile(work))
        assert done.returncode == 5, done.stderr
        assert "Under maintenance" in (work / "_alt_error.txt").read_text()
