"""The real facility 5 against the map projection record, and fits of known mappings."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from pyproj import Geod

from alos2.ceos.reader import Leader
from alos2.errors import BadProduct
from alos2.geometry.footprints import polynomial_footprint
from alos2.geometry.polyfit import cubic_terms
from alos2.geometry.polynomials import GeolocationPolynomials, wrap_lon
from alos2.geometry.rangedoppler import rdr2geo
from alos2.types import RasterShape

EARTH = Geod(ellps="WGS84")
NAMES = (
    "map_to_pixel",
    "map_to_line",
    "pixel_line_to_lat",
    "pixel_line_to_lon",
    "origin_pixel",
    "origin_line",
    "lat_lon_to_pixel",
    "lat_lon_to_line",
    "origin_lat_deg",
    "origin_lon_deg",
)
LINES, PIXELS = 13161, 12870
CORNER_LINES = np.array([0, 0, LINES - 1, LINES - 1])
CORNER_PIXELS = np.array([0, PIXELS - 1, PIXELS - 1, 0])


@pytest.fixture(scope="module")
def real(leader: Leader) -> GeolocationPolynomials:
    assert leader.facility_5 is not None
    return GeolocationPolynomials(**{name: leader.facility_5[name] for name in NAMES})


@pytest.fixture(scope="module")
def map_corners(leader: Leader) -> tuple[np.ndarray, np.ndarray]:
    """The map projection record's corners, from its bytes: longitudes, latitudes."""
    record = leader.map_projection
    assert record is not None
    names = ("top_left", "top_right", "bottom_right", "bottom_left")
    found = np.array(
        [[record[f"{name}_lon_deg"], record[f"{name}_lat_deg"]] for name in names], dtype=float
    )
    return found[:, 0], found[:, 1]


def test_real_corners_within_a_centimetre(
    real: GeolocationPolynomials, map_corners: tuple[np.ndarray, np.ndarray]
) -> None:
    lon, lat = real.lonlat(CORNER_LINES, CORNER_PIXELS)
    _, _, distance = EARTH.inv(lon, lat, *map_corners)
    assert max(distance) < 0.01


def test_a_count_from_one_would_be_a_pixel_off(
    real: GeolocationPolynomials, map_corners: tuple[np.ndarray, np.ndarray]
) -> None:
    lon, lat = real.lonlat(CORNER_LINES + 1, CORNER_PIXELS + 1)
    _, _, distance = EARTH.inv(lon, lat, *map_corners)
    assert min(distance) > 8.0


def test_real_inverse(
    real: GeolocationPolynomials, map_corners: tuple[np.ndarray, np.ndarray]
) -> None:
    line, pixel = real.line_pixel(*map_corners)
    assert np.abs(line - CORNER_LINES).max() < 2e-3
    assert np.abs(pixel - CORNER_PIXELS).max() < 2e-3
    lines, pixels = np.meshgrid(np.linspace(0, LINES, 7), np.linspace(0, PIXELS, 7))
    line, pixel = real.line_pixel(*real.lonlat(lines, pixels))
    assert np.abs(line - lines).max() < 2e-5
    assert np.abs(pixel - pixels).max() < 2e-5


def test_real_map_terms_are_of_degrees_and_count_from_one(
    real: GeolocationPolynomials, map_corners: tuple[np.ndarray, np.ndarray]
) -> None:
    line, pixel = real.map_line_pixel(*map_corners)
    assert np.abs(line - CORNER_LINES).max() < 0.02
    assert np.abs(pixel - CORNER_PIXELS).max() < 0.02


def test_real_outline_is_the_raster(
    real: GeolocationPolynomials, map_corners: tuple[np.ndarray, np.ndarray]
) -> None:
    footprint = polynomial_footprint(real, RasterShape(LINES, PIXELS))
    ring = np.array(footprint["coordinates"][0])
    assert footprint["type"] == "Polygon"
    assert len(ring) == 5
    assert np.abs(ring[0] - np.array(map_corners).T[0]).max() < 1e-7


