"""Rasters of several tracks brought together.

`pair_dates` says which acquisitions belong together, `mosaic` makes one raster of them, levelled by
`estimate_gains` and weighted by the distance to the edge or by local resolution.
"""

from __future__ import annotations

from alos2.mosaic.align import union_grid
from alos2.mosaic.make import estimate_gains, mosaic
from alos2.mosaic.metrics import METRIC_RULES, Rule, rule_of
from alos2.mosaic.model import (
    Codec,
    Gains,
    MosaicInput,
    MosaicOptions,
    MosaicResult,
    Overlap,
    Weighting,
)
from alos2.mosaic.pairing import pair_dates, pair_name

__all__ = [
    "METRIC_RULES",
    "Codec",
    "Gains",
    "MosaicInput",
    "MosaicOptions",
    "MosaicResult",
    "Overlap",
    "Rule",
    "Weighting",
    "estimate_gains",
    "mosaic",
    "pair_dates",
    "pair_name",
    "rule_of",
    "union_grid",
]
