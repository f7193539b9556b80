"""GeoTIFF deliveries: the tags that JAXA writes, and the calibration table beside each image.

Source: JAXA, ALOS-2/PALSAR-2 GeoTIFF product format description Rev. A (2014): ITRF97 on GRS 80 by
codes, projection user-defined, tie point at (0.5, 0.5) being the centre of the first pixel.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from alos2.product.crs import (
    UTM_FALSE_EASTING_M,
    UTM_FALSE_NORTHING_SOUTH_M,
    UTM_SCALE,
)
from alos2.simulate.maps import Grid, MapFrame
from alos2.simulate.pixels import GEOTIFF_SLC_SCALE, ColumnScale
from alos2.simulate.scene import Scene
from alos2.simulate.tiffwriter import ASCII, DOUBLE, SHORT, Tag
from alos2.types import Polarization

_USER_DEFINED: Final = 32767
_TRANSFORMS: Final = {"U": 1, "P": 15, "M": 7, "L": 8}
_PROJECTION_NAMES: Final = {"U": "UTM", "P": "PS", "M": "MER", "L": "LCC"}


class _Keys:
    """A GeoKey directory in the making."""

    def __init__(self) -> None:
        self._entries: dict[int, tuple[int, int, int]] = {}
        self._doubles: list[float] = []
        self._text = ""

    def code(self, key: int, value: int) -> None:
        self._entries[key] = (0, 1, value)

    def number(self, key: int, value: float) -> None:
        self._entries[key] = (34736, 1, len(self._doubles))
        self._doubles.append(value)

    def text(self, key: int, value: str) -> None:
        self._entries[key] = (34737, len(value) + 1, len(self._text))
        self._text += value + "|"

    def tags(self) -> list[Tag]:
        directory = [1, 1, 0, len(self._entries)]
        for key, entry in sorted(self._entries.items()):
            directory += [key, *entry]
        tags = [Tag(34735, SHORT, directory), Tag(34737, ASCII, self._text)]
        if self._doubles:
            tags.append(Tag(34736, DOUBLE, self._doubles))
        return tags


def geotiff_tags(scene: Scene, polarization: Polarization) -> list[Tag]:
    """Tags of one image."""
    keys = _Keys()
    keys.code(1024, 2 if scene.grid is None else 1)
    keys.code(1025, 1)
    keys.code(2048, 4338)
    keys.code(2050, 6655)
    keys.code(2051, 8901)
    keys.code(2054, 9102)
    keys.code(2056, 7019)
    if scene.grid is None:
        keys.text(2049, "Datum=ITRF97 Ellipsoid=GRS80")
        place = _corner_ties(scene)
    else:
        name = _PROJECTION_NAMES[scene.grid.frame.letter]
        keys.text(1026, "Geo-coded" if scene.spec.option == "G" else "Geo-reference")
        keys.text(2049, f"Datum=ITRF97 Ellipsoid=GRS80 Projection={name}")
        _projection_keys(keys, scene.grid.frame)
        place = _grid_tags(scene.grid, rotated=scene.spec.option == "R")
    return [Tag(270, ASCII, polarization), *place, *keys.tags()]


def _corner_ties(scene: Scene) -> list[Tag]:
    """Tie the four corner pixels' centres to the ground at height 0."""
    swath = scene.swaths[0]
    last_line, last_pixel = swath.shape.lines - 1.0, swath.shape.pixels - 1.0
    ties: list[float] = []
    for line, pixel in ((0.0, 0.0), (last_line, 0.0), (0.0, last_pixel), (last_line, last_pixel)):
        lon, lat = swath.lonlat(line, pixel)
        ties += [pixel + 0.5, line + 0.5, 0.0, float(lon), float(lat), 0.0]
    return [Tag(33922, DOUBLE, ties)]


def _grid_tags(grid: Grid, *, rotated: bool) -> list[Tag]:
    """Tie point and matrix; the scale only where the grid is not turned.

    Readers that find a scale (GDAL does) do not look at the matrix, and would lose the turn.
    """
    a, b, c, d, e, f = grid.transform
    matrix = [a, b, 0.0, c, d, e, 0.0, f, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0]
    easting, northing = grid.origin_m
    tags = [
        Tag(33922, DOUBLE, [0.5, 0.5, 0.0, easting, northing, 0.0]),
        Tag(34264, DOUBLE, matrix),
    ]
    return tags if rotated else [Tag(33550, DOUBLE, [a, -e, 0.0]), *tags]


def _projection_keys(keys: _Keys, frame: MapFrame) -> None:
    keys.code(3072, _USER_DEFINED)
    keys.code(3076, 9001)
    keys.code(3075, _TRANSFORMS[frame.letter])
    if frame.letter == "U":
        zone = frame.zone or 0
        keys.code(3074, (16100 if frame.south else 16000) + zone)
        keys.number(3080, zone * 6.0 - 183.0)
        keys.number(3081, 0.0)
        keys.number(3092, UTM_SCALE)
        keys.number(3082, UTM_FALSE_EASTING_M)
        keys.number(3083, UTM_FALSE_NORTHING_SOUTH_M if frame.south else 0.0)
        return
    keys.code(3074, _USER_DEFINED)
    if frame.letter == "L":
        keys.number(3078, frame.parallels_deg[0])
        keys.number(3079, frame.parallels_deg[1])
        keys.number(3084, frame.reference_lon_deg)
        keys.number(3085, frame.reference_lat_deg)
        keys.number(3086, 0.0)
        keys.number(3087, 0.0)
        return
    keys.number(3095 if frame.letter == "P" else 3080, frame.reference_lon_deg)
    keys.number(3081, frame.reference_lat_deg)
    keys.number(3092, 1.0)
    keys.number(3082, 0.0)
    keys.number(3083, 0.0)


def lut_text(scene: Scene) -> str:
    """Calibration table: B, then A by column, one number a line.

    Detected: sigma nought = (DN^2 + B) / A. Level 1.1: sigma nought = (I^2 + Q^2) / A^2, B = 0.
    """
    if scene.grid is None:
        gains = np.full(scene.shape.pixels, GEOTIFF_SLC_SCALE)
    else:
        gains = ColumnScale.of(scene).values
    return "".join(f" {value:.15E}\n" for value in (0.0, *gains))
