"""Pixels, strip by strip: speckle scaled by the ground's sigma nought, and point targets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from alos2.constants import CALIBRATION_FACTOR_DB
from alos2.geometry.orbit import Floats
from alos2.geometry.rangedoppler import geo2rdr, rdr2geo
from alos2.simulate.changes import Paint
from alos2.simulate.maps import Grid
from alos2.simulate.nodes import NodeGrid
from alos2.simulate.noise import LineNoise
from alos2.simulate.relief import MapPlaces, Relief, bilinear
from alos2.simulate.scene import Scene, Swath
from alos2.simulate.targets import (
    SLC_POWER,
    detected_response,
    see_mapped,
    see_slant,
    slc_response,
)
from alos2.types import Polarization, RasterShape

STRIP_PIXELS: Final = 2_000_000
"""Pixels of a strip: bounds the memory."""

LARGEST_NUMBER: Final = 65535
DETECTED_POWER: Final = 10.0 ** (-0.1 * CALIBRATION_FACTOR_DB)
"""Square of a digital number where sigma nought is 1."""

GEOTIFF_SLC_SCALE: Final = 2000.0
"""A of level 1.1 GeoTIFF: sigma nought = (I^2 + Q^2) / A^2. Our choice: 24 dB fit 16 bits."""
GEOREFERENCED_SLOPE_DB: Final = 0.6
"""How much A of a georeferenced GeoTIFF changes over the columns. Our choice; it does in JAXA's."""


class Pixels(Protocol):
    """One image that can be made in strips of whole lines."""

    shape: RasterShape

    def strip(self, first_line: int, lines: int) -> NDArray[Any]:
        """Digital numbers of some whole lines, in native byte order."""

    def power(self, block: NDArray[Any]) -> NDArray[np.float32]:
        """Give what a quick look averages: squares of digital numbers on the detected scale."""


