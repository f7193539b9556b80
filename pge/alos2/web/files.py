"""Routes of files and map tiles."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from alos2.catalogue.search.model import Searchable
from alos2.web.answers import not_found
from alos2.web.archive import OpenFile
from alos2.web.context import Context
from alos2.web.ranges import Span, http_date, is_unmodified, wanted_span
from alos2.web.readers import Readers

_BLOCK: Final = 1 << 18
_SHORT_S: Final = 3600
_LONG_S: Final = 31_536_000
_FILES_CSP: Final = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
"""A file may hold whatever: nothing in it is ever run."""


async def get_file(request: Request) -> Response:
    """Answer with a file of a dataset, or a part of it."""
    context = Context.of(request)
    dataset, path = request.path_params["dataset"], request.path_params["path"]

    def find(catalogue: Searchable) -> OpenFile:
        return context.files.open(dataset, path, folder=context.folder(catalogue, dataset))

    return await send_file(request, context.readers, await context.readers.ask(find))


async def send_file(request: Request, readers: Readers, file: OpenFile) -> Response:
    """Answer with an open file as the request wants it; it is closed in any case.

    Raises
    ------
    HttpError
        416: the part that is asked for lies outside.
    """
    streaming = False
    try:
        headers = {
            "ETag": file.etag,
            "Last-Modified": http_date(file.mtime_ns),
            "Accept-Ranges": "bytes",
            "Cache-Control": cache_control(request),
            "Content-Security-Policy": _FILES_CSP,
        }
        if is_unmodified(request.headers, file.etag, file.mtime_ns):
            return Response(None, 304, headers)
        if not file.is_shown:
            headers["Content-Disposition"] = _attachment(file.name)
        span = wanted_span(request.headers, file.size, file.etag, file.mtime_ns)
        status = 200
        if span is None:
            span = Span(0, file.size)
        else:
            status = 206
            last = span.first + span.size - 1
            headers["Content-Range"] = f"bytes {span.first}-{last}/{file.size}"
        headers["Content-Length"] = str(span.size)
        if request.method == "HEAD":
            return Response(None, status, headers, file.media_type)
        if span.size <= _BLOCK:
            body = await readers.run(lambda: _whole(file, span))
            return Response(body, status, headers, file.media_type)
        streaming = True
        return StreamingResponse(
            _blocks(file, span, readers), status, headers, media_type=file.media_type
        )
    finally:
        if not streaming:
            file.close()


def cache_control(request: Request) -> str:
    """Return how long an answer may be kept: for ever under an address that names its version."""
    scope = "public" if Context.of(request).options.proxy_user_header is None else "private"
    if request.query_params.get("v"):
        return f"{scope}, max-age={_LONG_S}, immutable"
    return f"{scope}, max-age={_SHORT_S}, must-revalidate"


async def get_no_file(request: Request) -> Response:
    """Answer that a folder is none of the files."""
    raise not_found(f"{request.url.path[:80]!r} is no file")


def _whole(file: OpenFile, span: Span) -> bytes:
    body = file.read(span.first, span.size)
    if len(body) != span.size:
        raise not_found("the file has become shorter meanwhile")
    return body


async def _blocks(file: OpenFile, span: Span, readers: Readers) -> AsyncIterator[bytes]:
    """Yield a part of a file; too short only if the file has become so, which ends the answer."""
    try:
        at, left = span
        while left > 0:
            first, size = at, min(left, _BLOCK)
            block = await readers.run(lambda f=first, s=size: file.read(f, s))  # type: ignore[misc]
            if not block:
                return
            yield block
            at, left = at + len(block), left - len(block)
    finally:
        file.close()


def _attachment(name: str) -> str:
    plain = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "_" for c in name)
    return f'attachment; filename="{plain}"'


ROUTES: Final = [
    Route("/files/{dataset}/{path:path}", get_file),
    Route("/files/{path:path}", get_no_file),
]
