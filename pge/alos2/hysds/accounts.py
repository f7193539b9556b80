"""The accounts for a cluster's own servers, from where all accounts come."""

from __future__ import annotations

import os

from alos2.sources.credentials import Credential
from alos2.sources.credentials.netrcfile import netrc_os_default
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


def index_account_for(host: str) -> Credential | None:
    """Return the account for an index of the cluster: its own, else HySDS's for all of them.

    HySDS keeps one login for its OpenSearch nodes, under whatever address they have, as the
    ``default`` entry of ``.netrc-os``.

    Raises
    ------
    UsageError
        A file is open to others or damaged.
    """
    return account_for(host) or netrc_os_default(os.environ)
