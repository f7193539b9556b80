"""Logins for WebDAV servers: from the environment or a netrc, never from an argument or a URL."""

from __future__ import annotations

import netrc
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from alos2.errors import UsageError


@dataclass(frozen=True)
class HiddenPassword:
    """A password that shows itself to nobody who does not ask by name."""

    value: str = field(repr=False)

    def reveal(self) -> str:
        """Return it."""
        return self.value

    def __str__(self) -> str:
        return "***"


@dataclass(frozen=True)
class NamedLogin:
    """A name and its password."""

    username: str
    password: HiddenPassword


def usual_login(host: str) -> NamedLogin | None:
    """Return the login for a host; None where there is none.

    First ``ALOS2_PUBLISH_USERNAME`` with ``ALOS2_PUBLISH_PASSWORD`` or the content of the file that
    ``ALOS2_PUBLISH_PASSWORD_FILE`` names, then the entry for `host` in ``$NETRC`` or ``~/.netrc``.

    Raises
    ------
    UsageError
        A file cannot be read, or others can read it.
    """
    name = os.environ.get("ALOS2_PUBLISH_USERNAME")
    if not name:
        return netrc_login(host)
    password = os.environ.get("ALOS2_PUBLISH_PASSWORD")
    file = os.environ.get("ALOS2_PUBLISH_PASSWORD_FILE")
    if password is None and file:
        password = _private_text(Path(file)).strip("\r\n")
    if password is None:
        raise UsageError(
            "ALOS2_PUBLISH_USERNAME is set, and no password",
            hint="set ALOS2_PUBLISH_PASSWORD_FILE or ALOS2_PUBLISH_PASSWORD",
        )
    return NamedLogin(name, HiddenPassword(password))


def netrc_login(host: str) -> NamedLogin | None:
    """Return the login that ``$NETRC`` or ``~/.netrc`` has for a host, whatever its port.

    Raises
    ------
    UsageError
        The file cannot be read, or others can read it.
    """
    host = urlsplit(f"//{host}").hostname or host
    named = os.environ.get("NETRC")
    try:
        file = Path(named) if named else Path("~/.netrc").expanduser()
    except RuntimeError:
        return None  # a container's user may have no home
    if not file.is_file():
        return None
    _private_text(file)
    try:
        entry = netrc.netrc(str(file)).authenticators(host)
    except (netrc.NetrcParseError, OSError) as error:
        where = getattr(error, "lineno", None)
        # The text of a parse error may quote a password.
        raise UsageError(f"{file} cannot be read (line {where})", hint="mend it") from None
    if entry is None:
        return None
    login, account, password = entry
    return NamedLogin(login or account or "", HiddenPassword(password or ""))


def _private_text(file: Path) -> str:
    """Read a file that nobody else may read."""
    try:
        mode = file.stat().st_mode
        if os.name != "nt" and mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise UsageError(
                f"{file} holds a password, and others than you may read it",
                hint=f"chmod 600 {file}",
            )
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} cannot be read: {error}") from error
