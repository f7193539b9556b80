"""Running the server: its address, its end, and what stands in its way.

It ends on Ctrl-C or SIGTERM: no new connections, answers under way have some seconds, then all of
it stops.
"""

from __future__ import annotations

import errno
import logging
import socket
import threading
import webbrowser
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import uvicorn
from starlette.applications import Starlette

from alos2.errors import NoResource, UsageError
from alos2.web.options import ServeOptions

log = logging.getLogger(__name__)

GRACE_S: Final = 5
"""How long answers under way may take when the server is to end, seconds."""
TOKEN_LEAST: Final = 16
_KEEP_ALIVE_S: Final = 30
_MOST_CONNECTIONS: Final = 1000
_BACKLOG: Final = 512


def check(options: ServeOptions) -> None:
    """Refuse what would not be safe.

    Raises
    ------
    UsageError
        The token is short, or things could be changed from elsewhere without one.
    """
    if options.token is not None and len(options.token) < TOKEN_LEAST:
        raise UsageError(
            f"the token has fewer than {TOKEN_LEAST} characters",
            hint="python -c 'import secrets; print(secrets.token_urlsafe(24))' makes one",
        )
    guarded = options.token is not None or options.proxy_user_header is not None
    if options.allow_ingest and not options.is_loopback and not guarded:
        raise UsageError(
            f"ingest from the page is to be allowed, and {options.host} is reachable for others",
            hint="set ALOS2_SERVE_TOKEN, or name the header of a proxy that asks for a login",
        )
    if not 0 <= options.port <= 65535:
        raise UsageError(f"there is no port {options.port}")


def listen(options: ServeOptions) -> socket.socket:
    """Take the address.

    Raises
    ------
    NoResource
        Another program has it, or it may not be taken.
    UsageError
        It is no address of this machine.
    """
    try:
        found = socket.getaddrinfo(
            options.host, options.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except (socket.gaierror, UnicodeError) as error:
        raise UsageError(f"{options.host!r} is no address: {error}") from error
    family, kind, protocol, _, address = found[0]
    taken = socket.socket(family, kind, protocol)
    try:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(address)
        taken.listen(_BACKLOG)
    except OSError as error:
        taken.close()
        raise _refusal(error, options) from error
    taken.set_inheritable(False)
    return taken


def address_of(taken: socket.socket, options: ServeOptions) -> str:
    """Return the address of the page."""
    if options.url is not None:
        return options.url
    port = taken.getsockname()[1]
    host = options.host if options.host not in ("0.0.0.0", "::", "") else socket.gethostname()  # noqa: S104
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


class Server(uvicorn.Server):
    """uvicorn's server, with a word when it has begun.

    Parameters
    ----------
    app : Starlette
    options : ServeOptions
    started : callable
        Called once it answers.
    """

    def __init__(
        self, app: Starlette, options: ServeOptions, started: Callable[[], None] = lambda: None
    ) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                log_config=None,
                log_level="info" if options.log_requests else "warning",
                access_log=options.log_requests,
                # Who the other side is, is what its connection says; links come from --url.
                proxy_headers=False,
                server_header=False,
                timeout_keep_alive=_KEEP_ALIVE_S,
                timeout_graceful_shutdown=GRACE_S,
                limit_concurrency=_MOST_CONNECTIONS,
                backlog=_BACKLOG,
                http="h11",
                ws="none",
                lifespan="on",
            )
        )
        self._when_started = started
        self._app = app

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer."""
        await super().startup(sockets)
        if self.started:
            self._when_started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End: first what would never end by itself (``app.state.ending``), then the rest."""
        for hush in getattr(self._app.state, "ending", ()):
            hush()
        await super().shutdown(sockets)


def serve(
    make_app: Callable[[], Starlette],
    options: ServeOptions,
    *,
    told: Callable[[str], None],
    open_page: bool = False,
) -> None:
    """Serve until Ctrl-C or SIGTERM.

    Parameters
    ----------
    make_app : callable
        Makes the application, once the address is ours.
    options : ServeOptions
    told : callable
        Is told the address once it answers.
    open_page : bool, optional
        Show the page in a browser.

    Raises
    ------
    NoResource
        The port is in use.
    UsageError
        It would not be safe, or the address is none.
    """
    check(options)
    with listen(options) as taken:
        address = address_of(taken, options)

        def started() -> None:
            told(address)
            if open_page:
                # A browser of the terminal would hold up the server.
                threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()

        Server(make_app(), options, started).run(sockets=[taken])


def token_of(environment: str | None, file: Path | None) -> str | None:
    """Return the token of a file, else of the environment, else None.

    Raises
    ------
    UsageError
        The file cannot be read, or is empty.
    """
    if file is None:
        return (environment or "").strip() or None
    try:
        token = file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the token's file {file} cannot be read: {error}") from error
    if not token:
        raise UsageError(f"the token's file {file} is empty")
    return token


def _refusal(error: OSError, options: ServeOptions) -> NoResource | UsageError:
    if error.errno == errno.EADDRINUSE:
        return NoResource(
            f"port {options.port} of {options.host} is in use",
            hint="another alos2 serve may be running; choose another with --port, 0 for any",
        )
    if error.errno == errno.EACCES:
        return NoResource(
            f"port {options.port} may not be taken by this user", hint="choose one above 1023"
        )
    return UsageError(f"{options.host}:{options.port} cannot be taken: {error.strerror}")


def names_of(values: Sequence[str]) -> tuple[str, ...]:
    """Return names with commas or one by one."""
    return tuple(name.strip() for value in values for name in value.split(",") if name.strip())
