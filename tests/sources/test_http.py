from __future__ import annotations

import errno
import gzip
import hashlib
import io
import logging
import shutil
import time
from collections import namedtuple
from pathlib import Path

import pytest
import trustme

from alos2.errors import (
    Alos2Error,
    BadArchive,
    Interrupted,
    LoginFailed,
    NoResource,
    NoSpace,
    NothingFound,
    TransferFailed,
    UsageError,
)
from alos2.sources import TransferOptions, fetch
from fakes.file_server import FileServer, Reply

LOGIN_PAGE = (
    b"<!DOCTYPE html><html><head><title>AUIG2 - User login</title></head><body>"
    b"<form><input name='IDToken2' type='password'></form></body></html>"
)


ASKS = Reply(status=401, headers={"WWW-Authenticate": 'Basic realm="orders"'})


def nothing_left(work: Path) -> bool:
    return not work.exists() or not list(work.iterdir())


def nothing_but_parts(work: Path) -> bool:
    """No product, and no litter: at most a part and what is known of it."""
    names = {p.name for p in work.iterdir()} if work.exists() else set()
    return names <= {"x.zip.part", "x.zip.part.json"}


def products(work: Path) -> list[str]:
    return sorted(p.name for p in work.iterdir() if not p.name.startswith("."))


def test_a_zip_arrives_whole(
    server: FileServer, whole_zip: bytes, work: Path, quick: TransferOptions
) -> None:
    url = server.reply("/orders/0000022708.zip", Reply(whole_zip))
    told: list[tuple[int, int | None]] = []
    got = fetch(url, work, options=quick, progress=lambda *now: told.append(now))
    assert got.path == work / "0000022708.zip"
    assert got.path.read_bytes() == whole_zip
    assert products(work) == ["0000022708.zip"]
    assert got.size == len(whole_zip)
    assert got.sha256 == hashlib.sha256(whole_zip).hexdigest()
    assert got.downloaded
    assert got.url == url
    assert got.retrieved is not None
    assert got.retrieved.utcoffset() is not None
    assert got.seconds > 0
    assert told[-1] == (len(whole_zip), len(whole_zip))
    assert len(told) > 5
    assert server.seen[0].headers["accept-encoding"] == "identity"
    assert server.seen[0].headers["user-agent"].startswith("alos2-ingest/")


@pytest.mark.parametrize("length", ["none", "chunked"])
def test_a_body_of_unknown_length(
    server: FileServer, whole_zip: bytes, work: Path, quick: TransferOptions, length: str
) -> None:
    url = server.reply("/x.zip", Reply(whole_zip, length=length))  # type: ignore[arg-type]
    told: list[tuple[int, int | None]] = []
    got = fetch(url, work, options=quick, progress=lambda *now: told.append(now))
    assert got.path.read_bytes() == whole_zip
    assert told[-1] == (len(whole_zip), None)


def test_a_body_that_was_compressed_all_the_same(
    server: FileServer, whole_zip: bytes, work: Path, quick: TransferOptions
) -> None:
    reply = Reply(gzip.compress(whole_zip), headers={"Content-Encoding": "gzip"})
    got = fetch(server.reply("/x.zip", reply), work, options=quick)
    assert got.sha256 == hashlib.sha256(whole_zip).hexdigest()


def test_the_servers_name_cannot_leave_the_folder(
    server: FileServer, whole_zip: bytes, work: Path, quick: TransferOptions
) -> None:
    headers = {"Content-Disposition": 'attachment; filename="../../../outside.zip"'}
    got = fetch(server.reply("/dl", Reply(whole_zip, headers=headers)), work, options=quick)
    assert got.path == work / "outside.zip"
    assert not (work.parent / "outside.zip").exists()


