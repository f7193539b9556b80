"""Profiles in files: ``$ALOS2_CREDENTIALS``, a folder of secrets, or the user's own file.

One file with a table for each profile (TOML, or JSON with the same shape)::

    [auig2]
    username = "..."
    password = "..."

or a folder that holds for each profile ``<name>.toml``, ``<name>.json``, or a folder ``<name>``
with a file for each key, as container platforms mount secrets.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import click

from alos2.errors import UsageError
from alos2.sources.credentials.files import read_one, read_private
from alos2.sources.credentials.table import KEYS, Entry, entry_from, same_host

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib  # type: ignore[import-not-found,unused-ignore]

FILE_VARIABLE: Final = "ALOS2_CREDENTIALS"
FOLDER_VARIABLE: Final = "ALOS2_CREDENTIALS_DIR"
MOUNTED: Final = Path("/run/secrets/alos2")
"""Folder that is looked at where `FOLDER_VARIABLE` names none."""

_NAME: Final = re.compile(r"[A-Za-z0-9_@][A-Za-z0-9._@+-]{0,127}")


def check_name(name: str) -> str:
    """Return a profile's name, which becomes a file's name.

    Raises
    ------
    UsageError
        It is none. The message does not repeat it: somebody may have put a password there.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(
            "the name of the credential profile has characters that no name has",
            hint="letters, digits, and . _ - @ + within; see docs/credentials.md",
        )
    return name


class Profiles:
    """All profiles that files hold, in the order in which they count.

    Parameters
    ----------
    environ : mapping
        The environment.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._file = environ.get(FILE_VARIABLE) or ""
        self._folder = environ.get(FOLDER_VARIABLE) or ""
        self.looked: list[str] = []
        """The places looked at, for messages."""

    def named(self, name: str) -> Entry | None:
        """Return the profile `name`, None where no file has it.

        Raises
        ------
        UsageError
            A file is open to others, damaged, or named and not there.
        """
        check_name(name)
        for file in self._files():
            tables = _parsed(file)
            if name in tables:
                return _entry(tables[name], name, file)
        return self._in_folder(name)

    def suiting(self, service: str, host: str | None) -> Entry | None:
        """Return the profile for `service` at `host`, None where no file has one.

        That is the one which has the service's name, else the only one that says it is for it.

        Raises
        ------
        UsageError
            A file is open to others or damaged; several profiles would do.
        """
        for file in self._files():
            tables = _parsed(file)
            if service in tables:
                entry = _entry(tables[service], service, file)
                if entry.suits(service, host):
                    return entry
            found = [name for name in tables if _is_for(tables[name], service, host)]
            if len(found) > 1:
                raise UsageError(
                    f"{file}: the profiles {', '.join(sorted(found))} would all do for {service}",
                    hint="name one with --profile",
                )
            if found:
                return _entry(tables[found[0]], found[0], file)
        # A plain host with a port has its file under the host's name: no name has a colon in it.
        name = service.rpartition(":")[0] if service == host and ":" in service else service
        mounted = self._in_folder(name) if _NAME.fullmatch(name) else None
        return mounted if mounted is not None and mounted.suits(service, host) else None

    def places(self) -> Iterator[Path]:
        """Yield the files and folders that are there; the modes of files matter."""
        for file in (Path(self._file) if self._file else None, own_file()):
            if file is not None and file.exists():
                yield file
        folder = Path(self._folder) if self._folder else MOUNTED
        if folder.is_dir():
            yield folder
            yield from sorted(p for p in folder.rglob("*") if p.is_file())

    def _files(self) -> Iterator[Path]:
        if self._file:
            file = Path(self._file)
            self.looked.append(f"{FILE_VARIABLE} ({file})")
            if not file.exists():
                raise UsageError(
                    f"{FILE_VARIABLE} names {file}, which is not there", hint="mount it"
                )
            yield file
        else:
            self.looked.append(f"{FILE_VARIABLE} (not set)")
        mine = own_file()
        if mine is not None:
            self.looked.append(str(mine) if mine.exists() else f"{mine} (not there)")
            if mine.exists():
                yield mine

    def _in_folder(self, name: str) -> Entry | None:
        folder = Path(self._folder) if self._folder else MOUNTED
        if self._folder and not folder.is_dir():
            raise UsageError(
                f"{FOLDER_VARIABLE} names {folder}, which is no folder", hint="mount it"
            )
        self.looked.append(f"{folder}/{name}.toml or .json")
        for file in (folder / f"{name}.toml", folder / f"{name}.json"):
            if file.is_file():
                return _entry(_parsed(file), name, file)
        parts = folder / name
        if not parts.is_dir():
            return None
        values = {key: read_one(parts / key) for key in KEYS if (parts / key).is_file()}
        return _entry(values, name, parts) if values else None


def own_file() -> Path | None:
    """Return where the user's own profiles are, beside ``alos2.toml``; None without a home."""
    try:
        folder = Path(click.get_app_dir("alos2")).expanduser()
    except RuntimeError:
        return None
    return folder / "credentials.toml" if folder.is_absolute() else None


def _is_for(table: Any, service: str, host: str | None) -> bool:
    if not isinstance(table, dict):
        return False
    wanted, at = table.get("service"), table.get("host")
    if wanted is not None and wanted != service:
        return False
    if at is not None and not same_host(str(at), host or ""):
        return False
    return wanted is not None or at is not None


def _entry(values: Any, name: str, file: Path) -> Entry:
    where = f"{file}, profile {name}"
    if not isinstance(values, dict):
        raise UsageError(f"{where}: not a table of keys", hint=f"write [{name}] above its keys")
    return entry_from(values, where=where, folder=file.parent, origin=f"profile {name}")


def _parsed(file: Path) -> dict[str, Any]:
    """Return what a file says; what is wrong with it is told by line, not by its words."""
    try:
        text = read_private(file)
    except FileNotFoundError:
        raise UsageError(f"{file} is not there", hint="mount it") from None
    try:
        content = json.loads(text) if file.suffix == ".json" else tomllib.loads(text)
    except json.JSONDecodeError as error:
        raise UsageError(f"{file} is not JSON: line {error.lineno}", hint="mend it") from None
    except (ValueError, RecursionError) as error:
        line = re.search(r"at line (\d+)", str(error))
        at = f": line {line[1]}" if line else ""
        raise UsageError(f"{file} is not TOML{at}", hint="mend it; texts need quotes") from None
    if not isinstance(content, dict):
        raise UsageError(f"{file} is not a table of profiles", hint="see docs/credentials.md")
    return content
