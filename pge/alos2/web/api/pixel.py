"""The backscatter at a place: from calibrated data if there are any, else from a map tile's grey.

Sigma nought [dB] = 10 log10(DN²) + factor (JAXA, calibration of PALSAR-2; its factor is in the
item). A tile's grey g, 1 to 255, is dB = low + (g - 1) / 254 (high - low) of its channel; 1 and 255
mean that much or beyond.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from alos2.errors import UsageError
from alos2.types import Json, LonLat
from alos2.web.answers import not_found
from alos2.web.archive import ArchiveFiles, OpenFile
from alos2.web.layers import Layer, Layers, Place, layers_of

_TILE_PX: Final = 256
_FURTHEST_LAT_DEG: Final = 85.0511287798066
"""Web Mercator ends there."""
_DECIMALS: Final = 2


@dataclass(frozen=True)
class Where:
    """Where the files of a dataset are read."""

    files: ArchiveFiles
    layers: Layers
    folder: str | None
    """Of the dataset in the archive, where it is not its id."""


def pixel(item: Json, name: str, place: LonLat, where: Where) -> Json:
    """Return the value of a layer of a dataset at a place.

    Returns
    -------
    Json
        ``dn`` (number or null), ``db`` (dB or null), ``quantity``, ``unit``, ``where`` it was read,
        ``why`` there is none, ``channels`` of a composite.

    Raises
    ------
    HttpError
        404: there is no such layer.
    UsageError
        The place is none.
    """
    if not (-180 <= place.lon_deg <= 180 and -90 <= place.lat_deg <= 90):
        raise UsageError("lon and lat are degrees")
    dataset = str(item["id"])
    layer = layers_of(item).get(name)
    cog = _cog(item, name)
    if layer is None and cog is None:
        raise not_found(f"dataset {dataset!r} has no layer {name[:40]!r}")
    if cog is not None:
        name = str(cog["file"])
        found = where.files.open_if_there(dataset, name, folder=where.folder)
        if found is not None:
            found.close()
            return _from_cog(where.files.root / (where.folder or dataset) / name, cog, place)
    if layer is None:
        return _nothing("the file is not there")
    return _from_tile(dataset, layer, place, where)


def grey_db(grey: int, low_db: float, high_db: float) -> float | None:
    """Return the dB that a grey level stands for; None for no data."""
    if grey == 0:
        return None
    return low_db + (grey - 1) / 254 * (high_db - low_db)


def tile_place(place: LonLat, zoom: int) -> tuple[Place, int, int]:
    """Return a tile, and the column and row of the pixel in it (Web Mercator)."""
    sine = math.sin(math.radians(place.lat_deg))
    across = (place.lon_deg + 180.0) / 360.0
    down = 0.5 - math.log((1 + sine) / (1 - sine)) / (4 * math.pi)
    size = (1 << zoom) * _TILE_PX
    column, row = (min(max(int(part * size), 0), size - 1) for part in (across, down))
    tile = Place(zoom, column // _TILE_PX, row // _TILE_PX)
    return tile, column % _TILE_PX, row % _TILE_PX


def _cog(item: Json, name: str) -> Json | None:
    for one in (item.get("properties") or {}).get("alos2:cogs") or ():
        band = (
            one["polarization"] if not one.get("beam") else f"{one['polarization']}-{one['beam']}"
        )
        if band == name:
            found: Json = one
            return found
    return None


def _from_cog(path: Path, cog: Json, place: LonLat) -> Json:
    import rasterio  # noqa: PLC0415  only where there is calibrated data
    from rasterio.warp import transform  # noqa: PLC0415

    try:
        with rasterio.open(path) as source:
            xs, ys = transform("EPSG:4326", source.crs, [place.lon_deg], [place.lat_deg])
            a, b, c, d, e, f = (~source.transform)[:6]
            column = math.floor(a * xs[0] + b * ys[0] + c)
            row = math.floor(d * xs[0] + e * ys[0] + f)
            if not (0 <= row < source.height and 0 <= column < source.width):
                return _nothing("outside")
            window = rasterio.windows.Window(column, row, 1, 1)
            value = float(source.read(1, window=window)[0, 0])
    except rasterio.errors.RasterioError as error:
        return _nothing(f"the file cannot be read: {error}")
    if not math.isfinite(value):
        return _nothing("no data")
    db = _as_db(value, str(cog["quantity"]))
    factor_db = (cog.get("calibration") or {}).get("factor_db")
    dn = None
    if db is not None and factor_db is not None:
        dn = round(10 ** ((db - factor_db) / 20), 1)
    return {**_nothing(None), "dn": dn, "db": _rounded(db), "where": "COG"}


def _as_db(value: float, quantity: str) -> float | None:
    if quantity == "db":
        return value
    if value <= 0:
        return None
    return (20 if quantity == "amplitude" else 10) * math.log10(value)


def _from_tile(dataset: str, layer: Layer, place: LonLat, where: Where) -> Json:
    if abs(place.lat_deg) >= _FURTHEST_LAT_DEG:
        return _nothing("outside")
    tile, x, y = tile_place(place, layer.max_zoom)
    found = where.layers.tile(dataset, layer, tile, where.folder)
    if found is None:
        return _nothing("outside")
    if isinstance(found, OpenFile):
        try:
            png = found.read(0, found.size)
        finally:
            found.close()
    else:
        png = found
    return _from_png(png, x, y, layer.facts.get("channels") or [])


def _from_png(png: bytes, x: int, y: int, channels: Sequence[Any]) -> Json:
    from PIL import Image, UnidentifiedImageError  # noqa: PLC0415

    try:
        with Image.open(io.BytesIO(png)) as picture:
            is_grey = picture.mode in ("L", "LA", "P", "1", "I", "I;16")
            shown: Any = picture.convert("LA" if is_grey else "RGBA").getpixel((x, y))
    except (UnidentifiedImageError, OSError, IndexError) as error:
        return _nothing(f"the tile cannot be read: {error}")
    *levels, alpha = shown
    if alpha == 0:
        return _nothing("no data")
    said = [
        {"name": one.get("shows"), "db": _rounded(grey_db(level, one["low_db"], one["high_db"]))}
        for level, one in zip(levels, channels, strict=False)
    ]
    only = said[0]["db"] if len(said) == 1 else None
    return {
        **_nothing(None if said else "the layer does not say how it was stretched"),
        "db": only,
        "where": "tile (grey level)",
        "channels": said if len(said) > 1 else [],
    }


def _nothing(why: str | None) -> Json:
    return {
        "dn": None,
        "db": None,
        "quantity": "sigma nought",
        "unit": "dB",
        "where": None,
        "why": why,
        "channels": [],
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, _DECIMALS)
