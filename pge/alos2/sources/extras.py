"""Packages that only some schemes need: there, or one clear sentence."""

from __future__ import annotations

import importlib.util

from alos2.errors import UsageError

EXTRAS = {"s3": "boto3", "sftp": "asyncssh", "keyring": "keyring"}
"""Each extra of ours, and the module that it brings."""


def has_extra(extra: str) -> bool:
    """Tell whether the module of an extra is installed."""
    return importlib.util.find_spec(EXTRAS[extra]) is not None


def require_extra(extra: str, what: str) -> None:
    """Refuse to go on without an extra.

    Raises
    ------
    UsageError
        It is not installed.
    """
    if not has_extra(extra):
        raise UsageError(
            f"{what} needs the package {EXTRAS[extra]}, which is not installed",
            hint=f"pip install 'alos2-ingest[{extra}]'",
        )
