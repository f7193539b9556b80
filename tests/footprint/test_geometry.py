from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from alos2.dataset.footprint_report import FootprintAnswer
from alos2.errors import BadProduct, Interrupted
from alos2.footprint.geometry import geometry_footprint
from alos2.footprint.options import FootprintOptions
from alos2.footprint.provider import NoAnswer, Question
from alos2.footprint.raster import raster_footprint
from alos2.footprint.summary import summary_footprint
from alos2.geometry.rangedoppler import rdr2geo
from alos2.geometry.rings import area_m2, area_ratio, distance_m, footprint_geometry
from alos2.product.model import Product, SummaryCorners, TiePoint
from alos2.types import LonLat, RasterShape


def answer(product: Product) -> FootprintAnswer:
    said = geometry_footprint(Question(product, FootprintOptions()))
    assert isinstance(said, FootprintAnswer), said
    assert said.accepted
    return said


def refusal(product: Product) -> str:
    said = geometry_footprint(Question(product, FootprintOptions()))
    assert isinstance(said, NoAnswer), said
    return said.reason


def corners_of(product: Product, decimals: int = 3) -> SummaryCorners:
    """What summary.txt would say of the scene in slant range."""
    orbit = product.orbit
    assert orbit is not None
    timing = product.images[0].timing
    assert timing is not None
    lines, pixels = product.images[0].shape
    start = orbit.seconds(timing.first_line_time)
    end = start + (lines - 1) * timing.line_interval_s
    far = timing.near_range_m + (pixels - 1) * timing.range_spacing_m
    ranges = [timing.near_range_m, far, far, timing.near_range_m]
    lon, lat = rdr2geo(orbit, [end, end, start, start], ranges, look=product.look)
    places = [
        LonLat(round(float(x), decimals), round(float(y), decimals))
        for x, y in zip(lon, lat, strict=True)
    ]
    return SummaryCorners(*places)


class TestSlantRange:
    def test_corners_by_range_doppler(self, make: SimpleNamespace) -> None:
        product = make.slc()
        said = answer(product)
        assert said.method == "range-Doppler on the ellipsoid"
        assert said.details == {"height_m": 0.0}
        exact = corners_of(product, 9)
        ring = footprint_geometry(
            [exact.left_top, exact.right_top, exact.right_bottom, exact.left_bottom]
        )
        assert distance_m(said.geometry, ring) < 60.0  # edges are drawn straight in degrees
        assert 2e9 < area_m2(said.geometry) < 2e10

    def test_left_is_the_other_side(self, make: SimpleNamespace) -> None:
        right, left = (answer(make.slc(look)).geometry for look in "RL")
        assert (
            max(p[0] for p in make.ring_of(left)) < -85.0 < min(p[0] for p in make.ring_of(right))
        )

    def test_scansar_is_the_union_of_its_beams(self, make: SimpleNamespace) -> None:
        said = answer(make.scansar())
        assert said.method.endswith("union of 3 beams")
        assert area_m2(said.geometry) > 2.5 * area_m2(answer(make.slc()).geometry)

    def test_the_antimeridian_is_cut(self, make: SimpleNamespace) -> None:
        said = answer(make.slc(orbit=make.orbit(35.5, 175.2)))
        assert said.geometry["type"] == "MultiPolygon"

    def test_what_is_missing_is_said(self, make: SimpleNamespace) -> None:
        assert "no orbit" in refusal(make.slc(orbit=None))
        untimed = make.image("IMG-HH-ALOS2231410700-180905-FBDR1.1__A", RasterShape(10, 10))
        assert "azimuth time" in refusal(make.slc(images=(untimed,)))
        assert refusal(make.product("FBDR1.1__A"))

    def test_an_orbit_of_another_day_is_refused(self, make: SimpleNamespace) -> None:
        late = make.orbit(when=make.timing().first_line_time + timedelta(days=1))
        assert refusal(make.slc(orbit=late))


class TestTiePoints:
    def tied(self, make: SimpleNamespace, count: int) -> Product:
        places = [
            (0, 0, -78.3, 35.2),
            (0, 99, -77.5, 35.3),
            (99, 0, -78.4, 35.8),
            (99, 99, -77.6, 35.9),
        ]
        points = tuple(TiePoint(li, px, LonLat(x, y)) for li, px, x, y in places[:count])
        name = "IMG-HH-ALOS2231410700-180905-FBDR1.1__A.tif"
        one = make.image(name, RasterShape(100, 100), tie_points=points)
        product: Product = make.product("FBDR1.1__A", format="geotiff", images=(one,))
        return product

    def test_level_1_1_geotiff_has_four(self, make: SimpleNamespace) -> None:
        said = answer(self.tied(make, 4))
        assert said.method == "tie points of the GeoTIFF"
        assert {tuple(p) for p in make.ring_of(said.geometry)} == {
            (-78.3, 35.2), (-77.5, 35.3), (-78.4, 35.8), (-77.6, 35.9)
        }  # fmt: skip

    def test_none_or_two_are_too_few(self, make: SimpleNamespace) -> None:
        for count in (0, 2):
            assert "tie points" in refusal(self.tied(make, count))


