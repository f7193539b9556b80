"""Files of level 2.2: flattened gamma nought, local incidence, mask and CARD4L summary.

Names, codes, units and equations are those of the summary of a real scene
(:mod:`alos2.product.level22`). Guessed, as no raster was at hand:

* pixels' centres are at multiples of the spacing (the summary's box fits that);
* tiles of 512 pixels, DEFLATE;
* pixels in shadow are 0, angles of no data too.

Pixels are the flattened image as the facets give it: in layover
the mean by area of what lies on one another, in shadow nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from pyproj import CRS

from alos2.geometry.ellipsoid import geodetic_to_ecef
from alos2.geometry.orbit import Floats
from alos2.geometry.rangedoppler import geo2rdr
from alos2.naming import FileKind
from alos2.product.level22 import ANGLE_STEP_DEG, MASK_CODES, Level22Name
from alos2.product.model import MapGrid
from alos2.raster.gridfile import GridBand, GridFile
from alos2.simulate.maps import Grid
from alos2.simulate.noise import LineNoise
from alos2.simulate.pixels import DETECTED_POWER, LARGEST_NUMBER
from alos2.simulate.relief import MapPlaces, Relief, bilinear
from alos2.simulate.scene import Scene
from alos2.simulate.texts import kml_text
from alos2.simulate.xmltext import card4l_text
from alos2.types import Polarization, Window

SHADOW_NUMBER: Final = 0
"""Guessed: a pixel in shadow has no data."""

_STRIP_LINES: Final = 512
_LAID_OVER: Final = 1.5
"""Cells that are covered more often hold layover."""
_HIDDEN: Final = 0.5
"""Cells that are covered less hold shadow."""


class Level22Files:
    """Writes the files of one scene.

    Parameters
    ----------
    scene
        As planned.
    relief
        Its surface.
    """

    def __init__(self, scene: Scene, relief: Relief) -> None:
        if scene.grid is None:
            raise ValueError("level 2.2 needs a map grid")
        self._scene, self._relief, self._grid = scene, relief, scene.grid
        self._places = MapPlaces(scene, scene.grid, relief.cells(), relief.heights)
        mode = scene.spec.parameters
        self._looks = mode.looks[0] * mode.looks[1]

    def write(self, folder: Path, done: Callable[[int], None]) -> list[str]:
        """Write all files into a folder; their names, sorted.

        Parameters
        ----------
        folder
            Is there already.
        done
            Called with the number of lines, whenever some are done.
        """
        polarizations = self._scene.spec.all_polarizations
        noises = {p: LineNoise(self._scene.spec.seed, self._noise_name(p)) for p in polarizations}
        with ExitStack() as stack:
            images = {
                p: stack.enter_context(self._file(folder, "IMG", "uint16", p))
                for p in polarizations
            }
            angles = stack.enter_context(self._file(folder, "LIN", "uint16"))
            mask = stack.enter_context(self._file(folder, "MSK", "uint8"))
            for window in self._windows():
                line, pixel = self._places.strip(window.line, window.lines)
                codes = self._codes(line, pixel)
                mask.write(window, codes)
                angles.write(window, self._angles(window, codes))
                for polarization, file in images.items():
                    power = bilinear(self._relief.gamma0(polarization), line, pixel)
                    power *= noises[polarization].multilook(
                        window.line, window.lines, window.pixels, self._looks
                    )
                    file.write(window, _numbers(power, codes))
                    done(window.lines)
        xml = card4l_text(self._scene, [str(self._name("IMG", p)) for p in polarizations])
        (folder / str(self._name("CARD4L"))).write_bytes(xml.encode("ascii"))
        (folder / str(self._name("KML"))).write_bytes(kml_text(self._scene).encode("ascii"))
        return sorted(path.name for path in folder.iterdir())

    def _windows(self) -> Iterator[Window]:
        lines, pixels = self._grid.shape
        for first in range(0, lines, _STRIP_LINES):
            yield Window(first, 0, min(_STRIP_LINES, lines - first), pixels)

    def _noise_name(self, polarization: Polarization) -> str:
        return f"2.2 {polarization}{self._scene.noise_name}"

    def _name(self, kind: FileKind, polarization: Polarization | None = None) -> Level22Name:
        scene, product = self._scene.flight.scene, self._scene.spec.product_id
        return Level22Name(kind, scene, product, polarization)

    def _file(
        self, folder: Path, kind: FileKind, dtype: str, polarization: Polarization | None = None
    ) -> GridFile:
        frame = self._grid.frame
        code = (32700 if frame.south else 32600) + (frame.zone or 0)
        grid = MapGrid(CRS.from_epsg(code).to_wkt(), code, self._grid.transform, self._grid.shape)
        return GridFile(
            folder / str(self._name(kind, polarization)),
            grid,
            dtype=dtype,
            nodata=0,
            bands=(GridBand(polarization or kind),),
            overviews="nearest" if kind == "MSK" else "mean",
        )

    def _codes(self, line: NDArray[np.float32], pixel: NDArray[np.float32]) -> NDArray[np.uint8]:
        """Codes of the mask."""
        coverage = self._relief.coverage()
        rows, columns = coverage.shape
        inside = (line >= 0.0) & (line <= rows - 1.0) & (pixel >= 0.0) & (pixel <= columns - 1.0)
        times = bilinear(coverage, line, pixel)
        codes = np.full(line.shape, MASK_CODES["valid"], dtype=np.uint8)
        codes[times > _LAID_OVER] = MASK_CODES["layover"]
        codes[times < _HIDDEN] = MASK_CODES["shadow"]
        codes[~inside] = MASK_CODES["no data"]
        return codes

    def _angles(self, window: Window, codes: NDArray[np.uint8]) -> NDArray[np.uint16]:
        """Local incidence: between the surface's normal and the way to the satellite."""
        rows = np.arange(window.line - 1, window.line + window.lines + 1)
        columns = np.arange(-1, window.pixels + 1)
        position = _surface(self._scene, self._grid, self._relief, rows, columns)
        across = position[1:-1, 2:] - position[1:-1, :-2]
        up = position[:-2, 1:-1] - position[2:, 1:-1]
        normal = np.cross(across, up)
        middle = position[1:-1, 1:-1]
        away = _satellite(self._scene, self._grid, rows[1:-1], window.pixels) - middle
        cosine = np.sum(normal * away, axis=-1)
        cosine /= np.linalg.norm(normal, axis=-1) * np.linalg.norm(away, axis=-1)
        angle = np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))
        numbers = np.rint(angle / ANGLE_STEP_DEG)
        numbers[codes == MASK_CODES["no data"]] = 0.0
        return np.asarray(numbers, dtype=np.uint16)


