"""TLS for schemes that do not go through requests: the same trust, always verified."""

from __future__ import annotations

import os
import ssl
from pathlib import Path

from requests.utils import DEFAULT_CA_BUNDLE_PATH

from alos2.errors import UsageError

_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
"""As requests has them, so that one setting is enough for all schemes."""


def tls_context(ca_file: Path | None = None) -> ssl.SSLContext:
    """Return a context that verifies certificate and host name, TLS 1.2 or newer.

    Parameters
    ----------
    ca_file : Path, optional
        The authorities to trust; else ``$REQUESTS_CA_BUNDLE``, else this system's and certifi's.

    Raises
    ------
    UsageError
        The file of authorities cannot be read.
    """
    named = ca_file or next((os.environ[v] for v in _VARIABLES if os.environ.get(v)), None)
    try:
        if named is None:
            context = ssl.create_default_context()
            context.load_verify_locations(DEFAULT_CA_BUNDLE_PATH)
        elif os.path.isdir(named):  # noqa: PTH112
            context = ssl.create_default_context(capath=named)
        else:
            context = ssl.create_default_context(cafile=named)
    except (OSError, ssl.SSLError):
        raise UsageError(
            f"{named} holds no certificates that can be read", hint="give a PEM file"
        ) from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
