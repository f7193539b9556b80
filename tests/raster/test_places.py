"""Every map projection that JAXA makes, both ways."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from pyproj import Proj

from alos2.errors import BadProduct
from alos2.product import crs
from alos2.raster.places import OUTSIDE, Places

PROJECTIONS = {
    "utm north": (crs.utm(54, south=False), "+proj=utm +zone=54", (139.0, 36.0)),
    "utm south": (crs.utm(20, south=True), "+proj=utm +zone=20 +south", (-62.5, -11.0)),
    "polar": (
        crs.polar_stereographic(70.0, 135.0),
        "+proj=stere +lat_0=90 +lat_ts=70 +lon_0=135",
        (140.0, 75.0),
    ),
    "polar south": (
        crs.polar_stereographic(-71.0, 0.0),
        "+proj=stere +lat_0=-90 +lat_ts=-71 +lon_0=0",
        (40.0, -75.0),
    ),
    "mercator": (crs.mercator(140.0), "+proj=merc +lon_0=140", (141.0, 30.0)),
    "lambert": (
        crs.lambert(30.0, 60.0, origin_latitude_deg=45.0, origin_longitude_deg=140.0),
        "+proj=lcc +lat_1=30 +lat_2=60 +lat_0=45 +lon_0=140",
        (141.0, 44.0),
    ),
}


@pytest.mark.parametrize("name", PROJECTIONS)
@pytest.mark.parametrize("by_code", [False, True])
def test_image_coordinates_and_back(make: Any, name: str, by_code: bool) -> None:
    found, proj, (lon, lat) = PROJECTIONS[name]
    x, y = Proj(f"{proj} +ellps=GRS80")(lon, lat)
    grid = make.utm((400, 500), corner=(x - 1000.0, y + 2000.0), rotation_deg=7.0)
    grid = replace(grid, crs_wkt=found.wkt, epsg=found.epsg if by_code else None)
    places = Places(grid)
    a, b, c, d, e, f = grid.transform
    pixel, line = np.linalg.solve([[a, b], [d, e]], [x - c, y - f])
    assert np.allclose(places.pixel_line(np.array(lon), np.array(lat)), (pixel, line), atol=1e-4)
    assert np.allclose(places.lonlat(pixel, line), (lon, lat), atol=1e-9)


def test_places_that_a_projection_cannot_show_are_far_outside(make: Any) -> None:
    pixel, line = Places(make.utm((10, 10))).pixel_line(
        np.array([141.0, 1e30]), np.array([36.0, 0.0])
    )
    assert pixel[0] > OUTSIDE
    assert pixel[1] == line[1] == OUTSIDE


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"transform": (1.0, 2.0, 0.0, 1.0, 2.0, 0.0)}, "no inverse"),
        ({"epsg": None, "crs_wkt": "nonsense"}, "cannot be used"),
        ({"epsg": 4326}, "no map projection"),
    ],
)
def test_grids_that_cannot_be_are_named(make: Any, change: dict[str, Any], said: str) -> None:
    with pytest.raises(BadProduct, match=said):
        Places(replace(make.utm((10, 10)), **change))
