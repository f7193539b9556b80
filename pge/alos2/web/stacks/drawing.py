"""Colours of a stack's layers: as tiles of 256 pixels, and as the legend that goes with them.

One polarisation of a date is grey, as in its animation; two are a composite; metrics have the
tables of `alos2.animation.colours`. What has no data is transparent.
"""

from __future__ import annotations

import io
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from alos2.animation.colours import table
from alos2.animation.metrics import LOOKS, PHASE_TICKS, ticks
from alos2.raster.pictures import RATIO
from alos2.types import Json
from alos2.web.stacks.limits import Extent, Extents
from alos2.web.stacks.model import StackLayer, StackProduct
from alos2.web.stacks.numbers import Plane
from alos2.web.stacks.rasters import Rasters, sources_of
from alos2.web.stacks.sampling import TILE_PX, Square, square_values

_LEVELS: Final = 254
"""Steps of colour; index 0 of a tile is transparent."""
_STOPS: Final = 17
"""Of a legend's gradient."""
_CRISP: Final = ("count", "phase")
"""Whose values have no mean."""


def drawn_square(
    rasters: Rasters,
    product: StackProduct,
    layer: StackLayer,
    square: Square,
    extents: Extents,
) -> bytes | None:
    """Return a square of the map as PNG, 256 by 256; None where nothing of the layer lies on it.

    Raises
    ------
    HttpError
        404: a file is not there.
    BadProduct
        A file cannot be read.
    """
    within = _within(product, square)
    if not within.any():
        return None
    smooth = layer.what not in _CRISP
    with rasters.lent_all(sources_of(product, layer)) as held:
        planes = [square_values(one, square, smooth=smooth) for one in held]
    shown = [one for one in planes if one is not None]
    if len(shown) < len(planes):
        return None
    for one in shown:
        one[~within] = np.nan
    if layer.is_composite:
        return _composite(shown, layer, extents)
    return _single(shown[0], layer, extents)


def legend(layer: StackLayer, extents: Extents) -> Json:
    """Return what the colours of a layer mean."""
    if layer.is_composite:
        return {
            "kind": "channels",
            "channels": [
                {"shows": shows, "low_db": extent.low, "high_db": extent.high}
                for shows, extent in _channels(layer, extents)
            ],
        }
    low, high = _extent(layer, extents)
    colours = _palette(layer)[:: (256 - 1) // (_STOPS - 1)][:_STOPS]
    title, unit = title_of(layer), unit_of(layer)
    marks = (
        [(value, text.split()[0]) for value, text in PHASE_TICKS]
        if layer.what == "phase"
        else [(value, f"{value:g}") for value in ticks(low, high, 6)]
    )
    if unit == "dates":
        marks = [(value, text) for value, text in marks if value == round(value)]
    return {
        "kind": "bar",
        "title": title,
        "unit": unit,
        "low": low,
        "high": high,
        "colours": ["#{:02x}{:02x}{:02x}".format(*colour) for colour in colours],
        "ticks": [[value, text] for value, text in marks],
    }


def title_of(layer: StackLayer) -> str:
    """Return what a layer shows, for people."""
    return LOOKS[layer.what].title if layer.kind == "metric" else "backscatter"


def unit_of(layer: StackLayer) -> str:
    """Return the unit of a layer's values; empty if they have none."""
    return LOOKS[layer.what].unit if layer.kind == "metric" else "dB"


def _extent(layer: StackLayer, extents: Extents) -> Extent:
    (pol,) = layer.polarizations
    if layer.kind == "metric":
        return extents.of_metric(layer.what, pol)
    return extents.of_channel(pol)


def _channels(layer: StackLayer, extents: Extents) -> list[tuple[str, Extent]]:
    names = [*layer.polarizations, RATIO]
    shows = [*layer.polarizations, "/".join(layer.polarizations)]
    return [(text, extents.of_channel(name)) for text, name in zip(shows, names, strict=True)]


def _palette(layer: StackLayer) -> npt.NDArray[np.uint8]:
    if layer.kind == "metric":
        return table(LOOKS[layer.what].colours)
    return np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)


def _single(values: Plane, layer: StackLayer, extents: Extents) -> bytes | None:
    low, high = _extent(layer, extents)
    known = np.isfinite(values)
    if not known.any():
        return None
    share = np.clip((np.where(known, values, low) - low) / (high - low), 0, 1)
    index = np.where(known, np.rint(share * _LEVELS) + 1, 0).astype(np.uint8)
    colours = _palette(layer)[np.rint(np.arange(255) / _LEVELS * 255).astype(np.int64)]
    return _png(index, np.concatenate([np.zeros((1, 3), np.uint8), colours]))


def _composite(planes: list[Plane], layer: StackLayer, extents: Extents) -> bytes | None:
    co, cross = planes
    known = np.isfinite(co) & np.isfinite(cross)
    if not known.any():
        return None
    drawn = np.zeros((TILE_PX, TILE_PX, 4), np.uint8)
    for band, (values, (_, extent)) in enumerate(
        zip((co, cross, co - cross), _channels(layer, extents), strict=True)
    ):
        share = (np.where(known, values, extent.low) - extent.low) / (extent.high - extent.low)
        drawn[..., band] = np.rint(np.clip(share, 0, 1) * 255)
    drawn[..., 3] = np.where(known, 255, 0)
    drawn[~known] = 0
    return _png(drawn, None)


def _png(pixels: npt.NDArray[np.uint8], palette: npt.NDArray[np.uint8] | None) -> bytes:
    from PIL import Image  # noqa: PLC0415 - not needed where there are no stacks

    made = io.BytesIO()
    more: dict[str, Any] = {}
    if palette is None:
        picture = Image.fromarray(pixels, "RGBA")
    else:
        picture = Image.fromarray(pixels, "P")
        picture.putpalette(palette.tobytes())
        more["transparency"] = 0
    picture.save(made, "PNG", compress_level=1, **more)
    return made.getvalue()


def _within(product: StackProduct, square: Square) -> npt.NDArray[np.bool_]:
    """Return which pixels of a square may lie in a stack, shape (256, 256).

    Far from where it is made for, a projection may bring other parts of the Earth into the image.
    """
    west, south, east, north = product.bounds
    at = (np.arange(TILE_PX) + 0.5) / TILE_PX * square.side
    lon = (square.x + at) * 360.0 - 180.0
    lat = np.degrees(np.arctan(np.sinh(np.pi * (1 - 2 * (square.y + at)))))
    wide = (east - west) % 360.0 or 360.0
    margin = 0.05 * max(wide, north - south) + 720.0 * square.side / TILE_PX
    across = (lon - west + margin) % 360.0 <= wide + 2 * margin
    down = (lat >= south - margin) & (lat <= north + margin)
    return np.asarray(down[:, None] & across[None, :])
