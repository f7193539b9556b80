"""Between which values the layers of a stack are coloured: the same for all its dates.

As in `alos2.animation`: dates by the 2nd and 98th percentile of all of them together, metrics of
backscatter alike among themselves, the others as `alos2.animation.metrics.LOOKS` says.
"""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from alos2.animation.metrics import LOOKS, Look
from alos2.errors import Alos2Error
from alos2.raster.pictures import RATIO
from alos2.raster.stretch import NARROWEST_DB
from alos2.web.answers import HttpError
from alos2.web.stacks.model import MEAN, StackProduct
from alos2.web.stacks.numbers import Plane
from alos2.web.stacks.rasters import Held, Rasters, Source

SHARES: Final = (2.0, 98.0)
_SIDE_PX: Final = 640
_SAMPLES: Final = 1_500_000
"""Of all dates of a polarisation together."""
_WHOLE_PX: Final = 4_000_000
"""What has no overviews and more pixels is not read in whole, but in these many places: """
_PLACES: Final = 8
_REMEMBERED: Final = 64


class Extent(NamedTuple):
    """The values at the two ends of the colours."""

    low: float
    high: float


_UNKNOWN: Final = Extent(-25.0, 0.0)


@dataclass(frozen=True)
class Extents:
    """Of one stack."""

    dates: Mapping[str, Extent]
    """dB, by polarisation, and of co- over cross-polarised power as ``ratio``."""
    metrics: Mapping[tuple[str, str], Extent]
    """By metric and polarisation."""

    def of_channel(self, name: str) -> Extent:
        """Return that of a polarisation's dates, or of the ratio."""
        return self.dates.get(name, _UNKNOWN)

    def of_metric(self, metric: str, polarization: str) -> Extent:
        """Return that of a metric."""
        return self.metrics.get((metric, polarization), Extent(0.0, 1.0))


