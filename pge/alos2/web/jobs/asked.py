"""What a person asks to be ingested, checked, and the command line that does it.

Words from a page become arguments of a program: each has its form, none can be taken for an
option, none is read by a shell, and no address may name a file of this machine or hold a password.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from alos2.dataset.provenance import public_url
from alos2.errors import UsageError

_LONGEST_URL: Final = 4096
_SCHEMES: Final = ("https", "http", "sftp", "s3", "ftps", "ftp", "webdavs", "webdav", "davs", "dav")
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,119}", re.ASCII)
_FILE_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._ ()+-]{0,199}\.zip", re.ASCII | re.I)
UPLOAD: Final = "upload"


@dataclass(frozen=True)
class Asked:
    """A job as it was asked for."""

    kind: str
    """``url``, a portal, or ``upload``."""
    source: str
    """URL, order id, …; of an upload its file, relative to the jobs' folder."""
    force: bool = False

    @property
    def title(self) -> str:
        """What people call it; without secrets."""
        if self.kind == "url":
            return public_url(self.source)
        if self.kind == UPLOAD:
            return Path(self.source).name
        return f"{_PORTALS[self.kind].title} {self.source}"


@dataclass(frozen=True)
class _Portal:
    title: str
    words: Callable[[str], list[str]]
    """What stands behind ``alos2 ingest <portal> --json …``."""


_PORTALS: Final = {
    "auig2": _Portal("AUIG2 order", lambda name: ["--", name]),
    "gportal": _Portal("G-Portal", lambda name: ["--", name]),
    "sentinel-asia": _Portal("Sentinel Asia", lambda name: [f"--eor-id={name}"]),
    "optemis": _Portal("OPTEMIS", lambda name: [f"--eor-id={name}"]),
}


def asked(given: Any) -> Asked:
    """Check what a page asks.

    Parameters
    ----------
    given
        The JSON of the request.

    Raises
    ------
    UsageError
        It cannot be, with a sentence for who asked.
    """
    if not isinstance(given, dict):
        raise UsageError("a job is a JSON object of kind and source")
    kind, source, force = given.get("kind"), given.get("source"), given.get("force", False)
    if not isinstance(source, str) or not isinstance(kind, str) or not isinstance(force, bool):
        raise UsageError("a job has kind and source, both text, and force, true or false")
    source = source.strip()
    if not source:
        raise UsageError("nothing says what to ingest")
    if kind == "url":
        _check_url(source)
    elif kind in _PORTALS:
        if _ID.fullmatch(source) is None:
            raise UsageError(
                f"{source[:60]!r} is no id: letters, digits, dots, hyphens and underscores"
            )
    else:
        raise UsageError(f"{kind[:40]!r} is none of url, {', '.join(_PORTALS)}")
    return Asked(kind, source, force)


def upload_name(text: str | None) -> str:
    """Return the name of a file that is sent.

    Raises
    ------
    UsageError
        It is no name of a zip, or could be more than a name.
    """
    name = (text or "").strip()
    if _FILE_NAME.fullmatch(name) is None or ".." in name:
        raise UsageError(
            f"{name[:80]!r} is no name of a product's zip",
            hint="letters, digits, spaces and . _ - + ( ), and .zip at the end",
        )
    return name


def command(job: Asked, archive: Path, folder: Path) -> list[str]:
    """Return the command line of a job.

    Parameters
    ----------
    job : Asked
    archive : Path
        Takes the datasets.
    folder : Path
        Of the jobs: uploads lie in it.
    """
    options = ["--json", f"--out={archive}"]
    if job.force:
        options.append("--force")
    if job.kind == "url":
        words = ["url", *options, "--", job.source]
    elif job.kind == UPLOAD:
        words = ["any", *options, "--", str(folder / job.source)]
    else:
        words = [job.kind, *options, *_PORTALS[job.kind].words(job.source)]
    return [sys.executable, "-m", "alos2", "--verbose", "--log-json", "ingest", *words]


def _check_url(text: str) -> None:
    try:
        parts = urlsplit(text)
        host = parts.hostname
    except ValueError as error:
        raise UsageError(f"this is no address: {error}") from error
    if parts.scheme.lower() not in _SCHEMES or not host:
        raise UsageError(
            f"an address begins with one of {', '.join(_SCHEMES[:5])}, … and names a server"
        )
    if parts.username is not None or parts.password is not None:
        raise UsageError(
            "an address must hold no account or password",
            hint="the operator gives the server a credential profile for that host",
        )
    if len(text) > _LONGEST_URL or any(c.isspace() or not c.isprintable() for c in text):
        raise UsageError("this is no address: it is too long, or holds blanks")
