"""Map projections as WKT, against PROJ's own definitions, to a micrometre."""

from __future__ import annotations

import pytest
import rasterio.crs
import rasterio.warp
from pyproj import CRS, Transformer

from alos2.errors import BadProduct
from alos2.product.crs import MapCrs, lambert, mercator, polar_stereographic, utm

CASES = [
    (utm(20, south=True), "+proj=utm +zone=20 +south", -62.9, -10.68),
    (utm(1, south=False), "+proj=utm +zone=1", -179.5, 60.0),
    (utm(60, south=False), "+proj=utm +zone=60", 179.9, 1.0),
    (polar_stereographic(75, -45), "+proj=stere +lat_0=90 +lat_ts=75 +lon_0=-45", 20.0, 80.0),
    (
        polar_stereographic(-71, 30, false_easting_m=100.0),
        "+proj=stere +lat_0=-90 +lat_ts=-71 +lon_0=30 +x_0=100", 20.0, -80.0,
    ),
    (
        polar_stereographic(-90, 0, scale=0.994, false_northing_m=2e6),
        "+proj=stere +lat_0=-90 +k=0.994 +y_0=2000000", 20.0, -80.0,
    ),
    (mercator(140, latitude_deg=30), "+proj=merc +lat_ts=30 +lon_0=140", 139.0, 35.0),
    (mercator(140, scale=0.9), "+proj=merc +k=0.9 +lon_0=140", 139.0, 35.0),
    (
        lambert(33, 45, origin_latitude_deg=23, origin_longitude_deg=-96, false_easting_m=5.0),
        "+proj=lcc +lat_1=33 +lat_2=45 +lat_0=23 +lon_0=-96 +x_0=5", -100.0, 40.0,
    ),
]  # fmt: skip


@pytest.mark.parametrize(("crs", "proj", "lon", "lat"), CASES)
def test_maps_as_proj_does(crs: MapCrs, proj: str, lon: float, lat: float) -> None:
    geographic = "+proj=longlat +ellps=GRS80"
    wanted = Transformer.from_crs(geographic, proj + " +ellps=GRS80", always_xy=True)
    wanted = wanted.transform(lon, lat)
    ours = Transformer.from_crs("EPSG:4326", CRS.from_wkt(crs.wkt), always_xy=True)
    assert ours.transform(lon, lat) == pytest.approx(wanted, abs=1e-6)
    by_gdal = rasterio.crs.CRS.from_wkt(crs.wkt)
    x, y = rasterio.warp.transform("EPSG:4326", by_gdal, [lon], [lat])
    assert (x[0], y[0]) == pytest.approx(wanted, abs=1e-6)


@pytest.mark.parametrize("crs", [utm(20, south=True), utm(54, south=False)])
def test_the_equivalent_epsg_code_is_a_tenth_of_a_millimetre_away(crs: MapCrs) -> None:
    assert crs.epsg is not None
    ours = Transformer.from_crs(CRS.from_wkt(crs.wkt), CRS.from_epsg(crs.epsg), always_xy=True)
    assert ours.transform(600_000.0, 4_000_000.0) == pytest.approx((6e5, 4e6), abs=2e-4)


def test_only_utm_has_an_equivalent_code() -> None:
    assert [crs.epsg for crs, *_ in CASES] == [32720, 32601, 32660] + [None] * 6


@pytest.mark.parametrize(
    "make",
    [
        lambda: utm(0, south=False),
        lambda: utm(61, south=True),
        lambda: polar_stereographic(0.0, 0.0),
        lambda: polar_stereographic(float("nan"), 0.0),
        lambda: polar_stereographic(75.0, 1e6),
        lambda: mercator(0.0, latitude_deg=90.0),
        lambda: mercator(0.0, latitude_deg=10.0, scale=0.9),
        lambda: lambert(30.0, -30.0, origin_latitude_deg=0.0, origin_longitude_deg=0.0),
    ],
)
def test_parameters_that_cannot_be(make) -> None:
    with pytest.raises(BadProduct, match="map projection"):
        make()
