"""The page: ``index.html``, and what it is made of, below ``/static``.

All of it is read once and kept, deflated; a browser asks each time whether it has changed.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from alos2.web.answers import accepts_gzip, etag_of, is_known, not_found

STATIC: Final = Path(__file__).parent / "static"

_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".md": "text/plain; charset=utf-8",
    "": "text/plain; charset=utf-8",
}
"""By the end of a name; licences have none. What is of no type here is not given out."""
_PICTURES: Final = ("image/png",)


@dataclass(frozen=True)
class Part:
    """A file of the page."""

    body: bytes
    packed: bytes | None
    """With gzip, where that is smaller."""
    etag: str
    media_type: str


@lru_cache(maxsize=1)
def parts() -> dict[str, Part]:
    """Return the files of the page by their paths below ``/static``."""
    found = {}
    for path in sorted(STATIC.rglob("*")):
        media_type = _TYPES.get(path.suffix)
        if not path.is_file() or media_type is None or path.name.startswith("."):
            continue
        body = path.read_bytes()
        # A fixed time: the same file is the same bytes on every server.
        packed = None if media_type in _PICTURES else gzip.compress(body, 6, mtime=0)
        if packed is not None and len(packed) >= len(body):
            packed = None
        name = path.relative_to(STATIC).as_posix()
        found[name] = Part(body, packed, etag_of(body), media_type)
    return found


async def get_page(request: Request) -> Response:
    """Answer with the page itself."""
    return _answer(request, parts()["index.html"])


async def get_part(request: Request) -> Response:
    """Answer with a file of the page."""
    part = parts().get(request.path_params["path"])
    if part is None:
        raise not_found("the page has no such part")
    return _answer(request, part)


def _answer(request: Request, part: Part) -> Response:
    packs = part.packed is not None and accepts_gzip(request)
    etag = f'{part.etag[:-1]}-gz"' if packs else part.etag
    headers = {"ETag": etag, "Vary": "Accept-Encoding", "Cache-Control": "no-cache"}
    if is_known(request, etag):
        return Response(None, 304, headers)
    body = part.packed if packs and part.packed is not None else part.body
    if packs:
        headers["Content-Encoding"] = "gzip"
    headers["Content-Length"] = str(len(body))
    return Response(
        None if request.method == "HEAD" else body, 200, headers, media_type=part.media_type
    )


ROUTES: Final = [Route("/", get_page), Route("/static/{path:path}", get_part)]
