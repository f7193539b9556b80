"""A refused password is not tried a second time: not in this process, and not by the next one.

Portals lock an account after a few wrong passwords, and a job that fails is run again by the
hundred. So before a password is sent, a marker in the cache folder is looked at; it is written
when a portal refuses the password and goes when the portal accepts one. It holds no password but
a slow salted hash (scrypt) of it, by which a changed one is told from the refused one. While a
password is being tried, nobody else who shares the cache folder tries one for the same account.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import logging
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Final

from alos2.dataset.cachefolder import cache_dir
from alos2.dataset.locks import FileLock
from alos2.errors import LoginFailed, NoResource
from alos2.sources.credentials.model import Credential
from alos2.sources.credentials.secret import Secret

log = logging.getLogger(__name__)

_FOLDER: Final = "refused"
_MOST_BYTES: Final = 4096
_WAIT_S: Final = 120.0
_LOOK_AGAIN_S: Final = 0.1

_lock = threading.Lock()
_refused: set[tuple[str, Secret]] = set()


@dataclass(frozen=True)
class Marker:
    """What is remembered of an account."""

    file: Path
    when: str
    """UTC, ISO 8601; empty where nobody can tell."""


class Attempt:
    """One try to log in.

    Parameters
    ----------
    credential : Credential
        The account.
    where : str
        The portal's host, for messages and as part of the account's identity.
    """

    def __init__(self, credential: Credential, where: str) -> None:
        self._where = where
        self._credential = credential
        self._key = account_key(credential.username, where)

    def refused(self, message: str, *, hint: str = "") -> LoginFailed:
        """Remember that the portal has refused the password; return the error to raise.

        Parameters
        ----------
        message : str
            What the portal said.
        hint : str
            What to do about it, besides mending the password.
        """
        password = self._credential.password
        told = "mend it" if not self._credential.origin else f"mend it ({self._credential.origin})"
        if password is None:
            return LoginFailed(message, hint=hint)
        with _lock:
            _refused.add((self._key, password))
        file = _write(self._key, password, self._where)
        cleared = f"; to try the same one again remove {file}" if file is not None else ""
        told = f"this password will not be tried again, or the account may be locked: {told}"
        return LoginFailed(message, hint=f"{hint}; {told}{cleared}" if hint else told + cleared)

    def accepted(self) -> None:
        """Forget what was refused before."""
        with _lock:
            _refused.difference_update({one for one in _refused if one[0] == self._key})
        file = _file(self._key)
        if file is not None:
            with contextlib.suppress(OSError):
                file.unlink(missing_ok=True)

    def require_untried(self) -> None:
        """Refuse to send a password that was refused before.

        Raises
        ------
        LoginFailed
            It was.
        """
        password = self._credential.password
        if password is None:
            return
        with _lock:
            known = (self._key, password) in _refused
        marker = _read(self._key, password)
        if not known and marker is None:
            return
        when = f" at {marker.when}" if marker is not None and marker.when else ""
        cleared = f", or remove {marker.file} to try it again" if marker is not None else ""
        origin = f" ({self._credential.origin})" if self._credential.origin else ""
        raise LoginFailed(
            f"{self._where} has refused this password of {self._credential.username} "
            f"before{when}; it was not sent again, so that the account does not get locked",
            hint=f"mend the password{origin}{cleared}",
        )


@contextlib.contextmanager
def login_attempt(credential: Credential, *, where: str) -> Iterator[Attempt]:
    """Try to log in, alone, unless the password was refused before.

    ::

        with login_attempt(credential, where=host) as attempt:
            ...send it...
            if not accepted:
                raise attempt.refused("the portal refused the password")
            attempt.accepted()

    Any other error that leaves the block says nothing about the password.

    Raises
    ------
    LoginFailed
        The password was refused before; nothing was sent.
    """
    attempt = Attempt(credential, where)
    attempt.require_untried()  # without waiting for anybody, where that is known already
    with contextlib.ExitStack() as stack:
        file = _file(account_key(credential.username, where))
        if file is not None and credential.password is not None:
            _hold(stack, file.with_suffix(".lock"))
            attempt.require_untried()
        yield attempt


def account_key(username: str, where: str) -> str:
    """Return what an account is remembered by: a hash, so that the folder tells no names."""
    return hashlib.sha256(f"{where.lower()}\0{username}".encode("utf-8", "replace")).hexdigest()[
        :32
    ]


def markers() -> Iterator[Marker]:
    """Yield what is remembered of all accounts, for ``alos2 doctor``."""
    folder = _folder()
    for file in sorted(folder.glob("*.json")) if folder is not None else ():
        stored = _load(file)
        if stored is not None:
            yield Marker(file, str(stored.get("when", "")))


def forget() -> None:
    """Forget what this process remembers (not the markers)."""
    with _lock:
        _refused.clear()


def _folder() -> Path | None:
    base = cache_dir()
    if base is not None:
        return base / _FOLDER
    if not hasattr(os, "getuid"):
        return None
    # A job without a home: its next try may still run on the same machine.
    folder = Path(tempfile.gettempdir()) / f"alos2-ingest-{os.getuid()}"
    with contextlib.suppress(OSError):
        folder.mkdir(mode=0o700, exist_ok=True)
        status = folder.lstat()
        if status.st_uid == os.getuid() and status.st_mode & 0o170077 == 0o040000:
            return folder / _FOLDER
    return None


def _file(key: str) -> Path | None:
    folder = _folder()
    return None if folder is None else folder / f"{key}.json"


def _digest(password: Secret, salt: bytes) -> str:
    data = password.reveal().encode("utf-8", "surrogatepass")
    return hashlib.scrypt(data, salt=salt, n=1 << 14, r=8, p=1, dklen=32).hex()


def _write(key: str, password: Secret, where: str) -> Path | None:
    """Write the marker; None where it cannot be, which is said and no error."""
    file = _file(key)
    if file is None:
        return None
    salt = os.urandom(16)
    stored = {
        "where": where,
        "when": datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "salt": salt.hex(),
        "digest": _digest(password, salt),
    }
    fresh = file.with_suffix(f".{os.getpid()}.new")
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(handle, "w", encoding="utf-8") as stream:  # noqa: PTH123  (a descriptor)
            json.dump(stored, stream)
        fresh.replace(file)
    except OSError as error:
        log.warning("%s cannot be written (%s): the next run will try the password again",
                    file, error.strerror)  # fmt: skip
        return None
    return file


def _read(key: str, password: Secret) -> Marker | None:
    """Return the marker if it is about this very password."""
    file = _file(key)
    stored = _load(file) if file is not None else None
    if file is None or stored is None:
        return None
    try:
        salt = bytes.fromhex(stored["salt"])
        same = hmac.compare_digest(stored["digest"], _digest(password, salt))
    except (KeyError, ValueError, TypeError):
        return None
    return Marker(file, str(stored.get("when", ""))) if same else None


def _load(file: Path) -> dict[str, str] | None:
    try:
        with file.open("rb") as stream:
            stored = json.loads(stream.read(_MOST_BYTES))
    except (OSError, ValueError):
        return None
    return stored if isinstance(stored, dict) else None


def _hold(stack: contextlib.ExitStack, path: Path) -> None:
    """Hold the account's lock while `stack` is open; go on without where there can be none."""
    until = time.monotonic() + _WAIT_S
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError:
        return
    while True:
        try:
            stack.enter_context(FileLock(path, "this account is being logged in"))
        except NoResource as error:
            if error.__cause__ is not None:  # no locks, or no writing here
                return
            if time.monotonic() > until:
                raise
            time.sleep(_LOOK_AGAIN_S)
        else:
            return
