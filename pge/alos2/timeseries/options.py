"""What may be chosen about a time series; loads no raster library."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias, get_args

from alos2.errors import UsageError
from alos2.speckle.options import SpeckleFilter
from alos2.timeseries.model import Encoding

Extent: TypeAlias = Literal["union", "intersection"]


@dataclass(frozen=True)
class SeriesOptions:
    """What may be chosen about a series; names as OpenSarToolkit has them where it has any.

    Raises
    ------
    UsageError
        A choice that cannot be.
    """

    remove_mt_speckle: bool = True
    """Filter speckle over time (OST of 2019: mtSpkFlt)."""
    mt_speckle_filter: SpeckleFilter = field(default_factory=lambda: SpeckleFilter("Boxcar"))
    """The local mean of that filter. A boxcar keeps the mean; OST's Refined Lee lowers it."""
    to_db: bool = True
    """Decibels and not linear power. Codes are always decibels."""
    dtype_output: Literal["float32", "uint8", "uint16"] = "float32"
    """float32, or codes (OST of 2019: dType)."""
    minimum_db: float = -30.0
    maximum_db: float = 5.0
    """Codes: decibels of the lowest and of the highest."""
    apply_ls_mask: bool = False
    """Make layover and shadow no data (OST of 2019: lsMask)."""
    ls_mask: Literal["date", "union"] = "date"
    """Each date by its own mask, or all by all masks (as OST does)."""
    extent: Extent = "union"
    """All that any date covers, or only pixels that all dates have (as OST does)."""
    layout: Literal["cog", "tiled"] = "cog"
    compress: str | None = "DEFLATE"
    threads: int = 2
    memory_mb: int = 1024
    """Fewer threads work at a time where this is not enough for all."""

    def __post_init__(self) -> None:
        if self.ls_mask not in {"date", "union"} or self.extent not in get_args(Extent):
            raise UsageError(f"a series with {self.ls_mask!r} masks and {self.extent!r} extent")
        if self.threads < 1 or self.memory_mb < 1:
            raise UsageError(f"{self.threads} threads and {self.memory_mb} MB cannot work")
        _ = self.encoding

    @property
    def encoding(self) -> Encoding:
        """What the numbers in the files mean."""
        codes = self.dtype_output != "float32"
        quantity: Literal["power", "db"] = "db" if self.to_db or codes else "power"
        return Encoding(quantity, self.dtype_output, self.minimum_db, self.maximum_db)

    @property
    def mt_filter(self) -> SpeckleFilter | None:
        """The local mean of the multi-temporal filter; None: there is no such filter."""
        wanted = self.mt_speckle_filter
        return wanted if self.remove_mt_speckle and wanted.filter != "None" else None
