"""A web server on loopback with accounts and cookies, from the standard library alone."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Final, TypeVar
from urllib.parse import parse_qsl, unquote, urlsplit

_Portal = TypeVar("_Portal", bound="PortalServer")

_CHUNK: Final = 1 << 16
_LARGEST_FORM: Final = 1 << 16


@dataclass(frozen=True)
class Request:
    """A request as it came."""

    method: str
    path: str
    """Decoded, without the query."""
    query: dict[str, str]
    form: dict[str, str]
    """Of a POST with an ordinary form; empty otherwise."""
    cookies: dict[str, str]
    headers: dict[str, str]
    """Names in lower case."""


@dataclass(frozen=True)
class Answer:
    """What is sent back."""

    body: bytes | Path = b""
    status: int = 200
    content_type: str = "text/html; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()
    cut_at: int | None = None
    """Close the connection after so many bytes of the body, whatever its length says."""
    stall_s: float = 0.0
    """Be silent for so long before that."""

    @classmethod
    def of_json(cls, value: object, **changes: Any) -> Answer:
        """Answer with JSON."""
        return cls(json.dumps(value).encode(), content_type="application/json", **changes)

    @classmethod
    def page(cls, title: str, body: str = "", **changes: Any) -> Answer:
        """Answer with a web page."""
        html = f"<!DOCTYPE html><html><head><title>{title}</title></head><body>{body}</body></html>"
        return cls(html.encode(), **changes)

    @classmethod
    def download(cls, path: Path, name: str | None = None, **changes: Any) -> Answer:
        """Answer with a file to be stored as `name`; ranges and ``If-Range`` are understood."""
        disposition = f'attachment; filename="{name or path.name}"'
        return cls(
            path,
            content_type="application/zip",
            headers=(("Content-Disposition", disposition),),
            **changes,
        )

    @classmethod
    def redirect(cls, target: str, **changes: Any) -> Answer:
        """Answer with 302."""
        return cls(status=302, headers=(("Location", target),), **changes)


class PortalServer:
    """Runs `answer` for each request, in threads; a context manager.

    Parameters
    ----------
    tls : ssl.SSLContext, optional
        With it the server speaks https; the demo does without, and stays on loopback.

    Attributes
    ----------
    seen : list of Request
        What was asked, in order.
    """

    def __init__(self, *, tls: ssl.SSLContext | None = None) -> None:
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.portal = self
        self._scheme = "http"
        if tls is not None:
            self._scheme = "https"
            self._server.socket = tls.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        self.seen: list[Request] = []
        self.closing = threading.Event()

    def answer(self, request: Request) -> Answer:  # noqa: ARG002
        """Say what `request` gets; subclasses do."""
        return Answer(status=404)

    @property
    def url(self) -> str:
        """Base URL, without a slash at its end."""
        host = "localhost" if self._scheme == "https" else "127.0.0.1"
        return f"{self._scheme}://{host}:{self._server.server_address[1]}"

    def __enter__(self: _Portal) -> _Portal:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    portal: PortalServer

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a client that goes away is no fault of ours."""

    def shutdown_request(self, request: Any) -> None:
        try:
            super().shutdown_request(request)
        except OSError:  # the connection is gone already
            return


@dataclass(frozen=True)
class _Span:
    """Bytes of a body that are sent."""

    start: int
    stop: int
    total: int
    partial: bool = field(default=False)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        self._serve()

    def do_HEAD(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def _serve(self) -> None:
        portal = self.server.portal
        request = self._request()
        portal.seen.append(request)
        answer = portal.answer(request)
        with _opened(answer.body) as (file, size, etag):
            span = self._span(answer, size, etag)
            self._head(answer, span, etag)
            try:
                if self.command != "HEAD":
                    self._send(file, span, answer)
            except OSError:  # the client went away
                self.close_connection = True

    def _request(self) -> Request:
        headers = {name.lower(): value for name, value in self.headers.items()}
        parts = urlsplit(self.path)
        length = headers.get("content-length", "0")
        posted = self.rfile.read(min(int(length), _LARGEST_FORM)) if length.isdigit() else b""
        form = {}
        if headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            form = dict(parse_qsl(posted.decode(), keep_blank_values=True))
        cookies: SimpleCookie = SimpleCookie()
        try:
            cookies.load(headers.get("cookie", ""))
        except CookieError:
            cookies.clear()
        return Request(
            self.command,
            unquote(parts.path),
            dict(parse_qsl(parts.query, keep_blank_values=True)),
            form,
            {name: morsel.value for name, morsel in cookies.items()},
            headers,
        )

    def _span(self, answer: Answer, size: int, etag: str) -> _Span:
        """Return what a Range header asks for (one range, RFC 9110 section 14), else all."""
        asked = self.headers.get("Range", "")
        if not etag or answer.status != 200 or not asked.startswith("bytes="):
            return _Span(0, size, size)
        if self.headers.get("If-Range", etag) != etag:
            return _Span(0, size, size)
        first, _, last = asked.removeprefix("bytes=").partition("-")
        if not first.isdigit() or (last and not last.isdigit()):
            return _Span(0, size, size)
        stop = min(int(last) + 1, size) if last else size
        return _Span(int(first), stop, size, partial=True)

    def _head(self, answer: Answer, span: _Span, etag: str) -> None:
        status = answer.status
        if span.partial:
            status = 206 if span.start < span.stop else 416
        self.send_response(status)
        for name, value in answer.headers:
            self.send_header(name, value)
        if etag:
            self.send_header("ETag", etag)
            self.send_header("Accept-Ranges", "bytes")
        if status == 206:
            self.send_header("Content-Range", f"bytes {span.start}-{span.stop - 1}/{span.total}")
        elif status == 416:
            self.send_header("Content-Range", f"bytes */{span.total}")
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(max(0, span.stop - span.start)))
        self.end_headers()

    def _send(self, file: BinaryIO, span: _Span, answer: Answer) -> None:
        stop = span.stop if answer.cut_at is None else min(span.stop, span.start + answer.cut_at)
        file.seek(span.start)
        left = stop - span.start
        while left > 0 and (piece := file.read(min(_CHUNK, left))):
            self.wfile.write(piece)
            left -= len(piece)
        if answer.cut_at is not None:
            self.wfile.flush()
            self.server.portal.closing.wait(answer.stall_s)
            self.close_connection = True

    def finish(self) -> None:
        try:
            super().finish()
        except (OSError, ValueError):  # nothing to flush on a connection that is gone
            return

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base's name
        """Say nothing: what a client sends may be a secret."""


@contextmanager
def _opened(body: bytes | Path) -> Iterator[tuple[BinaryIO, int, str]]:
    """Open a body; gives its size too, and of a file a strong ETag."""
    if isinstance(body, Path):
        with body.open("rb") as file:
            status = body.stat()
            yield file, status.st_size, f'"{status.st_mtime_ns:x}-{status.st_size:x}"'
    else:
        yield BytesIO(body), len(body), ""
