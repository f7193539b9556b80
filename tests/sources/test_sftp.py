"""SFTP, against asyncssh: what is resumed, whose host key is believed, who is let in."""

from __future__ import annotations

import hashlib
import logging
import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import asyncssh
import pytest

from alos2.errors import LoginFailed, NothingFound, TransferFailed, UsageError
from alos2.sources import TransferOptions, fetch
from alos2.sources.credentials import Credential, Secret
from alos2.sources.remote import Changed, Validator
from alos2.sources.sftp import SftpRemote
from alos2.sources.transfer import transfer
from fakes.sftp_server import SftpServer

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


@pytest.fixture(autouse=True)
def _no_keys_of_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)


@pytest.fixture
def sftp(root: Path) -> Iterator[SftpServer]:
    with SftpServer(root, password=PASSWORD) as running:
        yield running


@pytest.fixture
def known(sftp: SftpServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The server is in known_hosts, and our account in netrc."""
    return vouch(sftp, tmp_path, monkeypatch)


def vouch(server: SftpServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "known_hosts"
    file.write_text(server.known_hosts())
    monkeypatch.setenv("ALOS2_KNOWN_HOSTS", str(file))
    account(PASSWORD, tmp_path, monkeypatch)
    return file


def account(password: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "netrc"
    file.write_text(f"machine localhost login ana password {password}\n")
    file.chmod(0o600)
    monkeypatch.setenv("NETRC", str(file))


@pytest.mark.usefixtures("known")
def test_whole_file(sftp: SftpServer, work: Path, quick: TransferOptions, whole_zip: bytes) -> None:
    before = threading.active_count()
    got = fetch(sftp.url("/x.zip"), work, options=quick)
    assert got.path.read_bytes() == whole_zip
    assert got.sha256 == hashlib.sha256(whole_zip).hexdigest()
    assert sftp.users == ["ana"]
    assert sftp.passwords == [PASSWORD]
    assert threading.active_count() == before


@pytest.mark.usefixtures("known")
def test_cut_transfers_are_continued(
    sftp: SftpServer, work: Path, quick: TransferOptions, whole_zip: bytes
) -> None:
    sftp.faults.cut_at = [70_000, 150_000]
    got = fetch(sftp.url("/x.zip"), work, options=quick)
    assert got.path.read_bytes() == whole_zip
    begins = list(sftp.first_reads.values())
    assert begins[0] == 0
    assert 0 < begins[1] < begins[2]


@pytest.mark.usefixtures("known")
def test_short_reads(
    sftp: SftpServer, work: Path, quick: TransferOptions, whole_zip: bytes
) -> None:
    sftp.faults.short_reads = True
    got = fetch(sftp.url("/x.zip"), work, options=quick)
    assert got.path.read_bytes() == whole_zip


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize("by", ["time", "bytes"])
def test_changed_file_begins_anew(  # noqa: PLR0917
    sftp: SftpServer, root: Path, work: Path, quick: TransferOptions, other_zip: bytes, by: str
) -> None:
    sftp.faults.cut_at = [80_000, 0, 0, 0]
    with pytest.raises(TransferFailed) as caught:
        fetch(sftp.url("/x.zip"), work, options=replace(quick, renew_bytes=1 << 20))
    assert "are kept" in caught.value.hint
    sftp.faults.cut_at.clear()
    kept = (root / "x.zip").stat().st_mtime_ns
    (root / "x.zip").write_bytes(other_zip)
    moment = 1_500_000_000 * 10**9 if by == "time" else kept
    os.utime(root / "x.zip", ns=(moment, moment))
    got = fetch(sftp.url("/x.zip"), work, options=quick)
    assert got.path.read_bytes() == other_zip


@pytest.mark.usefixtures("known")
def test_remote_tells_changed(sftp: SftpServer, root: Path) -> None:
    mine = Credential("ana", Secret(PASSWORD))
    remote = SftpRemote(sftp.url("/x.zip"), credential=mine)
    with remote.open(0, None) as reply:
        now, total = reply.validator, reply.total
    assert now is not None
    assert now.kind == "mtime"
    assert total == (root / "x.zip").stat().st_size
    with pytest.raises(Changed), remote.open(10, Validator("mtime", "5 5")):
        pass
    with pytest.raises(Changed, match="fewer"), remote.open(total + 1, now):
        pass
    with remote.open(total, now) as reply:
        assert list(reply.body) == []
    with remote.open(5, now) as reply:
        body = reply.body
        first = next(body)
        os.utime(root / "x.zip", (5, 5))
        with pytest.raises(Changed, match="while"):
            list(body)
    assert (root / "x.zip").read_bytes()[5:].startswith(first)


@pytest.mark.usefixtures("known")
def test_stall(sftp: SftpServer, work: Path, quick: TransferOptions) -> None:
    sftp.faults.stall_at = 100_000
    with pytest.raises(TransferFailed, match=r"nothing came for 0.4 s, 2 times in a row"):
        fetch(
            sftp.url("/x.zip"),
            work,
            options=replace(quick, retries=1, renew_bytes=1 << 20, stall_s=0.4),
        )


@pytest.mark.usefixtures("known")
def test_server_that_drops_connections(
    sftp: SftpServer, work: Path, quick: TransferOptions, whole_zip: bytes
) -> None:
    sftp.faults.refuse = 2
    got = fetch(sftp.url("/x.zip"), work, options=quick)
    assert got.path.read_bytes() == whole_zip
    assert sftp.passwords == [PASSWORD]


@pytest.mark.usefixtures("known")
def test_missing_folder_denied(
    sftp: SftpServer, root: Path, work: Path, quick: TransferOptions
) -> None:
    (root / "folder.zip").mkdir()
    with pytest.raises(NothingFound, match="no such file"):
        fetch(sftp.url("/y.zip"), work, options=quick)
    with pytest.raises(NothingFound, match="folder"):
        fetch(sftp.url("/folder.zip"), work, options=quick)
    sftp.faults.denied = True
    with pytest.raises(LoginFailed, match="does not let this account read"):
        fetch(sftp.url("/x.zip"), work, options=quick)
    assert sftp.connections == 3


def test_wrong_password_is_sent_once(  # noqa: PLR0917
    sftp: SftpServer,
    known: Path,
    work: Path,
    quick: TransferOptions,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    account("wrong-Horse-8", tmp_path, monkeypatch)
    for _ in range(3):
        with pytest.raises(LoginFailed) as caught:
            fetch(sftp.url("/x.zip"), work, options=quick)
        assert "wrong-Horse-8" not in str(caught.value)
    assert sftp.passwords == ["wrong-Horse-8"]
    assert "not sent again" in caught.value.message
    assert "wrong-Horse-8" not in caplog.text


@pytest.mark.parametrize("right", [True, False])
def test_keyboard_interactive(  # noqa: PLR0917
    root: Path,
    work: Path,
    quick: TransferOptions,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    right: bool,
) -> None:
    with SftpServer(root, password=PASSWORD, interactive=True) as server:
        vouch(server, tmp_path, monkeypatch)
        if right:
            assert fetch(server.url("/x.zip"), work, options=quick).size > 0
        else:
            account("wrong-Horse-8", tmp_path, monkeypatch)
            with pytest.raises(LoginFailed):
                fetch(server.url("/x.zip"), work, options=quick)
        assert len(server.passwords) == 1


@pytest.fixture
def our_key(tmp_path: Path) -> Path:
    path = tmp_path / "id_portal"
    asyncssh.generate_private_key("ssh-ed25519").write_private_key(path)
    path.chmod(0o600)
    return path


def public(path: Path, passphrase: str | None = None) -> asyncssh.SSHKey:
    return asyncssh.read_private_key(path, passphrase).convert_to_public()


def test_key_only_with_pinned_host_key(  # noqa: PLR0917
    root: Path,
    our_key: Path,
    work: Path,
    quick: TransferOptions,
    whole_zip: bytes,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with SftpServer(root, keys=[public(our_key)]) as server:
        file = tmp_path / "accounts.toml"
        file.write_text(
            f'[new-portal]\nusername = "ana"\nkey_file = "{our_key}"\n'
            f'host_key = "{server.fingerprint()}"\n'
        )
        file.chmod(0o600)
        monkeypatch.setenv("ALOS2_CREDENTIALS", str(file))
        got = fetch(server.url("/x.zip"), work, options=quick, credential="new-portal")
    assert got.path.read_bytes() == whole_zip


def test_password_for_a_server_that_takes_keys_only(  # noqa: PLR0917
    root: Path,
    our_key: Path,
    work: Path,
    quick: TransferOptions,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with SftpServer(root, keys=[public(our_key)]) as server:
        vouch(server, tmp_path, monkeypatch)
        with pytest.raises(LoginFailed) as caught:
            fetch(server.url("/x.zip"), work, options=quick)
        assert server.passwords == []
    assert "key_file" in caught.value.hint
    assert not list((tmp_path / "cache").rglob("*.json"))  # nothing was refused


@pytest.mark.parametrize("passphrase", ["open Sesame", "shut Sesame", None])
def test_key_with_a_passphrase(
    root: Path, tmp_path: Path, work: Path, quick: TransferOptions, passphrase: str | None
) -> None:
    path = tmp_path / "id_portal"
    key = asyncssh.generate_private_key("ssh-ed25519")
    key.write_private_key(path, "pkcs8-pem", passphrase="open Sesame")
    path.chmod(0o600)
    with SftpServer(root, keys=[public(path, "open Sesame")]) as server:
        mine = Credential(
            "ana",
            key_file=path,
            host_key=server.fingerprint(),
            passphrase=Secret(passphrase) if passphrase else None,
        )
        remote = SftpRemote(server.url("/x.zip"), credential=mine, options=quick)
        if passphrase == "open Sesame":
            assert transfer(remote, work, options=quick).size > 0
            return
        with pytest.raises(LoginFailed, match="passphrase"):
            transfer(remote, work, options=quick)
        assert server.connections == 0


def test_unknown_key_and_open_key_file(
    root: Path, our_key: Path, work: Path, quick: TransferOptions
) -> None:
    with SftpServer(root, keys=[]) as server:
        mine = Credential("ana", key_file=our_key, host_key=server.fingerprint())
        remote = SftpRemote(server.url("/x.zip"), credential=mine, options=quick)
        with pytest.raises(LoginFailed, match="refused the login") as caught:
            transfer(remote, work, options=quick)
        assert "public half" in caught.value.hint
        our_key.chmod(0o644)
        with pytest.raises(UsageError, match="others may read"):
            transfer(remote, work, options=quick)
        assert server.connections == 1


def test_unknown_host_is_refused_with_its_fingerprint(
    sftp: SftpServer,
    work: Path,
    quick: TransferOptions,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    account(PASSWORD, tmp_path, monkeypatch)
    with pytest.raises(TransferFailed, match="nobody vouches") as caught:
        fetch(sftp.url("/x.zip"), work, options=quick)
    assert sftp.fingerprint() in caught.value.message
    assert "host_key" in caught.value.hint
    assert sftp.passwords == []
    assert sftp.connections == 1


@pytest.mark.parametrize("kind", ["ssh-ed25519", "ecdsa-sha2-nistp256"])
def test_changed_host_key_is_refused(
    sftp: SftpServer, known: Path, work: Path, quick: TransferOptions, kind: str
) -> None:
    fetch(sftp.url("/x.zip"), work / "1", options=quick)
    sftp.passwords.clear()
    sftp.restart([asyncssh.generate_private_key(kind)])
    with pytest.raises(TransferFailed, match="has changed") as caught:
        fetch(sftp.url("/x.zip"), work / "2", options=quick)
    assert "ssh-keygen -R" in caught.value.hint
    assert sftp.passwords == []


def test_pin_counts_alone(
    sftp: SftpServer, known: Path, work: Path, quick: TransferOptions
) -> None:
    other = asyncssh.generate_private_key("ssh-ed25519").get_fingerprint()
    mine = Credential("ana", Secret(PASSWORD), host_key=other)
    with pytest.raises(TransferFailed, match="another host key than the pinned one") as caught:
        transfer(SftpRemote(sftp.url("/x.zip"), credential=mine), work, options=quick)
    assert sftp.fingerprint() in caught.value.message
    assert sftp.passwords == []
    wrong = replace(mine, host_key="MD5:00:11")
    with pytest.raises(UsageError, match="fingerprint"):
        transfer(SftpRemote(sftp.url("/x.zip"), credential=wrong), work, options=quick)


def test_known_key_is_asked_for_among_several(
    root: Path,
    work: Path,
    quick: TransferOptions,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    keys = [
        asyncssh.generate_private_key("ssh-ed25519"),
        asyncssh.generate_private_key("ssh-rsa", key_size=2048),
    ]
    with SftpServer(root, password=PASSWORD, host_keys=keys) as server:
        file = vouch(server, tmp_path, monkeypatch)
        file.write_text(server.known_hosts().splitlines()[1] + "\n")
        assert fetch(server.url("/x.zip"), work / "1", options=quick).size > 0
        for number in (0, 1):
            mine = Credential("ana", Secret(PASSWORD), host_key=server.fingerprint(number))
            remote = SftpRemote(server.url("/x.zip"), credential=mine, options=quick)
            assert transfer(remote, work / f"pin-{number}", options=quick).size > 0


def test_missing_package(monkeypatch: pytest.MonkeyPatch, work: Path) -> None:
    monkeypatch.setattr("alos2.sources.extras.has_extra", lambda extra: False)
    with pytest.raises(UsageError, match="asyncssh") as caught:
        fetch("sftp://localhost/x.zip", work)
    assert caught.value.hint == "pip install 'alos2-ingest[sftp]'"
