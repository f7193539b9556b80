"""The accounts for a cluster's own servers, from where all accounts come."""

from __future__ import annotations

from alos2.sources.credentials import Credential
from alos2.sources.credentials.resolve import resolve


def account_for(host: str) -> Credential | None:
    """Return the account for a server of the cluster; None where there is none.

    Profiles, the environment, the keyring, netrc and ``.netrc-os`` are looked at: see
    docs/credentials.md.

    Raises
    ------
    UsageError
        A file is open to others or damaged.
    """
    return resolve(host, host=host)
