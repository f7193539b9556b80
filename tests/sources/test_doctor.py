"""The doctor's checks: what they see, what they say, and what a program ends with."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from importlib.metadata import EntryPoint
from pathlib import Path
from types import SimpleNamespace

import pytest

from alos2.errors import Interrupted, LoginFailed, NoSpace, TransferFailed, UsageError
from alos2.sources import doctor, doctorhosts, doctorlocal, doctorurls
from alos2.sources.credentials import Credential, Secret
from alos2.sources.credentials.refused import login_attempt
from alos2.sources.doctor import Check, exit_code_of, run_room
from alos2.sources.remote import Passing
from fakes.file_server import FileServer, Reply
from fakes.ftp_server import FtpServer
from fakes.s3_server import BUCKET, S3Server
from fakes.sftp_server import SftpServer

PASSWORD = "correct-Horse/9"


def by_name(checks: Iterator[Check]) -> dict[str, Check]:
    return {check.name: check for check in checks}


@pytest.mark.parametrize(
    ("name", "code"),
    [("auig2 login", 4), ("auig2 name", 5), ("archive disk", 9), ("settings", 2), ("x TLS", 5)],
)
def test_kind_is_told_from_the_name(name: str, code: int) -> None:
    assert Check(name, False, "").exit_code == code
    assert Check(name, True, "").exit_code == Check(name, None, "").exit_code == 0
    assert Check(name, False, "", kind="disk").exit_code == 9


def test_most_serious_failure_gives_the_exit_code() -> None:
    kinds = ("settings", "disk", "network", "login")
    checks = [Check("x", False, "", kind=kind) for kind in kinds]
    assert [exit_code_of(checks[: n + 1]) for n in range(4)] == [2, 9, 5, 4]
    assert exit_code_of([Check("x", True, ""), Check("y", None, "")]) == 0


def test_lines_and_json_hold_no_secret() -> None:
    Secret("planted-Secret-1")
    check = Check("x login", False, "said planted-Secret-1", "see https://u:planted@h/?token=abc")
    assert check.line().startswith("FAIL  x login")
    assert "→" in check.line()
    for text in (check.line(), str(check.to_json())):
        assert "planted" not in text
        assert "abc" not in text
    assert check.to_json()["status"] == "fail"
    assert "→" not in Check("x", True, "fine", "not needed").line()


def test_broken_room_fails_alone() -> None:
    def room() -> Iterator[Check]:
        yield Check("first", True, "")
        raise KeyError("x")

    first, second = run_room("mine", room)
    assert first.ok
    assert second.ok is False
    assert "KeyError" in second.detail

    def refused() -> Iterator[Check]:
        raise LoginFailed("no", hint="do it")
        yield

    (check,) = run_room("mine", refused)
    assert (check.exit_code, check.detail, check.remedy) == (4, "no", "do it")

    def stopped() -> Iterator[Check]:
        raise Interrupted("stopped")
        yield

    with pytest.raises(Interrupted):
        list(run_room("mine", stopped))


def test_rooms_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_rooms", {})
    doctor.register("catalogue", lambda: [Check("catalogue", True, "3 datasets")])
    point = EntryPoint("scheduler", f"{__name__}:nothing", doctor.ENTRY_POINT_GROUP)
    monkeypatch.setattr(EntryPoint, "load", lambda self: lambda: [Check("queue", None, "none")])
    monkeypatch.setattr(doctor, "entry_points", lambda group: [point])
    found = doctor.rooms()
    assert list(found) == ["catalogue", "scheduler"]
    assert [c.name for name in found for c in run_room(name, found[name])] == ["catalogue", "queue"]

    def broken(self: EntryPoint) -> None:
        raise ImportError("gone")

    monkeypatch.setattr(EntryPoint, "load", broken)
    (check,) = run_room("scheduler", doctor.rooms()["scheduler"])
    assert check.ok is False


def test_login_is_tried_once() -> None:
    tries: list[int] = []

    def log_in() -> None:
        tries.append(1)
        raise LoginFailed("refused", hint="mend it")

    check = doctor.login_check(log_in, where="portal")
    assert (check.name, check.ok, check.exit_code, check.remedy) == (
        "portal login", False, 4, "mend it",
    )  # fmt: skip
    assert tries == [1]
    assert doctor.login_check(lambda: None, where="portal").ok

    def unreachable() -> None:
        raise Passing("no connection")

    assert doctor.login_check(unreachable, where="portal").exit_code == 5
    answers = doctor.answer_check(lambda: None, where="portal", what="list")
    assert (answers.ok, answers.detail) == (True, "the list is there")

    def full() -> None:
        raise NoSpace("full")

    assert doctor.answer_check(full, where="portal", what="list").exit_code == 9
    assert doctor.failed("x", TransferFailed("x")).exit_code == 5


def test_host_with_tls(tls_server: FileServer, trusted: Path) -> None:
    seen = by_name(doctorhosts.host_checks(tls_server.url("/")))
    assert list(seen) == [
        f"localhost {what}" for what in ("name", "connection", "TLS", "clock")
    ]  # fmt: skip
    assert all(check.ok for check in seen.values())
    assert "certificate verified" in seen["localhost TLS"].detail
    assert "days" in seen["localhost TLS"].detail


def test_host_that_nobody_vouches_for(tls_server: FileServer) -> None:
    seen = by_name(doctorhosts.host_checks(tls_server.url("/")))
    assert list(seen)[-1] == "localhost TLS"
    check = seen["localhost TLS"]
    assert check.ok is False
    assert "not trusted" in check.detail
    assert "never switched off" in check.remedy
    assert tls_server.seen == []


def test_name_that_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*args: object, **more: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "x")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    (check,) = doctorhosts.host_checks("https://portal.example/")
    assert (check.name, check.exit_code) == ("portal.example name", 5)
    assert "not known" in check.detail
    with pytest.raises(UsageError):
        list(doctorhosts.host_checks("gopher://x/"))


def test_wrong_clock(server: FileServer, monkeypatch: pytest.MonkeyPatch) -> None:
    there = datetime.now(timezone.utc) + timedelta(hours=2)
    monkeypatch.setattr(doctorhosts, "http_date", lambda text: there)
    check = by_name(doctorhosts.host_checks(server.url("/")))["localhost clock"]
    assert check.exit_code == 2
    assert "behind" in check.detail
    assert "NTP" in check.remedy
    monkeypatch.setattr(doctorhosts, "http_date", lambda text: None)
    assert by_name(doctorhosts.host_checks(server.url("/")))["localhost clock"].ok is None


def test_proxy_is_asked_and_shown_without_its_password(
    server: FileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    (none,) = doctorhosts.proxies()
    assert (none.ok, none.detail) == (None, "none set")
    proxy = server.url("", host="127.0.0.1", userinfo="me:proxy-secret")
    monkeypatch.setenv("http_proxy", proxy)
    (shown,) = doctorhosts.proxies()
    first = next(iter(doctorhosts.host_checks("http://portal.example/")))
    assert (first.name, first.ok) == ("proxy", True)
    assert "portal.example is asked through 127.0.0.1" in first.detail
    assert "proxy-secret" not in first.detail + shown.detail


def test_file_behind_a_url(server: FileServer) -> None:
    url = server.reply("/x.zip", Reply(b"PK\x03\x04more", headers={"ETag": '"1"'}))
    seen = by_name(doctorurls.url_checks(url))
    where = url.partition("//")[2].partition("/")[0]
    assert "of 8 bytes" in seen[f"{where} file"].detail
    assert "etag" in seen[f"{where} file"].detail
    *_, gone = doctorurls.url_checks(server.url("/y.zip"))
    assert gone.ok is False
    server.reply("/z.zip", Reply(status=401))
    *_, refused = doctorurls.url_checks(server.url("/z.zip"))
    assert (refused.name, refused.exit_code) == (f"{where} login", 4)
    server.reply("/b.zip", Reply(status=503))
    *_, busy = doctorurls.url_checks(server.url("/b.zip"))
    assert (busy.exit_code, busy.remedy) == (5, "try again later")


def test_ftp_login_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine localhost login ana password wrong-Horse-8\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "x.zip").write_bytes(b"PK")
    with FtpServer(tmp_path / "root", users={"ana": PASSWORD}) as server:
        for path in ("", "x.zip", ""):
            *_, check = doctorurls.url_checks(server.url(path))
            assert check.name == f"localhost:{server.port} login"
            assert check.exit_code == 4
        assert len(server.passwords) == 1
        netrc.write_text(f"machine localhost login ana password {PASSWORD}\n")
        *_, host = doctorurls.url_checks(server.url(""))
        *_, file = doctorurls.url_checks(server.url("x.zip"))
    assert host.ok
    assert "of 2 bytes" in file.detail
    assert "resumes by its mtime" in file.detail


def test_ssh_host_that_nobody_vouches_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    with SftpServer(tmp_path, password=PASSWORD) as server:
        *_, check = doctorurls.url_checks(server.url("", user="ana"))
    assert check.ok is False
    assert check.exit_code == 5
    assert server.fingerprint() in check.detail


def test_bucket(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDENVIRONMENT")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", PASSWORD)
    with S3Server() as server:
        monkeypatch.setenv("ALOS2_S3_ENDPOINT_URL", server.url)
        (there,) = doctorurls.url_checks(f"s3://{BUCKET}")
        (gone,) = doctorurls.url_checks("s3://another-bucket")
    assert (there.name, there.ok) == (f"s3://{BUCKET} login", True)
    assert gone.ok is False
    assert "404" in gone.detail


def test_files_of_credentials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("NETRC")
    assert [c.detail for c in doctorlocal.credential_checks()] == [
        "there is no file with accounts"
    ]  # fmt: skip
    netrc, file = tmp_path / ".netrc", tmp_path / "accounts.toml"
    netrc.write_text("machine h login a password planted-Secret-2\n")
    netrc.chmod(0o644)
    file.write_text('[auig2]\nusername = "a"\npassword = "planted-Secret-3"\n')
    file.chmod(0o600)
    monkeypatch.setenv("ALOS2_CREDENTIALS", str(file))
    checks = list(doctorlocal.credential_checks())
    assert [check.ok for check in checks] == [True, False]
    assert checks[1].exit_code == 2
    assert checks[1].remedy == f"chmod 600 {netrc}"
    netrc.chmod(0o600)
    file.write_text("[auig2\npassword = 'planted-Secret-3'")
    checks = list(doctorlocal.credential_checks())
    assert [check.ok for check in checks] == [True, True, False]
    assert "not TOML" in checks[2].detail
    assert all("planted" not in check.line() for check in checks)


def test_refused_password_is_remembered() -> None:
    mine = Credential("ana", Secret("wrong-Horse-8"))
    with (
        pytest.raises(LoginFailed),
        login_attempt(mine, where="portal") as attempt,
    ):
        raise attempt.refused("no")
    check = by_name(doctorlocal.credential_checks())["refused password"]
    assert check.ok is None
    assert "remove" in check.remedy
    assert "remove" in check.line()


def test_disks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=5 * 10**9))
    seen = by_name(doctorlocal.disk_checks(tmp_path / "not" / "yet", None))
    assert seen["archive disk"].exit_code == 9
    assert "5.0 GB free" in seen["archive disk"].detail
    assert seen["cache disk"].ok is None
    assert seen["temporary disk"].ok
    (tmp_path / "file").write_text("")
    seen = by_name(doctorlocal.disk_checks(tmp_path / "file" / "below", tmp_path))
    assert "cannot be written" in seen["archive disk"].detail
    assert seen["cache disk"].ok


def test_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctorlocal, "has_extra", lambda extra: extra == "s3")
    seen = by_name(doctorlocal.package_checks())
    assert seen["boto3 extra"].ok
    assert seen["asyncssh extra"].ok is None
    assert seen["asyncssh extra"].remedy == "pip install 'alos2-ingest[sftp]'"
    assert seen["python"].ok
