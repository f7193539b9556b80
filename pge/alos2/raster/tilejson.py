"""TileJSON of a folder of tiles, and the same facts for the metadata of a PMTiles archive.

Mapbox, TileJSON 3.0.0. URLs are relative to the TileJSON's own, as nobody knows yet where the
dataset will be published; ``vector_layers`` is for vector tiles only. Keys of our own begin with
``alos2:``; the specification lets readers ignore them.
"""

from __future__ import annotations

from typing import Final

from alos2.raster.pictures import TILE_PX, CalibrationUsed, ShownChannel, StretchLimits
from alos2.raster.reports import TileLayer
from alos2.types import Json

VERSION: Final = "3.0.0"
_ATTRIBUTION: Final = "ALOS-2/PALSAR-2 data: JAXA"


def stretch_json(stretch: StretchLimits) -> Json:
    """Return stretch limits."""
    return {"low_db": stretch.low_db, "high_db": stretch.high_db, "method": stretch.method}


def channel_json(channel: ShownChannel) -> Json:
    """Return what a channel shows and its limits."""
    return {"shows": channel.shows, **stretch_json(channel.stretch)}


def calibration_json(calibration: CalibrationUsed) -> Json:
    """Return how digital numbers became sigma nought."""
    return {"factor_db": calibration.factor_db, "source": calibration.source}


def tilejson(layer: TileLayer, title: str) -> Json:
    """Return the TileJSON that lies beside the folder of `layer`.

    Parameters
    ----------
    layer
        A layer of files, with its bounds.
    title
        The dataset's id.
    """
    return {
        "tilejson": VERSION,
        "tiles": [f"./{layer.name}/{{z}}/{{x}}/{{y}}.png"],
        "scheme": "tms" if layer.tms else "xyz",
        **_common(layer, title),
    }


def archive_metadata(layer: TileLayer, title: str) -> Json:
    """Return the JSON metadata of the PMTiles archive of `layer`."""
    return {**_common(layer, title), "type": "overlay", "format": "png"}


def _common(layer: TileLayer, title: str) -> Json:
    west, south, east, north = layer.bounds or (-180.0, -85.05112878, 180.0, 85.05112878)
    shown = ", ".join(c.shows for c in layer.channels) or layer.name
    return {
        "name": f"{title} {layer.name}",
        "description": f"Sigma nought in dB: {shown}",
        "attribution": _ATTRIBUTION,
        "minzoom": layer.min_zoom,
        "maxzoom": layer.max_zoom,
        "bounds": [west, south, east, north],
        "center": [(west + east) / 2, (south + north) / 2, layer.min_zoom],
        "alos2:layer": layer.name,
        "alos2:tile_px": TILE_PX,
        "alos2:native_zoom": layer.native_zoom,
        "alos2:channels": [channel_json(channel) for channel in layer.channels],
        "alos2:calibration": calibration_json(layer.calibration),
        "alos2:notes": list(layer.notes),
    }
