"""The series of a place: what each date of a stack has there, and its metrics.

The means over a window of pixels are those of linear power, of the pixels that have data.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from alos2.animation.metrics import LOOKS
from alos2.catalogue.search.times import utc_text
from alos2.errors import Alos2Error, UsageError
from alos2.types import Json, LonLat
from alos2.web.answers import HttpError, not_found
from alos2.web.stacks.model import MEAN, StackProduct
from alos2.web.stacks.rasters import Held, Rasters, Source
from alos2.web.stacks.sampling import transformer

WINDOWS: Final = (1, 3, 5, 7, 9, 11)
"""Pixels across that a series may be a mean of."""
_DECIMALS: Final = 3
_FINE: Final = ("std", "cov")


@dataclass(frozen=True)
class Where:
    """A place, and how it is read."""

    place: LonLat
    window: int = 1
    """Pixels across."""

    def __post_init__(self) -> None:
        lon, lat = self.place
        if not (-180 <= lon <= 180 and -90 <= lat <= 90):
            raise UsageError("lon and lat are degrees, from -180 to 180 and from -90 to 90")
        if self.window not in WINDOWS:
            raise UsageError(f"window is one of {', '.join(map(str, WINDOWS))} pixels")


def series(rasters: Rasters, product: StackProduct, where: Where) -> Json:
    """Return the values of all dates and metrics of a stack at a place.

    Returns
    -------
    Json
        ``dates``, each with its values in dB by polarisation (null: no data), ``metrics`` by
        name and polarisation, ``bands`` of mean and mean -+ standard deviation in dB, ``inside``.

    Raises
    ------
    UsageError
        The place is none.
    HttpError
        404: the stack has no files.
    """
    wanted = [(path, None) for date in product.dates for path in date.layers.values()]
    more = [(path, name) for name, own in product.metrics.items() for path in own.values()]
    every: list[tuple[str, str | None]] = [*wanted, *more]
    if not every:
        raise not_found(f"stack {product.id!r} has no dates and no metrics")

    def read(one: tuple[str, str | None]) -> float | str | None:
        path, metric = one
        try:
            with rasters.lent(Source(product, path, metric)) as held:
                return value_at(held, where)
        except (HttpError, Alos2Error) as error:
            return str(error) or "it cannot be read"

    found = dict(zip((path for path, _ in every), rasters.readers.map(read, every), strict=True))
    failures = sorted({text for text in found.values() if isinstance(text, str)})
    values = {path: None if isinstance(one, str) else one for path, one in found.items()}
    metrics = {
        name: {pol: _rounded(_known(values[path]), name) for pol, path in own.items()}
        for name, own in product.metrics.items()
    }
    return {
        "id": product.id,
        "lon": where.place.lon_deg,
        "lat": where.place.lat_deg,
        "window": where.window,
        "unit": "dB",
        "inside": any(one is not None for one in values.values()),
        "polarizations": list(product.polarizations),
        "dates": [
            {
                "name": date.name,
                "title": date.title,
                "time": utc_text(date.middle),
                "values": {
                    pol: _rounded(_known(values[path])) for pol, path in date.layers.items()
                },
            }
            for date in product.dates
        ],
        "metrics": metrics,
        "units": {name: LOOKS[name].unit for name in metrics},
        "bands": _bands(metrics),
        "failures": failures,
    }


def value_at(held: Held, where: Where) -> float | None:
    """Return a file's value at a place: NaN where it has no data, None outside.

    Backscatter is averaged as power over the window and told in dB, the direction of the yearly
    cycle as a direction, other metrics as numbers.
    """
    from alos2.raster.lean import RasterioWindow  # noqa: PLC0415

    dataset = held.dataset
    x, y = transformer("EPSG:4326", held.wkt).transform(*where.place)
    if not (math.isfinite(x) and math.isfinite(y)):
        return None
    a, b, c, d, e, f = (~dataset.transform)[:6]
    pixel, line = math.floor(a * x + b * y + c), math.floor(d * x + e * y + f)
    if not (0 <= pixel < dataset.width and 0 <= line < dataset.height):
        return None
    half = where.window // 2
    left, upper = max(0, pixel - half), max(0, line - half)
    right, lower = min(dataset.width, pixel + half + 1), min(dataset.height, line + half + 1)
    window = RasterioWindow(left, upper, right - left, lower - upper)
    values = held.meaning.values(dataset.read(1, window=window)).astype(np.float64)
    known = values[np.isfinite(values)]
    if not known.size:
        return math.nan
    if held.meaning.quantity == "backscatter":
        return float(10 * np.log10(np.mean(10 ** (known / 10))))
    if held.meaning.quantity == "angle":
        return float(np.angle(np.mean(np.exp(1j * known))))
    return float(known.mean())


def as_csv(told: Mapping[str, Any]) -> str:
    """Return a series as CSV: a line a date, an empty field where there is no data."""
    made = io.StringIO()
    writer = csv.writer(made, lineterminator="\r\n")
    pols = told["polarizations"]
    writer.writerow(["date", "time_utc", *(f"{pol}_dB" for pol in pols)])
    for date in told["dates"]:
        own = (date["values"].get(pol) for pol in pols)
        writer.writerow(
            [date["name"], date["time"], *("" if one is None else f"{one:.3f}" for one in own)]
        )
    return made.getvalue()


def _bands(metrics: Mapping[str, Mapping[str, float | None]]) -> Json:
    """Return mean and mean -+ standard deviation, dB, by polarisation.

    The deviation is that of power: above and below the mean it is not the same in dB, and where it
    is larger than the mean there is nothing below.
    """
    made: Json = {}
    for pol, mean_db in metrics.get(MEAN, {}).items():
        if mean_db is None:
            continue
        band: Json = {"mean": mean_db, "low": None, "high": None}
        deviation = metrics.get("std", {}).get(pol)
        if deviation is not None:
            power = 10 ** (mean_db / 10)
            band["high"] = _rounded(10 * math.log10(power + deviation))
            if power > deviation:
                band["low"] = _rounded(10 * math.log10(power - deviation))
        made[pol] = band
    return made


def _known(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else value


def _rounded(value: float | None, metric: str = "") -> float | None:
    """Return a number as it is told: standard deviations of power are small."""
    if value is None or metric in _FINE:
        return None if value is None else float(f"{value:.6g}")
    return round(value, _DECIMALS) + 0.0
