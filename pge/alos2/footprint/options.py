"""What may be chosen about footprints."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from alos2.errors import UsageError
from alos2.types import FootprintSource

SARCAT_URL: Final = "https://portal.bostechnologies.com/geoserver/bos/ows"
"""WFS of BOS SARCAT; whether it still answers is not known, hence the short patience."""

_OFF: Final = frozenset({"off", "no", "0", "false"})


def _wanted() -> bool:
    return os.environ.get("ALOS2_SARCAT", "on").strip().lower() not in _OFF


@dataclass(frozen=True)
class FootprintOptions:
    """How footprints are found."""

    sarcat: bool = field(default_factory=_wanted)
    """Whether the catalogue is asked. Unless the caller decides, ``ALOS2_SARCAT=off`` says no: a
    switch against going out must not depend on who makes the options."""
    sarcat_url: str = SARCAT_URL
    """Its WFS address (``ALOS2_SARCAT_URL``)."""
    sarcat_budget_s: float = 3.0
    """Seconds that a whole question may take: name, connection, TLS and answer."""
    min_overlap: float = 0.8
    """Area of intersection over union with the product's own footprint, from which a catalogue is
    believed."""
    cache_dir: Path | None = None
    """Folder for what the catalogue could not answer (``ALOS2_CACHE``); None: the user's cache
    folder if there is one, else memory only."""
    failure_cache_s: float = 600.0
    """How long a catalogue that failed is left alone, seconds."""
    empty_cache_s: float = 86_400.0
    """How long a scene that it does not hold is not asked for again, seconds."""
    order: tuple[FootprintSource, ...] | None = None
    """Another order than the default one."""
    isce_program: str = "alos2App.py"
    """Name or path of ISCE2's program."""
    isce_timeout_s: float = 1800.0
    """How long it may run, seconds."""

    def __post_init__(self) -> None:
        if not 0.0 < self.min_overlap <= 1.0:
            raise UsageError(
                f"the least overlap of a footprint is {self.min_overlap}",
                hint="give an area ratio above 0 and up to 1",
            )
        if not (math.isfinite(self.sarcat_budget_s) and self.sarcat_budget_s > 0):
            raise UsageError("the catalogue's time budget must be a positive number of seconds")
        parts = urlsplit(self.sarcat_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise UsageError(
                "the address of the footprint catalogue is not an http(s) URL",
                hint="see ALOS2_SARCAT_URL",
            )
