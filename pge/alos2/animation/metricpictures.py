"""A quick look of every metric of a timescan: one PNG each, with a colour bar."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from alos2.animation.boxes import valid_box
from alos2.animation.colours import paint, table
from alos2.animation.compass import compass_of
from alos2.animation.decimate import (
    Reduced,
    nodata_of,
    plain,
    read_direction,
    read_power,
    read_values,
)
from alos2.animation.drawing import (
    BAND,
    FAINT,
    INK,
    Caption,
    colour_bar,
    enlarged,
    font,
    small,
    with_caption,
)
from alos2.animation.films import png
from alos2.animation.metrics import LOOKS, PHASE_TICKS, Look, ticks
from alos2.animation.model import Decode, Plane
from alos2.errors import UsageError
from alos2.raster.control import check
from alos2.raster.files import make_folder, write_file
from alos2.raster.pictures import Cancelled, Progress, never, silent
from alos2.raster.stretch import NARROWEST_DB, decibel
from alos2.types import Window

_SHARES: Final = (2.0, 98.0)


class _Extent(NamedTuple):
    low: float
    high: float


def metric_quicklooks(
    metrics: Mapping[str, Path],
    out: Path,
    *,
    title: str = "",
    max_px: int = 1024,
    decode: Mapping[str, Decode] = MappingProxyType({}),
    progress: Progress = silent,
    cancelled: Cancelled = never,
) -> list[Path]:
    """Draw the metrics of a timescan.

    Metrics of backscatter (mean, extremes, percentiles) share their colours, so that they can be
    compared; the phase of the yearly cycle has colours that meet, the trend such that part at 0.

    Parameters
    ----------
    metrics
        The raster of each metric (see `LOOKS`), all of one polarisation. Decibels of backscatter
        are known by the band's unit, else it is power.
    out
        Folder of the pictures, which are named as the rasters.
    title
        Goes before the metric's name, e.g. track and polarisation.
    max_px
        Long side of the image at most, without its caption.
    decode
        For metrics in integer codes: from numbers to power (metrics of backscatter) or to what the
        metric is.

    Returns
    -------
    list of Path
        In the order of `metrics`; without those that have no data at all.

    Raises
    ------
    BadProduct
        A raster cannot be read.
    UsageError
        A metric is unknown, or in codes of which nobody says what they mean.
    NoSpace, NoResource
        A picture cannot be written.
    Interrupted
        `cancelled` said so.
    """
    for metric in metrics:
        if metric not in LOOKS:
            raise UsageError(f"nobody knows how to draw {metric!r} (known: {', '.join(LOOKS)})")
    make_folder(out)
    decoders = {metric: _decoder(metric, path, decode) for metric, path in metrics.items()}
    box = valid_box([(path, decoders[m]) for m, path in metrics.items()], cancelled=cancelled)
    reading = _Reading(max_px, box, cancelled)
    shared = _shared(metrics, decoders, reading)
    written = []
    for done, (metric, path) in enumerate(metrics.items(), 1):
        check(cancelled)
        reduced = reading.read(LOOKS[metric], path, decoders[metric])
        extent = _extent(LOOKS[metric], reduced.values, shared)
        if extent is not None:
            picture = _draw(LOOKS[metric], reduced, extent, title)
            written.append(out / f"{path.stem}.png")
            write_file(written[-1], png(picture))
        progress("drawing the metrics", done, len(metrics))
    return written


@dataclass(frozen=True)
class _Reading:
    """How all metrics are read."""

    max_px: int
    box: Window | None
    cancelled: Cancelled

    def read(self, look: Look, path: Path, decode: Decode | None) -> Reduced:
        """Read a metric at the size of its picture; backscatter in dB."""
        read = {"direction": read_direction, "plain": read_values, "power": read_power}
        found = read[look.quantity](
            path, self.max_px, decode, window=self.box, cancelled=self.cancelled
        )
        if look.quantity == "power":
            return found._replace(values=decibel(found.values))
        return found


def _decoder(metric: str, path: Path, decode: Mapping[str, Decode]) -> Decode | None:
    """Return how a metric's numbers are read; no date at all is drawn as no data."""
    given = decode.get(metric)
    if LOOKS[metric].unit != "dates":
        return given
    numbers = given or plain(nodata_of(path))

    def counted(values: npt.NDArray[Any]) -> Plane:
        found = numbers(values)
        found[found == 0] = np.nan
        return found

    return counted


