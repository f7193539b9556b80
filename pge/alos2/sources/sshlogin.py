"""Who we are to an SSH server: a private key, a password, or this user's own keys and agent."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import asyncssh

from alos2.errors import LoginFailed, UsageError
from alos2.sources.credentials import Credential
from alos2.sources.hosturl import HostUrl, said_by


def who(place: HostUrl, credential: Credential | None) -> dict[str, Any]:
    """Return how asyncssh shall log in: in one way, by a key, a password, or this user's own keys.

    The password itself is not in it; see `alos2.sources.sshlink`.

    Raises
    ------
    UsageError, LoginFailed
        The key file cannot be read, is open to others, or its passphrase is wrong or missing.
    """
    user = (credential.username if credential is not None else "") or place.username
    name: dict[str, Any] = {"username": user} if user else {}
    if credential is not None and credential.key_file is not None:
        key = _private_key(credential)
        return {
            **name, "client_keys": [key], "agent_path": None, "password": None,
            "preferred_auth": "publickey",
        }  # fmt: skip
    if credential is not None and credential.password is not None:
        return {
            **name, "client_keys": None, "agent_path": None,
            "preferred_auth": "password,keyboard-interactive",
        }  # fmt: skip
    return {**name, "password": None, "preferred_auth": "publickey"}


def _private_key(credential: Credential) -> asyncssh.SSHKey:
    path = Path(credential.key_file or "")
    secret = credential.passphrase or credential.password
    try:
        if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise UsageError(f"others may read the private key {path}", hint=f"chmod 600 '{path}'")
        return asyncssh.read_private_key(path, secret.reveal() if secret is not None else None)
    except OSError as error:
        raise UsageError(
            f"the private key {path} cannot be read: {error.strerror}",
            hint="check key_file in the profile",
        ) from None
    except asyncssh.KeyEncryptionError:
        raise LoginFailed(
            f"the passphrase of the private key {path} is wrong",
            hint="give it as passphrase in the profile",
        ) from None
    except asyncssh.KeyImportError as error:
        wants = "passphrase" in str(error).lower()
        raise LoginFailed(
            f"the private key {path} {'needs a passphrase' if wants else 'is no SSH key'}",
            hint="give it as passphrase in the profile" if wants else "check key_file",
        ) from None


def denied(
    error: asyncssh.PermissionDenied, place: HostUrl, credential: Credential | None
) -> LoginFailed:
    """Return what a refused login means."""
    if credential is None or (credential.password is None and credential.key_file is None):
        hint = "give an account in a profile: username with password or key_file"
    elif credential.key_file is not None:
        hint = "check that the portal knows the public half of this key, and the user name"
    else:
        hint = "it takes keys only: give key_file in the profile"
    origin = f" ({credential.origin})" if credential is not None and credential.origin else ""
    said = said_by(error.reason)
    return LoginFailed(
        f"{place.where} refused the login of this account{origin}: {said}", hint=hint
    )
