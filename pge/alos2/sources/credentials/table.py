"""A profile as it is written: the keys that it may have, whichever file or variables hold it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from alos2.errors import UsageError
from alos2.sources.credentials.files import read_one
from alos2.sources.credentials.model import Credential
from alos2.sources.credentials.secret import Secret

SECRETS: Final = ("password", "passphrase", "token")
"""Each may be given as ``<name>_file`` instead: a file that holds nothing else."""

KEYS: Final = (
    "username", *SECRETS, *(f"{name}_file" for name in SECRETS), "key_file", "host_key", "ca_file",
    "service", "host",
)  # fmt: skip


@dataclass(frozen=True)
class Entry:
    """A credential, and for whom it is."""

    credential: Credential
    service: str = ""
    """Only for this service; empty: for any."""
    host: str = ""
    """Only for this host; empty: for any."""

    def suits(self, service: str, host: str | None) -> bool:
        """Tell whether it may be sent to `service` at `host`."""
        if self.service and self.service != service:
            return False
        return not self.host or same_host(self.host, host or "")


def same_host(entry: str, host: str) -> bool:
    """Tell whether an entry for `entry` is meant for `host`, which may have a port behind it."""
    entry, host = entry.lower().rstrip("."), host.lower().rstrip(".")
    return entry in (host, host.rpartition(":")[0] if ":" in host else host)


def entry_from(
    values: Mapping[str, Any], *, where: str, folder: Path, origin: str, fallback_user: str = ""
) -> Entry:
    """Make an entry of the keys of a profile.

    Parameters
    ----------
    values : mapping
        As the file has them.
    where : str
        File and profile, for messages.
    folder : Path
        What relative paths are relative to.
    origin : str
        For `Credential.origin`.
    fallback_user : str
        User name where none is given.

    Raises
    ------
    UsageError
        A key is unknown, or not text; there is no user name; a file it names is not private. The
        message never repeats a value.
    """
    for key, value in values.items():
        if key not in KEYS:
            raise UsageError(f"{where}: unknown key {key!r}", hint=f"known: {', '.join(KEYS)}")
        if not isinstance(value, str):
            raise UsageError(f"{where}: {key} is not text", hint="put it in quotes")
    username = values.get("username") or fallback_user
    if not username:
        raise UsageError(f"{where}: there is no username", hint="add it")
    return Entry(
        Credential(
            username,
            password=_secret("password", values, where, folder),
            key_file=_path("key_file", values, folder),
            host_key=values.get("host_key") or None,
            ca_file=_path("ca_file", values, folder),
            passphrase=_secret("passphrase", values, where, folder),
            token=_secret("token", values, where, folder),
            origin=origin,
        ),
        values.get("service", ""),
        values.get("host", ""),
    )


def _path(key: str, values: Mapping[str, Any], folder: Path) -> Path | None:
    name = values.get(key)
    return folder / Path(name).expanduser() if name else None


def _secret(key: str, values: Mapping[str, Any], where: str, folder: Path) -> Secret | None:
    file = _path(f"{key}_file", values, folder)
    if file is not None:
        if values.get(key):
            raise UsageError(f"{where}: both {key} and {key}_file are given", hint="remove one")
        return Secret(read_one(file))
    return Secret(values[key]) if values.get(key) else None
