"""A block of a mosaic: the inputs that lie there, weighed and averaged.

Weights follow one of

* the distance to the edge of each track's data (a feather as wide as the overlap),
* local resolution, w = 1 / A with A the scattering area (local-resolution weighting: D. Small,
  SAR backscatter multitemporal compositing via local resolution weighting, IGARSS 2012; D. Small
  et al., Wide-area analysis-ready radar backscatter composites, IEEE TGRS 60, 2022; CEOS-ARD's
  composite backscatter): gamma0 = sum(w gamma0_i) / sum(w). A pixel whose area is not known, or 0,
  does not count,
* nothing: the plain mean.

A pixel without a value in any track stays without one.
"""

from __future__ import annotations

import numpy as np

from alos2.mosaic.align import Place
from alos2.mosaic.cells import Feather
from alos2.mosaic.metrics import Rule
from alos2.mosaic.model import MosaicOptions, Plane
from alos2.mosaic.prepare import Prepared
from alos2.mosaic.reading import Layer, Rasters
from alos2.types import Window


class Work:
    """Makes blocks; used by several threads."""

    def __init__(
        self, rasters: Rasters, made: Prepared, place: Place, rule: Rule, options: MosaicOptions
    ) -> None:
        self._rasters = rasters
        self._made = made
        self._place = place
        self._rule = rule
        self._options = options

    def block(self, window: Window) -> Plane:
        """Return a block of the mosaic: the quantity that is averaged, NaN = no data."""
        here = self._place.part(window)
        met = [
            (layer, feather, part)
            for layer, feather in zip(self._made.layers, self._made.feathers, strict=True)
            if (part := layer.place.within(here)) is not None
        ]
        if self._rule.combine == "sum":
            return self._sum(here, [(layer, part) for layer, _, part in met])
        means = [_Mean(here) for _ in range(2 if self._rule.combine == "circular" else 1)]
        for layer, feather, part in met:
            values = self._rasters.values(layer, part)
            weights = self._weights(layer, feather if len(met) > 1 else None, part)
            factor, shift = self._gain(layer.input.track)
            spot = layer.place.part(part)
            if self._rule.combine == "circular":
                means[0].add(np.cos(values), weights, spot)
                means[1].add(np.sin(values), weights, spot)
            else:
                means[0].add(values, weights, spot, factor, shift)
        if self._rule.combine == "circular":
            return np.asarray(np.arctan2(means[1].values(), means[0].values()), np.float32)
        return means[0].values()

    def _sum(self, here: Place, met: list[tuple[Layer, Window]]) -> Plane:
        total = np.full(here.shape, np.nan, np.float32)
        for layer, part in met:
            values = self._rasters.values(layer, part)
            spot = layer.place.part(part)
            top, left = spot.line - here.line, spot.pixel - here.pixel
            into = total[top : top + spot.lines, left : left + spot.pixels]
            known = ~np.isnan(values)
            into[known] = np.where(np.isnan(into[known]), 0, into[known]) + values[known]
        return total

    def _weights(self, layer: Layer, feather: Feather | None, part: Window) -> Plane:
        if self._options.weighting == "area":
            with np.errstate(divide="ignore", invalid="ignore"):
                weights: Plane = np.float32(1) / self._rasters.area(layer, part)
            weights[~np.isfinite(weights)] = 0
            return weights
        if feather is not None:
            return feather.weights(layer.place.part(part), self._options.feather_px)
        return np.broadcast_to(np.float32(1), (part.lines, part.pixels))

    def _gain(self, track: str) -> tuple[float, float]:
        decibels = self._made.gains.decibels.get(track, 0.0)
        if self._rule.gain == "factor":
            return 10.0 ** (decibels / 10.0), 0.0
        return 1.0, decibels if self._rule.gain == "shift" else 0.0


class _Mean:
    """Weighted means over a rectangle."""

    def __init__(self, here: Place) -> None:
        self._here = here
        self._mean: Plane = np.zeros(here.shape, np.float32)
        self._total: Plane = np.zeros(here.shape, np.float32)

    def add(
        self, values: Plane, weights: Plane, spot: Place, factor: float = 1.0, shift: float = 0.0
    ) -> None:
        """Bring in the values of a part of the rectangle."""
        from alos2.mosaic.mosaickernels import add_weighted  # noqa: PLC0415  loads numba

        top, left = spot.line - self._here.line, spot.pixel - self._here.pixel
        into = np.s_[top : top + spot.lines, left : left + spot.pixels]
        add_weighted(values, weights, factor, shift, self._mean[into], self._total[into])

    def values(self) -> Plane:
        """Return the means; NaN where there was no value."""
        self._mean[self._total == 0] = np.nan
        return self._mean