def test_two_downloads_of_one_name_do_not_meet(
    server: FileServer, whole_zip: bytes, work: Path, quick: TransferOptions
) -> None:
    url = server.reply("/x.zip", Reply(whole_zip))
    first = fetch(url, work, options=quick)
    (work / "x-2.zip.part").write_bytes(b"another job's")
    second = fetch(url, work, options=quick)
    assert (first.path.name, second.path.name) == ("x.zip", "x-3.zip")
    assert (work / "x-2.zip.part").read_bytes() == b"another job's"


@pytest.mark.parametrize(
    ("status", "error", "code"),
    [
        (401, LoginFailed, 4),
        (403, LoginFailed, 4),
        (404, NothingFound, 6),
        (410, NothingFound, 6),
        (400, TransferFailed, 5),
        (500, TransferFailed, 5),
        (202, TransferFailed, 5),
        (206, TransferFailed, 5),
        (304, TransferFailed, 5),
    ],
)
def test_each_refusal_has_its_error(
    *,
    server: FileServer,
    work: Path,
    quick: TransferOptions,
    status: int,
    error: type[Alos2Error],
    code: int,
) -> None:
    url = server.reply("/x.zip", Reply(b"", status=status))
    with pytest.raises(error, match=str(status)) as caught:
        fetch(url, work, options=quick)
    assert caught.value.exit_code == code
    assert len(server.seen) == 1
    assert nothing_left(work)


class TestBodies:
    """What must not be taken for a product."""

    def refused(
        self,
        server: FileServer,
        work: Path,
        quick: TransferOptions,
        reply: Reply,
        *,
        error: type[Alos2Error],
        said: str,
    ) -> Alos2Error:
        with pytest.raises(error, match=said) as caught:
            fetch(server.reply("/x.zip", reply), work, options=quick)
        if isinstance(caught.value, BadArchive):
            assert nothing_left(work)
        else:
            assert nothing_but_parts(work)
            assert ("the same command continues there" in caught.value.hint) == any(work.iterdir())
        return caught.value

    def test_a_login_page_with_status_200(
        self, server: FileServer, work: Path, quick: TransferOptions
    ) -> None:
        reply = Reply(LOGIN_PAGE, headers={"Content-Type": "text/html"})
        error = self.refused(
            server, work, quick, reply, error=BadArchive, said="AUIG2 - User login"
        )
        assert error.exit_code == 3
        assert "login page" in error.hint

    def test_a_page_that_calls_itself_a_zip(
        self, server: FileServer, work: Path, quick: TransferOptions
    ) -> None:
        reply = Reply(LOGIN_PAGE, headers={"Content-Type": "application/zip"})
        self.refused(server, work, quick, reply, error=BadArchive, said="web page")

    def test_nothing(self, server: FileServer, work: Path, quick: TransferOptions) -> None:
        self.refused(server, work, quick, Reply(b""), error=BadArchive, said="empty file")

    def test_an_html_tail(
        self, server: FileServer, work: Path, quick: TransferOptions, whole_zip: bytes
    ) -> None:
        reply = Reply(whole_zip + b"<html>gateway timeout</html>")
        self.refused(server, work, quick, reply, error=BadArchive, said="other bytes follow")
        assert len(server.seen) == 1

    def test_a_zip_that_is_cut_where_it_lies(
        self, server: FileServer, work: Path, quick: TransferOptions, whole_zip: bytes
    ) -> None:
        reply = Reply(whole_zip[:-1000])
        self.refused(server, work, quick, reply, error=BadArchive, said="not a whole zip")

    def test_a_length_that_is_too_small(
        self, server: FileServer, work: Path, quick: TransferOptions, whole_zip: bytes
    ) -> None:
        reply = Reply(whole_zip, length=len(whole_zip) - 10)
        self.refused(server, work, quick, reply, error=BadArchive, said="not a whole zip")

    def test_a_length_that_is_too_large(
        self, server: FileServer, work: Path, quick: TransferOptions, whole_zip: bytes
    ) -> None:
        reply = Reply(whole_zip, length=len(whole_zip) + 10)
        self.refused(server, work, quick, reply, error=TransferFailed, said="3 times in a row")
        assert len(server.seen) == 3

    def test_no_length_and_cut(
        self, server: FileServer, work: Path, quick: TransferOptions, whole_zip: bytes
    ) -> None:
        reply = Reply(whole_zip, length="none", cut_at=150_000)
        self.refused(server, work, quick, reply, error=TransferFailed, said="not whole")

    def test_chunked_and_cut(
        self, server: FileServer, work: Path, quick: TransferOptions, whole_zip: bytes
    ) -> None:
        reply = Reply(whole_zip, length="chunked", cut_at=150_000)
        self.refused(server, work, quick, reply, error=TransferFailed, said="broke off")

    def test_a_stall_is_not_waited_for(
        self, server: FileServer, work: Path, quick: TransferOptions, whole_zip: bytes
    ) -> None:
        began = time.monotonic()
        reply = Reply(whole_zip, cut_at=100_000, stall_s=30)
        self.refused(server, work, quick, reply, error=TransferFailed, said="stalled")
        assert time.monotonic() - began < 4


