"""The keyring of the user's desktop, where the package ``keyring`` is installed and has one.

Entries are named ``alos2:<service>``, e.g. ``keyring set alos2:auig2 NAME``.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Final

from alos2.sources.credentials.model import Credential
from alos2.sources.credentials.secret import Secret

log = logging.getLogger(__name__)

VARIABLE: Final = "ALOS2_KEYRING"
"""``off``: it is not asked. A locked keyring may wait for somebody to type its password."""


def from_keyring(
    service: str, username: str | None, environ: Mapping[str, str]
) -> tuple[Credential | None, str]:
    """Ask the keyring for the account of `service`.

    Parameters
    ----------
    service : str
        Of the entry ``alos2:<service>``.
    username : str, optional
        Only this account; None: the one that is there.
    environ : mapping
        The environment.

    Returns
    -------
    tuple of Credential or None, str
        The account, and what was looked at, for messages.
    """
    if environ.get(VARIABLE, "").lower() in ("off", "0", "no", "false"):
        return None, f"keyring (switched off by {VARIABLE})"
    try:
        # Imported late: an extra, and slow to import.
        import keyring  # noqa: PLC0415
        from keyring.errors import KeyringError  # noqa: PLC0415
    except ImportError:
        return None, "keyring (not installed)"
    name = f"alos2:{service}"
    try:
        found = keyring.get_credential(name, username)
    except KeyringError as error:
        # Its class says enough; its text is a backend's.
        log.debug("the keyring cannot be asked: %s", type(error).__name__)
        return None, "keyring (none that can be asked)"
    if found is None or not found.password or (username and found.username != username):
        return None, f"keyring ({name}: no entry)"
    return Credential(found.username, Secret(found.password), origin="keyring"), f"keyring ({name})"
