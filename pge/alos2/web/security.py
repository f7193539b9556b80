"""Who may ask what: hosts, origins, tokens, sizes, and the headers that bind a browser.

A server on loopback is reachable for every page that its user's browser shows. So requests under
a foreign name (DNS rebinding) are refused, and what changes something is refused when another
site's page asks for it: by ``Sec-Fetch-Site`` (W3C Fetch Metadata) and ``Origin`` (RFC 6454).
Beyond loopback what changes something needs the token, or a proxy that has asked for a login.
"""

from __future__ import annotations

import hmac
import ipaddress
import logging
import re
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from alos2.web.answers import HttpError, error_answer
from alos2.web.options import MAX_QUERY_CHARS, ServeOptions, is_loopback

log = logging.getLogger(__name__)

READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
READING_POSTS: Final = frozenset(
    {"/stac/search", "/api/search", "/api/facets", "/api/rows", "/api/stacks", "/api/stackproducts"}
)
"""Paths to which a POST only asks: its body holds what would be too long for a query."""
UPLOADS: Final = "/api/jobs/upload"
SHARED: Final = ("/stac/", "/files/", "/tiles/", "/stackproducts/")
"""What pages of other origins may read (CORS)."""

_CSP: Final = (
    "default-src 'self'; img-src {images}; style-src 'self'; script-src 'self'; "
    "connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)

_COMMON: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "camera=(), geolocation=(self), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_CORS_EXPOSED: Final = "ETag, Content-Range, Accept-Ranges, Content-Length, Link"
_TOKEN_LEAST: Final = 16
_HOST: Final = re.compile(r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?", re.ASCII)
"""RFC 9110, section 7.2, without user names and escapes; it goes into links."""


class Guard:
    """ASGI middleware: refuses what must not be, and adds the headers to what is answered.

    Parameters
    ----------
    app : ASGIApp
    options : ServeOptions
    """

    def __init__(self, app: ASGIApp, options: ServeOptions) -> None:
        self._app = app
        self._options = options
        self._hosts = options.host_names
        origins = sorted({one.origin for one in options.basemaps})
        self._csp = _CSP.format(images=" ".join(["'self'", "data:", "blob:", *origins]))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or hand it on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        shared = self._cors(request)
        begun = False

        async def sending(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                headers = MutableHeaders(raw=message.setdefault("headers", []))
                for name, value in (*_COMMON.items(), *shared.items()):
                    headers.setdefault(name, value)
                headers.setdefault("Content-Security-Policy", self._csp)
                headers.setdefault("Cross-Origin-Resource-Policy", self._policy(request))
            await send(message)

        try:
            self._check(request)
            if is_preflight(request):
                await self._preflight(request)(scope, receive, sending)
                return
            bounded = _Bounded(receive, self._body_limit(request), request.headers)
            await self._app(scope, bounded.receive, sending)
        except HttpError as error:
            answer = error_answer(error)
            if error.status == 413:
                answer.headers["Connection"] = "close"
            await answer(scope, receive, sending)
        except Exception:  # the last net: it is logged, and nobody outside is told of our inside
            if begun:
                raise
            log.exception("%s %s", request.method, request.url.path)
            fault = HttpError(500, "InternalError", "the server has a fault; see its log")
            await error_answer(fault)(scope, receive, sending)

    def _check(self, request: Request) -> None:
        if host_of(request.headers.get("host", "")) not in self._hosts and not _in_numbers(
            request.headers.get("host", "")
        ):
            raise HttpError(
                421,
                "WrongHost",
                "this server is not known by that name; alos2 serve --name adds names",
            )
        if len(request.scope.get("query_string", b"")) > MAX_QUERY_CHARS:
            raise HttpError(414, "TooLong", "the query string is too long; use POST")
        if changes_something(request):
            require_permission(request, self._options)

    def _body_limit(self, request: Request) -> int:
        if request.url.path == UPLOADS:
            return self._options.max_upload_bytes
        return self._options.max_body_bytes

    def _cors(self, request: Request) -> dict[str, str]:
        """Return the CORS headers (WHATWG Fetch) of the answer; none for what changes something."""
        origin = request.headers.get("origin")
        if origin is None or not is_shared(request):
            return {}
        wanted = self._options.cors
        if "*" in wanted:
            allowed = {"Access-Control-Allow-Origin": "*"}
        elif origin in wanted:
            allowed = {"Access-Control-Allow-Origin": origin, "Vary": "Origin"}
        else:
            return {}
        return {**allowed, "Access-Control-Expose-Headers": _CORS_EXPOSED}

    def _policy(self, request: Request) -> str:
        # A picture in another site's page is asked for without an Origin.
        return "cross-origin" if self._options.cors and is_shared(request) else "same-origin"

    def _preflight(self, request: Request) -> Response:
        methods = "GET, HEAD, OPTIONS"
        if request.url.path in READING_POSTS:
            methods += ", POST"
        headers = {"Vary": "Origin, Access-Control-Request-Method"}
        if self._cors(request):
            headers |= {
                "Access-Control-Allow-Methods": methods,
                "Access-Control-Allow-Headers": "Content-Type, Range, If-None-Match, If-Range",
                "Access-Control-Max-Age": "3600",
            }
        return Response(None, 204, headers)


class _Bounded:
    """Counts what comes in of a body, and stops at its limit."""

    def __init__(self, receive: Receive, limit: int, headers: Headers) -> None:
        self._receive = receive
        self._limit = limit
        self._left = limit
        length = headers.get("content-length", "0")
        if not length.isascii() or not length.isdigit():
            raise HttpError(400, "BadRequest", "Content-Length is no number")
        if int(length) > limit:
            raise self._too_large()

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._left -= len(message.get("body", b""))
            if self._left < 0:
                raise self._too_large()
        return message

    def _too_large(self) -> HttpError:
        return HttpError(413, "TooLarge", f"a request may have {self._limit} bytes here")


def changes_something(request: Request) -> bool:
    """Whether a request may change anything; searches sent by POST do not."""
    if request.method in READING:
        return False
    return not (request.method == "POST" and request.url.path.rstrip("/") in READING_POSTS)


def is_shared(request: Request) -> bool:
    """Whether pages of other origins may read this, if the operator lets them."""
    path = request.url.path
    return path == "/stac" or path.startswith(SHARED)


def is_preflight(request: Request) -> bool:
    """Whether a browser asks whether it may ask."""
    return request.method == "OPTIONS" and "access-control-request-method" in request.headers


def require_permission(request: Request, options: ServeOptions) -> None:
    """Let pass who may change things.

    Raises
    ------
    HttpError
        401 without the token, 403 for another site's page, or where nobody may.
    """
    if not is_same_site(request):
        raise HttpError(403, "CrossSite", "pages of other sites may not change anything here")
    if not may_change(request, options):
        if options.token is not None:
            raise HttpError(
                401,
                "NeedsToken",
                "this needs the server's token",
                {"WWW-Authenticate": 'Bearer realm="alos2"'},
            )
        raise HttpError(
            403,
            "ReadOnly",
            "beyond loopback nothing can be changed without a token or a login at a trusted proxy",
        )


def may_change(request: Request, options: ServeOptions) -> bool:
    """Whether the one who asks may change things: by token, by proxy's login, or on loopback."""
    if options.token is not None and has_token(request, options.token):
        return True
    peer = request.client.host if request.client else ""
    if options.proxy_user_header is not None:
        user = request.headers.get(options.proxy_user_header, "").strip()
        return bool(user) and _is_one_of(peer, options.proxies)
    return options.token is None and options.is_loopback and is_loopback(peer)


def has_token(request: Request, token: str) -> bool:
    """Whether a request carries the token (RFC 6750); compared in constant time."""
    kind, _, given = request.headers.get("authorization", "").partition(" ")
    same = hmac.compare_digest(given.strip().encode(), token.encode())
    return same and kind.lower() == "bearer" and len(token) >= _TOKEN_LEAST


def is_same_site(request: Request) -> bool:
    """Whether a request comes from our own page, or from no page at all."""
    if request.headers.get("sec-fetch-site", "none") not in ("same-origin", "none"):
        return False
    origin = request.headers.get("origin")
    if origin is None:
        return True
    return urlsplit(origin).netloc.lower() == request.headers.get("host", "").lower()


def host_of(header: str) -> str:
    """Return the name in a ``Host`` header, without its port, in lower case; empty if it is odd."""
    found = _HOST.fullmatch(header)
    return found[1].strip("[]").lower().rstrip(".") if found else ""


def _in_numbers(header: str) -> bool:
    try:
        ipaddress.ip_address(host_of(header).partition("%")[0])
    except ValueError:
        return False
    return True


def _is_one_of(peer: str, addresses: tuple[str, ...]) -> bool:
    try:
        return ipaddress.ip_address(peer) in {ipaddress.ip_address(known) for known in addresses}
    except ValueError:
        return False