class Limits:
    """Finds the extents of stacks, once for each.

    Parameters
    ----------
    rasters : Rasters
    """

    def __init__(self, rasters: Rasters) -> None:
        self._rasters = rasters
        self._known: OrderedDict[tuple[str, str], Future[Extents]] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, product: StackProduct) -> Extents:
        """Return the extents of a stack; its files are read when it is first asked."""
        key = (product.id, product.etag)
        with self._lock:
            waiting = self._known.get(key)
            if waiting is None:
                mine: Future[Extents] = Future()
                self._known[key] = mine
                while len(self._known) > _REMEMBERED:
                    self._known.popitem(last=False)
        if waiting is not None:
            return waiting.result()
        try:
            mine.set_result(self._found(product))
        except BaseException as error:
            with self._lock:
                self._known.pop(key, None)
            mine.set_exception(error)
            raise
        return mine.result()

    def _found(self, product: StackProduct) -> Extents:
        stride = max(1, _SIDE_PX * _SIDE_PX * max(1, len(product.dates)) // _SAMPLES)

        def read(path: str, metric: str | None) -> Plane | None:
            try:
                with self._rasters.lent(Source(product, path, metric)) as held:
                    return glimpse(held)
            except (HttpError, Alos2Error):
                return None  # the others are shown all the same

        wanted: list[tuple[str, str | None]] = [
            (path, None) for date in product.dates for path in date.layers.values()
        ]
        wanted += [(p, name) for name, by_pol in product.metrics.items() for p in by_pol.values()]
        planes = dict(
            zip(
                (path for path, _ in wanted),
                self._rasters.readers.map(lambda one: read(*one), wanted),
                strict=True,
            )
        )
        return Extents(_of_dates(product, planes, stride), dict(_of_metrics(product, planes)))


def glimpse(held: Held) -> Plane:
    """Return a small picture of a file's values, or samples of it; NaN = no data."""
    dataset = held.dataset
    long = max(dataset.height, dataset.width)
    small = next((one for one in dataset.overviews(1) if long / one <= _SIDE_PX), None)
    if small is None and dataset.height * dataset.width > _WHOLE_PX:
        return _samples(held)
    factor = max(small or 1, math.ceil(long / (2 * _SIDE_PX)))
    shape = (-(-dataset.height // factor), -(-dataset.width // factor))
    return held.meaning.values(dataset.read(1, out_shape=shape))


def _samples(held: Held) -> Plane:
    """Return blocks that lie evenly over a large file without overviews."""
    from alos2.raster.lean import RasterioWindow  # noqa: PLC0415

    dataset, parts = held.dataset, []
    high, wide = (min(128, side // _PLACES) for side in (dataset.height, dataset.width))
    for down in range(_PLACES):
        for across in range(_PLACES):
            line, pixel = dataset.height * down // _PLACES, dataset.width * across // _PLACES
            parts.append(dataset.read(1, window=RasterioWindow(pixel, line, wide, high)))
    return held.meaning.values(np.concatenate(parts))


def _of_dates(
    product: StackProduct, planes: Mapping[str, Plane | None], stride: int
) -> dict[str, Extent]:
    """Return the extents of polarisations; where no date has one, the mean stands for them."""
    found: dict[str, Extent] = {}
    mean = product.metrics.get(MEAN, {})
    for pol in product.polarizations:
        paths = [date.layers[pol] for date in product.dates if pol in date.layers]
        extent = _wide_enough(
            _taken([planes[path] for path in paths or mean.get(pol, "").split()], stride)
        )
        if extent is not None:
            found[pol] = extent
    if product.pair is not None:
        co, cross = product.pair
        pairs = [
            (planes[date.layers[co]], planes[date.layers[cross]])
            for date in product.dates
            if co in date.layers and cross in date.layers
        ]
        ratios = [a - b for a, b in pairs if a is not None and b is not None and a.shape == b.shape]
        extent = _wide_enough(_taken(ratios, stride))
        if extent is not None:
            found[RATIO] = extent
    return found


def _of_metrics(
    product: StackProduct, planes: Mapping[str, Plane | None]
) -> list[tuple[tuple[str, str], Extent]]:
    made: list[tuple[tuple[str, str], Extent]] = []
    for pol in product.polarizations:
        known = {
            metric: _taken([planes[by_pol[pol]]], 1)
            for metric, by_pol in product.metrics.items()
            if pol in by_pol
        }
        ends = [
            np.percentile(values, SHARES)
            for metric, values in known.items()
            if LOOKS[metric].extent == "shared" and values.size
        ]
        shared = _wide_enough(np.ravel(ends)) if ends else None
        for metric, values in known.items():
            extent = extent_of(LOOKS[metric], values, shared)
            if extent is not None:
                made.append(((metric, pol), extent))
    return made


def extent_of(look: Look, known: npt.NDArray[Any], shared: Extent | None) -> Extent | None:
    """Return between which values a metric is coloured; None where it has no data.

    Parameters
    ----------
    look : Look
    known
        Its values, none of them NaN.
    shared : Extent or None
        Of all metrics of backscatter.
    """
    if not known.size:
        return None
    if look.extent == "circle":
        return Extent(-math.pi, math.pi)
    if look.extent == "shared":
        return shared
    low, high = (float(end) for end in np.percentile(known, SHARES))
    if look.extent == "from_zero":
        most = float(known.max()) if look.unit == "dates" else high
        return Extent(0.0, most if most > 0 else 1.0)
    if look.extent == "symmetric":
        most = max(abs(low), abs(high)) or 1.0
        return Extent(-most, most)
    return Extent(low, high) if high > low else Extent(low - 0.5, high + 0.5)


def _taken(planes: Sequence[Plane | None], stride: int) -> npt.NDArray[np.float32]:
    known = [one[np.isfinite(one)][::stride] for one in planes if one is not None]
    return np.concatenate(known) if known else np.zeros(0, np.float32)


def _wide_enough(values: npt.NDArray[Any]) -> Extent | None:
    """Return percentiles, at least so far apart as pictures have them; None of nothing."""
    if not values.size:
        return None
    ends = np.percentile(values, SHARES) if values.size > 4 else (values.min(), values.max())
    low, high = (float(end) for end in ends)
    if high - low < NARROWEST_DB:
        low, high = (low + high - NARROWEST_DB) / 2, (low + high + NARROWEST_DB) / 2
    return Extent(round(low, 1), round(high, 1))
