"""One request for pictures, as its steps hand it on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from alos2.raster.pictures import Cancelled, PictureOptions, Progress


@dataclass(frozen=True)
class Task:
    """Where the pictures go, how they are made, and who wants to hear of it."""

    out_dir: Path
    """The dataset's folder."""
    dataset_id: str
    options: PictureOptions
    progress: Progress
    cancelled: Cancelled
