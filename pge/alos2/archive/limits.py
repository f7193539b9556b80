"""What an archive may ask for before it is refused; each number with its reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

KIB: Final = 1024
MIB: Final = 1024 * KIB
GIB: Final = 1024 * MIB


@dataclass(frozen=True)
class Limits:
    """Limits of one archive with everything nested in it.

    The largest deliveries known (ScanSAR level 1.1, five beams, two polarisations) unpack to about
    60 GB; SAR deflates by 1.05 to 3, a scene that is mostly no-data by 100 and more.
    """

    total_bytes: int = 300 * GIB
    """All that would be written, inner zips that are kept included."""
    file_bytes: int = 150 * GIB
    """One file."""
    entries: int = 20_000
    """Files and folders of all nested archives together."""
    depth: int = 3
    """Archives inside each other, the outermost counted; AUIG2 delivers 2."""
    ratio: float = 200.0
    """Unpacked over packed size, of one file and of all together; looked at only above
    ``ratio_above_bytes``, since small texts and blank scenes deflate by more."""
    ratio_above_bytes: int = 1 * GIB
    directory_bytes: int = 32 * MIB
    """Central directory of one archive: it is read into memory."""
    name_bytes: int = 255
    """One component of a path in UTF-8: what Linux, macOS and Windows file systems take."""
    path_bytes: int = 1024
    """A whole path in UTF-8."""
    spare_bytes: int = 64 * MIB
    """What must stay free on the disk after unpacking."""
    allow_overlap: bool = False
    """Whether entries may share bytes (only archives made to harm do)."""


DEFAULT_LIMITS: Final = Limits()
