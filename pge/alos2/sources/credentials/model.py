"""Who one is to a server."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from pathlib import Path

from alos2.dataset.hidden import hide
from alos2.sources.credentials.secret import Secret


@dataclass(frozen=True)
class Credential:
    """An account at a server, and what proves that it is ours.

    Parameters
    ----------
    username
        Login name, e-mail address, or id of an access key.
    password
        Password, or the secret of an access key; None where a key file or nothing is used.
    key_file
        Private key (SSH).
    host_key
        The only host key that is accepted, as ``SHA256:...`` (SSH).
    ca_file
        The authorities that the server's certificate is checked with (TLS); None: the usual ones.
    passphrase
        Of `key_file`.
    token
        Session token of a temporary access key.
    origin
        Where this was found, for messages: ``profile auig2``, ``environment``, ``keyring``,
        ``netrc``.
    """

    username: str
    password: Secret | None = None
    key_file: Path | None = None
    host_key: str | None = None
    ca_file: Path | None = None
    passphrase: Secret | None = None
    token: Secret | None = None
    origin: str = ""

    def __post_init__(self) -> None:
        if self.password is None:
            return
        # As it goes over the wire with Basic: libraries that log headers log this.
        pair = f"{self.username}:{self.password.reveal()}"
        for charset in ("utf-8", "latin-1"):
            hide(base64.b64encode(pair.encode(charset, "replace")).decode())
