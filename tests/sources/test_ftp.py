"""FTP and FTP over TLS, against pyftpdlib: what is resumed, refused, tried again."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest
import trustme

from alos2.errors import LoginFailed, NothingFound, TransferFailed, UsageError
from alos2.sources import TransferOptions, fetch
from alos2.sources.ftp import FtpRemote
from alos2.sources.remote import Changed, Validator
from fakes.ftp_server import FtpServer

PASSWORD = "correct-Horse/9"


@pytest.fixture
def quick(quick: TransferOptions) -> TransferOptions:
    """Patient with a busy computer; the tests about silence are not."""
    return replace(quick, connect_s=10.0, stall_s=10.0)


@pytest.fixture
def root(tmp_path: Path, whole_zip: bytes) -> Path:
    folder = tmp_path / "root"
    folder.mkdir()
    (folder / "x.zip").write_bytes(whole_zip)
    return folder


@pytest.fixture
def ftp(root: Path) -> Iterator[FtpServer]:
    with FtpServer(root) as running:
        yield running


@pytest.fixture
def guarded(root: Path) -> Iterator[FtpServer]:
    with FtpServer(root, users={"ana": PASSWORD}) as running:
        yield running


@pytest.fixture
def ftps(root: Path, authority: trustme.CA, tmp_path: Path) -> Iterator[FtpServer]:
    pem = tmp_path / "server.pem"
    authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(str(pem))
    with FtpServer(root, users={"ana": PASSWORD}, certificate=str(pem)) as running:
        yield running


def account(where: str, password: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "netrc"
    file.write_text(f"machine {where} login ana password {password}\n")
    file.chmod(0o600)
    monkeypatch.setenv("NETRC", str(file))


def test_whole_file_as_anonymous(
    ftp: FtpServer, work: Path, quick: TransferOptions, whole_zip: bytes
) -> None:
    got = fetch(ftp.url("x.zip"), work, options=quick)
    assert got.path == work / "x.zip"
    assert got.path.read_bytes() == whole_zip
    assert got.sha256 == hashlib.sha256(whole_zip).hexdigest()
    assert got.url == ftp.url("x.zip")
    assert [user for user, _ in ftp.passwords] == ["anonymous"]


@pytest.mark.parametrize("silent", [False, True])
def test_cut_transfers_are_continued(
    ftp: FtpServer, work: Path, quick: TransferOptions, whole_zip: bytes, silent: bool
) -> None:
    ftp.faults.cut_at = [70_000, 60_000]
    ftp.faults.silent_cut = silent
    got = fetch(ftp.url("x.zip"), work, options=quick)
    assert got.path.read_bytes() == whole_zip
    begins = [int(line.split()[1]) for line in ftp.commands if line.startswith("REST")]
    assert len(begins) == 2
    assert 0 < begins[0] <= 70_000 < begins[1] <= 130_000
    assert ftp.count("RETR") == 3


def test_next_run_continues(
    ftp: FtpServer, work: Path, quick: TransferOptions, whole_zip: bytes
) -> None:
    ftp.faults.cut_at = [80_000, 0, 0]
    with pytest.raises(TransferFailed, match="426") as caught:
        fetch(ftp.url("x.zip"), work, options=replace(quick, renew_bytes=1 << 20))
    assert "are kept" in caught.value.hint
    ftp.commands.clear()
    got = fetch(ftp.url("x.zip"), work, options=quick)
    assert got.path.read_bytes() == whole_zip
    assert [line for line in ftp.commands if line.startswith("REST")] == ["REST 63616"]


@pytest.mark.parametrize("by", ["time", "size"])
def test_changed_file_begins_anew(  # noqa: PLR0917
    ftp: FtpServer,
    root: Path,
    work: Path,
    quick: TransferOptions,
    other_zip: bytes,
    whole_zip: bytes,
    by: str,
) -> None:
    ftp.faults.cut_at = [80_000, 0, 0]
    with pytest.raises(TransferFailed):
        fetch(ftp.url("x.zip"), work, options=replace(quick, renew_bytes=1 << 20))
    (root / "x.zip").write_bytes(other_zip)
    if by == "time":
        os.utime(root / "x.zip", (1_500_000_000, 1_500_000_000))
    got = fetch(ftp.url("x.zip"), work, options=quick)
    assert got.path.read_bytes() == other_zip


def test_file_changed_under_the_transfer(
    ftp: FtpServer, work: Path, quick: TransferOptions, whole_zip: bytes
) -> None:
    ftp.faults.touch_after = True
    got = fetch(ftp.url("x.zip"), work, options=quick)
    assert got.path.read_bytes() == whole_zip
    assert ftp.count("RETR") == 2  # the second time nothing moved any more


def test_remote_tells_changed(ftp: FtpServer, root: Path) -> None:
    remote = FtpRemote(ftp.url("x.zip"))
    with remote.open(0, None) as reply:
        now = reply.validator
        total = reply.total
    assert now is not None
    assert now.kind == "mtime"
    assert total == (root / "x.zip").stat().st_size
    with pytest.raises(Changed), remote.open(10, Validator("mtime", "20010101000000 5")):
        pass
    with pytest.raises(Changed, match="fewer"), remote.open(total + 1, now):
        pass
    with remote.open(total, now) as reply:
        assert list(reply.body) == []
    with remote.open(total - 7, now) as reply:
        assert reply.offset == total - 7
        assert b"".join(reply.body) == (root / "x.zip").read_bytes()[-7:]


def test_server_that_cannot_begin_elsewhere(
    ftp: FtpServer, work: Path, quick: TransferOptions, whole_zip: bytes
) -> None:
    ftp.faults.no_rest = True
    ftp.faults.cut_at = [80_000]
    got = fetch(ftp.url("x.zip"), work, options=quick)
    assert got.path.read_bytes() == whole_zip
    assert ftp.count("RETR") == 2


def test_server_without_size_and_time(
    ftp: FtpServer, work: Path, quick: TransferOptions, whole_zip: bytes
) -> None:
    ftp.faults.no_size = ftp.faults.no_mdtm = True
    ftp.faults.cut_at = [80_000]
    got = fetch(ftp.url("x.zip"), work, options=quick)
    assert got.path.read_bytes() == whole_zip
    assert ftp.count("REST") == 1  # by its overlap


def test_stall(ftp: FtpServer, work: Path, quick: TransferOptions) -> None:
    ftp.faults.stall_at = 50_000
    with pytest.raises(TransferFailed, match=r"nothing came for 0.4 s, 2 times in a row"):
        fetch(
            ftp.url("x.zip"),
            work,
            options=replace(quick, retries=1, renew_bytes=1 << 20, stall_s=0.4),
        )


def test_dead_command_connection_after_the_last_byte(
    ftp: FtpServer, work: Path, quick: TransferOptions, whole_zip: bytes
) -> None:
    ftp.faults.deaf_end = True
    got = fetch(ftp.url("x.zip"), work, options=quick)
    assert got.path.read_bytes() == whole_zip
    assert ftp.count("RETR") == 1


@pytest.mark.parametrize("fault", ["busy", "crowded"])
def test_busy_server_is_asked_again(  # noqa: PLR0917
    guarded: FtpServer,
    work: Path,
    quick: TransferOptions,
    whole_zip: bytes,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    fault: str,
) -> None:
    account(f"localhost:{guarded.port}", PASSWORD, tmp_path, monkeypatch)
    setattr(guarded.faults, fault, 2)
    got = fetch(guarded.url("x.zip"), work, options=quick)
    assert got.path.read_bytes() == whole_zip


def test_wrong_password_is_sent_once(  # noqa: PLR0917
    guarded: FtpServer,
    work: Path,
    quick: TransferOptions,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    account("localhost", "wrong-Horse-8", tmp_path, monkeypatch)
    for _ in range(3):
        with pytest.raises(LoginFailed) as caught:
            fetch(guarded.url("x.zip"), work, options=quick)
        assert "wrong-Horse-8" not in str(caught.value)
    assert guarded.passwords == [("ana", "wrong-Horse-8")]
    assert "not sent again" in caught.value.message
    assert "wrong-Horse-8" not in caplog.text


def test_no_anonymous_users(guarded: FtpServer, work: Path, quick: TransferOptions) -> None:
    with pytest.raises(LoginFailed, match="530") as caught:
        fetch(guarded.url("x.zip"), work, options=quick)
    assert "netrc" in caught.value.hint


def test_missing_file(ftp: FtpServer, work: Path, quick: TransferOptions) -> None:
    with pytest.raises(NothingFound, match="no such file"):
        fetch(ftp.url("y.zip"), work, options=quick)
    assert list(work.glob("*.zip*")) == []


def test_tls(  # noqa: PLR0917
    ftps: FtpServer,
    trusted: Path,
    work: Path,
    quick: TransferOptions,
    whole_zip: bytes,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    account("localhost", PASSWORD, tmp_path, monkeypatch)
    ftps.faults.cut_at = [80_000]
    got = fetch(ftps.url("x.zip"), work, options=quick)
    assert got.path.read_bytes() == whole_zip
    assert ftps.count("REST") == 1
    first = [line.partition(" ")[0] for line in ftps.commands[:2]]
    assert first == ["AUTH", "USER"]
    assert "PROT P" in ftps.commands


def test_tls_that_nobody_vouches_for(
    ftps: FtpServer,
    work: Path,
    quick: TransferOptions,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    account("localhost", PASSWORD, tmp_path, monkeypatch)
    with pytest.raises(TransferFailed, match="certificate is not trusted") as caught:
        fetch(ftps.url("x.zip"), work, options=quick)
    assert "never" in caught.value.hint
    assert ftps.passwords == []


def test_tls_is_never_left_out(ftp: FtpServer, work: Path, quick: TransferOptions) -> None:
    with pytest.raises(TransferFailed, match="does not offer TLS"):
        fetch(ftp.url("x.zip", scheme="ftps"), work, options=quick)
    assert ftp.passwords == []


def test_server_that_wants_tls(
    ftps: FtpServer,
    work: Path,
    quick: TransferOptions,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    account("localhost", PASSWORD, tmp_path, monkeypatch)
    with pytest.raises(LoginFailed) as caught:
        fetch(ftps.url("x.zip", scheme="ftp"), work, options=quick)
    assert "ftps://" in caught.value.hint


@pytest.mark.parametrize(
    "url",
    ["ftp://host/", "ftp://host", "ftp:///x.zip", "ftp://host/a%0d%0aDELE%20x.zip", "ftp://h/x;type=a",
     "ftp://host:99999/x.zip", "ftp://host/%ff.zip"],
)  # fmt: skip
def test_urls_that_name_no_file(url: str, work: Path) -> None:
    with pytest.raises(UsageError):
        fetch(url, work)


def test_paths(ftp: FtpServer, root: Path, work: Path, quick: TransferOptions) -> None:
    (root / "a folder").mkdir()
    (root / "x.zip").rename(root / "a folder" / "ñ#?.zip")
    got = fetch(ftp.url("a%20folder/%C3%B1%23?.zip;type=i"), work, options=quick)
    assert got.size == (root / "a folder" / "ñ#?.zip").stat().st_size


def test_password_of_the_url_stays_in_memory(  # noqa: PLR0917
    guarded: FtpServer,
    work: Path,
    quick: TransferOptions,
    whole_zip: bytes,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    # Not spelled out: a traceback would show this very line.
    login = f"ana:{quote(PASSWORD, safe='')}"
    got = fetch(guarded.url("x.zip", userinfo=login), work, options=quick)
    assert got.path.read_bytes() == whole_zip
    assert got.url == guarded.url("x.zip")
    said = caplog.text + "".join(capfd.readouterr())
    said += "".join(p.read_text() for p in work.iterdir() if p.suffix == ".json")
    assert "Horse" not in said
    assert "open connection" in caplog.text


def test_cancel_leaves_it_resumable(
    ftp: FtpServer, work: Path, quick: TransferOptions, whole_zip: bytes
) -> None:
    from alos2.errors import Interrupted  # noqa: PLC0415

    there = 0

    def progress(done: int, total: int | None) -> None:
        nonlocal there
        there = done

    stop: Callable[[], bool] = lambda: there > 60_000  # noqa: E731
    with pytest.raises(Interrupted):
        fetch(ftp.url("x.zip"), work, options=quick, progress=progress, cancel=stop)
    got = fetch(ftp.url("x.zip"), work, options=quick)
    assert got.path.read_bytes() == whole_zip
    assert ftp.count("REST") == 1
