"""netrc: ``$NETRC``, else ``~/.netrc``, else ``~/.netrc-os``, else those of the mounted folder.

Entries are looked up by host, with its port first where it has one. The ``default`` entry counts
for nobody: it would send a password to whatever host is named in a URL. The one exception is that
of ``.netrc-os``, which HySDS keeps for the OpenSearch of its own cluster: see `netrc_os_default`.
"""

from __future__ import annotations

import netrc
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from alos2.errors import UsageError
from alos2.sources.credentials.files import require_private
from alos2.sources.credentials.model import Credential
from alos2.sources.credentials.profiles import FOLDER_VARIABLE, MOUNTED
from alos2.sources.credentials.secret import Secret

VARIABLE: Final = "NETRC"
_OS: Final = ".netrc-os"
_NAMES: Final = (".netrc", _OS, "_netrc")


def netrc_files(environ: Mapping[str, str]) -> Iterator[Path]:
    """Yield where netrc files are looked for; they need not exist."""
    named = environ.get(VARIABLE)
    if named:
        yield Path(named).expanduser()
        return
    try:
        home = Path.home()
    except RuntimeError:  # a job may run as a user that nobody knows
        pass
    else:
        yield from (home / name for name in _NAMES)
    mounted = Path(environ.get(FOLDER_VARIABLE) or MOUNTED)
    if mounted.is_dir():
        yield from (mounted / name for name in (".netrc", _OS))


def netrc_os_default(environ: Mapping[str, str]) -> Credential | None:
    """Return the ``default`` entry of ``.netrc-os``: for the cluster's own indices, nobody else.

    Raises
    ------
    UsageError
        The file is open to others, or cannot be read.
    """
    for file in netrc_files(environ):
        if file.name == _OS and file.is_file():
            found = _entry(file, "default", None)
            if found is not None:
                require_private(file)
                return found
    return None


def from_netrc(
    host: str | None, username: str | None, environ: Mapping[str, str]
) -> tuple[Credential | None, str]:
    """Return the account for `host`, and what was looked at, for messages.

    Parameters
    ----------
    host : str, optional
        With or without a port.
    username : str, optional
        Only this account.
    environ : mapping
        The environment.

    Raises
    ------
    UsageError
        A file with an entry for the host is open to others, or a file cannot be read.
    """
    looked: list[str] = []
    for file in netrc_files(environ):
        if not file.is_file():
            looked.append(f"{file} (not there)")
            continue
        found = _entry(file, host or "", username)
        if found is not None:
            require_private(file)
            return found, f"netrc {file}"
        looked.append(f"{file} (no entry for {host})")
    return None, f"netrc: {', '.join(looked) or 'no home folder'}"


def _entry(file: Path, host: str, username: str | None) -> Credential | None:
    try:
        hosts = netrc.netrc(str(file)).hosts
    except netrc.NetrcParseError as error:
        # Its text repeats a word of the file, which may be the password.
        line = f", line {error.lineno}" if error.lineno else ""
        raise UsageError(f"{file} is not a netrc file{line}", hint="mend it") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"{file} cannot be read: {type(error).__name__}", hint="check its owner and mode"
        ) from None
    for name in dict.fromkeys((host, host.rpartition(":")[0] if ":" in host else host)):
        login, _, password = hosts.get(name) or ("", "", "")
        if password and (username is None or login == username):
            return Credential(login or "", Secret(password), origin="netrc")
    return None
