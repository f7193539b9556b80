"""Mozart as its public code has it (August 2026), on a real socket of loopback.

What it refuses is refused in its words. What it would swallow in silence, and only go wrong later
in the cluster, is noted in ``complaints``: a field that it does not know, a parameter that is no
text, a name that makes no directory. Jobs are queued as HySDS's orchestrator does it: one that has
the payload hash of another that is queued, started or completed is dropped as a copy; the first to
name a hash wins, also among those that come at the same moment (HySDS sets a key in Redis).

The index of jobs is answered at ``/es``: the one query that the tests' subject asks.
"""

from __future__ import annotations

import base64
import json
import re
import socket
import ssl
import struct
import threading
import time
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

FIELDS = {
    "type", "queue", "priority", "tags", "name", "payload_hash", "username", "enable_dedup",
    "soft_time_limit", "time_limit", "disk_usage", "params",
}  # fmt: skip
DEDUP_STATES = ("job-queued", "job-started", "job-completed")

Fault = Literal["500", "500 after", "lost", "dropped", "503", "slow", "not json", "refused"]
"""What becomes of one submission: an error before or after the job was taken, an answer that never
comes although or because the job was (not) taken, a busy proxy, a late answer, a proxy's page, and
Mozart's ``success: false`` under HTTP 200."""


@dataclass
class Job:
    """A submission that was taken, and the document that HySDS keeps of it."""

    id: str
    form: dict[str, str]
    params: dict[str, Any]
    status: str
    dedup_job: str | None
    made: float
    changed: datetime

    @property
    def payload_hash(self) -> str:
        return self.form["payload_hash"]

    def document(self) -> dict[str, Any]:
        found = {
            "status": self.status,
            "payload_id": self.id,
            "payload_hash": self.payload_hash,
            "@timestamp": self.changed.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "tags": json.loads(self.form.get("tags", "[]"))[:1],
            "job": {"name": self.form.get("name"), "priority": int(self.form.get("priority", 0))},
        }
        return found if self.dedup_job is None else {**found, "dedup_job": self.dedup_job}


