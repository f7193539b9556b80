"""A file server over real sockets on loopback that can do wrong what servers do wrong."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Literal


@dataclass(frozen=True)
class Reply:
    """What one request gets."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    length: int | Literal["true", "none", "chunked"] = "true"
    """Content-Length: the true one, a lie, none (the end is the connection's), or chunked."""
    cut_at: int | None = None
    """Stop after so many bytes of the body."""
    stall_s: float = 0.0
    """Then stay silent for so long."""
    reset: bool = False
    """Then reset the connection (RST); otherwise close it."""


@dataclass(frozen=True)
class Seen:
    """A request as it came."""

    method: str
    target: str
    headers: dict[str, str]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        fake = self.server.fake
        fake.seen.append(Seen("GET", self.path, {k.lower(): v for k, v in self.headers.items()}))
        reply = fake.next_reply(self.path.partition("?")[0])
        if reply.reset and reply.cut_at is None:
            self._reset()
            return
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.length == "chunked":
            self.send_header("Transfer-Encoding", "chunked")
        elif reply.length != "none":
            count = len(reply.body) if reply.length == "true" else reply.length
            self.send_header("Content-Length", str(count))
        self.send_header("Connection", "close")
        self.end_headers()
        self._send_body(reply)
        self.close_connection = True

    def _send_body(self, reply: Reply) -> None:
        body = reply.body if reply.cut_at is None else reply.body[: reply.cut_at]
        try:
            if reply.length == "chunked":
                if body:
                    self.wfile.write(f"{len(body):x}\r\n".encode() + body + b"\r\n")
                if reply.cut_at is None:
                    self.wfile.write(b"0\r\n\r\n")
            else:
                self.wfile.write(body)
            self.wfile.flush()
            if reply.stall_s:
                self.server.fake.closing.wait(reply.stall_s)
            if reply.reset:
                self._reset()
        except OSError:  # the client went away, which is what some tests are about
            return

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    def finish(self) -> None:
        for stream in (self.wfile, self.rfile):
            try:
                stream.close()
            except (OSError, ValueError):  # after a reset there is nothing to flush
                continue

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Keep quiet."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    fake: FileServer

    def shutdown_request(self, request: object) -> None:
        try:
            super().shutdown_request(request)  # type: ignore[arg-type]
        except OSError:
            return

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that refuses our certificate or goes away is no error of the test."""


class FileServer:
    """Replies by path, one after the other; the last one is repeated.

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
        self._replies: dict[str, list[Reply]] = {}
        self._lock = threading.Lock()
        self.seen: list[Seen] = []
        self.closing = threading.Event()
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )

    def reply(self, path: str, *replies: Reply) -> str:
        """Set what `path` gets; return its URL."""
        self._replies[path] = list(replies)
        return self.url(path)

    def url(self, path: str, *, host: str = "localhost", userinfo: str = "") -> str:
        port = self._server.server_address[1]
        return f"{self._scheme}://{userinfo}{'@' if userinfo else ''}{host}:{port}{path}"

    def next_reply(self, path: str) -> Reply:
        with self._lock:
            waiting = self._replies.get(path)
            if not waiting:
                return Reply(status=404)
            return waiting.pop(0) if len(waiting) > 1 else waiting[0]

    def __enter__(self) -> FileServer:
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