class TestRetries:
    @pytest.mark.parametrize(
        "fault",
        [
            Reply(status=503),
            Reply(status=429, headers={"Retry-After": "0"}),
            Reply(status=503, headers={"Retry-After": "Fri, 20 Nov 2015 00:00:00 GMT"}),
            Reply(status=503, headers={"Retry-After": "soon"}),
            Reply(status=502),
            Reply(status=504),
            Reply(reset=True),
            Reply(b"PK\x03\x04" + bytes(99_996), cut_at=70_000, reset=True),
            Reply(b"PK\x03\x04" + bytes(99_996), cut_at=70_000),
        ],
    )
    def test_a_passing_fault_passes(
        self,
        server: FileServer,
        whole_zip: bytes,
        work: Path,
        quick: TransferOptions,
        fault: Reply,
    ) -> None:
        url = server.reply("/x.zip", fault, Reply(whole_zip))
        assert fetch(url, work, options=quick).path.read_bytes() == whole_zip
        assert len(server.seen) == 2
        assert products(work) == ["x.zip"]

    def test_retries_end(self, server: FileServer, work: Path, quick: TransferOptions) -> None:
        url = server.reply("/x.zip", Reply(status=503))
        with pytest.raises(TransferFailed, match="503"):
            fetch(url, work, options=quick)
        assert len(server.seen) == 1 + quick.retries

    def test_a_short_retry_after_is_kept(
        self, server: FileServer, whole_zip: bytes, work: Path, quick: TransferOptions
    ) -> None:
        busy = Reply(status=429, headers={"Retry-After": "1"})
        url = server.reply("/x.zip", busy, Reply(whole_zip))
        assert fetch(url, work, options=quick).seconds >= 1.0

    def test_a_long_retry_after_is_told_and_not_waited(
        self, server: FileServer, work: Path, quick: TransferOptions
    ) -> None:
        url = server.reply("/x.zip", Reply(status=503, headers={"Retry-After": "86400"}))
        with pytest.raises(TransferFailed, match="come back in 86400 s"):
            fetch(url, work, options=quick)
        assert len(server.seen) == 1

    def test_nobody_there(self, server: FileServer, work: Path, quick: TransferOptions) -> None:
        url = server.url("/x.zip")
        server.__exit__(None, None, None)
        with pytest.raises(TransferFailed, match="refused"):
            fetch(url, work, options=quick)
        server.__enter__ = lambda: server  # type: ignore[method-assign]