def _shared(
    metrics: Mapping[str, Path], decoders: Mapping[str, Decode | None], reading: _Reading
) -> _Extent | None:
    """Return the range of the metrics of backscatter together."""
    ends = []
    for metric, path in metrics.items():
        if LOOKS[metric].extent == "shared":
            found = reading.read(LOOKS[metric], path, decoders[metric]).values
            known = found[np.isfinite(found)]
            if known.size:
                ends.append(np.percentile(known, _SHARES))
    if not ends:
        return None
    low, high = float(np.min(ends)), float(np.max(ends))
    if high - low < NARROWEST_DB:
        low, high = (low + high - NARROWEST_DB) / 2, (low + high + NARROWEST_DB) / 2
    return _Extent(round(low, 1), round(high, 1))


def _extent(look: Look, values: Plane, shared: _Extent | None) -> _Extent | None:
    known = values[np.isfinite(values)]
    if not known.size:
        return None
    if look.extent == "circle":
        return _Extent(-np.pi, np.pi)
    if look.extent == "shared":
        return shared
    low, high = (float(end) for end in np.percentile(known, _SHARES))
    if look.extent == "from_zero":
        most = float(known.max()) if look.unit == "dates" else high
        return _Extent(0.0, most if most > 0 else 1.0)
    if look.extent == "symmetric":
        most = max(abs(low), abs(high)) or 1.0
        return _Extent(-most, most)
    return _Extent(low, high) if high > low else _Extent(low - 0.5, high + 0.5)


def _draw(look: Look, reduced: Reduced, extent: _Extent, title: str) -> Image.Image:
    pixels, times = enlarged(paint(reduced.values, extent.low, extent.high, look.colours))
    compass = compass_of(reduced.grid)
    if compass is not None:
        compass = compass._replace(pixel_m=compass.pixel_m * reduced.pixels_each / times)
    label = f"{title}  {look.title}" if title else look.title
    above = with_caption(pixels, Caption(label, compass=compass))
    bar = _bar(look, extent, above.width)
    made = Image.new("RGB", (above.width, above.height + bar.height), BAND)
    made.paste(above, (0, 0))
    made.paste(bar, (0, above.height))
    return made


def _bar(look: Look, extent: _Extent, width: int) -> Image.Image:
    """Draw the colour bar with its ticks."""
    letters = font(small(width))
    line = round(small(width) * 1.5)
    margin = round(letters.getlength("Jul (-pi)") / 2) + small(width) // 2
    unit = round(letters.getlength(look.unit)) + small(width) if look.unit else 0
    long = min(width - 2 * margin - unit, 720)
    made = Image.new("RGB", (width, line // 4 + small(width) + 4 + line + line // 3), BAND)
    made.paste(colour_bar(table(look.colours), (long, small(width))), (margin, line // 4))
    pen = ImageDraw.Draw(made)
    bottom = line // 4 + small(width)
    places = PHASE_TICKS if look.extent == "circle" else _numbers(extent, look)
    for value, text in places:
        x = margin + round((value - extent.low) / (extent.high - extent.low) * (long - 1))
        pen.line([(x, bottom), (x, bottom + 4)], fill=INK)
        pen.text((x, bottom + 4 + line // 2), text, fill=FAINT, font=letters, anchor="mm")
    if look.unit:
        middle = line // 4 + small(width) // 2
        pen.text(
            (margin + long + small(width) // 2, middle),
            look.unit,
            fill=FAINT,
            font=letters,
            anchor="lm",
        )
    return made


def _numbers(extent: _Extent, look: Look) -> list[tuple[float, str]]:
    found = ticks(extent.low, extent.high)
    if look.unit == "dates":
        found = [value for value in found if value == round(value)]
    return [(value, f"{value:g}") for value in found]
