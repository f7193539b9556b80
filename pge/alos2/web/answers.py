"""What is sent back: JSON with an ETag and deflated where it helps, and errors as OGC has them.

RFC 9110 section 13 for conditional requests. Errors: OGC API - Features part 1, section 7.5.1 and
its schema ``exception``: ``code`` and ``description``; STAC API follows it.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from alos2.errors import (
    Alos2Error,
    BadProduct,
    LoginFailed,
    NoResource,
    NothingFound,
    PublishFailed,
    TransferFailed,
    UsageError,
)

try:
    from isal import isal_zlib as _packer
except ImportError:  # no wheel on some platforms; the format is the same
    _packer = zlib  # type: ignore[misc,unused-ignore]

JSON: Final = "application/json"
GEOJSON: Final = "application/geo+json"
SCHEMA: Final = "application/schema+json"
OPENAPI: Final = "application/vnd.oai.openapi+json;version=3.0"

_GZIP_WBITS: Final = 31
_WORTH_PACKING_BYTES: Final = 1400
"""Below this an answer fits one packet as it is."""
_STATUS: Final[tuple[tuple[type[Alos2Error], int, str], ...]] = (
    (UsageError, 400, "InvalidParameterValue"),
    (NothingFound, 404, "NotFound"),
    (LoginFailed, 502, "UpstreamLogin"),
    (TransferFailed, 502, "Upstream"),
    (NoResource, 503, "NoResource"),
    (PublishFailed, 503, "Catalogue"),
    (BadProduct, 422, "BadProduct"),
)


class HttpError(Exception):
    """A request that is answered with an error; not a fault of ours.

    Parameters
    ----------
    status : int
    code : str
        One word for programs.
    description : str
        A sentence for people.
    headers : mapping, optional
    """

    def __init__(
        self,
        status: int,
        code: str,
        description: str,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(description)
        self.status = status
        self.code = code
        self.description = description
        self.headers = dict(headers or {})


def bad_request(description: str) -> HttpError:
    """Return the error for a parameter that cannot be understood."""
    return HttpError(400, "InvalidParameterValue", description)


def not_found(description: str) -> HttpError:
    """Return the error for what is not there."""
    return HttpError(404, "NotFound", description)


def error_answer(error: HttpError | Alos2Error) -> Response:
    """Return the answer that tells of an error."""
    if isinstance(error, HttpError):
        status, code, text, headers = error.status, error.code, error.description, error.headers
    else:
        status, code = next(
            ((status, code) for kind, status, code in _STATUS if isinstance(error, kind)),
            (500, "InternalError"),
        )
        # A fault of ours may name what is nobody's business; it is in the log.
        text, headers = (str(error) if status != 500 else "the server has a fault"), {}
    body = to_json({"code": code, "description": text})
    return Response(body, status, {"Cache-Control": "no-store", **headers}, JSON)


def to_json(value: Any) -> bytes:
    """Return compact JSON in UTF-8."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode("utf-8", "backslashreplace")


def etag_of(body: bytes) -> str:
    """Return a strong ETag of what is sent."""
    return f'"{hashlib.blake2b(body, digest_size=12, usedforsecurity=False).hexdigest()}"'


def is_known(request: Request, etag: str) -> bool:
    """Whether the client has the answer with this ETag (``If-None-Match``, weak comparison)."""
    given = request.headers.get("if-none-match")
    if given is None:
        return False
    tags = {tag.strip().removeprefix("W/") for tag in given.split(",")}
    return "*" in tags or etag.removeprefix("W/") in tags


def document(
    request: Request,
    body: bytes,
    media_type: str = JSON,
    *,
    status: int = 200,
    cache: str = "no-cache",
) -> Response:
    """Return an answer with an ETag; empty and 304 where the client has it; deflated if wanted.

    Parameters
    ----------
    request : Request
    body : bytes
    media_type : str, optional
    status : int, optional
    cache : str, optional
        ``Cache-Control``; by default clients ask each time whether it has changed.
    """
    packs = len(body) >= _WORTH_PACKING_BYTES and accepts_gzip(request)
    etag = etag_of(body)
    if packs:
        # The two forms are two representations: each has its own strong tag.
        etag = f'{etag[:-1]}-gz"'
    headers = {"ETag": etag, "Vary": "Accept-Encoding", "Cache-Control": cache}
    if status == 200 and request.method in ("GET", "HEAD") and is_known(request, etag):
        return Response(None, 304, headers)
    if packs:
        packer = _packer.compressobj(1, zlib.DEFLATED, _GZIP_WBITS)
        body = packer.compress(body) + packer.flush()
        headers["Content-Encoding"] = "gzip"
    headers["Content-Length"] = str(len(body))
    return Response(None if request.method == "HEAD" else body, status, headers, media_type)


def json_document(request: Request, value: Any, media_type: str = JSON) -> Response:
    """Return `value` as `document` does."""
    return document(request, to_json(value), media_type)


def accepts_gzip(request: Request) -> bool:
    """Whether the client takes gzip (RFC 9110, section 12.5.3)."""
    for part in request.headers.get("accept-encoding", "").split(","):
        name, _, weight = part.partition(";")
        if name.strip().lower() in ("gzip", "*"):
            return weight.replace(" ", "").lower() not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False
