"""Whom to believe to be the server: the usual authorities, one of our own, or one certificate.

Clusters sit behind their own certificate authority, or behind a certificate that they signed
themselves for a bare address. ``ALOS2_GRQ_CA`` names a file of authorities (PEM), and
``ALOS2_GRQ_FINGERPRINT`` is the SHA-256 fingerprint of the one certificate that is accepted,
whatever name it is made out to; the same with ``MOZART`` and ``JOBS`` in place of ``GRQ``. There
is no way to believe everybody.
"""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from requests.adapters import HTTPAdapter

from alos2.errors import UsageError

_FINGERPRINT: Final = re.compile(r"(?:sha256(?:fingerprint)?=?)?([0-9a-f]{64})")
"""As openssl and browsers print it, once colons, spaces and dashes have gone."""


@dataclass(frozen=True)
class Trust:
    """How a server proves who it is.

    Parameters
    ----------
    ca_file : Path, optional
        PEM file of the authorities that are believed, in place of the usual ones.
    fingerprint : str, optional
        SHA-256 of the server's certificate, 64 hexadecimal digits; colons and upper case are
        allowed. The certificate's name and dates no longer matter then, and without `ca_file`
        neither does its signer.

    Raises
    ------
    UsageError
        The file holds no certificate; the fingerprint is none.
    """

    ca_file: Path | None = None
    fingerprint: str | None = None

    def __post_init__(self) -> None:
        if self.fingerprint is not None:
            object.__setattr__(self, "fingerprint", _digits(self.fingerprint))
        if self.ca_file is not None:
            _check_authorities(self.ca_file)

    @property
    def verify(self) -> bool | str:
        """What requests calls ``verify``."""
        if self.ca_file is not None:
            return str(self.ca_file)
        # A pinned certificate is checked by urllib3 itself, in place of its chain.
        return self.fingerprint is None

    def adapter(self) -> HTTPAdapter:
        """Return what connects, and accepts no certificate but the pinned one if there is one."""
        return _Pinned(self.fingerprint) if self.fingerprint else HTTPAdapter(max_retries=0)


def trust_for(service: str, environment: Mapping[str, str] | None = None) -> Trust:
    """Return what ``ALOS2_<service>_CA`` and ``ALOS2_<service>_FINGERPRINT`` say.

    Raises
    ------
    UsageError
        One of them is set to something that it cannot be.
    """
    values = os.environ if environment is None else environment
    ca_file = values.get(f"ALOS2_{service}_CA", "").strip()
    fingerprint = values.get(f"ALOS2_{service}_FINGERPRINT", "").strip()
    return Trust(Path(ca_file) if ca_file else None, fingerprint or None)


class _Pinned(HTTPAdapter):
    """Accepts exactly one certificate."""

    def __init__(self, fingerprint: str) -> None:
        self._fingerprint = fingerprint
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, assert_fingerprint=self._fingerprint, **kwargs)

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        return super().proxy_manager_for(proxy, assert_fingerprint=self._fingerprint, **kwargs)


def _digits(text: str) -> str:
    plain = re.sub(r"[\s:-]", "", text).lower()
    found = _FINGERPRINT.fullmatch(plain)
    if found is None:
        raise UsageError(
            "a certificate's SHA-256 fingerprint has 64 hexadecimal digits, with or without "
            f"colons; this one has {len(plain)} characters",
            hint="openssl s_client -connect HOST:PORT </dev/null | "
            "openssl x509 -noout -fingerprint -sha256 prints it",
        )
    return found[1]


def _check_authorities(file: Path) -> None:
    try:
        ssl.create_default_context(cafile=str(file))
    except (OSError, ssl.SSLError) as error:
        raise UsageError(
            f"{file} is no file of certificate authorities: {error}",
            hint="give the authority's certificate as PEM",
        ) from error
