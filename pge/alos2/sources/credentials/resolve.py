"""One order in which an account is looked for, for all portals and schemes.

A profile in a file (mounted or the user's own), the environment, the keyring, netrc: the first
that has one is taken. A profile that is asked for by name is never replaced by another account:
the places behind the files count only where they hold the account of that name.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

from alos2.errors import LoginFailed, UsageError
from alos2.sources.credentials.keyrings import from_keyring
from alos2.sources.credentials.model import Credential
from alos2.sources.credentials.netrcfile import from_netrc
from alos2.sources.credentials.profiles import Profiles, check_name
from alos2.sources.credentials.table import KEYS, entry_from

Choice: TypeAlias = "str | Credential | None"
"""A profile's name, a credential itself, or nothing: then the usual places are looked at."""


def resolve(service: str, *, host: str | None, profile: Choice = None) -> Credential | None:
    """Return the account for a portal or host; None where there is none.

    Parameters
    ----------
    service : str
        ``auig2``, ``sentinel-asia``, ``optemis``, ``gportal``, or a host for plain URLs.
    host : str, optional
        Host that it will be sent to, with its port where it has one: for netrc, and for profiles
        that are for one host only.
    profile : str or Credential, optional
        Name of the profile, or of the account; a credential is returned as it is.

    Raises
    ------
    UsageError
        A file is open to others or damaged; the environment is set by half; the profile is for
        another service or host.
    """
    return _Search(service, host, profile, os.environ).run()


def require(service: str, *, host: str | None, profile: Choice = None) -> Credential:
    """Return the account for a portal or host, as `resolve` does.

    Raises
    ------
    LoginFailed
        There is none; the message tells all the places that were looked at.
    UsageError
        As `resolve`.
    """
    search = _Search(service, host, profile, os.environ)
    found = search.run()
    if found is None:
        named = f" named {profile!r}" if isinstance(profile, str) else ""
        raise LoginFailed(
            f"no account{named} for {service}; looked at: {'; '.join(search.looked)}",
            hint="put it into one of these places; docs/credentials.md shows how",
        )
    return found


class _Search:
    """One walk through the places."""

    def __init__(
        self, service: str, host: str | None, profile: Choice, environ: Mapping[str, str]
    ) -> None:
        self._service = service
        self._host = host
        self._chosen = profile if isinstance(profile, Credential) else None
        self._profile = profile if isinstance(profile, str) else None
        self._environ = environ
        self.looked: list[str] = []

    def run(self) -> Credential | None:
        if self._chosen is not None:
            return self._chosen
        found = self._from_files()
        if found is not None:
            return found
        found, username = self._from_environment()
        found = found or self._from_keyring(username)
        if found is not None:
            return found
        found, looked = from_netrc(self._host, self._profile or username, self._environ)
        self.looked.append(looked)
        return found

    def _from_keyring(self, username: str | None) -> Credential | None:
        """Ask the keyring: for the profile's own entry, then for the service's account."""
        wanted: list[tuple[str, str | None]] = []
        if self._profile is not None:
            wanted = [(self._profile, username), (self._service, self._profile)]
        elif self._service != self._host:
            # Not for plain hosts: a locked keyring would ask somebody to open it for any URL.
            wanted = [(self._service, username)]
        for service, user in dict.fromkeys(wanted):
            found, looked = from_keyring(service, user, self._environ)
            self.looked.append(looked)
            if found is not None:
                return found
        return None

    def _from_files(self) -> Credential | None:
        profiles = Profiles(self._environ)
        try:
            if self._profile is None:
                entry = profiles.suiting(self._service, self._host)
                return entry.credential if entry is not None else None
            entry = profiles.named(check_name(self._profile))
        finally:
            self.looked += profiles.looked
        if entry is None:
            return None
        if not entry.suits(self._service, self._host):
            meant = " at ".join(part for part in (entry.service, entry.host) if part)
            raise UsageError(
                f"the credential profile {self._profile!r} is for {meant}, not for "
                f"{self._service} at {self._host}",
                hint="name another with --profile",
            )
        return entry.credential

    def _from_environment(self) -> tuple[Credential | None, str | None]:
        """Return the account in the environment, and its name where only that is there."""
        if self._profile is not None:
            found, user = self._variables(self._profile)
            if found is not None and self._profile != self._service:
                return found, user
            found, user = self._variables(self._service)
            ours = self._profile in (user, self._service)
            return (found, user) if ours else (None, None)
        return self._variables(self._service)

    def _variables(self, name: str) -> tuple[Credential | None, str | None]:
        prefix = f"ALOS2_{re.sub(r'[^A-Za-z0-9]', '_', name).upper()}_"
        given = {
            key: self._environ[prefix + key.upper()]
            for key in KEYS
            if key not in ("service", "host") and self._environ.get(prefix + key.upper())
        }
        username = given.get("username")
        proof = given.keys() & {"password", "password_file", "key_file"}
        if not proof:
            self.looked.append(f"environment ({prefix}PASSWORD not set)")
            return None, username
        if not username:
            raise UsageError(
                f"{prefix}{min(proof).upper()} is set and {prefix}USERNAME is not",
                hint="set both, or neither",
            )
        entry = entry_from(given, where="environment", folder=Path.cwd(), origin="environment")
        return entry.credential, username
