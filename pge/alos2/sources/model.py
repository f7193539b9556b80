"""What a source is, what it is told, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol, TypeAlias

from alos2.errors import Interrupted

TransferProgress: TypeAlias = Callable[[int, "int | None"], None]
"""Called with the bytes that are there and the bytes there will be (None: unknown)."""

Cancelled: TypeAlias = Callable[[], bool]
"""Asked often; True stops the transfer."""

_MEBIBYTE: Final = 1 << 20


@dataclass(frozen=True)
class TransferOptions:
    """Patience of a transfer. There is no limit on its whole duration: large files are slow."""

    connect_s: float = 20.0
    """Seconds to wait for a connection."""
    stall_s: float = 60.0
    """Seconds without a single byte after which the transfer has stalled."""
    retries: int = 6
    """How many tries may bring nothing, one after the other, before it is given up."""
    renew_bytes: int = _MEBIBYTE
    """Progress beyond the furthest point so far after which all tries are there again, bytes."""
    backoff_s: float = 1.0
    """Bound of the first wait, seconds; doubled for each further try that brings nothing."""
    backoff_max_s: float = 60.0
    """Longest wait that is ours to choose, seconds."""
    retry_after_max_s: float = 300.0
    """Longest wait that a server may ask for (``Retry-After``), seconds; beyond it we give up."""
    lock_wait_s: float = 3600.0
    """How long to wait for another process that transfers the same, seconds."""
    max_redirects: int = 10
    chunk_bytes: int = 4 * _MEBIBYTE
    """Largest read, bytes; most bring what has arrived and are smaller. A progress call and a look
    at `Cancelled` follow each. Small ones cost more in threads that wait for each other than the
    bytes themselves."""
    checkpoint_bytes: int = 128 * _MEBIBYTE
    """How much may be lost when the process is killed, bytes."""
    checkpoint_s: float = 15.0
    """How much may be lost when the process is killed, seconds; of the two what comes first."""
    overlap_bytes: int = 4 * _MEBIBYTE
    """Bytes that are transferred again and compared where a resumed object has no validator."""
    margin_bytes: int = 64 * _MEBIBYTE
    """Free disk that must remain beside the file."""
    room: float = 1.0
    """Free disk that is asked for before the start, as a multiple of the file's size: more than 1
    where the file will be unpacked beside itself."""


@dataclass(frozen=True)
class Fetched:
    """A delivery that is on this disk now."""

    path: Path
    """The zip or folder; for a local source the place that was named, not a copy."""
    url: str | None
    """Where it came from, without userinfo and query secrets; None for a plain path."""
    size: int
    """Bytes: of the file, or of all files of a folder."""
    sha256: str | None
    """Hexadecimal; None for a local source, which nobody has read yet."""
    retrieved: datetime | None
    """UTC, when the transfer ended; None where nothing was transferred."""
    seconds: float
    """Duration of the transfer, retries included."""
    downloaded: bool
    """Whether `path` is a new file, which the caller may remove."""


class Source(Protocol):
    """A place that products come from."""

    def fetch(
        self,
        url: str,
        work_dir: Path,
        *,
        progress: TransferProgress | None = None,
        cancel: Cancelled | None = None,
        options: TransferOptions = TransferOptions(),
        credential: str | None = None,
    ) -> Fetched:
        """Bring `url` into `work_dir`: a whole file, or a part that the next call continues.

        `credential`, the name of a profile, is given only where a caller chose one.

        Raises
        ------
        LoginFailed, NothingFound, TransferFailed, NoSpace, BadArchive, UsageError, Interrupted
            See `alos2.errors`; no message holds a secret of `url`.
        """


def stop_if(cancel: Cancelled | None) -> None:
    """Raise `Interrupted` when the caller wants the transfer to stop."""
    if cancel is not None and cancel():
        raise Interrupted("the transfer was stopped")