@dataclass
class FakeMozart:
    """A Mozart with the job-specs `specs`; use it as a context manager."""

    specs: dict[str, list[str]] = field(default_factory=dict)
    """Names of the parameters of each job-spec."""
    queues: tuple[str, ...] = ("alos2-worker",)
    login: tuple[str, str] | None = None
    tls: ssl.SSLContext | None = None
    lag_s: float = 0.0
    """How long after its submission a job is known: Redis, logstash and the index take a while."""
    slow_s: float = 2.0
    faults: list[Fault] = field(default_factory=list)
    """Of the next submissions, in this order; then there are none."""
    jobs: list[Job] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def __enter__(self) -> FakeMozart:
        self.closing = threading.Event()
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.fake = self
        if self.tls is not None:
            self._server.socket = self.tls.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.02,), daemon=True
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
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def base(self) -> str:
        scheme = "https" if self.tls is not None else "http"
        return f"{scheme}://127.0.0.1:{self._server.server_address[1]}"

    @property
    def url(self) -> str:
        """Of the REST API."""
        return f"{self.base}/api/v0.1"

    @property
    def index_url(self) -> str:
        """Of the index of jobs."""
        return f"{self.base}/es"

    @property
    def running(self) -> list[Job]:
        """The jobs that were not dropped as copies."""
        return [job for job in self.jobs if job.status != "job-deduped"]

    def end(self, job: Job, status: str = "job-completed", *, ago_s: float = 3600.0) -> None:
        """Bring a job to its end, some time ago."""
        job.status = status
        job.changed = datetime.fromtimestamp(time.time() - ago_s, timezone.utc)

    def next_fault(self) -> Fault | None:
        with self._lock:
            return self.faults.pop(0) if self.faults else None

    def known(self) -> list[Job]:
        return [job for job in self.jobs if time.monotonic() - job.made >= self.lag_s]

    def take(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """Do with a submission what Mozart and the orchestrator do."""
        missing = [name for name in ("type", "queue") if not form.get(name)]
        if missing:
            required = "Missing required parameter in the post body or the query string"
            errors = dict.fromkeys(missing, required)
            return 400, {"errors": errors, "message": "Input payload validation failed"}
        try:
            params = self._resolved(form)
        except (ValueError, LookupError) as error:
            text = f"Failed to submit job. {type(error)}:{error}"
            return 500, {"success": False, "message": text, "result": None, "tags": None}
        self._complain(form, params)
        job = self._queued(form, params)
        tags = json.loads(form["tags"]) if "tags" in form else None
        return 200, {"success": True, "message": "", "result": job.id, "tags": tags}

    def _resolved(self, form: dict[str, str]) -> dict[str, Any]:
        int(form.get("priority", "0"))
        if form.get("enable_dedup", "true").strip().lower() not in ("true", "false"):
            raise ValueError(f"Invalid value for param 'enable_dedup': {form['enable_dedup']}")
        for name in ("tags", "params"):
            try:
                json.loads(form.get(name, "{}"))
            except ValueError:
                text = f"Failed to parse input {name}. '{form[name]}' is malformed"
                raise ValueError(text) from None
        if form["type"] not in self.specs:
            raise LookupError(f"NotFoundError(404, job_specs/{form['type']} found: False)")
        params: dict[str, Any] = json.loads(form.get("params", "{}"))
        for name in self.specs[form["type"]]:
            if name not in params:
                raise ValueError(f"'params' must specify '{name}' parameter")
        return params

    def _complain(self, form: dict[str, str], params: dict[str, Any]) -> None:
        tags = json.loads(form.get("tags", "[]"))
        name = form.get("name", "")
        faults = {
            f"unknown fields {set(form) - FIELDS}": bool(set(form) - FIELDS),
            f"unknown params {set(params)}": bool(set(params) - set(self.specs[form["type"]])),
            "a parameter is no text": not all(isinstance(v, str) for v in params.values()),
            f"nobody serves the queue {form['queue']}": form["queue"] not in self.queues,
            f"priority {form.get('priority')}": not 0 <= int(form.get("priority", "0")) <= 9,
            "tags are no list of texts": not isinstance(tags, list)
            or not all(isinstance(tag, str) and tag for tag in tags),
            f"{name!r} makes no directory": not re.fullmatch(r"[A-Za-z0-9._-]+", name),
            "no payload hash": not re.fullmatch(r"[0-9a-f]{32}", form.get("payload_hash", "")),
            "dedup is off": form.get("enable_dedup") != "true",
        }
        self.complaints += [text for text, wrong in faults.items() if wrong]

    def _queued(self, form: dict[str, str], params: dict[str, Any]) -> Job:
        digest = form.get("payload_hash", "")
        with self._lock:
            others = [j for j in self.jobs if j.payload_hash == digest]
            twin = next((j for j in others if j.status in DEDUP_STATES), None)
            job = Job(
                str(uuid.uuid4()), form, params, "job-deduped" if twin else "job-queued",
                twin.id if twin else None, time.monotonic(), datetime.now(timezone.utc),
            )  # fmt: skip
            self.jobs.append(job)
        return job

    def search(self, body: dict[str, Any]) -> dict[str, Any]:
        """Answer the query for a delivery's jobs."""
        query = body["query"]["bool"]
        prefix = query["must"][0]["prefix"]["payload_hash"]
        without = query["must_not"][0]["term"]["status"]
        hits = [
            {"_id": job.id, "_source": job.document()}
            for job in sorted(self.known(), key=lambda job: job.payload_hash, reverse=True)
            if job.payload_hash.startswith(prefix) and job.status != without
        ]
        shards = {"total": 1, "successful": 1, "failed": 0}
        total = {"value": len(hits), "relation": "eq"}
        return {"timed_out": False, "_shards": shards, "hits": {"total": total, "hits": hits}}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    fake: FakeMozart

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that does not trust us is gone in the middle of the handshake."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        self._serve("GET")

    def do_POST(self) -> None:
        self._serve("POST")

    def _serve(self, method: str) -> None:
        fake = self.server.fake
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        fake.requests.append(f"{method} {parts.path}")
        if not self._is_allowed(fake):
            self._reply(401, {"message": "who are you?"})
            return
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if (method, parts.path) == ("POST", "/api/v0.1/job/submit"):
            self._submit(fake, body)
        elif (method, parts.path) == ("GET", "/api/v0.1/job/status"):
            job = self._job(fake, query)
            if job is not None:
                self._reply(200, {"success": True, "message": "", "status": job.status})
        elif (method, parts.path) == ("GET", "/api/v0.1/job/info"):
            job = self._job(fake, query)
            if job is not None:
                self._reply(200, {"success": True, "message": "", "result": job.document()})
        elif method == "POST" and parts.path == "/es/job_status-current,job_failed/_search":
            self._reply(200, fake.search(json.loads(body)))
        else:
            self._reply(404, {"message": "The requested URL was not found on the server."})

    def _submit(self, fake: FakeMozart, body: bytes) -> None:
        fault = fake.next_fault()
        if fault in ("500", "503", "not json"):
            self._reply(500 if fault == "500" else 503 if fault == "503" else 200, fault)
            return
        if fault == "refused":
            self._reply(200, {"success": False, "message": "the queue is closed", "result": None})
            return
        if fault == "dropped":
            self._reset()
            return
        if self.headers.get("Content-Type") != "application/x-www-form-urlencoded":
            fake.complaints.append(f"not a form: {self.headers.get('Content-Type')}")
        pairs = parse_qs(body.decode(), keep_blank_values=True, strict_parsing=True)
        if any(len(values) > 1 for values in pairs.values()):
            fake.complaints.append("a field is given twice")
        status, reply = fake.take({name: values[0] for name, values in pairs.items()})
        if fault == "slow":
            fake.closing.wait(fake.slow_s)
        if fault == "lost":
            self._reset()
        elif fault == "500 after":
            self._reply(500, {"success": False, "message": "Failed to submit job. TimeoutError"})
        else:
            self._reply(status, reply)

    def _job(self, fake: FakeMozart, query: dict[str, str]) -> Job | None:
        job = next((job for job in fake.known() if job.id == query.get("id")), None)
        if job is None:
            text = f"job status not found: {query.get('id')}"
            self._reply(404, {"success": False, "message": text, "status": None})
        return job

    def _is_allowed(self, fake: FakeMozart) -> bool:
        if fake.login is None:
            return True
        pair = base64.b64encode(":".join(fake.login).encode()).decode()
        return self.headers.get("Authorization") == f"Basic {pair}"

    def _reply(self, status: int, content: object) -> None:
        is_text = isinstance(content, str)
        data = f"<html>{content}</html>".encode() if is_text else json.dumps(content).encode()
        try:
            self.send_response(status)
            self.send_header("Content-Type", "text/html" if is_text else "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
        except OSError:  # the client went away, which is what some tests are about
            self.close_connection = True

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
