"""Where everything lies: from the spec to orbit, slant-range images, map grid and ground."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from alos2.errors import BadProduct, UsageError
from alos2.geometry.ellipsoid import geodetic_to_ecef
from alos2.geometry.orbit import Floats, Orbit
from alos2.geometry.rangedoppler import geo2rdr, incidence_deg, rdr2geo
from alos2.naming import Beam
from alos2.simulate.changes import Change
from alos2.simulate.ground import Ground, TangentPlane
from alos2.simulate.maps import Grid
from alos2.simulate.orbit import SimulatedOrbit, advanced, find_orbit, moved
from alos2.simulate.place import place_grid
from alos2.simulate.spec import SimulationSpec
from alos2.simulate.terrain import Terrain, heights_of
from alos2.types import LookSide, RasterShape

DOPPLER_CONST_HZ: Final = -18.5767897
DOPPLER_LINEAR_HZ_PER_KM: Final = -0.0243354
"""Doppler centroid by slant range in km: that of a real scene."""

BEAM_OVERLAP: Final = 0.05
"""Part of a ScanSAR beam that the next one covers too."""

FRAME_OVERLAP: Final = 0.1
"""Part of a frame that the next one of the pass shows too."""

LONGEST_S: Final = 240.0
"""Longest scene; JAXA's ScanSAR scenes last 52 s."""

_LEAST_FRACTION_M: Final = 0.1
"""Near ranges are at least this far from a whole metre, so that rounding shows."""


