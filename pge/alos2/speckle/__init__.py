"""Local speckle filters on arrays of power.

Boxcar, median, Lee, refined Lee, Lee sigma, Frost and gamma MAP. All take linear power as float32
with NaN = no data, keep NaN where it is, and treat it, and what lies outside of the array, as
absent. Each pixel is a function of its own window alone, calculated in one fixed order: so an image
that is filtered in parts, each given with `halo` more pixels on every side, comes out the same to
the last bit wherever it is cut.
"""

from alos2.speckle.filters import despeckle, despeckle_window
from alos2.speckle.looks import Speckle, estimate_looks, measure
from alos2.speckle.options import FILTERS, FilterName, SpeckleFilter, halo, needs_looks

__all__ = [
    "FILTERS",
    "FilterName",
    "Speckle",
    "SpeckleFilter",
    "despeckle",
    "despeckle_window",
    "estimate_looks",
    "halo",
    "measure",
    "needs_looks",
]
