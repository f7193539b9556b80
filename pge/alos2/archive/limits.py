"""What an archive may ask for before it is refused; each number with its reason."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Final

from alos2.errors import UsageError

KIB: Final = 1024
MIB: Final = 1024 * KIB
GIB: Final = 1024 * MIB

ENVIRONMENT_PREFIX: Final = "ALOS2_LIMIT_"


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

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Limits:
        """Take the defaults, changed by ``ALOS2_LIMIT_TOTAL_BYTES`` and its siblings.

        Raises
        ------
        UsageError
            A value is not a positive number.
        """
        environment = os.environ if environment is None else environment
        limits = cls()
        for item in fields(cls):
            name = ENVIRONMENT_PREFIX + item.name.upper()
            text = environment.get(name, "").strip()
            if not text:
                continue
            try:
                number = float(text) if item.name == "ratio" else int(text)
            except ValueError:
                raise UsageError(f"{name} is {text!r}, which is not a number") from None
            if not 0 <= number < float("inf"):
                raise UsageError(f"{name} is {text!r}; it must be a number of 0 or more")
            value = bool(number) if item.name == "allow_overlap" else number
            limits = replace(limits, **{item.name: value})  # type: ignore[arg-type]
        return limits


DEFAULT_LIMITS: Final = Limits()
