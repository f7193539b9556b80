"""What may be chosen about a timescan."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from alos2.errors import UsageError
from alos2.raster.gridfile import BLOCK, Layout
from alos2.timeseries.metrics import TimescanType, expand_metrics

_BLOCK_STEP: Final = 16
"""Sides of a TIFF's tiles are multiples of this (TIFF Revision 6.0, section 15)."""
LEAST_MEMORY_MB: Final = 256


@dataclass(frozen=True)
class TimescanOptions:
    """What is measured, and how it is written.

    Raises
    ------
    UsageError
        The choice is impossible.
    """

    metrics: tuple[str, ...] = ("avg", "max", "min", "std", "cov")
    """Of `metrics.METRICS`; ``percentiles`` and ``harmonics`` stand for several."""
    remove_outliers: bool = True
    z_threshold: float = 2.0
    """Outliers lie more standard deviations than this from the mean (`timeseries.outliers`)."""
    to_db: bool = True
    """Averages, extremes, median and percentiles in dB; else in power. They are taken of power."""
    dtype: TimescanType = "float32"
    layout: Layout = "cog"
    compress: str | None = "DEFLATE"
    block: int = BLOCK
    """Width and height of the tiles that are written."""
    threads: int = 2
    memory_mb: int = 512

    def __post_init__(self) -> None:
        expand_metrics(self.metrics)
        if not self.z_threshold > 0:
            raise UsageError(f"z_threshold = {self.z_threshold:g} would remove everything")
        if self.dtype not in {"float32", "uint8", "uint16"}:
            raise UsageError(f"a timescan cannot be written as {self.dtype}")
        if self.dtype != "float32" and not self.to_db:
            raise UsageError(
                f"{self.dtype} takes decibels only", hint="set to_db, or dtype = float32"
            )
        if self.block < _BLOCK_STEP or self.block % _BLOCK_STEP or BLOCK % self.block:
            raise UsageError(f"tiles of {self.block} do not divide {BLOCK}")
        if self.threads < 1:
            raise UsageError(f"{self.threads} threads cannot work")
        if self.memory_mb < LEAST_MEMORY_MB:
            raise UsageError(
                f"{self.memory_mb} MB are too few for a timescan",
                hint=f"give {LEAST_MEMORY_MB} or more",
            )

    @property
    def layers(self) -> tuple[str, ...]:
        """The metrics in the order of the files."""
        return expand_metrics(self.metrics)
