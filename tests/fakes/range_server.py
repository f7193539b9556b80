"""A file server with ranges and validators, over real sockets, and a switch for every wrong.

An `Object` says what the server has and how well it keeps to RFC 9110; a `Fault` says what goes
wrong with one request. Faults are used up one after the other; then all is well.
"""

from __future__ import annotations

import gzip
import hashlib
import re
import socket
import ssl
import struct
import threading
import time
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Literal

HTML_TAIL = b"\n<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>\n"
LOGIN_PAGE = (
    b"<!DOCTYPE html><html><head><title>Please log in</title></head><body><form>"
    b"<input name='user'><input type='password' name='pw'></form></body></html>"
)
_LONG_AGO = 1_600_000_000.0


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one request; the plain one is none."""

    status: int | None = None
    """Answer with this instead."""
    retry_after: str | None = None
    page: bytes | None = None
    """Send this HTML page with status 200 instead."""
    cut_at: int | None = None
    """Send so many bytes of the body, then close the connection."""
    stall_s: float = 0.0
    """Be silent for so long at that place."""
    reset: bool = False
    """Reset the connection there instead of closing it."""
    length_lie: int = 0
    """Add this to Content-Length."""
    ignore_range: bool = False
    """Answer 200 with everything."""
    range_shift: int = 0
    """Send bytes that begin so much later than asked for, and say so in Content-Range."""
    silent_shift: int = 0
    """The same, but Content-Range claims what was asked for."""
    total_lie: int = 0
    """Add this to the total in Content-Range."""
    no_content_range: bool = False
    html_tail: bool = False
    """Append a page to the body, and count it into the length."""
    gzip: bool = False
    """Compress the body, although nobody asked for it."""
    say_416: bool = False
    """Answer 416 to a range that could be satisfied."""
    change: bool = False
    """After this reply the object is the next version."""


@dataclass
class Object:
    """A file, in one or more versions."""

    versions: list[bytes]
    etag: Literal["strong", "weak", "none", "changing", "same"] = "strong"
    """``changing``: another at each request; ``same``: the same for all versions (a lie)."""
    modified: Literal["old", "young", "none", "same"] = "none"
    """``young``: a second ago; ``same``: long ago for all versions (a lie)."""
    ranges: bool = True
    if_range: bool = True
    """Whether If-Range is looked at."""
    length: Literal["true", "none", "chunked"] = "true"
    disposition: str | None = None
    version: int = 0
    faults: list[Fault] = field(default_factory=list)
    requests: int = 0

    @property
    def body(self) -> bytes:
        return self.versions[min(self.version, len(self.versions) - 1)]


@dataclass(frozen=True)
class Seen:
    """A request as it came, and the status that it got."""

    path: str
    headers: dict[str, str]
    status: int


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        fake = self.server.fake
        found, fault, body, version = fake.take(self.path.partition("?")[0])
        self.close_connection = True
        if found is None:
            self._say(404, {}, b"")
        elif fault.status is not None:
            retry = {"Retry-After": fault.retry_after} if fault.retry_after is not None else {}
            self._say(fault.status, retry, b"busy")
        elif fault.page is not None:
            self._say(200, {"Content-Type": "text/html"}, fault.page)
        else:
            self._send(found, fault, body, version)
        if found is not None and fault.change:
            found.version = min(found.version + 1, len(found.versions) - 1)

    def _say(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self._remember(status)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def _remember(self, status: int) -> None:
        seen = Seen(self.path, {k.lower(): v for k, v in self.headers.items()}, status)
        self.server.fake.seen.append(seen)

    def _send(self, found: Object, fault: Fault, body: bytes, version: int) -> None:
        headers = _validators(found, body, version)
        if found.disposition is not None:
            headers["Content-Disposition"] = found.disposition
        headers["Content-Type"] = "application/zip"
        if found.ranges:
            headers["Accept-Ranges"] = "bytes"
        if fault.gzip:
            body = gzip.compress(body, 1)
            headers["Content-Encoding"] = "gzip"
        start = self._start(found, fault, headers)
        status = 200
        if start is not None and (start >= len(body) or fault.say_416):
            self._say(416, {"Content-Range": f"bytes */{len(body)}"}, b"")
            return
        if start is not None:
            status = 206
            claimed = start + fault.range_shift
            if not fault.no_content_range:
                total = len(body) + fault.total_lie
                headers["Content-Range"] = f"bytes {claimed}-{len(body) - 1}/{total}"
            body = body[start + fault.range_shift + fault.silent_shift :]
            if fault.silent_shift:
                body += bytes(fault.silent_shift)
        if fault.html_tail:
            body += HTML_TAIL
        self._remember(status)
        self._send_body(found, fault, status, headers, body)

    def _start(self, found: Object, fault: Fault, headers: dict[str, str]) -> int | None:
        """Return where the asked part begins; None for everything."""
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if asked is None or not found.ranges or fault.ignore_range:
            return None
        condition = self.headers.get("If-Range")
        if condition is not None and found.if_range:
            strong = headers.get("ETag", "W/").startswith('"')
            valid = condition == headers.get("ETag") if strong else False
            if not valid and condition != headers.get("Last-Modified"):
                return None
        return int(asked[1])

    def _send_body(
        self, found: Object, fault: Fault, status: int, headers: dict[str, str], body: bytes
    ) -> None:
        length = len(body) + fault.length_lie
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if found.length == "chunked":
            self.send_header("Transfer-Encoding", "chunked")
        elif found.length == "true":
            self.send_header("Content-Length", str(max(0, length)))
        self.send_header("Connection", "close")
        sent = body if fault.cut_at is None else body[: fault.cut_at]
        try:
            self.end_headers()
            if found.length == "chunked":
                for at in range(0, len(sent), 50_000):
                    piece = sent[at : at + 50_000]
                    self.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
                if fault.cut_at is None:
                    self.wfile.write(b"0\r\n\r\n")
            else:
                self.wfile.write(sent)
            self.wfile.flush()
            if fault.stall_s:
                self.server.fake.closing.wait(fault.stall_s)
            if fault.reset:
                linger = struct.pack("ii", 1, 0)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                self.connection.close()
        except OSError:  # the client went away, or was killed, which is what it is about
            return

    def finish(self) -> None:
        for stream in (self.wfile, self.rfile):
            try:
                stream.close()
            except (OSError, ValueError):  # after a reset there is nothing to flush
                continue

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Keep quiet."""