class TestDetected:
    def test_without_an_orbit_the_georeferencing(self, make: SimpleNamespace) -> None:
        said = answer(make.utm())
        assert said.method == "georeferencing, corners of the raster, larger than the data"
        assert area_m2(said.geometry) == pytest.approx(70_000.0**2, rel=0.01)

    def test_georeferenced_is_not_called_larger(self, make: SimpleNamespace) -> None:
        assert answer(make.utm("FBDR1.5RUA")).method == "georeferencing, corners of the raster"

    def test_with_an_orbit_the_data(self, make: SimpleNamespace) -> None:
        slc = make.slc()
        rounded = corners_of(slc)
        said = answer(make.utm(orbit=slc.orbit, image_corners=rounded, format="ceos"))
        assert "rectangle through the summary's image corners" in said.method
        assert said.details["misfit_m"] < 100.0
        assert "leader" not in said.details
        assert area_ratio(said.geometry, answer(slc).geometry) > 0.995
        assert distance_m(said.geometry, answer(slc).geometry) < 130.0

    def test_a_leader_from_outside_is_named(self, make: SimpleNamespace) -> None:
        slc = make.slc()
        name = "LED-ALOS2231410700-180905-FBDR1.1__A"
        given: dict[str, Any] = {"orbit": slc.orbit, "leader_from": name}
        said = answer(make.utm(image_corners=corners_of(slc), **given))
        assert said.details["leader"] == name
        assert "range-Doppler" in said.method

    def test_corners_that_are_no_rectangle_are_not_used(self, make: SimpleNamespace) -> None:
        slc = make.slc()
        good = corners_of(slc)
        bad = SummaryCorners(
            LonLat(good.left_top.lon_deg + 0.2, good.left_top.lat_deg),
            good.right_top, good.right_bottom, good.left_bottom,
        )  # fmt: skip
        said = answer(make.utm(orbit=slc.orbit, image_corners=bad))
        assert said.method.startswith("georeferencing")

    def test_corners_of_the_wrong_side_are_not_used(self, make: SimpleNamespace) -> None:
        slc = make.slc("L")
        said = answer(make.utm(orbit=slc.orbit, image_corners=corners_of(slc)))
        assert said.method.startswith("georeferencing")

    def test_nothing_at_all(self, make: SimpleNamespace) -> None:
        said = refusal(make.product("FBDR2.1GUA", format="geotiff"))
        assert "georeferencing" in said
        assert "orbit" in said


class TestSummary:
    corners = SummaryCorners(
        LonLat(-70.663, -26.935), LonLat(-69.947, -26.776),
        LonLat(-69.781, -27.384), LonLat(-70.501, -27.543),
    )  # fmt: skip

    def said(self, product: Product) -> FootprintAnswer | NoAnswer:
        return summary_footprint(Question(product, FootprintOptions()))

    def test_image_corners(self, make: SimpleNamespace) -> None:
        said = self.said(make.product("FBDR1.5GUA", image_corners=self.corners))
        assert isinstance(said, FootprintAnswer)
        assert said.method == "image corners of summary.txt"
        assert {tuple(p) for p in make.ring_of(said.geometry)} == {
            self.corners.left_top, self.corners.right_top,
            self.corners.right_bottom, self.corners.left_bottom,
        }  # fmt: skip

    def test_raster_corners_are_a_last_resort_and_say_so(self, make: SimpleNamespace) -> None:
        said = self.said(make.product("FBDR1.5GUA", frame_corners=self.corners))
        assert isinstance(said, FootprintAnswer)
        assert "larger than the data" in said.method

    def test_none(self, make: SimpleNamespace) -> None:
        assert isinstance(self.said(make.product("FBDR1.5GUA")), NoAnswer)

    def test_a_point_is_no_area(self, make: SimpleNamespace) -> None:
        one = LonLat(1.0, 2.0)
        said = self.said(
            make.product("FBDR1.5GUA", image_corners=SummaryCorners(one, one, one, one))
        )
        assert isinstance(said, NoAnswer)


class TestRaster:
    square = footprint_geometry([LonLat(0, 0), LonLat(1, 0), LonLat(1, 1), LonLat(0, 1)])

    def test_the_polygon_of_the_pixels(self, make: SimpleNamespace) -> None:
        said = raster_footprint(Question(make.utm(), FootprintOptions(), lambda _: self.square))
        assert isinstance(said, FootprintAnswer)
        assert said.geometry == self.square

    def test_why_there_is_none(self, make: SimpleNamespace) -> None:
        def broken(product: Product) -> None:
            raise BadProduct("IMG-HH is cut off")

        for polygon, said in (
            (None, "not read"),
            (lambda _: None, "no valid"),
            (broken, "cut off"),
        ):
            answer = raster_footprint(Question(make.utm(), FootprintOptions(), polygon))
            assert isinstance(answer, NoAnswer)
            assert said in answer.reason

    def test_level_1_1_has_no_map(self, make: SimpleNamespace) -> None:
        said = raster_footprint(Question(make.slc(), FootprintOptions(), lambda _: self.square))
        assert isinstance(said, NoAnswer)

    def test_ctrl_c_is_not_an_answer(self, make: SimpleNamespace) -> None:
        def stop(product: Product) -> None:
            raise Interrupted("stopped")

        with pytest.raises(Interrupted):
            raster_footprint(Question(make.utm(), FootprintOptions(), stop))
