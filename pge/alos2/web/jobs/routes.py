"""Jobs over HTTP: list, ask, send a zip, cancel, try again, follow.

Who may change things is decided before (`alos2.web.security`); here only whether the operator
allows ingest at all.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from alos2.errors import NoSpace, UsageError
from alos2.web.answers import HttpError, document, to_json
from alos2.web.jobs.asked import UPLOAD, Asked, asked, upload_name
from alos2.web.jobs.board import UPLOADS, JobBoard
from alos2.web.jobs.table import Job
from alos2.web.security import may_change

_LEAST_S: Final = 0.4
"""Between two events."""
_SILENCE_S: Final = 15.0
"""After which a comment is sent, so that proxies keep the connection."""
_SPARE_BYTES: Final = 1 << 30
"""Room that must be left when a file is sent."""
_NO_STORE: Final = {"Cache-Control": "no-store"}
_ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06")


def routes(board: JobBoard) -> list[Route]:
    """Return the routes of a board."""
    asking = _Handlers(board)
    return [
        Route("/api/jobs", asking.get_jobs),
        Route("/api/jobs", asking.post_job, methods=["POST"]),
        Route("/api/jobs/upload", asking.post_upload, methods=["POST"]),
        Route("/api/jobs/events", asking.get_events),
        Route("/api/jobs/{job}", asking.get_job),
        Route("/api/jobs/{job}", asking.delete_job, methods=["DELETE"]),
        Route("/api/jobs/{job}/retry", asking.retry_job, methods=["POST"]),
    ]


class _Handlers:
    """What answers requests, all of them about one board."""

    def __init__(self, board: JobBoard) -> None:
        self._board = board

    async def get_jobs(self, request: Request) -> Response:
        """Answer with all jobs."""
        return document(request, to_json(_listed(self._board)), cache="no-store")

    async def get_job(self, request: Request) -> Response:
        """Answer with a job, and its log to who may change things."""
        job = self._board.get(request.path_params["job"])
        told = job.to_json()
        # A log names places of the server's disk.
        if may_change(request, self._board.options):
            told["log"] = list(job.log)
        return document(request, to_json({"job": told}), cache="no-store")

    async def post_job(self, request: Request) -> Response:
        """Take in a job that the body asks for."""
        self._require_allowed()
        if not request.headers.get("content-type", "").startswith("application/json"):
            raise HttpError(415, "WrongType", "a job is asked for in JSON")
        try:
            given = json.loads(await request.body())
        except ValueError as error:
            raise UsageError(f"the body is no JSON: {error}") from error
        return _told(self._board.add(asked(given)), 201)

    async def post_upload(self, request: Request) -> Response:
        """Take in a zip, and a job for it."""
        self._require_allowed()
        name = upload_name(request.query_params.get("name"))
        place = Path(UPLOADS) / secrets.token_hex(8)
        await _receive(request, self._board.folder / place, name)
        force = request.query_params.get("force") == "1"
        return _told(self._board.add(Asked(UPLOAD, (place / name).as_posix(), force)), 201)

    async def delete_job(self, request: Request) -> Response:
        """Cancel a job, or forget one that is over."""
        self._require_allowed()
        return _told(self._board.cancel(request.path_params["job"]))

    async def retry_job(self, request: Request) -> Response:
        """Let a job begin again."""
        self._require_allowed()
        return _told(self._board.retry(request.path_params["job"]))

    async def get_events(self, request: Request) -> Response:  # noqa: ARG002  a route has it
        """Answer with events, as long as somebody listens."""
        return StreamingResponse(
            _events(self._board),
            media_type="text/event-stream",
            headers={"X-Accel-Buffering": "no", **_NO_STORE},
        )

    def _require_allowed(self) -> None:
        if not self._board.options.allow_ingest:
            raise HttpError(
                403, "NotAllowed", "this server does not ingest from the page (--allow-ingest)"
            )


def _listed(board: JobBoard) -> dict[str, object]:
    return {
        "allowed": board.options.allow_ingest,
        "jobs": [job.to_json() for job in board.jobs],
    }


def _told(job: Job, status: int = 200) -> Response:
    return Response(to_json({"job": job.to_json()}), status, _NO_STORE, "application/json")


async def _events(board: JobBoard) -> AsyncIterator[bytes]:
    """Yield server-sent events (WHATWG HTML, section 9.2): all jobs, after each change."""
    yield b"retry: 3000\n\n"
    yield _event(board)
    async for is_news in board.changes(_LEAST_S, _SILENCE_S):
        yield _event(board) if is_news else b": still here\n\n"


def _event(board: JobBoard) -> bytes:
    return b"event: jobs\ndata: " + to_json(_listed(board)) + b"\n\n"


async def _receive(request: Request, place: Path, name: str) -> None:
    """Write what is sent into a file, a piece at a time; nothing of it stays if it is cut off.

    Raises
    ------
    HttpError
        It is no zip, or was cut off.
    NoSpace
        The disk is full, or would be.
    """
    length = int(request.headers.get("content-length") or 0)
    kept = False
    try:
        await asyncio.to_thread(_make_room, place, length)
        with (place / name).open("xb") as file:
            first = True
            async for piece in request.stream():
                if not piece:
                    continue
                if first and not piece.startswith(_ZIP):
                    raise HttpError(415, "WrongType", f"{name} is no zip")
                first = False
                await asyncio.to_thread(file.write, piece)
            if first:
                raise HttpError(400, "Empty", f"{name} is empty")
        kept = True
    except ClientDisconnect as error:
        raise HttpError(400, "CutOff", f"{name} was cut off") from error
    except OSError as error:
        raise NoSpace(f"{name} cannot be written: {error.strerror}") from error
    finally:
        if not kept:
            shutil.rmtree(place, ignore_errors=True)


def _make_room(place: Path, size: int) -> None:
    place.mkdir(mode=0o700, parents=True)
    free = shutil.disk_usage(place).free
    if free < size + _SPARE_BYTES:
        raise NoSpace(f"the file has {size} bytes and the disk {free} left")