def _validators(found: Object, body: bytes, version: int) -> dict[str, str]:
    headers = {}
    tag = hashlib.sha1(body, usedforsecurity=False).hexdigest()[:16]
    if found.etag == "strong":
        headers["ETag"] = f'"{tag}"'
    elif found.etag == "weak":
        headers["ETag"] = f'W/"{tag}"'
    elif found.etag == "changing":
        headers["ETag"] = f'"{tag}-{found.requests}"'
    elif found.etag == "same":
        headers["ETag"] = '"always"'
    if found.modified == "old":
        headers["Last-Modified"] = formatdate(_LONG_AGO + 1000 * version, usegmt=True)
    elif found.modified == "same":
        headers["Last-Modified"] = formatdate(_LONG_AGO, usegmt=True)
    elif found.modified == "young":
        headers["Last-Modified"] = formatdate(time.time() - 1, usegmt=True)
    return headers


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64
    fake: RangeServer

    def shutdown_request(self, request: object) -> None:
        try:
            super().shutdown_request(request)  # type: ignore[arg-type]
        except OSError:
            return

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away is no error of the test."""


class RangeServer:
    """Serves objects by path.

    Parameters
    ----------
    tls : ssl.SSLContext, optional
        With it the server speaks https.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.fake = self
        self._scheme = "http"
        if tls is not None:
            self._scheme = "https"
            self._server.socket = tls.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self._objects: dict[str, Object] = {}
        self._lock = threading.Lock()
        self.seen: list[Seen] = []
        self.closing = threading.Event()
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )

    def put(self, path: str, found: Object, *faults: Fault) -> str:
        """Serve `found` at `path`, with `faults` first; return its URL."""
        found.faults.extend(faults)
        self._objects[path] = found
        return self.url(path)

    def remove(self, path: str) -> None:
        """Serve it no longer."""
        self._objects.pop(path, None)

    def url(self, path: str, host: str = "localhost") -> str:
        return f"{self._scheme}://{host}:{self._server.server_address[1]}{path}"

    def take(self, path: str) -> tuple[Object | None, Fault, bytes, int]:
        """Return the object, what goes wrong now, and its state at this moment."""
        with self._lock:
            found = self._objects.get(path)
            if found is None:
                return None, Fault(), b"", 0
            found.requests += 1
            fault = found.faults.pop(0) if found.faults else Fault()
            return found, fault, found.body, found.version

    def asked(self, path: str) -> list[Seen]:
        """Return the requests for `path`."""
        return [seen for seen in self.seen if seen.path.partition("?")[0] == path]

    def __enter__(self) -> RangeServer:
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