def _surface(
    scene: Scene, grid: Grid, relief: Relief, rows: NDArray[Any], columns: NDArray[Any]
) -> Floats:
    """Earth-fixed positions of the surface under the pixels of a map."""
    lon, lat = grid.lonlat(*np.meshgrid(rows, columns, indexing="ij"))
    heights = relief.heights(*scene.ground.plane.xy(lon, lat))
    return geodetic_to_ecef(lon, lat, heights)


def _satellite(scene: Scene, grid: Grid, rows: NDArray[Any], pixels: int) -> Floats:
    """Where the satellite is when it sees the pixels of some lines, shape (lines, pixels, 3).

    Times are nearly a plane over a few hundred lines: exact at the corners, bilinear between.
    """
    ends = np.array([[rows[0], rows[0]], [rows[-1], rows[-1]]])
    sides = np.array([[0, pixels - 1]] * 2)
    times, _ = geo2rdr(scene.orbit, *grid.lonlat(ends, sides))
    down = np.linspace(0.0, 1.0, rows.size)[:, np.newaxis]
    across = np.linspace(0.0, 1.0, pixels)
    at = (times[0, 0] * (1.0 - across) + times[0, 1] * across) * (1.0 - down)
    at += (times[1, 0] * (1.0 - across) + times[1, 1] * across) * down
    position, _ = scene.orbit.interpolate(at)
    return position


def _numbers(power: NDArray[np.float32], codes: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """Digital numbers: squares times the calibration factor are gamma nought."""
    power *= np.float32(DETECTED_POWER)
    np.sqrt(power, out=power)
    np.clip(np.rint(power, out=power), 1, LARGEST_NUMBER, out=power)
    power[codes == MASK_CODES["no data"]] = 0.0
    power[codes == MASK_CODES["shadow"]] = SHADOW_NUMBER
    return power.astype(np.uint16)
