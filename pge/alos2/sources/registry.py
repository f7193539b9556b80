"""Which source takes a URL: by its scheme, built-in or from an entry point.

A scheme of our own is either a `Source`, or a module with

    open_remote(url, *, options: TransferOptions, credential: str | None)
        -> ContextManager[Remote]

whose remotes the engine transfers. Such a module is imported when its scheme is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, Final, cast

from alos2.errors import UsageError
from alos2.sources.httpschemes import SCHEMES as HTTP_SCHEMES
from alos2.sources.local import LocalSource
from alos2.sources.model import Cancelled, Fetched, Source, TransferOptions, TransferProgress
from alos2.sources.remotesource import RemoteSource

ENTRY_POINT_GROUP: Final = "alos2.sources"
"""Entry points of this group add schemes; their name is the scheme, in lower case."""


def _http() -> Source:
    from alos2.sources.http import HttpSource  # noqa: PLC0415  only what is used is loaded

    return HttpSource()


_BUILT_IN: Final[dict[str, Callable[[], Source]]] = {
    "file": LocalSource,
    **dict.fromkeys(HTTP_SCHEMES, _http),
    "s3": lambda: RemoteSource("alos2.sources.s3"),
    "ftp": lambda: RemoteSource("alos2.sources.ftp"),
    "ftps": lambda: RemoteSource("alos2.sources.ftp"),
    "sftp": lambda: RemoteSource("alos2.sources.sftp"),
}
# Two letters at least: `C:\data\x.zip` is a path.
_SCHEME: Final = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]+)://|(?P<file>[Ff][Ii][Ll][Ee]):/")


def scheme_of(url_or_path: str) -> str | None:
    r"""Return the URL's scheme in lower case, or None for a path.

    ``C:\x.zip`` and ``odd:name.zip`` are paths: a scheme has two letters or more and ``://``
    follows it (of ``file:`` one slash is enough, RFC 8089).
    """
    found = _SCHEME.match(url_or_path)
    return (found["scheme"] or found["file"]).lower() if found else None


def _plugins() -> dict[str, EntryPoint]:
    """Return the entry points by scheme; the built-in schemes cannot be taken over."""
    found = entry_points(group=ENTRY_POINT_GROUP)
    return {e.name.lower(): e for e in found if e.name.lower() not in _BUILT_IN}


def supported_schemes() -> tuple[str, ...]:
    """Return the schemes that `fetch` takes, in alphabetical order."""
    return tuple(sorted({*_BUILT_IN, *_plugins()}))


def source_for(scheme: str) -> Source:
    """Return a source for `scheme` (lower case).

    Raises
    ------
    UsageError
        Nobody handles the scheme, or the plugin that does cannot be loaded.
    """
    if scheme in _BUILT_IN:
        return _BUILT_IN[scheme]()
    plugin = _plugins().get(scheme)
    if plugin is None:
        known = ", ".join(f"{name}://" for name in supported_schemes())
        raise UsageError(
            f"URLs with {scheme}:// are not supported",
            hint=f"give a local path or one of {known}",
        )
    try:
        factory = cast(Callable[[], Source], plugin.load())
    except (ImportError, AttributeError) as error:
        raise UsageError(
            f"the plugin {plugin.value!r} for {scheme}:// cannot be loaded: {error}",
            hint="install it again, or remove it",
        ) from error
    return factory()


def fetch(
    url_or_path: str,
    work_dir: Path,
    *,
    progress: TransferProgress | None = None,
    cancel: Cancelled | None = None,
    options: TransferOptions | None = None,
    credential: str | None = None,
) -> Fetched:
    """Bring a delivery to this disk, or say where on it it lies already.

    Parameters
    ----------
    url_or_path : str
        A URL of one of `supported_schemes`, or a path to a zip or folder.
    work_dir : Path
        Folder for what is transferred; made if it is missing. Nothing else is written. What an
        earlier run left unfinished in it is continued.
    progress : callable, optional
        Called with (bytes there, bytes expected or None).
    cancel : callable, optional
        Asked after each read; True ends the transfer with `Interrupted`.
    options : TransferOptions, optional
        Timeouts and retries.
    credential : str, optional
        Name of the credential profile to use; else what is found for the URL's host.

    Raises
    ------
    UsageError
        The scheme is not supported, or the URL is not one.
    NothingFound
        The path does not exist, or the server says so.
    LoginFailed
        The server wants other credentials.
    TransferFailed
        The bytes did not arrive.
    BadArchive
        They arrived and are not a whole zip, e.g. a web page.
    NoSpace
        The disk cannot hold them.
    NoResource
        It cannot be written to, or another process has the same download.
    Interrupted
        `cancel` said so.
    """
    scheme = scheme_of(url_or_path)
    source = LocalSource() if scheme is None else source_for(scheme)
    chosen: dict[str, Any] = {}
    if credential is not None:  # a plugin need not know what that is
        chosen["credential"] = credential
    return source.fetch(
        url_or_path,
        work_dir,
        progress=progress,
        cancel=cancel,
        options=options or TransferOptions(),
        **chosen,
    )