class TestStopping:
    def test_cancel_leaves_no_product(
        self, server: FileServer, whole_zip: bytes, work: Path, quick: TransferOptions
    ) -> None:
        there: list[int] = []
        url = server.reply("/x.zip", Reply(whole_zip))
        with pytest.raises(Interrupted):
            fetch(
                url,
                work,
                options=quick,
                progress=lambda done, _: there.append(done),
                cancel=lambda: len(there) > 3,
            )
        assert len(there) == 4
        assert nothing_but_parts(work)

    def test_ctrl_c_leaves_no_product(
        self, server: FileServer, whole_zip: bytes, work: Path, quick: TransferOptions
    ) -> None:
        def press(done: int, total: int | None) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            fetch(server.reply("/x.zip", Reply(whole_zip)), work, options=quick, progress=press)
        assert nothing_but_parts(work)

    def test_cancel_ends_a_wait(
        self, server: FileServer, work: Path, quick: TransferOptions
    ) -> None:
        url = server.reply("/x.zip", Reply(status=503, headers={"Retry-After": "60"}))
        began = time.monotonic()
        with pytest.raises(Interrupted):
            fetch(url, work, options=quick, cancel=lambda: time.monotonic() - began > 0.3)
        assert time.monotonic() - began < 2


class TestDisk:
    def test_no_space_is_told_before_the_first_byte(
        self,
        *,
        server: FileServer,
        whole_zip: bytes,
        work: Path,
        quick: TransferOptions,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        usage = namedtuple("usage", "total used free")
        monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**12, 10**12, 1000))
        with pytest.raises(NoSpace, match="1000 bytes free") as caught:
            fetch(server.reply("/x.zip", Reply(whole_zip)), work, options=quick)
        assert caught.value.exit_code == 9
        assert nothing_left(work)

    def test_a_disk_that_fills_up(
        self,
        *,
        server: FileServer,
        whole_zip: bytes,
        work: Path,
        quick: TransferOptions,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        work.mkdir()

        class Full(io.FileIO):
            def write(self, data: object, /) -> int:
                raise OSError(errno.ENOSPC, "No space left on device")

        def opened(path: Path, mode: str = "r", **how: object) -> object:
            return (
                Full(path, "r+")
                if mode == "r+b" and path.suffix == ".part"
                else real(path, mode, **how)
            )

        real = Path.open
        monkeypatch.setattr(Path, "open", opened)
        with pytest.raises(NoSpace, match="is full"):
            fetch(server.reply("/x.zip", Reply(whole_zip)), work, options=quick)
        assert nothing_left(work)

    def test_a_file_where_the_folder_should_be(
        self, server: FileServer, tmp_path: Path, quick: TransferOptions
    ) -> None:
        (tmp_path / "file").write_bytes(b"")
        with pytest.raises(NoResource, match="cannot write"):
            fetch(server.url("/x.zip"), tmp_path / "file", options=quick)
        assert not server.seen


class TestSecrets:
    """Userinfo is used, and neither it nor a token is ever repeated."""

    def test_userinfo_is_sent_and_not_kept(
        self,
        server: FileServer,
        whole_zip: bytes,
        work: Path,
        quick: TransferOptions,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        caplog.set_level(logging.DEBUG)
        server.reply("/x.zip", Reply(status=503), ASKS, Reply(whole_zip))
        url = server.url("/x.zip?token=t0psecret", userinfo="user:pa55word")
        got = fetch(url, work, options=quick)
        assert "authorization" not in server.seen[0].headers
        assert server.seen[-1].headers["authorization"].startswith("Basic ")
        for secret in ("pa55word", "t0psecret"):
            assert secret not in caplog.text
            assert secret not in repr(got)
        assert "503" in caplog.text

    @pytest.mark.parametrize(
        "reply",
        [
            Reply(status=401),
            Reply(status=404),
            Reply(status=503),
            Reply(reset=True),
            Reply(b"<html><title>No /x.zip?token=t0psecret for user:pa55word</title></html>"),
            Reply(b"PK\x03\x04", length=100),
            Reply(status=302, headers={"Location": "ftp://user:pa55word@h/x?token=t0psecret"}),
            Reply(status=302, headers={"Location": "/x.zip?token=t0psecret"}),
            Reply(status=302, headers={"Location": "http://[bad?token=t0psecret"}),
        ],
    )
    def test_no_message_repeats_them(
        self, server: FileServer, work: Path, quick: TransferOptions, reply: Reply
    ) -> None:
        server.reply("/x.zip", reply)
        url = server.url("/x.zip?token=t0psecret", userinfo="user:pa55word")
        with pytest.raises(Alos2Error) as caught:
            fetch(url, work, options=quick)
        error: BaseException | None = caught.value
        while error is not None:  # what a traceback would print
            assert "pa55word" not in str(error)
            assert "t0psecret" not in str(error)
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        assert nothing_but_parts(work)

    @pytest.mark.parametrize(
        "url", ["http://", "http://user:pa55@/x", "http://h:port/x", "http://h/a b"]
    )
    def test_no_url(self, url: str, work: Path) -> None:
        with pytest.raises(UsageError) as caught:
            fetch(url, work)
        assert "pa55" not in str(caught.value)

    def test_netrc_is_used(
        self,
        *,
        server: FileServer,
        whole_zip: bytes,
        work: Path,
        tmp_path: Path,
        quick: TransferOptions,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        netrc = tmp_path / "netrc"
        netrc.write_text("machine localhost login me password 53cret\n")
        netrc.chmod(0o600)
        monkeypatch.setenv("NETRC", str(netrc))
        fetch(server.reply("/x.zip", ASKS, Reply(whole_zip)), work, options=quick)
        assert "authorization" in server.seen[1].headers


class TestRedirects:
    def test_credentials_stay_on_their_host(
        self, server: FileServer, whole_zip: bytes, work: Path, quick: TransferOptions
    ) -> None:
        there = server.url("/there.zip", host="127.0.0.1")
        server.reply("/there.zip", Reply(whole_zip))
        server.reply("/here.zip", ASKS, Reply(status=302, headers={"Location": there}))
        got = fetch(server.url("/here.zip", userinfo="u:pw"), work, options=quick)
        assert got.path.name == "there.zip"
        assert "authorization" in server.seen[1].headers
        assert "authorization" not in server.seen[2].headers

    def test_credentials_stay_with_their_host(
        self, server: FileServer, whole_zip: bytes, work: Path, quick: TransferOptions
    ) -> None:
        server.reply("/there.zip", ASKS, Reply(whole_zip))
        server.reply("/here.zip", Reply(status=302, headers={"Location": "/there.zip"}))
        fetch(server.url("/here.zip", userinfo="u:pw"), work, options=quick)
        assert "authorization" in server.seen[2].headers

    def test_never_from_https_to_http(
        self,
        *,
        server: FileServer,
        tls_server: FileServer,
        trusted: Path,
        whole_zip: bytes,
        work: Path,
        quick: TransferOptions,
    ) -> None:
        there = server.reply("/x.zip", Reply(whole_zip))
        url = tls_server.reply("/x.zip", Reply(status=302, headers={"Location": there}))
        with pytest.raises(TransferFailed, match="https to http"):
            fetch(url, work, options=quick)
        assert not server.seen

    def test_a_circle_ends(self, server: FileServer, work: Path, quick: TransferOptions) -> None:
        url = server.reply("/x.zip", Reply(status=302, headers={"Location": "/x.zip"}))
        with pytest.raises(TransferFailed, match="redirects more than"):
            fetch(url, work, options=quick)


class TestTls:
    def test_an_unknown_authority_is_not_trusted(
        self, tls_server: FileServer, whole_zip: bytes, work: Path, quick: TransferOptions
    ) -> None:
        url = tls_server.reply("/x.zip", Reply(whole_zip))
        with pytest.raises(TransferFailed, match="certificate is not trusted") as caught:
            fetch(url, work, options=quick)
        assert "REQUESTS_CA_BUNDLE" in caught.value.hint

    def test_a_named_bundle_is(
        self,
        *,
        tls_server: FileServer,
        authority: trustme.CA,
        trusted: Path,
        whole_zip: bytes,
        work: Path,
        quick: TransferOptions,
    ) -> None:
        got = fetch(tls_server.reply("/x.zip", Reply(whole_zip)), work, options=quick)
        assert got.path.read_bytes() == whole_zip