def strips(shape: RasterShape, strip_lines: int | None) -> Iterator[tuple[int, int]]:
    """First line and number of lines of strips over an image."""
    step = strip_lines or max(1, STRIP_PIXELS // shape.pixels)
    for first in range(0, shape.lines, step):
        yield first, min(step, shape.lines - first)


class _Amplitude(Protocol):
    """Square root of the mean power of level 1.1 samples."""

    def strip(self, first_line: int, lines: int) -> NDArray[np.float32]: ...


class _FlatAmplitude:
    def __init__(self, scene: Scene, swath: Swath, polarization: Polarization) -> None:
        plane, height = scene.ground.plane, scene.ground.height_m

        def ground(line: Floats, pixel: Floats) -> tuple[Floats, Floats]:
            return plane.xy(*swath.lonlat(line, pixel, height))

        self._nodes = NodeGrid(swath.shape, ground)
        table = np.sqrt(scene.ground.sigma0_table(polarization) * np.float32(SLC_POWER))
        self._paint = Paint(scene.ground, table, scene.changes, polarization, exponent=0.5)

    def strip(self, first_line: int, lines: int) -> NDArray[np.float32]:
        x, y = self._nodes.strip(first_line, lines)
        return self._paint(x, y)


class _ReliefAmplitude:
    def __init__(self, sigma0: NDArray[np.float32]) -> None:
        self._sigma0 = sigma0

    def strip(self, first_line: int, lines: int) -> NDArray[np.float32]:
        part: NDArray[np.float32] = self._sigma0[first_line : first_line + lines].copy()
        part *= np.float32(SLC_POWER)
        np.sqrt(part, out=part)
        return part


class SlcPixels:
    """A level 1.1 image: complex64.

    Parameters
    ----------
    scene, swath
        Where it is.
    polarization
        Which image.
    relief
        What is seen of the ground's relief; None: it is flat.
    """

    def __init__(
        self,
        scene: Scene,
        swath: Swath,
        polarization: Polarization,
        relief: Relief | None = None,
    ) -> None:
        self.shape = swath.shape
        self._amplitude: _Amplitude
        if relief is None:
            self._amplitude = _FlatAmplitude(scene, swath, polarization)
        else:
            self._amplitude = _ReliefAmplitude(relief.slant(swath, polarization))
        name = f"1.1 {polarization} {swath.beam or ''}{scene.noise_name}"
        self._noise = LineNoise(scene.spec.seed, name)
        self._responses = [
            slc_response(scene, swath, seen, polarization) for seen in see_slant(scene, swath)
        ]

    def strip(self, first_line: int, lines: int) -> NDArray[np.complex64]:
        """Make samples of some whole lines: power 10^11.5 where sigma nought is 1."""
        block = self._noise.circular(first_line, lines, self.shape.pixels)
        block *= self._amplitude.strip(first_line, lines)
        for response in self._responses:
            response.add_to(block, first_line)
        return block

    def power(self, block: NDArray[np.complex64]) -> NDArray[np.float32]:
        """Power as squares of digital numbers of the detected scale."""
        power: NDArray[np.float32] = block.real**2
        power += block.imag**2
        power *= np.float32(DETECTED_POWER / SLC_POWER)
        return power


class IntegerSlcPixels:
    """A level 1.1 image as GeoTIFF has it: int16 I and Q, shape (lines, pixels, 2)."""

    def __init__(self, slc: SlcPixels) -> None:
        self.shape = slc.shape
        self._slc = slc
        self._scale = np.float32(GEOTIFF_SLC_SCALE / np.sqrt(SLC_POWER))

    def strip(self, first_line: int, lines: int) -> NDArray[np.int16]:
        """Make rounded I and Q; what does not fit is cut off."""
        block = self._slc.strip(first_line, lines).view(np.float32)
        block *= self._scale
        np.clip(np.rint(block, out=block), -32767, 32767, out=block)
        return block.astype(np.int16).reshape(lines, self.shape.pixels, 2)

    def power(self, block: NDArray[np.int16]) -> NDArray[np.float32]:
        """Power as squares of digital numbers of the detected scale."""
        parts = block.astype(np.float32)
        power: NDArray[np.float32] = parts[..., 0] ** 2 + parts[..., 1] ** 2
        power *= np.float32(DETECTED_POWER / GEOTIFF_SLC_SCALE**2)
        return power


@dataclass(frozen=True)
class ColumnScale:
    """Square of a digital number where sigma nought is 1, by column."""

    values: Floats

    @classmethod
    def of(cls, scene: Scene) -> ColumnScale:
        """Give that of a product: by columns only in georeferenced GeoTIFF."""
        values = np.full(scene.shape.pixels, DETECTED_POWER)
        if scene.spec.format == "geotiff" and scene.spec.option == "R":
            ramp = np.linspace(-0.5, 0.5, scene.shape.pixels) * GEOREFERENCED_SLOPE_DB
            values = values * 10.0 ** (0.1 * ramp)
        return cls(values)


class _Brightness(Protocol):
    """Mean sigma nought of a map, and where it has data."""

    def strip(
        self, first_line: int, lines: int
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]: ...


class _FlatBrightness:
    def __init__(self, scene: Scene, grid: Grid, polarization: Polarization) -> None:
        swath, plane = scene.swaths[0], scene.ground.plane
        ground_m, image_m = scene.ground.height_m, scene.spec.image_height_m
        duration, width = scene.end_s - scene.start_s, scene.far_range_m - scene.near_range_m

        def ground(line: Floats, pixel: Floats) -> tuple[Floats, ...]:
            lon, lat = grid.lonlat(line, pixel)
            t, r = geo2rdr(swath.orbit, lon, lat, image_m)
            if image_m != ground_m:
                lon, lat = rdr2geo(swath.orbit, t, r, look=swath.look, height_m=ground_m)
            x, y = plane.xy(lon, lat)
            return x, y, (t - scene.start_s) / duration, (r - scene.near_range_m) / width

        self._nodes = NodeGrid(grid.shape, ground)
        table = scene.ground.sigma0_table(polarization)
        self._paint = Paint(scene.ground, table, scene.changes, polarization)

    def strip(self, first_line: int, lines: int) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        x, y, along, across = self._nodes.strip(first_line, lines)
        outside = (along < 0.0) | (along > 1.0) | (across < 0.0) | (across > 1.0)
        return self._paint(x, y), ~outside


class _ReliefBrightness:
    def __init__(
        self, scene: Scene, grid: Grid, polarization: Polarization, relief: Relief
    ) -> None:
        cells = relief.cells()
        self._sigma0 = relief.slant(cells, polarization)
        on_surface = relief.heights if scene.spec.level == "2.1" else None
        self._places = MapPlaces(scene, grid, cells, on_surface)

    def strip(self, first_line: int, lines: int) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        line, pixel = self._places.strip(first_line, lines)
        rows, columns = self._sigma0.shape
        inside = (line >= 0.0) & (line <= rows - 1.0) & (pixel >= 0.0) & (pixel <= columns - 1.0)
        return bilinear(self._sigma0, line, pixel), inside


class DetectedPixels:
    """An image of level 1.5, 2.1 or 3.1: uint16, 0 where there are no data."""

    def __init__(
        self, scene: Scene, polarization: Polarization, relief: Relief | None = None
    ) -> None:
        grid, spec = scene.grid, scene.spec
        if grid is None:
            raise ValueError("a detected image needs a map grid")
        self.shape = grid.shape
        self._brightness: _Brightness
        if relief is None:
            self._brightness = _FlatBrightness(scene, grid, polarization)
        else:
            self._brightness = _ReliefBrightness(scene, grid, polarization, relief)
        self._all_valid = spec.option == "R" and relief is None
        self._scale = ColumnScale.of(scene).values.astype(np.float32)
        self._looks = spec.parameters.looks[0] * spec.parameters.looks[1]
        self._noise = LineNoise(spec.seed, f"{spec.level} {polarization}{scene.noise_name}")
        self._responses = [
            detected_response(scene, seen, polarization) for seen in see_mapped(scene)
        ]

    def strip(self, first_line: int, lines: int) -> NDArray[np.uint16]:
        """Digital numbers of some whole lines."""
        block, valid = self._brightness.strip(first_line, lines)
        block *= self._noise.multilook(first_line, lines, self.shape.pixels, self._looks)
        for response in self._responses:
            response.add_to(block, first_line)
        block *= self._scale
        np.sqrt(block, out=block)
        np.clip(np.rint(block, out=block), 1, LARGEST_NUMBER, out=block)
        if not self._all_valid:
            block[~valid] = 0.0
        return block.astype(np.uint16)

    def power(self, block: NDArray[np.uint16]) -> NDArray[np.float32]:
        """Squares of the digital numbers."""
        power: NDArray[np.float32] = block.astype(np.float32) ** 2
        return power
