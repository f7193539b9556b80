"""An S3 service on loopback: moto, behind a door that does wrong what services and links do."""

from __future__ import annotations

import http.client
import logging
import socket
import struct
import threading
import time
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

import boto3
from botocore.config import Config
from moto.server import ThreadedMotoServer

BUCKET = "alos2-deliveries"


@dataclass
class S3Faults:
    """What goes wrong, from now on."""

    cut_at: list[int] = field(default_factory=list)
    """Bytes of a body after which the connection is reset, one entry for each GET."""
    stall_at: int | None = None
    """Nothing comes any more after so many bytes of a body."""
    answers: list[tuple[int, str, dict[str, str]]] = field(default_factory=list)
    """Status, code and headers of the next answers, in place of the service's own."""
    ignore_range: bool = False
    no_etag: bool = False
    no_content_range: bool = False


class _Door(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        fake = self.server.fake
        wanted = {name.lower(): value for name, value in self.headers.items()}
        fake.seen.append((self.command, self.path, dict(wanted)))
        faults = fake.faults
        if faults.answers:
            self._answer(*faults.answers.pop(0))
            return
        if faults.ignore_range:
            wanted.pop("range", None)
            wanted.pop("if-match", None)
        inner = http.client.HTTPConnection("127.0.0.1", fake.inner_port, timeout=10)
        try:
            inner.request(self.command, self.path, headers={**wanted, "connection": "close"})
            reply = inner.getresponse()
            body = reply.read()
            self.send_response(reply.status)
            for name, value in reply.getheaders():
                if not self._is_dropped(name.lower()):
                    self.send_header(name, value)
            self.send_header("Connection", "close")
            self.end_headers()
            self._send(body, is_object=reply.status in (200, 206))
        finally:
            inner.close()
        self.close_connection = True

    do_HEAD = do_GET  # noqa: N815

    def _is_dropped(self, name: str) -> bool:
        faults = self.server.fake.faults
        return (
            name in ("connection", "transfer-encoding")
            or (name == "etag" and faults.no_etag)
            or (name == "content-range" and faults.no_content_range)
        )

    def _answer(self, status: int, code: str, headers: dict[str, str]) -> None:
        body = f"<Error><Code>{code}</Code><Message>of the fake</Message></Error>".encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
        self.close_connection = True

    def _send(self, body: bytes, *, is_object: bool) -> None:
        faults = self.server.fake.faults
        if self.command == "HEAD":
            return
        try:
            if is_object and faults.stall_at is not None:
                self.wfile.write(body[: faults.stall_at])
                self.server.fake.closing.wait(5)
            elif is_object and faults.cut_at:
                self.wfile.write(body[: faults.cut_at.pop(0)])
                time.sleep(0.05)  # what was sent arrives
                self.connection.setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
                )
                self.connection.close()
            else:
                self.wfile.write(body)
        except OSError:  # the client went away
            return

    def finish(self) -> None:
        for stream in (self.wfile, self.rfile):
            try:
                stream.close()
            except (OSError, ValueError):
                continue

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Keep quiet."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    fake: S3Server

    def shutdown_request(self, request: Any) -> None:
        try:
            super().shutdown_request(request)
        except OSError:
            return

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that goes away is no error of the test."""


class S3Server:
    """A service with one bucket, `BUCKET`, in which old versions are kept."""

    def __init__(self) -> None:
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        self._door = _Server(("127.0.0.1", 0), _Door)
        self._door.fake = self
        self.faults = S3Faults()
        self.seen: list[tuple[str, str, dict[str, str]]] = []
        """Method, target and headers (lower case) of every request."""
        self.closing = threading.Event()
        self.inner_port = 0
        self.url = f"http://127.0.0.1:{self._door.server_address[1]}"
        self._thread = threading.Thread(
            target=self._door.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )

    def put(self, key: str, body: bytes, *, acl: str = "private") -> str:
        """Store an object; return its version."""
        said = self._client.put_object(Bucket=BUCKET, Key=key, Body=body, ACL=acl)
        return str(said["VersionId"])

    def gets(self) -> list[str]:
        """Return the Range header of each GET, empty where it had none."""
        return [headers.get("range", "") for method, _, headers in self.seen if method == "GET"]

    def __enter__(self) -> S3Server:
        self._moto.start()
        self.inner_port = int(self._moto.get_host_and_port()[1])
        self._client: Any = boto3.client(
            "s3",
            endpoint_url=f"http://127.0.0.1:{self.inner_port}",
            region_name="us-east-1",
            aws_access_key_id="setup",
            aws_secret_access_key="setup-secret",
            config=Config(request_checksum_calculation="when_required"),
        )
        self._client.create_bucket(Bucket=BUCKET)
        self._client.put_bucket_versioning(
            Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"}
        )
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.closing.set()
        self._client.close()
        self._door.shutdown()
        self._door.server_close()
        self._thread.join(5)
        self._moto.stop()
