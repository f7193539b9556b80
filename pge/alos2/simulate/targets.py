"""Point targets as images show them: where, how strong, how wide."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from alos2.constants import CALIBRATION_FACTOR_DB, SLC_CALIBRATION_OFFSET_DB
from alos2.geometry.orbit import Floats
from alos2.geometry.rangedoppler import geo2rdr, rdr2geo
from alos2.simulate.ground import PointTarget
from alos2.simulate.scene import Scene, Swath, doppler_hz, ground_area_m2
from alos2.types import Polarization

SLC_POWER: Final = 10.0 ** (-0.1 * (CALIBRATION_FACTOR_DB + SLC_CALIBRATION_OFFSET_DB))
"""Power of level 1.1 samples where sigma nought is 1."""

_LOBES: Final = 16.0
"""Responses are cut off this many zeros from the peak, after a smooth fall from half of it."""

DETECTED_WIDTH_PX: Final = 2.0
"""Full width at half maximum of a point's intensity in detected images, pixels."""
_GAUSS_AREA: Final = math.pi / (4.0 * math.log(2.0))
"""Integral of a two-dimensional Gaussian over the square of its full width at half maximum."""
_GAUSS_REACH_PX: Final = 7


@dataclass(frozen=True)
class SeenTarget:
    """A point target in one image."""

    target: PointTarget
    line: float
    """0-based; where the peak is, by exact geometry."""
    pixel: float


def see_slant(scene: Scene, swath: Swath) -> tuple[SeenTarget, ...]:
    """Targets in a slant-range image: at their own heights, so the higher the nearer."""
    targets = scene.ground.targets_within(scene.radius_m)
    if not targets:
        return ()
    lon, lat, height = _places(targets)
    line, pixel = swath.line_pixel(lon, lat, height)
    return _inside(targets, line, pixel, swath.shape.lines, swath.shape.pixels)


def see_mapped(scene: Scene) -> tuple[SeenTarget, ...]:
    """Targets in a detected image: displaced by their height, but not in level 2.1."""
    grid, targets = scene.grid, scene.ground.targets_within(scene.radius_m)
    if grid is None or not targets:
        return ()
    lon, lat, height = _places(targets)
    t, r = geo2rdr(scene.orbit, lon, lat, height)
    swath = scene.swaths[0]
    seen_line = (t - swath.first_line_s) / swath.line_interval_s
    seen_pixel = (r - swath.near_range_m) / swath.range_spacing_m
    if scene.spec.level != "2.1":
        lon, lat = rdr2geo(scene.orbit, t, r, look=scene.spec.look)
    line, pixel = grid.line_pixel(lon, lat)
    in_data = (
        (seen_line >= 0)
        & (seen_line <= swath.shape.lines - 1)
        & (seen_pixel >= 0)
        & (seen_pixel <= swath.shape.pixels - 1)
    )
    line = np.where(in_data, line, np.nan)
    return _inside(targets, line, pixel, grid.shape.lines, grid.shape.pixels)


def _places(targets: tuple[PointTarget, ...]) -> tuple[Floats, Floats, Floats]:
    values = np.array([(t.lon_deg, t.lat_deg, t.height_m) for t in targets])
    return values[:, 0], values[:, 1], values[:, 2]


def _inside(
    targets: tuple[PointTarget, ...], line: Floats, pixel: Floats, lines: int, pixels: int
) -> tuple[SeenTarget, ...]:
    return tuple(
        SeenTarget(target, float(row), float(column))
        for target, row, column in zip(targets, line, pixel, strict=True)
        if 0.0 <= row <= lines - 1.0 and 0.0 <= column <= pixels - 1.0
    )


@dataclass(frozen=True)
class SlcResponse:
    """A target's complex response, separable in line and pixel."""

    first_line: int
    first_pixel: int
    along: NDArray[np.complex128]
    across: NDArray[np.complex128]

    def add_to(self, block: NDArray[np.complex64], first_line: int) -> None:
        """Add what falls into a strip of whole lines."""
        top = max(self.first_line, first_line)
        bottom = min(self.first_line + self.along.size, first_line + block.shape[0])
        if top < bottom:
            along = self.along[top - self.first_line : bottom - self.first_line]
            columns = slice(self.first_pixel, self.first_pixel + self.across.size)
            part = block[top - first_line : bottom - first_line, columns]
            part += (along[:, np.newaxis] * self.across).astype(np.complex64)


def _fills(scene: Scene, swath: Swath) -> tuple[float, float]:
    """Parts of the sampling rates, in azimuth and range, that the processed bands fill."""
    mode = scene.spec.parameters
    azimuth = mode.azimuth_bandwidth_hz / swath.prf_hz
    return min(1.0, azimuth), min(1.0, mode.range_bandwidth_hz / mode.sampling_rate_hz)


