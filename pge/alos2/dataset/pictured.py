"""What the documents say of pictures: browse pictures, tiles, COGs, and how they were stretched."""

from __future__ import annotations

from pathlib import Path

from alos2.raster.pictures import (
    TILE_PX,
    BrowseReport,
    CogReport,
    PictureReport,
    ShownChannel,
    TileLayer,
)
from alos2.raster.tilejson import calibration_json, channel_json, stretch_json
from alos2.types import Json


def picture_fields(report: PictureReport) -> Json:
    """Return the ``alos2:`` properties (without that prefix) that tell of pictures."""
    return {
        "browse": [_browse_json(browse) for browse in report.browse],
        "tiles": [_tiles_json(layer) for layer in report.layers],
        "tile_archives": [_tiles_json(layer) for layer in report.archives],
        "cogs": [_cog_json(cog) for cog in report.cogs],
        "stretch_db": {c.shows: _pair(c) for c in report.stretch},
        "map_height_m": report.height_m,
        "mapped_by": report.mapped_by,
        "picture_notes": list(report.notes),
    }


def path_in_dataset(path: Path) -> str:
    """Return the path of a file of tiles, relative to the dataset's folder."""
    return f"{path.parent.name}/{path.name}"


def folder_of(layer: TileLayer) -> str:
    """Return the folder of a layer of files, relative to the dataset's."""
    return f"tiles/{layer.name}"


def _pair(channel: ShownChannel) -> list[float]:
    return [channel.stretch.low_db, channel.stretch.high_db]


def _browse_json(browse: BrowseReport) -> Json:
    return {
        "polarization": browse.polarization,
        "beam": browse.beam,
        "file": browse.browse.name,
        "small": browse.small.name,
        "size": list(browse.size),
        "small_size": list(browse.small_size),
        "pixel_m": browse.pixel_m,
        "geometry": browse.geometry,
        "flipped_lines": browse.flipped_lines,
        "flipped_pixels": browse.flipped_pixels,
        "beams": list(browse.beams),
        "stretch": stretch_json(browse.stretch),
    }


def _tiles_json(layer: TileLayer) -> Json:
    in_files = layer.archive is None
    return {
        "layer": layer.name,
        "path": folder_of(layer) if layer.archive is None else path_in_dataset(layer.archive),
        "tilejson": None if layer.tilejson is None else path_in_dataset(layer.tilejson),
        "min_zoom": layer.min_zoom,
        "max_zoom": layer.max_zoom,
        "native_zoom": layer.native_zoom,
        "count": layer.count,
        "bytes": layer.bytes,
        "scheme": "tms" if in_files and layer.tms else "xyz",
        "tile_px": TILE_PX,
        "crs": "EPSG:3857",
        "bounds": None if layer.bounds is None else list(layer.bounds),
        "channels": [channel_json(channel) for channel in layer.channels],
        "calibration": calibration_json(layer.calibration),
        "notes": list(layer.notes),
    }


def _cog_json(cog: CogReport) -> Json:
    return {
        "polarization": cog.polarization,
        "beam": cog.beam,
        "file": cog.path.name,
        "quantity": cog.quantity,
        "epsg": cog.epsg,
        "lines": cog.shape[0],
        "pixels": cog.shape[1],
        "pixel_m": cog.pixel_m,
        "overviews": list(cog.overviews),
        "calibration": calibration_json(cog.calibration),
    }