@pytest.mark.parametrize("node_deg", [0.0, 180.0 - 7.2], ids=["0", "antimeridian"])
def test_fit_of_a_slant_range_image(circular: Any, node_deg: float) -> None:
    orbit = circular(node_deg=node_deg).starting_at(20.0).orbit()

    def place(line: np.ndarray, pixel: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return rdr2geo(orbit, 805.0 + line / 2122.0, 790e3 + 4.29 * pixel, look="R")

    lines, pixels = np.meshgrid(np.linspace(0, 21219, 9), np.linspace(0, 10169, 9))
    fitted = GeolocationPolynomials.fit(lines, pixels, *place(lines, pixels))
    lines, pixels = np.meshgrid(np.linspace(0, 21219, 14), np.linspace(0, 10169, 14))
    lon, lat = place(lines, pixels)
    found = fitted.lonlat(lines, pixels)
    _, _, distance = EARTH.inv(lon.ravel(), lat.ravel(), found[0].ravel(), found[1].ravel())
    assert max(distance) < 0.05  # what degree 4 leaves of the curve from slant to ground range
    line, pixel = fitted.line_pixel(lon, lat)
    assert np.abs(line - lines).max() < 1e-2
    assert np.abs(pixel - pixels).max() < 1e-2
    line, pixel = fitted.map_line_pixel(lon, lat)
    assert np.abs(line - lines).max() < 1.0
    assert np.abs(pixel - pixels).max() < 1.0


def test_fit_recovers_polynomials(real: GeolocationPolynomials) -> None:
    lines, pixels = np.meshgrid(np.linspace(0, LINES - 1, 9), np.linspace(0, PIXELS - 1, 9))
    lon, lat = real.lonlat(lines, pixels)
    fitted = GeolocationPolynomials.fit(
        lines, pixels, lon, lat, origin_line=real.origin_line, origin_pixel=real.origin_pixel
    )
    again = fitted.lonlat(lines, pixels)
    assert np.abs(again[0] - lon).max() < 1e-11
    assert np.abs(again[1] - lat).max() < 1e-11
    # The linear terms are the pixel's size in degrees; the real and the fitted are the same.
    assert np.allclose(fitted.pixel_line_to_lat[-6:], real.pixel_line_to_lat[-6:], rtol=1e-6)


def test_the_order_of_the_map_terms() -> None:
    terms = cubic_terms(np.array(2.0), np.array(3.0))
    assert terms.tolist() == [1, 2, 3, 6, 4, 9, 12, 18, 8, 27]


def test_fit_without_map_terms_leaves_them_blank() -> None:
    lines, pixels = np.meshgrid(np.arange(6.0), np.arange(6.0))
    fitted = GeolocationPolynomials.fit(lines, pixels, 0.1 * pixels, -0.1 * lines, with_map=False)
    assert not fitted.map_to_line.any()
    assert not fitted.is_blank


@pytest.mark.parametrize("count", [4, 24])
def test_fit_of_too_few_points(count: int) -> None:
    values = np.random.default_rng(0).uniform(0, 100, (4, count))
    with pytest.raises(ValueError, match="as many points"):
        GeolocationPolynomials.fit(*values)


def test_fit_along_one_line() -> None:
    values = np.arange(30.0)
    with pytest.raises(ValueError, match="span an area"):
        GeolocationPolynomials.fit(np.zeros(30), values, values / 100, values / 100)


def _blank() -> GeolocationPolynomials:
    zeros, ten = np.zeros(25), np.zeros(10)
    return GeolocationPolynomials(
        ten, ten, zeros, zeros, 0.0, 0.0, zeros, zeros, origin_lat_deg=0.0, origin_lon_deg=0.0
    )


def test_blank_polynomials_give_no_footprint() -> None:
    assert _blank().is_blank
    with pytest.raises(BadProduct, match="all zero"):
        polynomial_footprint(_blank(), RasterShape(10, 10))


@pytest.mark.parametrize(
    "change",
    [
        {"pixel_line_to_lat": [None] + [0.0] * 24},
        {"lat_lon_to_line": [0.0] * 24},
        {"map_to_pixel": [np.nan] * 10},
        {"origin_line": None},
        {"origin_lon_deg": np.inf},
    ],
)
def test_missing_numbers(change: dict[str, Any]) -> None:
    with pytest.raises(BadProduct, match=f"facility 5 of the leader: {next(iter(change))}"):
        replace(_blank(), **change)


def test_wrapping_of_longitudes() -> None:
    wrapped = wrap_lon(np.array([180.0, -180.0, 181.0, -190.0, 0.25, 540.5]))
    assert wrapped.tolist() == [180.0, -180.0, -179.0, 170.0, 0.25, -179.5]
