"""Basic and Digest, against WsgiDAV (a server that nobody here wrote) and against a strict fake."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from cheroot import wsgi
from wsgidav.wsgidav_app import WsgiDAVApp

from alos2.errors import LoginFailed, NothingFound
from alos2.sources import TransferOptions, fetch
from alos2.sources.credentials.refused import forget
from fakes.file_server import FileServer, Reply


@dataclass
class Dav:
    folder: Path
    port: int
    requests: list[tuple[str, str, str]]
    """Path, Authorization, Range of each."""

    def url(self, name: str, *, scheme: str = "webdav", userinfo: str = "") -> str:
        at = f"{userinfo}@" if userinfo else ""
        return f"{scheme}://{at}localhost:{self.port}/{name}"


@pytest.fixture(params=["basic", "digest"])
def dav(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Dav]:
    folder = tmp_path / "dav"
    folder.mkdir()
    basic = request.param == "basic"
    app = WsgiDAVApp(
        {
            "provider_mapping": {"/": str(folder)},
            "http_authenticator": {
                "accept_basic": basic,
                "accept_digest": not basic,
                "default_to_digest": not basic,
            },
            "simple_dc": {"user_mapping": {"*": {"me": {"password": "53cret word/ä"}}}},
            "verbose": 0,
            "logging": {"enable": False},
        }
    )
    seen: list[tuple[str, str, str]] = []

    def watched(environ: dict[str, Any], start_response: Any) -> Any:
        sent = environ.get("HTTP_AUTHORIZATION", "")
        seen.append((environ["PATH_INFO"], sent, environ.get("HTTP_RANGE", "")))
        return app(environ, start_response)

    server = wsgi.Server(("127.0.0.1", 0), watched, numthreads=4)
    server.prepare()
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        yield Dav(folder, server.bind_addr[1], seen)
    finally:
        server.stop()
        thread.join(10)


USERINFO = "me:53cret%20word%2F%C3%A4"


@pytest.mark.parametrize("scheme", ["webdav", "dav", "http"])
def test_webdav_with_a_login(
    dav: Dav, whole_zip: bytes, work: Path, quick: TransferOptions, scheme: str
) -> None:
    (dav.folder / "x.zip").write_bytes(whole_zip)
    got = fetch(dav.url("x.zip", scheme=scheme, userinfo=USERINFO), work, options=quick)
    assert got.path.read_bytes() == whole_zip
    assert got.url == dav.url("x.zip", scheme=scheme)


def test_webdav_goes_on_where_it_ended(
    dav: Dav, whole_zip: bytes, work: Path, quick: TransferOptions
) -> None:
    (dav.folder / "x.zip").write_bytes(whole_zip)
    url = dav.url("x.zip", userinfo=USERINFO)

    def stop(done: int, _: int | None) -> None:
        if done > 100_000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fetch(url, work, options=quick, progress=stop)
    got = fetch(url, work, options=quick)
    assert got.path.read_bytes() == whole_zip
    assert dav.requests[-1][2].startswith("bytes=")


def test_a_wrong_password_is_sent_once_and_never_again(
    dav: Dav, whole_zip: bytes, work: Path, quick: TransferOptions
) -> None:
    (dav.folder / "x.zip").write_bytes(whole_zip)
    url = dav.url("x.zip", userinfo="me:wr0ng-one")
    with pytest.raises(LoginFailed, match="did not accept the password of me"):
        fetch(url, work, options=quick)
    assert sum(bool(sent) for _, sent, _ in dav.requests) == 1
    forget()  # as a new process would
    with pytest.raises(LoginFailed, match="refused this password of me before"):
        fetch(url, work, options=quick)
    assert sum(bool(sent) for _, sent, _ in dav.requests) == 1
    got = fetch(dav.url("x.zip", userinfo=USERINFO), work, options=quick)
    assert got.path.read_bytes() == whole_zip


def test_a_missing_file_behind_a_login(dav: Dav, work: Path, quick: TransferOptions) -> None:
    with pytest.raises(NothingFound):
        fetch(dav.url("no.zip", userinfo=USERINFO), work, options=quick)


def test_no_login_where_one_is_needed(dav: Dav, work: Path, quick: TransferOptions) -> None:
    (dav.folder / "x.zip").write_bytes(b"PK")
    with pytest.raises(LoginFailed, match="401") as caught:
        fetch(dav.url("x.zip"), work, options=quick)
    assert "netrc" in caught.value.hint


def test_a_digest_is_preferred_where_both_are_offered(
    server: FileServer, whole_zip: bytes, work: Path, quick: TransferOptions
) -> None:
    both = Reply(
        status=401,
        headers={"WWW-Authenticate": 'Basic realm="a", Digest realm="b", nonce="n", qop="auth"'},
    )
    server.reply("/x.zip", both, Reply(whole_zip))
    fetch(server.url("/x.zip", userinfo="me:53cret-word"), work, options=quick)
    assert server.seen[1].headers["authorization"].startswith("Digest ")


def test_a_stale_nonce_is_no_refusal(
    server: FileServer, whole_zip: bytes, work: Path, quick: TransferOptions
) -> None:
    asks = Reply(status=401, headers={"WWW-Authenticate": 'Digest realm="b", nonce="n"'})
    stale = Reply(
        status=401, headers={"WWW-Authenticate": 'Digest realm="b", nonce="m", stale=true'}
    )
    server.reply("/x.zip", asks, stale, Reply(whole_zip))
    got = fetch(server.url("/x.zip", userinfo="me:53cret-word"), work, options=quick)
    assert got.size == len(whole_zip)
    assert 'nonce="m"' in server.seen[2].headers["authorization"]


def test_over_https_the_password_goes_with_the_first_request(
    tls_server: FileServer, whole_zip: bytes, work: Path, quick: TransferOptions, trusted: Path
) -> None:
    tls_server.reply("/x.zip", Reply(whole_zip))
    url = tls_server.url("/x.zip", userinfo="me:53cret-word").replace("https:", "davs:")
    got = fetch(url, work, options=quick)
    assert got.size == len(whole_zip)
    assert tls_server.seen[0].headers["authorization"].startswith("Basic ")