def slant_peak_sigma0(
    scene: Scene, swath: Swath, seen: SeenTarget, polarization: Polarization
) -> float:
    """Sigma nought that the peak of a target's response in level 1.1 is taken for, linear."""
    fill_azimuth, fill_range = _fills(scene, swath)
    rcs = math.pow(10.0, 0.1 * seen.target.rcs_dbsm[polarization])
    area = ground_area_m2(swath, seen.line, seen.pixel, seen.target.height_m)
    return rcs * fill_azimuth * fill_range / area


def slc_response(
    scene: Scene, swath: Swath, seen: SeenTarget, polarization: Polarization
) -> SlcResponse:
    """Band-limited response with the power that the radar cross section asks for.

    The sum of the power over all samples, times the ground area of a sample, is the radar cross
    section times the calibration. The phase at the peak is that of the way there and back; along
    the track it turns with the Doppler centroid.
    """
    fill_azimuth, fill_range = _fills(scene, swath)
    peak = math.sqrt(SLC_POWER * slant_peak_sigma0(scene, swath, seen, polarization))
    slant_range = float(swath.range_m(seen.pixel))
    wavelength = scene.spec.parameters.wavelength_m
    phase = math.fmod(-4.0 * math.pi * slant_range / wavelength, 2.0 * math.pi)
    first_line, along = _sinc(seen.line, fill_azimuth, swath.shape.lines)
    first_pixel, across = _sinc(seen.pixel, fill_range, swath.shape.pixels)
    away_s = (first_line + np.arange(along.size) - seen.line) * swath.line_interval_s
    turn = np.exp(2j * np.pi * float(doppler_hz(slant_range)) * away_s)
    return SlcResponse(
        first_line, first_pixel, along * turn * peak * np.exp(1j * phase), across.astype(complex)
    )


def _sinc(center: float, fill: float, count: int) -> tuple[int, Floats]:
    """Make a response along an axis of `count` samples: its first sample, its values."""
    reach = _LOBES / fill
    first = max(0, math.ceil(center - reach))
    last = min(count - 1, math.floor(center + reach))
    away = np.arange(first, last + 1) - center
    outer = np.clip(2.0 * np.abs(away) / reach - 1.0, 0.0, 1.0)
    return first, np.sinc(fill * away) * np.cos(0.5 * np.pi * outer) ** 2


@dataclass(frozen=True)
class DetectedResponse:
    """A target's sigma nought in a detected image: a Gaussian."""

    first_line: int
    first_pixel: int
    sigma0: NDArray[np.float32]

    def add_to(self, block: NDArray[np.float32], first_line: int) -> None:
        """Add what falls into a strip of whole lines."""
        top = max(self.first_line, first_line)
        bottom = min(self.first_line + self.sigma0.shape[0], first_line + block.shape[0])
        if top < bottom:
            part = self.sigma0[top - self.first_line : bottom - self.first_line]
            columns = slice(self.first_pixel, self.first_pixel + part.shape[1])
            block[top - first_line : bottom - first_line, columns] += part


def detected_peak_sigma0(scene: Scene, seen: SeenTarget, polarization: Polarization) -> float:
    """Sigma nought at the peak of a target's response in a detected image, linear."""
    rcs = math.pow(10.0, 0.1 * seen.target.rcs_dbsm[polarization])
    return rcs / (_GAUSS_AREA * (DETECTED_WIDTH_PX * scene.spec.spacing) ** 2)


def detected_response(
    scene: Scene, seen: SeenTarget, polarization: Polarization
) -> DetectedResponse:
    """Gaussian response whose integral over the ground is the radar cross section."""
    peak = detected_peak_sigma0(scene, seen, polarization)
    shape = scene.shape
    rows = _reach(seen.line, shape.lines)
    columns = _reach(seen.pixel, shape.pixels)
    scale = -4.0 * math.log(2.0) / DETECTED_WIDTH_PX**2
    down = np.exp(scale * (rows - seen.line) ** 2)
    across = np.exp(scale * (columns - seen.pixel) ** 2)
    sigma0 = (peak * down[:, np.newaxis] * across).astype(np.float32)
    return DetectedResponse(int(rows[0]), int(columns[0]), sigma0)


def _reach(center: float, count: int) -> NDArray[np.intp]:
    middle = round(center)
    return np.arange(max(0, middle - _GAUSS_REACH_PX), min(count, middle + _GAUSS_REACH_PX + 1))
