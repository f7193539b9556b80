"""Reading files that hold secrets: refused where others can read them, never quoted."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

from alos2.errors import UsageError

_MOST_BYTES: Final = 1 << 20


def require_private(path: Path) -> None:
    """Refuse a file that its group or everybody can read or write.

    Only where modes exist (POSIX), and only regular files: a pipe is nobody else's.

    Raises
    ------
    UsageError
        It is open to others.
    """
    problem = exposure(path)
    if problem:
        raise UsageError(
            problem,
            hint=f"chmod 600 {path}; for a mounted secret set its mode to 0400",
        )


def exposure(path: Path) -> str:
    """Return who else could read the secrets in `path`; empty if nobody can."""
    if os.name != "posix":
        return ""
    try:
        status = path.stat()
    except OSError:
        return ""
    mode = stat.S_IMODE(status.st_mode)
    if not stat.S_ISREG(status.st_mode) or not mode & 0o077:
        return ""
    who = "everybody" if mode & 0o007 else "its group"
    return f"{path} holds secrets and is open to {who} (mode {mode:04o})"


def read_private(path: Path) -> str:
    """Return the text of a file that holds secrets.

    Raises
    ------
    UsageError
        It is open to others, too large, not UTF-8, or cannot be read.
    FileNotFoundError
        It is not there.
    """
    try:
        with path.open("rb") as file:
            require_private(path)
            data = file.read(_MOST_BYTES + 1)
    except (FileNotFoundError, NotADirectoryError):
        raise FileNotFoundError(path) from None
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read: {error.strerror}", hint="check its owner and mode"
        ) from None
    if len(data) > _MOST_BYTES:
        raise UsageError(f"{path} is too large for a file of credentials", hint="name another")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{path} is not UTF-8 text at byte {error.start}", hint="save it as UTF-8"
        ) from None


def read_one(path: Path) -> str:
    """Return the one secret that a file holds, without the newline that editors put behind it.

    Raises
    ------
    UsageError
        It is open to others, empty, of several lines, not there, or cannot be read.
    """
    try:
        text = read_private(path)
    except FileNotFoundError:
        raise UsageError(f"{path} is not there", hint="mount it, or name another") from None
    text = text.removesuffix("\n").removesuffix("\r")
    if not text or "\n" in text or "\0" in text:
        raise UsageError(f"{path} does not hold one line", hint="write the secret into it alone")
    return text
