"""How the tests publish, and as whom."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from alos2.publish.model import PublishOptions

USER, PASSWORD = "ingest", "pässwörd-ü-7"
MEBIBYTE = 1 << 20


@dataclass(frozen=True)
class _Password:
    value: str

    def reveal(self) -> str:
        return self.value


@dataclass(frozen=True)
class _Login:
    username: str
    password: _Password


def login(username: str = USER, password: str = PASSWORD) -> Callable[[str], _Login]:
    """Know one login for every host."""
    return lambda host: _Login(username, _Password(password))


OPTIONS = PublishOptions(
    patience_s=20.0,
    stale_s=3600.0,
    beat_s=30.0,
    part_bytes=5 * MEBIBYTE,
    retries=2,
    backoff_s=0.01,
    logins=login(),
)
