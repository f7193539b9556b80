"""What a caller may choose about an ingest; the defaults are those of the command."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from alos2.archive.limits import DEFAULT_LIMITS, Limits
from alos2.footprint import FootprintOptions
from alos2.raster.pictures import PictureOptions, Progress, never, silent
from alos2.sources import TransferOptions
from alos2.types import FootprintSource


@dataclass(frozen=True)
class IngestOptions:
    """How to ingest."""

    out: Path
    """Folder that takes the datasets."""
    footprint: FootprintSource | None = None
    """Force one provider; None: the default order."""
    footprint_options: FootprintOptions = field(default_factory=FootprintOptions)
    leader: Path | None = None
    """A CEOS leader of the same scene, for GeoTIFF deliveries."""
    force: bool = False
    """Replace a dataset of the same id that has other content."""
    limits: Limits = DEFAULT_LIMITS
    pictures: PictureOptions = field(default_factory=PictureOptions)
    transfer: TransferOptions = field(default_factory=TransferOptions)
    downloads: Path | None = None
    """Folder for downloads; None: a hidden one in `out`."""
    keep_download: bool = False
    """Leave a download where it is after its datasets have been made."""
    catalogue: bool = False
    """Keep the catalogue of `out` true; never in a HySDS job's directory."""
    credential: str | None = None
    """Name of the credential profile for URLs; None: whatever is found for their host."""
    progress: Progress = silent
    cancelled: Callable[[], bool] = never