@dataclass(frozen=True)
class Swath:
    """One image in slant range: level 1.1, or the data rectangle of a detected image."""

    orbit: Orbit
    look: LookSide
    first_line_s: float
    """Zero-Doppler time of line 0, seconds since the orbit's epoch."""
    line_interval_s: float
    near_range_m: float
    """Of pixel 0, exactly."""
    range_spacing_m: float
    shape: RasterShape
    prf_hz: float
    beam: Beam | None = None

    def time_s(self, line: ArrayLike) -> Floats:
        """Zero-Doppler time of lines."""
        return self.first_line_s + self.line_interval_s * np.asarray(line, dtype=np.float64)

    def range_m(self, pixel: ArrayLike) -> Floats:
        """Slant range of pixels."""
        return self.near_range_m + self.range_spacing_m * np.asarray(pixel, dtype=np.float64)

    def lonlat(
        self, line: ArrayLike, pixel: ArrayLike, height_m: float = 0.0
    ) -> tuple[Floats, Floats]:
        """Place of image positions at a height above the ellipsoid, degrees."""
        return rdr2geo(
            self.orbit,
            self.time_s(line),
            self.range_m(pixel),
            look=self.look,
            height_m=height_m,
        )

    def line_pixel(
        self, lon_deg: ArrayLike, lat_deg: ArrayLike, height_m: ArrayLike = 0.0
    ) -> tuple[Floats, Floats]:
        """Image position of places at heights above the ellipsoid."""
        t, r = geo2rdr(self.orbit, lon_deg, lat_deg, height_m)
        return (
            (t - self.first_line_s) / self.line_interval_s,
            (r - self.near_range_m) / self.range_spacing_m,
        )

    @property
    def corners(self) -> tuple[tuple[float, float], ...]:
        """Early near, early far, late far, late near: line and pixel of the pixels' centres."""
        last_line, last_pixel = self.shape.lines - 1.0, self.shape.pixels - 1.0
        return ((0.0, 0.0), (0.0, last_pixel), (last_line, last_pixel), (last_line, 0.0))

    @property
    def middle(self) -> tuple[float, float]:
        """Line and pixel that the leader calls the centre."""
        return float(self.shape.lines // 2), float(self.shape.pixels // 2)


def doppler_hz(slant_range_m: ArrayLike) -> Floats:
    """Doppler centroid of the simulated data."""
    range_km = np.asarray(slant_range_m, dtype=np.float64) / 1000.0
    return DOPPLER_CONST_HZ + DOPPLER_LINEAR_HZ_PER_KM * range_km


@dataclass(frozen=True)
class Scene:
    """Everything that follows from the spec before a pixel is made."""

    spec: SimulationSpec
    flight: SimulatedOrbit
    swaths: tuple[Swath, ...]
    """Level 1.1: one, or one a ScanSAR beam. Others: one, the data's rectangle in slant range."""
    grid: Grid | None
    """Of levels 1.5 to 3.1."""
    ground: Ground

    @property
    def orbit(self) -> Orbit:
        """State vectors."""
        return self.flight.orbit

    @property
    def shape(self) -> RasterShape:
        """Of the first image."""
        return self.swaths[0].shape if self.grid is None else self.grid.shape

    @property
    def names_stem(self) -> str:
        """``<scene>-<product>``."""
        return f"{self.flight.scene}-{self.spec.product_id}"

    @property
    def changes(self) -> tuple[Change, ...]:
        """Those that are seen on the day of the scene."""
        return tuple(c for c in self.spec.changes if c.is_on(self.flight.scene.date))

    @property
    def noise_name(self) -> str:
        """What speckle depends on besides seed and image."""
        return f" {self.flight.scene}" if self.spec.speckle_by_date else ""

    @cached_property
    def start_s(self) -> float:
        """Time of the first line of data, seconds since the orbit's epoch."""
        return min(float(s.time_s(0)) for s in self.swaths)

    @cached_property
    def end_s(self) -> float:
        """Time of the last line of data."""
        return max(float(s.time_s(s.shape.lines - 1)) for s in self.swaths)

    @cached_property
    def near_range_m(self) -> float:
        """Smallest slant range of the data."""
        return min(s.near_range_m for s in self.swaths)

    @cached_property
    def far_range_m(self) -> float:
        """Largest slant range of the data."""
        return max(float(s.range_m(s.shape.pixels - 1)) for s in self.swaths)

    @cached_property
    def center_range_m(self) -> float:
        """Slant range of the centre."""
        if self.grid is None and len(self.swaths) == 1:
            return float(self.swaths[0].range_m(self.swaths[0].middle[1]))
        return 0.5 * (self.near_range_m + self.far_range_m)

    @cached_property
    def center_lonlat(self) -> tuple[float, float]:
        """What the leader calls the scene's centre, degrees: at height 0 in slant range."""
        if self.grid is not None:
            lon, lat = self.grid.lonlat(self.grid.shape.lines // 2, self.grid.shape.pixels // 2)
        else:
            lon, lat = rdr2geo(
                self.orbit, self.flight.center_s, self.center_range_m, look=self.spec.look
            )
        return float(lon), float(lat)

    @cached_property
    def incidence_deg(self) -> float:
        """Of the wave at the centre, on the ellipsoid."""
        return float(
            incidence_deg(
                self.orbit, self.flight.center_s, self.center_range_m, look=self.spec.look
            )
        )

    @cached_property
    def data_corners(self) -> dict[str, tuple[float, float]]:
        """Longitude and latitude of the data's quadrilateral.

        At height 0, of level 2.1 at the ground's.
        Keys ``early_near``, ``early_far``, ``late_far``, ``late_near``. Several ScanSAR beams make
        one quadrilateral of the outermost times and ranges.
        """
        near, far = self.near_range_m, self.far_range_m
        lon, lat = rdr2geo(
            self.orbit,
            np.array([self.start_s, self.start_s, self.end_s, self.end_s]),
            np.array([near, far, far, near]),
            look=self.spec.look,
            height_m=self.spec.image_height_m,
        )
        names = ("early_near", "early_far", "late_far", "late_near")
        return {n: (float(x), float(y)) for n, x, y in zip(names, lon, lat, strict=True)}

    @cached_property
    def radius_m(self) -> float:
        """Distance from the ground's centre within which everything visible lies."""
        plane = self.ground.plane
        lonlats = [np.array(list(self.data_corners.values())).T]
        if self.grid is not None:
            rows, columns = np.array(self.grid.corners).T
            lonlats.append(np.stack(self.grid.lonlat(rows, columns)))
        reach = max(float(np.hypot(*plane.xy(*places)).max()) for places in lonlats)
        return 1.05 * reach + 100.0


def plan(spec: SimulationSpec) -> Scene:
    """Place the scene.

    Raises
    ------
    UsageError
        If the orbit does not see the place so, or the image is too large for the geometry.
    """
    flight = find_orbit(
        spec.lon_deg,
        spec.lat_deg,
        spec.date,
        look=spec.look,
        pass_direction=spec.pass_direction,
        off_nadir_deg=spec.off_nadir,
        height_m=0.0,
    )
    flight = moved(flight, *spec.orbit_offset_m)
    center = spec.ground or (spec.lon_deg, spec.lat_deg)
    heights = None
    if spec.terrain is not None or spec.level == "2.2":
        terrain = spec.terrain or Terrain(height_m=0.0)
        heights = heights_of(terrain, TangentPlane(*center), spec.height_m)
    ground = Ground(spec.seed, *center, spec.height_m, heights=heights, targets=spec.targets)
    try:
        scene = _placed(spec, spec, flight, ground)
        if spec.frame_step:
            scene = _next_frame(scene, spec.frame_step)
        _ = scene.data_corners, scene.radius_m  # whatever cannot be seen shows here
    except BadProduct as error:
        raise UsageError(
            f"an image of {spec.pixels} pixels and {spec.lines} lines does not fit the orbit: "
            f"{error.message}",
            hint="ask for fewer pixels and lines",
        ) from None
    if scene.end_s - scene.start_s > LONGEST_S:
        raise UsageError(f"{spec.lines} lines take more than {LONGEST_S:g} s to fly over")
    return scene


def _placed(
    spec: SimulationSpec, placed: SimulationSpec, flight: SimulatedOrbit, ground: Ground
) -> Scene:
    """Place the images; `placed` is the spec with the place of this frame."""
    if spec.level == "1.1":
        return Scene(spec, flight, _slant_images(placed, flight), None, ground)
    grid, rectangle = place_grid(placed, flight)
    return Scene(spec, flight, (_data_swath(spec, flight, rectangle),), grid, ground)


def _next_frame(first: Scene, step: int) -> Scene:
    """Place a scene some steps along the same pass, so that neighbours overlap."""
    spec = first.spec
    length_s = first.end_s - first.start_s
    flight = advanced(first.flight, step, round(step * (1.0 - FRAME_OVERLAP) * length_s, 3))
    lon, lat = rdr2geo(flight.orbit, flight.center_s, first.center_range_m, look=spec.look)
    placed = replace(spec, lon_deg=float(lon), lat_deg=float(lat))
    return _placed(spec, placed, flight, first.ground)


def _slant_images(spec: SimulationSpec, flight: SimulatedOrbit) -> tuple[Swath, ...]:
    """Place the slant-range images: beams side by side, all of them round the centre time."""
    mode = spec.parameters
    prfs = mode.prf_hz
    step = mode.range_spacing_m
    _, center_range = geo2rdr(flight.orbit, spec.lon_deg, spec.lat_deg)
    width = spec.pixels * step
    stride = width * (1.0 - BEAM_OVERLAP)
    first = float(center_range) - 0.5 * (len(prfs) - 1) * stride - (spec.pixels // 2) * step
    swaths = []
    for number, prf in enumerate(prfs):
        lines = round(spec.lines * prf / prfs[0])
        start = flight.center_s - (lines // 2) / prf
        swaths.append(
            Swath(
                flight.orbit,
                spec.look,
                round(start, 6),  # the prefix has whole microseconds
                1.0 / prf,
                _not_whole(first + number * stride),
                step,
                RasterShape(lines, spec.pixels),
                prf,
                Beam("F", number + 1) if spec.is_scansar else None,
            )
        )
    return tuple(swaths)


def _not_whole(range_m: float) -> float:
    """Move the range a little if it is too near a whole metre."""
    near = math.fabs(range_m - round(range_m)) < _LEAST_FRACTION_M
    return range_m + 0.25 if near else range_m


def _data_swath(
    spec: SimulationSpec, flight: SimulatedOrbit, rectangle: tuple[float, float, float, float]
) -> Swath:
    """Make a slant-range image of the rectangle of times and ranges of a detected image."""
    start, end, near, far = rectangle
    prf = spec.parameters.prf_hz[0]
    lines = max(2, round((end - start) * prf))
    step = spec.parameters.range_spacing_m
    pixels = max(2, round((far - near) / step))
    return Swath(
        flight.orbit,
        spec.look,
        start,
        (end - start) / (lines - 1),
        near,
        (far - near) / (pixels - 1),
        RasterShape(lines, pixels),
        prf,
    )


def ground_area_m2(swath: Swath, line: float, pixel: float, height_m: float) -> float:
    """Area of one sample on level ground, m^2."""
    along, across = _ground_steps(swath, line, pixel, height_m)
    return float(np.linalg.norm(np.cross(along, across)))


def line_spacing_m(swath: Swath) -> float:
    """Distance of lines on the ground in the middle of an image, m."""
    along, _ = _ground_steps(swath, *swath.middle, 0.0)
    return float(np.linalg.norm(along))


def _ground_steps(
    swath: Swath, line: float, pixel: float, height_m: float
) -> tuple[Floats, Floats]:
    """Earth-fixed vectors from line to line and from pixel to pixel, m."""
    lines = line + np.array([-0.5, 0.5, 0.0, 0.0])
    pixels = pixel + np.array([0.0, 0.0, -0.5, 0.5])
    places = geodetic_to_ecef(*swath.lonlat(lines, pixels, height_m), height_m)
    return places[1] - places[0], places[3] - places[2]
